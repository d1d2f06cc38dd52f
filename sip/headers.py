"""Header fields: canonical names, ordered storage, lists, parameters (RFC 3261 sections 7.3 and 25).

Values are kept as text exactly as they came, unfolded. What a typed accessor of a message has read
from them is remembered beside them and forgotten when they change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sip.errors import MalformedHeader

Params = tuple[tuple[str, str | None], ...]

MAX_PARAMS = 64
MAX_LIST = 256

_NAMES = """
    Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authentication-Info
    Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-ID Content-Language
    Content-Length Content-Type CSeq Date Diversion Error-Info Event Expires From Geolocation History-Info
    Identity In-Reply-To Info-Package Join Max-Forwards MIME-Version Min-Expires Min-SE Organization
    P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID P-Charging-Vector
    P-Early-Media P-Preferred-Identity Path Priority Privacy Proxy-Authenticate Proxy-Authorization
    Proxy-Require RAck Reason Record-Route Recv-Info Refer-Sub Refer-To Referred-By Reject-Contact
    Remote-Party-ID Replaces Reply-To Request-Disposition Require Retry-After Route RSeq Server Service-Route
    Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog Timestamp To
    Unsupported User-Agent User-to-User Via Warning WWW-Authenticate X-Asterisk-HangupCause
""".split()

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip

# Header fields that may stand once only; a second one makes two elements on the way disagree.
SINGLETONS = frozenset(
    """
    Authentication-Info Call-ID Content-Disposition Content-Length Content-Type CSeq Date Event Expires From
    Max-Forwards MIME-Version Min-Expires Min-SE RAck Refer-To Referred-By Replaces Retry-After RSeq
    Session-Expires SIP-ETag SIP-If-Match Subscription-State Timestamp To
    """.split()
)

_BY_LOWER = {name.lower(): name for name in _NAMES} | _COMPACT
# Spellings looked up without work: the canonical one, all lower, all upper, compact forms in both cases.
CANONICAL: dict[str, str] = {
    spelling: name
    for lower, name in _BY_LOWER.items()
    for spelling in (lower, lower.upper(), lower.title(), name)
}

TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_is_token = re.compile(TOKEN).fullmatch
# Names that need no look at their characters or case.
_USUAL_PARAMS = frozenset({"branch", "rport", "received", "tag", "lr", "expires", "q", "transport"})
# What a parameter value may be without quotes: a token or a host (RFC 3261 section 25.1, gen-value).
_is_bare = re.compile(r"[A-Za-z0-9\-.!%*_+`'~:\[\]/@]+").fullmatch
_is_name = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,128}").fullmatch
# Groups are repeated within atomic groups, here and elsewhere: up to Python 3.11.4 (Debian 12 has 3.11.2) a
# possessive group takes along what it tried last (gh-106052), and a quote that never ends was one that does.
_LIST_PART = re.compile(r'(?>(?:[^,"<]++|"(?>(?:[^"\\]++|\\.)*)"|<[^>]*+>)+)', re.DOTALL)
_PARAM_PART = re.compile(r'(?>(?:[^;"]++|"(?>(?:[^"\\]++|\\.)*)")+)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
# and those that turn the direction of what stands around them (Unicode Bidirectional Algorithm, 2.1 to 2.6)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def canonical(name: str) -> str:
    """The one spelling of a header field name used inside this stack."""
    known = CANONICAL.get(name)
    if known is not None:
        return known
    name = name.strip(" \t")
    known = _BY_LOWER.get(name.lower())
    if known is not None:
        return known
    if not _is_name(name):
        raise MalformedHeader("header field name")
    return "-".join(part.capitalize() for part in name.split("-"))


def is_token(text: str) -> bool:
    """Whether `text` is a token of RFC 3261 section 25.1."""
    return _is_token(text) is not None


def visible(text: str) -> str:
    """`text` without control characters, ready for a display name, a log or a database."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text)


def unquote(text: str) -> str:
    """The content of a quoted-string, escapes resolved; other text as it is."""
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        text = text[1:-1]
        return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text
    return text


