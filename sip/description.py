"""Session descriptions as values, and their text form (RFC 8866).

Reading is tolerant: LF or CRLF, missing s=, t= and o=, and lines nobody knows are kept. What is counted
is bounded. What this stack acts upon has a field of its own; every other attribute stays in `attributes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Literal

from sip.errors import MalformedSdp

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Attributes = tuple[tuple[str, str | None], ...]
Lines = tuple[tuple[str, str], ...]

MAX_BYTES = 64 * 1024
MAX_LINES = 1000
MAX_MEDIA = 32
MAX_FORMATS = 64

DIRECTIONS: Mapping[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}

_NUMBER = re.compile(r"[0-9]{1,20}")
_MEDIA = re.compile(
    r"([A-Za-z0-9\-]{1,32}+) ++([0-9]{1,5}+)(?:/([0-9]{1,3}+))? ++"
    r"([A-Za-z0-9/.\-]{1,64}+)((?>(?: ++[!-~]{1,64}+)*)) *+"
)
_CONNECTION = re.compile(r"IN +IP[46] +([A-Za-z0-9.:_\-]{1,255})(?:/[0-9/]{1,16})? *", re.IGNORECASE)
_RTPMAP = re.compile(r"([0-9]{1,3}) +([!-.0-~]{1,64})/([0-9]{1,7})(?:/([0-9]{1,3}))? *")
_FMTP = re.compile(r"([0-9]{1,3}) +(.*)")
_RTCP = re.compile(r"([0-9]{1,5})(?: +IN +IP[46] +([A-Za-z0-9.:_\-]{1,255}))? *")
_ORIGIN = re.compile(
    r"(\S{1,255}) +([0-9]{1,20}) +([0-9]{1,20}) +IN +IP[46] +([A-Za-z0-9.:_\-]{1,255}) *", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoding: name, RTP clock rate in Hz (8000 for G722, RFC 3551 section 4.5.2), channels."""

    name: str
    rate: int = 8000
    channels: int = 1

    def same(self, other: Codec) -> bool:
        """Whether both name one encoding; names in any case."""
        return (
            self.rate == other.rate
            and self.channels == other.channels
            and self.name.lower() == other.name.lower()
        )

    def __str__(self) -> str:
        return f"{self.name}/{self.rate}/{self.channels}" if self.channels > 1 else f"{self.name}/{self.rate}"


