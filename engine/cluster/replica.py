"""What of a call is needed to go on with it at another node: a value of its own, in MessagePack.

No sound, no figures of it and no key is in it: new descriptions bring new keys. Times are epoch seconds,
since nodes share no other clock. What is read is bounded and of exactly this shape, or it is refused whole.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from engine.events import EndReason, Side
from engine.states import State
from routing.number import (
    AgentTarget,
    Announce,
    Destination,
    Feature,
    FeatureCode,
    LineTarget,
    QueueTarget,
    UriTarget,
)

VERSION = 1
LONGEST = 32_768  # bytes of one call
TEXT = 1024  # characters of one text

Text = Annotated[str, msgspec.Meta(max_length=TEXT)]
Instant = Annotated[float, msgspec.Meta(ge=0, le=2**40)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
LastWord = tuple[Text, Text, int, Text, Annotated[bytes, msgspec.Meta(max_length=4096)]]
Role = Literal["customer", "party", "transferor"]


class BadReplica(ValueError):
    """It cannot be read: of another version, or not written by a node at all."""


class LegReplica(msgspec.Struct, array_like=True, frozen=True):
    """session: sip.snapshot's plain form, None where there is none. token: of a caller who came by HTTP.

    local: our newest description without its keys. codec: what is spoken. proto, keyed, policy: how it is
    encrypted. line: whose channel it has. node: the other node that is its far end.
    """

    role: Role
    side: Side
    name: Text
    account: Text
    agent: Text
    manner: Literal["sip", "page", "whip"]
    session: list[Any] | None = None
    token: Text = ""
    local: Annotated[bytes, msgspec.Meta(max_length=8192)] = b""
    codec: Text = ""
    proto: Text = ""
    keyed: bool = False
    policy: Text = ""
    line: Text = ""
    node: Text = ""


class Waited(msgspec.Struct, array_like=True, frozen=True):
    """A place in a queue."""

    joined_at: Instant
    priority: Annotated[int, msgspec.Meta(ge=-1000, le=1000)]
    rank: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)]


class Told(msgspec.Struct, array_like=True, frozen=True):
    """When things happened, for the record."""

    arrived: Instant
    ringing: Instant | None
    answered: Instant | None
    queued: Instant | None
    connected: Instant | None
    held: Instant | None
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=2**31)]


class Recorded(msgspec.Struct, array_like=True, frozen=True):
    """The recording as far as it is written. noticed: the notice was heard to its end."""

    part: Count
    files: Annotated[list[Text], msgspec.Meta(max_length=64)]
    paused: bool
    noticed: bool


class Farewell(msgspec.Struct, array_like=True, frozen=True):
    """How the call ends once its last announcement is over, or has ended already (`at`)."""

    by: Side
    reason: EndReason
    at: Instant | None = None


class CallReplica(msgspec.Struct, array_like=True, frozen=True):
    """One call. taken_from: the nodes that had it before. origin: node, call and agent of one that crossed
    from another node (engine/crossed.py). last_words: what ends its invitations that are not answered, those
    of phones that ring and her own (sip/lastword.py).
    """

    version: int
    id: Text
    contact: Text
    caller: Text
    display: Text
    number: Text
    source: Text
    market: Text
    region: Text
    language: Text
    chosen_language: Text
    state: State
    destination: tuple[Text, Text]
    queue: Text
    agent: Text
    held_by: Annotated[list[Side], msgspec.Meta(max_length=2)]
    told: Told
    legs: Annotated[list[LegReplica], msgspec.Meta(max_length=3)]
    place: Waited | None = None
    recorded: Recorded | None = None
    farewell: Farewell | None = None
    misses: Count = 0
    transfers: Count = 0
    taken_from: Annotated[list[Text], msgspec.Meta(max_length=16)] = []
    origin: tuple[Text, Text, Text] | None = None
    private: bool = False
    comeback: Text = ""
    last_words: Annotated[list[LastWord], msgspec.Meta(max_length=8)] = []

    @property
    def near(self) -> str:
        """The node that its agent is at, where that is another one; "" for none."""
        return next((leg.node for leg in self.legs if leg.role == "party"), "")

    @property
    def agents(self) -> list[tuple[str, str]]:
        """Who of this house is in it, and for which queue ("" for none)."""
        return [
            (leg.agent, self.queue if leg.role == "party" else "")
            for leg in self.legs
            if leg.agent and not leg.node and self.state not in (State.ENDING, State.ENDED)
        ]

    @property
    def key(self) -> str:
        """What decides who takes it: see routing.inheritance.heir."""
        mine = self.agent or next((leg.agent for leg in self.legs if leg.agent), "")
        return f"agent {mine}" if mine else f"call {self.id}"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CallReplica)


def encode(replica: CallReplica) -> bytes:
    """As the store has it."""
    return _encoder.encode(replica)


def decode(data: bytes) -> CallReplica:
    """Raises BadReplica."""
    if len(data) > LONGEST:
        raise BadReplica("too long")
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadReplica(str(error)) from error
    if found.version != VERSION:
        raise BadReplica(f"of version {found.version}")
    return found


# --- where a call goes -------------------------------------------------------------------------------------


def write_destination(target: Destination | None) -> tuple[str, str]:
    """("", "") for none, and for what no call waits for once it is answered."""
    match target:
        case QueueTarget(name):
            return "queue", name
        case AgentTarget(name):
            return "agent", name
        case UriTarget(uri):
            return "uri", uri
        case LineTarget(names):
            return "line", " ".join(names)
        case Announce(prompt):
            return "announce", prompt
        case FeatureCode(feature):
            return "feature", feature
        case _:
            return "", ""


def read_destination(written: tuple[str, str]) -> Destination | None:
    """What was written, None for anything else."""
    kind, what = written
    match kind:
        case "queue":
            return QueueTarget(what)
        case "agent":
            return AgentTarget(what)
        case "uri":
            return UriTarget(what)
        case "line":
            return LineTarget(tuple(what.split()))
        case "announce":
            return Announce(what)
        case "feature" if what in set(Feature):
            return FeatureCode(Feature(what))
        case _:
            return None
