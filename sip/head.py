"""The head of a message, from bytes to header lines: line ends, folding, charset, limits (RFC 3261, 7).

Tolerates what phones send: LF alone, blanks around names, folding, Latin-1. Refuses what two elements
could read differently: bare CR, control characters, lines without a colon, repeated singletons, and
every doubt about the length of the body.
"""

from __future__ import annotations

import re

from sip.errors import MalformedHeader
from sip.headers import CANONICAL, SINGLETONS, canonical

MAX_HEAD = 32 * 1024
MAX_LINE = 8 * 1024
MAX_HEADER_LINES = 256
MAX_BODY = 256 * 1024

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Behind a backslash in a quoted-string a control character may stand (RFC 3261 section 25.1, quoted-pair).
_QUOTED_PAIR = re.compile(r"\\[^\r\n]")
_FOLD = re.compile(r"\n[ \t]+")
_LENGTH = re.compile(r"[0-9]{1,10}")


class Head:
    """A head that has been cut into lines.

    start: start line. lines: values by canonical name. charset: "utf-8" or "latin-1". fault: the first
    thing found wrong as (status, reason), or None.
    """

    __slots__ = ("start", "lines", "charset", "fault")

    def __init__(
        self, start: str, lines: dict[str, list[str]], charset: str, fault: tuple[int, str] | None
    ) -> None:
        self.start = start
        self.lines = lines
        self.charset = charset
        self.fault = fault

    def blame(self, status: int, reason: str) -> None:
        """Note a fault, unless one is noted already."""
        if self.fault is None:
            self.fault = (status, reason)

    @property
    def content_length(self) -> int | None:
        """Length of the body in bytes; None when not said. A fault in it is noted and reads as None."""
        values = self.lines.get("Content-Length")
        if values is None:
            return None
        if len(values) > 1 or not _LENGTH.fullmatch(values[0]):
            self.blame(400, "Bad Content-Length")
            return None
        return int(values[0])


def find_end(data: bytes | bytearray, start: int = 0) -> tuple[int, int]:
    """Where the head ends and where the body begins; (-1, -1) when the blank line has not come.

    The earliest blank line counts, whichever line ends it is made of.
    """
    end = data.find(b"\n\r\n", start)
    plain = data.find(b"\n\n", start, end if end >= 0 else len(data))
    if plain >= 0:
        return plain, plain + 2
    if end < 0:
        return -1, -1
    return end - (data[end - 1 : end] == b"\r"), end + 3


def read_head(data: bytes) -> Head:
    """Cut a head, without its blank line, into lines. Never raises: what is wrong is noted in `fault`."""
    if len(data) > MAX_HEAD:
        return Head("", {}, "utf-8", (513, "Message Head Too Large"))
    charset = "utf-8"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        charset = "latin-1"
        text = data.decode(charset)
    rows = text.split("\r\n")
    # Printable rows hold no control character, no stray line end and no tab: most heads need no other look.
    if "\r\n " in text or not "".join(rows).isprintable():
        return _read_slowly(text, charset)
    return _cut(rows, charset, None)


def _read_slowly(text: str, charset: str) -> Head:
    fault = None
    if _CONTROL.search(_QUOTED_PAIR.sub("", text) if "\\" in text else text):
        fault = (400, "Control Character")
        text = _CONTROL.sub("", text)
    text = text.replace("\r\n", "\n").removesuffix("\r")
    if "\r" in text:
        fault = fault or (400, "Carriage Return Alone")
        text = text.replace("\r", " ")
    return _cut(_FOLD.sub(" ", text).split("\n"), charset, fault)


def _cut(rows: list[str], charset: str, fault: tuple[int, str] | None) -> Head:
    if len(rows) > MAX_HEADER_LINES:
        return Head(rows[0], {}, charset, fault or (513, "Too Many Header Fields"))
    lines: dict[str, list[str]] = {}
    names = CANONICAL
    rest = iter(rows)
    start = next(rest)
    for row in rest:
        spelling, colon, value = row.partition(":")
        try:
            name = names[spelling]
        except KeyError:
            name = _unusual(spelling)
        if not name or not colon or len(value) > MAX_LINE:
            fault = fault or (400, "Bad Header Field")
        elif name not in lines:
            lines[name] = [value.strip()]
        else:
            lines[name].append(value.strip())
            if name in SINGLETONS:
                fault = fault or (400, f"Repeated {name}")
    return Head(start, lines, charset, fault)


def _unusual(spelling: str) -> str:
    try:
        return canonical(spelling)
    except MalformedHeader:
        return ""
