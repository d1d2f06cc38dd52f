"""What we say to a browser's session description, or offer in one of our own (RFC 9429, RFC 9143).

One audio stream, bundled, with RTCP on the same port, ICE and DTLS-SRTP; other media are refused line by
line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from media.gate import Candidate, DoorOpened
from media.jsep import EVENTS, PROFILES, TOKEN, TRANSPORT_CC, Session, Unsuitable
from media.messages import Codec, Direction

REVERSED: dict[Direction, Direction] = {"sendonly": "recvonly", "recvonly": "sendonly"}
STREAM = "isogloss"  # pages that listen for streams, and not for tracks, hear nothing of one without a name
# what we wish for from the far end, by codec: copies of what may be lost, and nothing while nobody speaks
WISHED = {"OPUS": {"minptime": "10", "useinbandfec": "1", "usedtx": "1"}, EVENTS: {"0-16": ""}}


class Choice(NamedTuple):
    """What both sides do. codecs, the first to be sent; dtmf: key presses; direction: ours."""

    codecs: list[Codec]
    dtmf: Codec | None
    direction: Direction
    client: bool
    transport_cc: int


def choose(theirs: Session, wanted: Sequence[str]) -> Choice:
    """wanted: names of codecs, best first; copies (RED) of the first are taken where they are offered.
    Raises Unsuitable where there is none in common.
    """
    order = {name.upper(): place for place, name in enumerate(wanted)}
    common = [codec for codec in theirs.codecs if codec.name.upper() in order]
    common.sort(key=lambda codec: order[codec.name.upper()])
    if not common:
        raise Unsuitable(f"none of its codecs is spoken here; these are: {', '.join(wanted)}")
    first = common[0]
    extra = [codec for codec in theirs.codecs if _is_copies_of(codec, first) or codec.name.upper() == "CN"]
    events = {event.rate: event for event in reversed(theirs.events)}
    return Choice(
        codecs=common + [codec for codec in extra if codec not in common],
        dtmf=events.get(first.rate) or events.get(8000),
        direction=REVERSED.get(theirs.direction, theirs.direction),
        client=theirs.setup != "active",
        transport_cc=theirs.transport_cc,
    )


def _is_copies_of(codec: Codec, first: Codec) -> bool:
    if codec.name.upper() != "RED" or codec.rate != first.rate:
        return False
    inside = {each for said in codec.params for each in said.split("/")}
    return inside <= {str(first.pt)}


def answer(theirs: Session, choice: Choice, door: DoorOpened, ssrc: int = 0, version: int = 1) -> str:
    """Our answer to an offer. version: counts what we have said in this session."""
    setup = "active" if choice.client else "passive"
    return _beside(theirs, choice, door, setup, ssrc, version)


def reoffer(theirs: Session, choice: Choice, door: DoorOpened, ssrc: int = 0, version: int = 1) -> str:
    """Another offer to a far end that said `theirs` last: its lines stay in place, the association too."""
    return _beside(theirs, choice, door, "actpass", ssrc, version)


def _beside(theirs: Session, choice: Choice, door: DoorOpened, setup: str, ssrc: int, version: int) -> str:
    """A description with their lines, of which all but the audio are refused."""
    rows = _head([theirs.mid], version)
    for place, (media, profile, form, mid) in enumerate(theirs.lines):
        if place == theirs.place:
            rows += _audio(theirs.mid, profile, choice, door, setup, ssrc)
        else:
            rows += [f"m={media} 0 {profile} {form}", "c=IN IP4 0.0.0.0", "a=inactive"]
            rows += [f"a=mid:{mid}"] if TOKEN.fullmatch(mid) else []
    return "\r\n".join(rows) + "\r\n"


def fragment(mid: str, door: DoorOpened) -> str:
    """Our side of a restart, as the body that answers a PATCH (RFC 9725 section 4.3.2, RFC 8840)."""
    rows = [f"a=ice-ufrag:{door.ufrag}", f"a=ice-pwd:{door.password}", f"m=audio 9 {PROFILES[0]} 0"]
    rows += [f"a=mid:{mid}", *(f"a=candidate:{_written(candidate)}" for candidate in door.candidates)]
    return "\r\n".join([*rows, "a=end-of-candidates"]) + "\r\n"


def offer(codecs: Sequence[Codec], events: Sequence[Codec], door: DoorOpened, ssrc: int = 0) -> str:
    """An offer of ours. codecs: with payload types; the first is liked best."""
    choice = Choice([*codecs], None, "sendrecv", False, 3)
    rows = _head(["0"], 1) + _audio("0", PROFILES[0], choice, door, "actpass", ssrc, events)
    return "\r\n".join(rows) + "\r\n"


def _head(mids: Iterable[str], version: int) -> list[str]:
    return [
        "v=0",
        f"o=- 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=ice-options:trickle ice2",
        "a=msid-semantic:WMS *",
    ]


def _audio(
    mid: str,
    profile: str,
    choice: Choice,
    door: DoorOpened,
    setup: str,
    ssrc: int,
    events: Sequence[Codec] = (),
) -> list[str]:
    told = [*choice.codecs, *([choice.dtmf] if choice.dtmf else events)]
    default = door.candidates[0]
    family = ip_address(default.host).version
    rows = [
        f"m=audio {default.port} {profile} {' '.join(str(codec.pt) for codec in told)}",
        f"c=IN IP{family} {default.host}",
        *(f"a=mid:{mid}", "a=rtcp-mux", f"a={choice.direction}", "a=ptime:20"),
        *(f"a=ice-ufrag:{door.ufrag}", f"a=ice-pwd:{door.password}"),
        f"a=fingerprint:{door.fingerprint.algorithm} {door.fingerprint.value}",
        f"a=setup:{setup}",
    ]
    for codec in told:
        rows += _codec(codec, choice)
    if choice.transport_cc:
        rows.append(f"a=extmap:{choice.transport_cc} {TRANSPORT_CC}")
        rows.append(f"a=rtcp-fb:{choice.codecs[0].pt} transport-cc")
    rows.append(f"a=msid:{STREAM} audio")
    if ssrc:
        rows.append(f"a=ssrc:{ssrc} cname:{ssrc:08x}@isogloss")
    rows += [f"a=candidate:{_written(candidate)}" for candidate in door.candidates]
    return [*rows, "a=end-of-candidates"]


def _codec(codec: Codec, choice: Choice) -> list[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    rows = [f"a=rtpmap:{codec.pt} {codec.name}/{codec.rate}{channels}"]
    if codec.name.upper() == "RED":
        first = choice.codecs[0].pt
        return [*rows, f"a=fmtp:{codec.pt} {first}/{first}"]
    wished = WISHED.get(codec.name.upper())
    if wished:
        said = ";".join(f"{name}={value}" if value else name for name, value in wished.items())
        rows.append(f"a=fmtp:{codec.pt} {said}")
    return rows


def _written(candidate: Candidate) -> str:
    where = f"{candidate.priority} {candidate.host} {candidate.port} typ {candidate.kind}"
    return f"{candidate.foundation} {candidate.component} udp {where}"
