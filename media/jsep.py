"""Session descriptions as browsers write them (RFC 9429), read with every bound checked.

One audio stream with RTCP on the same port, ICE and DTLS-SRTP is looked for; media.answer answers. What
cannot be a browser's description is refused as a whole, in words for its author.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from media.gate import MAX_CANDIDATES, Candidate, Fingerprint, Peer
from media.messages import Codec, Direction

LARGEST = 64 * 1024  # bytes of a description
MOST_MEDIA = 16  # m-lines; more are no browser's
MOST_LINES = 2000
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PROFILES = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP")
HASHES = ("sha-256", "sha-384", "sha-512")
STATIC = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000), 13: ("CN", 8000)}
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
EVENTS = "TELEPHONE-EVENT"

_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}")


class Refused(Exception):
    """A description that cannot be taken; its text tells why. `status` is that of the HTTP answer."""

    status = 400


class Unsuitable(Refused):
    """Well-formed, but there is nothing in it that both sides can do."""

    status = 406


class Line(NamedTuple):
    """An m-line with its attributes, in order: name and value."""

    media: str
    port: int
    profile: str
    formats: list[str]
    attributes: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)


@dataclass(frozen=True)
class Session:
    """What a browser's description says of its audio.

    codecs: in its order of preference, payload types its own; RED and CN among them. events: of key presses.
    setup: who begins the handshake: "active" means it does. transport_cc: number of the header extension, 0
    where there is none. place: of its m-line among all `lines`, of which media and name are kept.
    """

    mid: str
    codecs: list[Codec]
    events: list[Codec]
    direction: Direction
    peer: Peer
    fingerprints: list[Fingerprint]
    setup: str
    transport_cc: int
    place: int
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)  # media, profile, format, mid


# --- reading --------------------------------------------------------------------------------------------


def read(text: str) -> Session:
    """An offer or an answer. Raises Refused."""
    session, lines = _cut(text)
    place = next((i for i, line in enumerate(lines) if line.media == "audio" and line.port), -1)
    if place < 0:
        raise Unsuitable("there is no audio in it")
    line = lines[place]
    if line.profile.upper() not in PROFILES:
        raise Unsuitable(f"audio over {line.profile[:32]!r}: DTLS-SRTP is needed (UDP/TLS/RTP/SAVPF)")
    if not line.has("rtcp-mux"):
        raise Unsuitable("RTCP on a port of its own: a=rtcp-mux is needed")
    both = Line("", 0, "", [], [*line.attributes, *session])  # what the line does not say, the session may
    codecs, events = _codecs(line)
    return Session(
        mid=_token(line.first("mid") or "0", "mid"),
        codecs=codecs,
        events=events,
        direction=_direction(both),
        peer=_peer(both, line),
        fingerprints=_fingerprints(both),
        setup=_setup(both),
        transport_cc=_extension(both, TRANSPORT_CC),
        place=place,
        lines=[(each.media, each.profile, each.formats[0], each.first("mid") or "") for each in lines],
    )


def read_fragment(text: str) -> tuple[Peer, bool]:
    """A trickle fragment (RFC 8840): credentials as far as it has them (else ""), candidates, and whether
    they were the last. The second says whether it has both credentials. Raises Refused.
    """
    session, lines = _cut(text, fragment=True)
    attributes = [*session, *(pair for line in lines for pair in line.attributes)]
    both = Line("", 0, "", [], attributes)
    ufrag, password = both.first("ice-ufrag") or "", both.first("ice-pwd") or ""
    for each in (ufrag, password):
        if each and not _ICE.fullmatch(each):
            raise Refused("a=ice-ufrag or a=ice-pwd is not well-formed")
    complete = both.has("end-of-candidates")
    return Peer(ufrag, password, _candidates(both), complete), bool(ufrag and password)


def _cut(text: str, *, fragment: bool = False) -> tuple[list[tuple[str, str]], list[Line]]:
    """The session's attributes and the m-lines."""
    if len(text) > LARGEST:
        raise Refused("it is too long for a session description")
    rows = text.replace("\r\n", "\n").split("\n")
    if len(rows) > MOST_LINES:
        raise Refused("it has too many lines for a session description")
    if not fragment and rows[0].strip() != "v=0":
        raise Refused("it is no session description: the first line is not v=0")
    session: list[tuple[str, str]] = []
    lines: list[Line] = []
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        if row[1:2] != "=" or not row.isprintable():
            raise Refused(f"line {number} is none of a session description")
        if row[0] == "m":
            lines.append(_media(row[2:], number))
            if len(lines) > MOST_MEDIA:
                raise Refused("it has too many m-lines")
        elif row[0] == "a":
            name, _, value = row[2:].partition(":")
            (lines[-1].attributes if lines else session).append((name, value))
    return session, lines


def _media(value: str, number: int) -> Line:
    parts = value.split()
    if len(parts) < 4 or not parts[1].isdecimal() or not _whole(parts[1], 65535):
        raise Refused(f"line {number} is no m-line")
    for each in (parts[0], parts[3]):
        _token(each, "m-line")
    if not re.fullmatch(r"[A-Za-z0-9/]{1,64}", parts[2]):
        raise Refused(f"line {number} is no m-line")
    return Line(parts[0], int(parts[1]), parts[2], parts[3:], [])


