"""A node as it tells of itself: in the registry, and in what nodes say to each other directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST = 16_384  # bytes of a member in the registry
MOST_WAYS = 128

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=256)]
Number = Annotated[int, Meta(ge=0, le=2**53)]
Rtt = Annotated[float, Meta(ge=0, le=60)]


class Pulse(msgspec.Struct, frozen=True, gc=False):
    """What changes from moment to moment. life: of the process, another one each start. started: epoch
    seconds. seq: grows with each change within a life. well: whether its parts all work.
    """

    name: Name
    life: Name
    started: float
    seq: Number = 0
    calls: Number = 0
    capacity: Number = 0
    draining: bool = False
    well: bool = True


class Member(msgspec.Struct, frozen=True):
    """All of a node. sip, origin: where calls reach it. host, port: where nodes do. ways: round trips in
    seconds that it measured to other nodes, by name; lines: to lines.
    """

    pulse: Pulse
    region: Name
    sip: Annotated[tuple[Text, ...], Meta(max_length=8)] = ()
    origin: Text = ""
    host: Text = ""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    ways: Annotated[Mapping[Name, Rtt], Meta(max_length=MOST_WAYS)] = {}
    lines: Annotated[Mapping[Name, Rtt], Meta(max_length=MOST_WAYS)] = {}

    @property
    def name(self) -> str:
        return self.pulse.name

    @property
    def life(self) -> str:
        return self.pulse.life

    @property
    def owner(self) -> str:
        """What it holds leases as: this life of the node, not the next."""
        return f"{self.name}/{self.life}"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Member)


def packed(member: Member) -> bytes:
    return _encoder.encode(member)


def unpacked(data: bytes) -> Member | None:
    """None for what is no member: another version's, or nobody's."""
    if len(data) > LONGEST:
        return None
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError):
        return None