def quote(text: str) -> str:
    """`text` as a quoted-string (RFC 3261 section 25.1), control characters left out."""
    return '"' + visible(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_list(value: str) -> list[str]:
    """The elements of a comma-separated value; commas in quotes and in <> do not count.

    Raises MalformedHeader for unbalanced quotes or brackets, or more than MAX_LIST elements.
    """
    if "," not in value:
        value = value.strip()
        return [value] if value else []
    if '"' not in value and "<" not in value:
        parts = value.split(",")
    else:
        parts = _split_outside_quotes(_LIST_PART, value, ",")
    if len(parts) > MAX_LIST:
        raise MalformedHeader("list length")
    return [part for part in (part.strip() for part in parts) if part]


def parse_params(text: str) -> Params:
    """Parameters from `;name=value;flag` text: names in lower case, quoted values unquoted,
    control characters left out.

    Empty parameters are passed over. Raises MalformedHeader.
    """
    if not text:
        return ()
    parts = text.split(";") if '"' not in text else _split_outside_quotes(_PARAM_PART, text, ";")
    if len(parts) > MAX_PARAMS:
        raise MalformedHeader("parameter count")
    params: list[tuple[str, str | None]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _USUAL_PARAMS:
            name = name.strip()
            if not name and not equals:
                continue
            if not _is_token(name):
                raise MalformedHeader("parameter name")
            name = name.lower()
        params.append((name, _param_value(value) if equals else None))
    return tuple(params)


def _param_value(value: str) -> str:
    value = value.strip()
    if '"' in value:
        if len(value) < 2 or value[0] != '"' or value[-1] != '"':
            raise MalformedHeader("parameter value")
        return visible(unquote(value))
    if " " in value or "\t" in value:
        raise MalformedHeader("parameter value")
    return visible(value)


def format_params(params: Params) -> str:
    """`;name=value;flag` text; values that are neither token nor host are quoted."""
    text = ""
    for name, value in params:
        if value is None:
            text += ";" + name
        elif _is_bare(value):
            text += f";{name}={value}"
        else:
            text += f";{name}={quote(value)}"
    return text


def _split_outside_quotes(part: re.Pattern[str], text: str, separator: str) -> list[str]:
    parts: list[str] = []
    position, end = 0, len(text)
    while position < end:
        if text[position] == separator:
            position += 1
            continue
        found = part.match(text, position)
        if found is None:
            raise MalformedHeader("quotes or brackets")
        parts.append(found.group())
        position = found.end()
        if position < end and text[position] != separator:
            raise MalformedHeader("quotes or brackets")
    return parts


class Headers:
    """Ordered header fields under canonical names.

    Fields of one name keep their order; the order between different names has no meaning in SIP
    (RFC 3261 section 7.3.1), so fields are grouped by name, in the order of first appearance.
    A line break in a value is turned into a space: no value can begin a field of its own.
    """

    __slots__ = ("_lines", "typed")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: dict[str, list[str]] = {}
        self.typed: dict[str, Any] = {}
        for name, value in pairs:
            self.add(name, value)

    @classmethod
    def from_lines(cls, lines: dict[str, list[str]]) -> Headers:
        """Headers over lines already under canonical names and free of line breaks; takes ownership."""
        headers = cls.__new__(cls)
        headers._lines = lines
        headers.typed = {}
        return headers

    def get(self, name: str) -> str | None:
        """The first value, or None."""
        lines = self._lines.get(CANONICAL.get(name) or canonical(name))
        return lines[0] if lines else None

    def all(self, name: str) -> list[str]:
        """The value of each header line of this name."""
        return list(self._lines.get(CANONICAL.get(name) or canonical(name), ()))

    def values(self, name: str) -> list[str]:
        """All elements of a list header field, over all its lines. Raises MalformedHeader."""
        lines = self._lines.get(CANONICAL.get(name) or canonical(name), ())
        return [value for line in lines for value in split_list(line)]

    def tokens(self, name: str) -> frozenset[str]:
        """Elements of a list of tokens (Supported, Require, Allow…), in lower case; none when unreadable."""
        try:
            return frozenset(value.lower() for value in self.values(name))
        except MalformedHeader:
            return frozenset()

    def add(self, name: str, value: str) -> None:
        """Append a field after those of its name."""
        name = CANONICAL.get(name) or canonical(name)
        self._lines.setdefault(name, []).append(one_line(value))
        self.typed.pop(name, None)

    def set(self, name: str, value: str) -> None:
        """Put `value` in the place of all fields of this name."""
        name = CANONICAL.get(name) or canonical(name)
        self._lines[name] = [one_line(value)]
        self.typed.pop(name, None)

    def replace(self, name: str, values: Iterable[str]) -> None:
        """Put `values`, one field each, in the place of all fields of this name."""
        name = CANONICAL.get(name) or canonical(name)
        self._lines[name] = [one_line(value) for value in values]
        self.typed.pop(name, None)

    def insert_first(self, name: str, value: str) -> None:
        """Put a field before those of its name; before all others when it is the first of its name."""
        name = CANONICAL.get(name) or canonical(name)
        lines = self._lines.get(name)
        if lines is None:
            self._lines = {name: [one_line(value)], **self._lines}
        else:
            lines.insert(0, one_line(value))
        self.typed.pop(name, None)

    def remove(self, name: str) -> None:
        """Take away all fields of this name, if any."""
        name = CANONICAL.get(name) or canonical(name)
        self._lines.pop(name, None)
        self.typed.pop(name, None)

    def remove_first(self, name: str) -> None:
        """Take away the first field of this name, if any."""
        name = CANONICAL.get(name) or canonical(name)
        lines = self._lines.get(name)
        if lines:
            del lines[0]
        if not lines:
            self._lines.pop(name, None)
        self.typed.pop(name, None)

    def copy(self) -> Headers:
        """An independent copy."""
        return Headers.from_lines({name: list(lines) for name, lines in self._lines.items()})

    def lines_of(self, name: str) -> list[str] | None:
        """The live lines under a canonical name, for readers in a hurry; do not change them."""
        return self._lines.get(name)

    def grouped(self) -> Iterable[tuple[str, list[str]]]:
        """Canonical name and lines, live; do not change them."""
        return self._lines.items()

    def __contains__(self, name: str) -> bool:
        return bool(self._lines.get(CANONICAL.get(name) or canonical(name)))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for name, lines in self._lines.items():
            for line in lines:
                yield name, line

    def __len__(self) -> int:
        return sum(len(lines) for lines in self._lines.values())

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


def one_line(value: str) -> str:
    """`value` with line breaks turned into spaces."""
    if "\n" in value or "\r" in value:
        return " ".join(value.split())
    return value
