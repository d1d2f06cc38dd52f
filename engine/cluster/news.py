"""What nodes tell each other of their callers and agents, and what one node knows of another.

Each node alone writes what it tells: places of the calls that it has, agents whose phones are registered with
it. It numbers every change, and tells either all (`since` 0) or what has changed since a number. Whoever
missed something notices by the numbers and asks for all, so that after any outage one message makes two nodes
agree. Times are epoch seconds: nodes' clocks have to agree as NTP makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta

Instant = Annotated[float, Meta(ge=0, le=2**40)]
Word = Annotated[str, Meta(max_length=128)]
Rtt = Annotated[float, Meta(ge=0, le=60_000)]
MOST = 20_000  # callers of one node, and agents
MOST_NODES = 1000
SKEW_S = 2.0  # that clocks may differ by before it is said
WARNED_S = 600.0

log = structlog.get_logger("cluster")


class PlaceNote(msgspec.Struct, array_like=True, frozen=True):
    """A caller's place (routing.queue.Place). was: the call whose kept place she took up."""

    call: Word
    queue: Word
    joined_at: Instant
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    rank: Annotated[int, Meta(ge=-(2**31), le=2**31)] = 0
    offered_to: Word = ""
    caller: Word = ""
    kept_until: Instant | None = None
    was: Word = ""
    picked: Word = ""


class AgentNote(msgspec.Struct, array_like=True, frozen=True):
    """An agent at the node that tells. claim: 0 when no phone of hers is registered there; the highest of all
    nodes' is to have her. held: it has her, and offers her calls.
    """

    name: Word
    queues: Annotated[tuple[Word, ...], Meta(max_length=256)] = ()
    free: bool = False
    working: bool = False
    idle_since: Instant = 0.0
    claim: Annotated[int, Meta(ge=0, le=2**53)] = 0
    held: bool = False


class News(msgspec.Struct, array_like=True, frozen=True):
    """life: of the process. seen: what the node has heard of others, as (life, version). rtt_ms: to others.
    cut: nodes that it cannot reach. ask: nodes that are to tell all.
    """

    node: Word
    life: Word
    since: int
    version: int
    at: Instant
    places: Annotated[list[PlaceNote], Meta(max_length=MOST)] = []
    gone: Annotated[list[Word], Meta(max_length=MOST)] = []
    agents: Annotated[list[AgentNote], Meta(max_length=MOST)] = []
    seen: Annotated[dict[Word, tuple[Word, int]], Meta(max_length=MOST_NODES)] = {}
    rtt_ms: Annotated[dict[Word, Rtt], Meta(max_length=MOST_NODES)] = {}
    cut: Annotated[list[Word], Meta(max_length=MOST_NODES)] = []
    ask: Annotated[list[Word], Meta(max_length=MOST_NODES)] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(News).decode


def encode(news: News) -> bytes:
    return _encode(news)


def decode(data: bytes) -> News | None:
    """None for what is none."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None


@dataclass(slots=True)
class Change:
    """What news has changed of what was known: calls and agents."""

    places: dict[str, PlaceNote | None] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Peer:
    """Another node as far as it is known. heard_at: in this node's time. lost: the registry takes it for
    gone.
    """

    node: str
    life: str = ""
    version: int = 0
    heard_at: float = float("-inf")
    lost: bool = False
    ahead_s: float = 0.0  # its clock is so much before ours, less what its words took
    warned_at: float = float("-inf")  # that it is
    behind: bool = True  # something was missed: it has to tell all
    places: dict[str, PlaceNote] = field(default_factory=dict)
    agents: dict[str, AgentNote] = field(default_factory=dict)
    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    rtt_ms: dict[str, float] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()

    def compare_clocks(self, ahead_s: float, now: float) -> None:
        """Callers are sorted, and tickets dated, by nodes' clocks: it is said at once when they differ."""
        self.ahead_s = ahead_s
        if abs(ahead_s) > SKEW_S and now - self.warned_at > WARNED_S:
            self.warned_at = now
            remedy = "run NTP on both: callers may be served out of turn, and calls between them are refused"
            log.error("clocks of nodes differ", node=self.node, ahead_s=round(ahead_s, 1), remedy=remedy)

    def take(self, news: News, now: float) -> Change:
        """Take what it tells, unless it is old, or something before it was missed."""
        change = Change()
        if news.life != self.life:
            if news.since:  # it began anew, and its first words were missed
                self.behind, self.heard_at = True, now
                return change
            self.life, self.version = news.life, -1
        if news.version < self.version:
            return change
        if news.since > self.version and news.since:
            self.behind = True
        elif news.version > self.version or not news.since:
            self._apply(news, change)
        if not self.behind:
            self.seen, self.rtt_ms, self.cut = news.seen, news.rtt_ms, frozenset(news.cut)
        self.heard_at = now
        return change

    def _apply(self, news: News, change: Change) -> None:
        if not news.since:
            named = {note.call for note in news.places}
            change.places |= dict.fromkeys(self.places.keys() - named)
            change.agents |= self.agents.keys()
            self.places, self.agents, self.behind = {}, {}, False
        change.places |= dict.fromkeys(call for call in news.gone if call in self.places)
        change.places |= {note.call: note for note in news.places}
        for call in news.gone:
            self.places.pop(call, None)
        self.places |= {note.call: note for note in news.places}
        self.agents |= {note.name: note for note in news.agents}
        change.agents |= {note.name for note in news.agents}
        self.version = news.version

    def knows(self, node: str, life: str, version: int) -> bool:
        """Whether it has heard what the node told under that number, as far as is known."""
        seen = self.seen.get(node)
        return seen is not None and seen[0] == life and seen[1] >= version
