"""Typed access to header fields, shared by requests and responses (RFC 3261 section 20).

On what `sip.message.parse` returned these accessors do not raise; on messages made by hand they raise
MalformedHeader or MalformedUri.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from sip.errors import MalformedHeader
from sip.headers import Headers, one_line, split_list
from sip.uri import NameAddr
from sip.via import Via

MAX_NUMBER = 2**32 - 1
MAX_CSEQ = 2**31 - 1

_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]{1,64})")
_NUMBER = re.compile(r"\s*([0-9]{1,64})\s*(?:[;(].*)?", re.DOTALL)

T = TypeVar("T")


class Message:
    """What requests and responses share."""

    __slots__ = ("headers", "body", "charset")

    headers: Headers
    body: bytes
    charset: str

    def _start_line(self) -> str:
        raise TypeError("a message is a Request or a Response")

    def _read(self, name: str, reader: Callable[[str], T]) -> T:
        """A singleton field through `reader`, once. Raises MalformedHeader when it is not there."""
        # Remembered in the headers, which forget it when the field changes.
        typed: dict[str, Any] = self.headers.typed
        known = typed.get(name)
        if known is None:
            lines = self.headers.lines_of(name)
            if not lines:
                raise MalformedHeader(name + ", missing")
            known = typed[name] = reader(lines[0])
        return known

    def _read_list(self, name: str, reader: Callable[[str], T]) -> tuple[T, ...]:
        """A list field through `reader`, once."""
        typed: dict[str, Any] = self.headers.typed
        known = typed.get(name)
        if known is None:
            lines = self.headers.lines_of(name)
            if lines is None:
                return ()
            known = typed[name] = read_list(lines, reader)
        return known

    @property
    def call_id(self) -> str:
        """The Call-ID as it stands; "" when there is none."""
        return self.headers.get("Call-ID") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        """Sequence number and method."""
        return self._read("CSeq", read_cseq)

    @property
    def from_(self) -> NameAddr:
        """The From header field."""
        return self._read("From", NameAddr.parse)

    @property
    def to(self) -> NameAddr:
        """The To header field."""
        return self._read("To", NameAddr.parse)

    @property
    def vias(self) -> list[Via]:
        """All hops, the newest first."""
        return list(self._read_list("Via", Via.parse))

    @property
    def top_via(self) -> Via:
        """The newest hop. Raises MalformedHeader when there is none."""
        vias = self._read_list("Via", Via.parse)
        if not vias:
            raise MalformedHeader("Via, missing")
        return vias[0]

    @property
    def contacts(self) -> list[NameAddr]:
        """All contacts; none for `Contact: *`, see `wildcard_contact`."""
        return list(self._read_list("Contact", NameAddr.parse)) if not self.wildcard_contact else []

    @property
    def wildcard_contact(self) -> bool:
        """Whether the Contact is `*` (RFC 3261 section 10.2.2)."""
        return self.headers.lines_of("Contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        """The Route header fields."""
        return list(self._read_list("Route", NameAddr.parse))

    @property
    def record_routes(self) -> list[NameAddr]:
        """The Record-Route header fields."""
        return list(self._read_list("Record-Route", NameAddr.parse))

    @property
    def content_type(self) -> str:
        """Media type in lower case without parameters; "" when there is none."""
        value = self.headers.get("Content-Type")
        return value.partition(";")[0].strip().lower() if value else ""

    @property
    def max_forwards(self) -> int | None:
        """Hops left, None when not said."""
        return self.number("Max-Forwards")

    @property
    def expires(self) -> int | None:
        """The Expires header field in seconds, at most 2**32 - 1, None when not said or unreadable."""
        return self.number("Expires")

    def number(self, name: str) -> int | None:
        """A header field that begins with a number, at most 2**32 - 1; None when absent or unreadable."""
        value = self.headers.get(name)
        found = _NUMBER.fullmatch(value) if value else None
        return min(int(found[1]), MAX_NUMBER) if found else None

    def encode(self) -> bytes:
        """The message on the wire, Content-Length by the body. Never raises."""
        lines = [one_line(self._start_line())]
        for name, values in self.headers.grouped():
            if name == "Content-Length":
                continue
            for value in values:
                lines.append(f"{name}: {value}")
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        head = "\r\n".join(lines)
        try:
            return head.encode(self.charset) + self.body
        except UnicodeEncodeError:
            return head.encode("utf-8", "replace") + self.body


def read_list(lines: list[str], reader: Callable[[str], T]) -> tuple[T, ...]:
    """Every element of every line, in order. Raises what `reader` raises, and MalformedHeader."""
    if len(lines) == 1 and "," not in lines[0]:
        return (reader(lines[0]),) if lines[0] else ()
    return tuple([reader(item) for line in lines for item in split_list(line)])


def read_cseq(value: str) -> tuple[int, str]:
    """Number and method of a CSeq value. Raises MalformedHeader."""
    found = _CSEQ.fullmatch(value)
    if found is None:
        raise MalformedHeader("CSeq")
    number = int(found[1])
    if number > MAX_CSEQ:
        raise MalformedHeader("CSeq number")
    return number, found[2]