# Payload types that mean something without rtpmap (RFC 3551 section 6).
STATIC_PAYLOADS: Mapping[int, Codec] = {
    0: Codec("PCMU"),
    3: Codec("GSM"),
    4: Codec("G723"),
    5: Codec("DVI4"),
    6: Codec("DVI4", 16000),
    7: Codec("LPC"),
    8: Codec("PCMA"),
    9: Codec("G722"),
    10: Codec("L16", 44100, 2),
    11: Codec("L16", 44100),
    12: Codec("QCELP"),
    13: Codec("CN"),
    14: Codec("MPA", 90000),
    15: Codec("G728"),
    18: Codec("G729"),
    26: Codec("JPEG", 90000),
    31: Codec("H261", 90000),
    32: Codec("MPV", 90000),
    33: Codec("MP2T", 90000),
    34: Codec("H263", 90000),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line: who described the session, and which version this is (RFC 8866 section 5.2)."""

    user: str = "-"
    session_id: int = 0
    version: int = 0
    address: str = "0.0.0.0"

    def __str__(self) -> str:
        return f"{self.user} {self.session_id} {self.version} {network(self.address)}"


@dataclass(frozen=True, slots=True)
class Media:
    """One m= section.

    port 0: refused or switched off. connection: its own c= address or the session's, None when neither
    says. direction: its own or the session's. ptime, maxptime in ms, None when not said. rtcp: port and
    address of a=rtcp. others: lines other than m=, c= and a=.
    """

    kind: str
    port: int
    proto: str
    formats: tuple[str, ...]
    connection: str | None = None
    direction: Direction = "sendrecv"
    rtpmap: Mapping[int, Codec] = field(default_factory=dict)
    fmtp: Mapping[int, str] = field(default_factory=dict)
    ptime: int | None = None
    maxptime: int | None = None
    rtcp_mux: bool = False
    rtcp: tuple[int, str | None] | None = None
    attributes: Attributes = ()
    others: Lines = ()
    port_count: int = 1

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats as RTP payload types, in order; what is not a number from 0 to 127 is passed over."""
        return tuple(int(text) for text in self.formats if _NUMBER.fullmatch(text) and int(text) < 128)

    def codec(self, payload_type: int) -> Codec | None:
        """What a payload type stands for here, by rtpmap or by RFC 3551."""
        return self.rtpmap.get(payload_type) or STATIC_PAYLOADS.get(payload_type)

    @property
    def bandwidth(self) -> tuple[str, ...]:
        """The values of its b= lines."""
        return tuple(value for letter, value in self.others if letter == "b")

    @property
    def crypto(self) -> tuple[str, ...]:
        """The values of its a=crypto lines (RFC 4568)."""
        return tuple(value for name, value in self.attributes if name == "crypto" and value)

    @property
    def wishes(self) -> Direction:
        """What its sender will do, old-style hold by c=0.0.0.0 taken into account (RFC 3264 section 8.4)."""
        if self.connection not in ("0.0.0.0", "::"):
            return self.direction
        return "sendonly" if self.direction in ("sendrecv", "sendonly") else "inactive"

    def lines(self, session_connection: str | None) -> list[str]:
        """The text lines of this section."""
        count = f"/{self.port_count}" if self.port_count > 1 else ""
        lines = [f"m={self.kind} {self.port}{count} {self.proto} {' '.join(self.formats)}".rstrip()]
        lines += [f"i={value}" for letter, value in self.others if letter == "i"]
        if self.connection is not None and self.connection != session_connection:
            lines.append(f"c={network(self.connection)}")
        lines += [f"{letter}={value}" for letter, value in self.others if letter != "i"]
        for payload_type, codec in self.rtpmap.items():
            lines.append(f"a=rtpmap:{payload_type} {codec}")
            if payload_type in self.fmtp:
                lines.append(f"a=fmtp:{payload_type} {self.fmtp[payload_type]}")
        lines += [f"a=fmtp:{pt} {text}" for pt, text in self.fmtp.items() if pt not in self.rtpmap]
        if self.ptime is not None:
            lines.append(f"a=ptime:{self.ptime}")
        if self.maxptime is not None:
            lines.append(f"a=maxptime:{self.maxptime}")
        if (self.port and self.kind in ("audio", "video")) or self.direction != "sendrecv":
            lines.append(f"a={self.direction}")
        if self.rtcp is not None:
            port, address = self.rtcp
            lines.append(f"a=rtcp:{port}" + (f" {network(address)}" if address else ""))
        if self.rtcp_mux:
            lines.append("a=rtcp-mux")
        return lines + [_attribute(name, value) for name, value in self.attributes]


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description. connection: the session's c= address. others: lines but v o s c t a m."""

    origin: Origin = field(default_factory=Origin)
    name: str = "-"
    connection: str | None = None
    times: tuple[str, ...] = ("0 0",)
    attributes: Attributes = ()
    media: tuple[Media, ...] = ()
    others: Lines = ()

    def encode(self) -> bytes:
        """The text, lines in the order of RFC 8866 section 5, CRLF at each end."""
        lines = ["v=0", f"o={self.origin}", f"s={self.name or '-'}"]
        lines += [f"{letter}={value}" for letter, value in self.others if letter in "iuep"]
        if self.connection is not None:
            lines.append(f"c={network(self.connection)}")
        lines += [f"b={value}" for letter, value in self.others if letter == "b"]
        lines += [f"t={value}" for value in self.times]
        lines += [f"{letter}={value}" for letter, value in self.others if letter not in "iuepb"]
        lines += [_attribute(name, value) for name, value in self.attributes]
        for media in self.media:
            lines += media.lines(self.connection)
        return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")

    def with_version(self, version: int) -> SessionDescription:
        """A copy with this version in o=."""
        return replace(self, origin=replace(self.origin, version=version))


def network(address: str) -> str:
    """`IN IP4 address` or `IN IP6 address`."""
    return f"IN IP6 {address}" if ":" in address else f"IN IP4 {address}"


def is_numeric(address: str) -> bool:
    """Whether this is an IP address and no name."""
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def parse(data: bytes) -> SessionDescription:
    """Read a description. Raises MalformedSdp."""
    if len(data) > MAX_BYTES:
        raise MalformedSdp("description too large")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    rows = text.replace("\r\n", "\n").strip("\n").split("\n")
    if len(rows) > MAX_LINES:
        raise MalformedSdp("too many lines")
    if rows[0].rstrip() != "v=0":
        raise MalformedSdp("v=0 is not the first line")
    sections: list[list[tuple[str, str]]] = [[]]
    for row in rows[1:]:
        letter, value = _line(row)
        if letter == "m":
            sections.append([])
        if letter:
            sections[-1].append((letter, value))
    if len(sections) - 1 > MAX_MEDIA:
        raise MalformedSdp("too many media")
    return _session(sections)


def _line(row: str) -> tuple[str, str]:
    letter, equals, value = row.partition("=")
    letter = letter.strip()
    if not equals or len(letter) != 1 or not letter.isascii() or not letter.isalpha():
        if not row.strip("\r \t\0"):
            return "", ""
        raise MalformedSdp("line without a type")
    value = value.rstrip()
    if not value.isprintable() and any(ord(character) < 32 and character != "\t" for character in value):
        raise MalformedSdp("control character")
    return letter, value


def _session(sections: list[list[tuple[str, str]]]) -> SessionDescription:
    origin, name, connection = Origin(), "-", None
    times: list[str] = []
    attributes: list[tuple[str, str | None]] = []
    others: list[tuple[str, str]] = []
    direction: Direction = "sendrecv"
    for letter, value in sections[0]:
        if letter == "o":
            origin = _origin(value)
        elif letter == "s":
            name = value or "-"
        elif letter == "c":
            connection = _connection(value)
        elif letter == "t":
            times.append(value)
        elif letter == "a":
            key, _, rest = value.partition(":")
            attributes.append((key, rest if ":" in value else None))
            direction = DIRECTIONS.get(key, direction)
        else:
            others.append((letter, value))
    media = tuple(_media(section, connection, direction) for section in sections[1:])
    return SessionDescription(
        origin, name, connection, tuple(times) or ("0 0",), tuple(attributes), media, tuple(others)
    )


def _media(section: list[tuple[str, str]], connection: str | None, direction: Direction) -> Media:
    found = _MEDIA.fullmatch(section[0][1])
    if found is None or int(found[2]) > 65535:
        raise MalformedSdp("m= line")
    formats = tuple(found[5].split())
    if len(formats) > MAX_FORMATS:
        raise MalformedSdp("too many formats")
    reader = _AttributeReader(direction)
    others: list[tuple[str, str]] = []
    for letter, value in section[1:]:
        if letter == "c":
            connection = _connection(value)
        elif letter == "a":
            reader.take(value)
        else:
            others.append((letter, value))
    return Media(
        found[1].lower(),
        int(found[2]),
        found[4],
        formats,
        connection,
        reader.direction,
        reader.rtpmap,
        reader.fmtp,
        reader.ptime,
        reader.maxptime,
        reader.rtcp_mux,
        reader.rtcp,
        tuple(reader.attributes),
        tuple(others),
        int(found[3] or 1),
    )


class _AttributeReader:
    """Sorts the a= lines of one section; a line that cannot be read stays as it is."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.rtpmap: dict[int, Codec] = {}
        self.fmtp: dict[int, str] = {}
        self.ptime: int | None = None
        self.maxptime: int | None = None
        self.rtcp_mux = False
        self.rtcp: tuple[int, str | None] | None = None
        self.attributes: list[tuple[str, str | None]] = []

    def take(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if name in DIRECTIONS:
            self.direction = DIRECTIONS[name]
        elif name == "rtcp-mux":
            self.rtcp_mux = True
        elif not self._take_known(name, value):
            self.attributes.append((name, value if colon else None))

    def _take_known(self, name: str, value: str) -> bool:
        if name == "rtpmap" and (found := _RTPMAP.fullmatch(value)) and int(found[1]) < 128 and int(found[3]):
            # The first mapping counts: a second one for the same type would let two readers disagree.
            self.rtpmap.setdefault(int(found[1]), Codec(found[2], int(found[3]), int(found[4] or 1)))
            return True
        if name == "fmtp" and (found := _FMTP.fullmatch(value)) and int(found[1]) < 128:
            self.fmtp.setdefault(int(found[1]), found[2])
            return True
        if name in ("ptime", "maxptime") and (ms := _milliseconds(value)):
            setattr(self, name, ms)
            return True
        if name == "rtcp" and (found := _RTCP.fullmatch(value)) and 0 < int(found[1]) < 65536:
            self.rtcp = (int(found[1]), found[2])
            return True
        return False


def _milliseconds(value: str) -> int | None:
    whole = value.strip().partition(".")[0]
    return int(whole) if _NUMBER.fullmatch(whole) and 0 < int(whole) <= 1000 else None


def _origin(value: str) -> Origin:
    found = _ORIGIN.fullmatch(value)
    return Origin(found[1], int(found[2]), int(found[3]), found[4]) if found else Origin()


def _connection(value: str) -> str:
    found = _CONNECTION.fullmatch(value)
    if found is None:
        raise MalformedSdp("c= line")
    return found[1]


def _attribute(name: str, value: str | None) -> str:
    return f"a={name}" if value is None else f"a={name}:{value}"