def _whole(text: str, most: int) -> bool:
    return len(text) <= 10 and text.isascii() and text.isdecimal() and int(text) <= most


def _token(text: str, what: str) -> str:
    if not TOKEN.fullmatch(text):
        raise Refused(f"{what}: {text[:32]!r} is no token")
    return text


def _direction(line: Line) -> Direction:
    return next((each for each in DIRECTIONS if line.has(each)), "sendrecv")


def _peer(line: Line, own: Line) -> Peer:
    ufrag, password = line.first("ice-ufrag") or "", line.first("ice-pwd") or ""
    if not _ICE.fullmatch(ufrag) or not _ICE.fullmatch(password) or len(password) < 22:
        raise Refused("a=ice-ufrag and a=ice-pwd are needed (RFC 8839 section 5.4)")
    lite, complete = line.has("ice-lite"), own.has("end-of-candidates")
    return Peer(ufrag, password, _candidates(own), complete, lite)


def _candidates(line: Line) -> list[Candidate]:
    """Those over UDP with an address; names of local networks (mDNS) are left out, for such a far end
    reaches us. Raises Refused where there are too many.
    """
    found: list[Candidate] = []
    for value in line.all("candidate"):
        candidate = _candidate(value)
        if candidate is not None:
            found.append(candidate)
    if len(found) > MAX_CANDIDATES:
        raise Refused("it has too many candidates")
    return found


def _candidate(value: str) -> Candidate | None:
    parts = value.split()
    if len(parts) < 8 or parts[6] != "typ" or not re.fullmatch(r"[A-Za-z0-9+/]{1,32}", parts[0]):
        raise Refused(f"a=candidate:{value[:48]!r} is not well-formed")
    foundation, component, transport, priority, host, port, _, kind = parts[:8]
    if not (_whole(component, 256) and _whole(priority, 0xFFFF_FFFF) and _whole(port, 65535)):
        raise Refused(f"a=candidate:{value[:48]!r} is not well-formed")
    if transport.upper() != "UDP" or component != "1" or kind not in ("host", "srflx", "prflx", "relay"):
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if not int(port) or address.is_multicast or address.is_unspecified:
        return None
    return Candidate(foundation, int(priority), str(address), int(port), kind)


def _fingerprints(line: Line) -> list[Fingerprint]:
    found = []
    for value in line.all("fingerprint")[:8]:
        algorithm, _, digest = value.partition(" ")
        if algorithm.lower() in HASHES and _DIGEST.fullmatch(digest.strip()):
            found.append(Fingerprint(algorithm.lower(), digest.strip().upper()))
    if not found:
        raise Refused("a=fingerprint with sha-256, sha-384 or sha-512 is needed (RFC 8122)")
    return found


def _setup(line: Line) -> str:
    setup = line.first("setup") or "actpass"
    if setup not in ("actpass", "active", "passive"):
        raise Refused(f"a=setup:{setup[:16]!r} is no role in a handshake")
    return setup


def _extension(line: Line, uri: str) -> int:
    """Number of a header extension (RFC 8285) that one byte can name; 0 for none."""
    for value in line.all("extmap"):
        number, _, named = value.partition(" ")
        number = number.partition("/")[0]
        if named.split(" ")[0] == uri and _whole(number, 14) and int(number):
            return int(number)
    return 0


def _codecs(line: Line) -> tuple[list[Codec], list[Codec]]:
    """In the line's order: what sounds, and key presses."""
    names, params = _maps(line), _parameters(line)
    ptime = line.first("ptime") or "20"
    milliseconds = int(ptime) if _whole(ptime, 120) and int(ptime) >= 10 else 20
    codecs: list[Codec] = []
    events: list[Codec] = []
    for text in line.formats:
        if not _whole(text, 127) or int(text) not in names:
            continue
        name, rate, channels = names[int(text)]
        codec = Codec(int(text), name, rate, milliseconds, channels, params.get(int(text), {}))
        (events if name.upper() == EVENTS else codecs).append(codec)
    return codecs, events


def _maps(line: Line) -> dict[int, tuple[str, int, int]]:
    """Name, clock rate and channels by payload type."""
    maps = {pt: (*known, 1) for pt, known in STATIC.items()}
    for value in line.all("rtpmap"):
        number, _, coding = value.partition(" ")
        name, _, rest = coding.strip().partition("/")
        rate, _, channels = rest.partition("/")
        if not (_whole(number, 127) and TOKEN.fullmatch(name) and _whole(rate, 384_000)):
            raise Refused(f"a=rtpmap:{value[:48]!r} is not well-formed")
        maps[int(number)] = name, int(rate), int(channels) if _whole(channels, 8) and int(channels) else 1
    return maps


def _parameters(line: Line) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for value in line.all("fmtp"):
        number, _, rest = value.partition(" ")
        if not _whole(number, 127):
            raise Refused(f"a=fmtp:{value[:48]!r} is not well-formed")
        pairs = (each.strip().partition("=") for each in rest[:1000].split(";") if each.strip())
        found[int(number)] = {name.strip().lower(): said.strip() for name, _, said in pairs}
    return found
