"""Who is there: this node's lease in the registry, and what the registry and the others tell of themselves.

A node is there while its lease runs *or* it answers directly: one that only lost the store goes on being
called, and while the store is away all go on with those that still answer. It is gone when both are over,
`lease_s` after the last sign of it. A second life of a name takes its place; the first one learns that from
the registry and says so.

Synchronous, on passed-in time: `beat` and `tick` are called by the node's timers (`engine.cluster.cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import msgspec
import structlog

from engine.cluster.member import Member, Pulse, packed, unpacked
from engine.cluster.registry import BEAT, KEYS, LEAVE, life_key, registered, usurper
from engine.cluster.store import Answer, Missed, Part, Store

HELD_UP_S = 0.6  # between two looks at who is gone; also for the next answers to come after that
FORGET_S = 3600.0  # after which a node that is gone is none any more

log = structlog.get_logger("cluster")


class Standing(Enum):
    UP = "up"
    DRAINING = "draining"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Joined:
    """A node is there that was not, or is there again."""

    member: Member


@dataclass(frozen=True, slots=True)
class Gone:
    """A node's life is over as far as this node can tell. why: in words."""

    member: Member
    why: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A node began to drain, takes calls again, or is well or not."""

    member: Member


@dataclass(frozen=True, slots=True)
class Usurped:
    """Another process of this node's name, started later, is registered: this one must not go on."""

    life: str


ClusterEvent: TypeAlias = Joined | Gone | Changed | Usurped


@dataclass(frozen=True, slots=True)
class Terms:
    """lease_s: how long a node counts as there after its last sign of life."""

    lease_s: float = 1.5


@dataclass(slots=True)
class Peer:
    """Another node. until: when its lease ends, as far as is known here; of one that is gone, when the lease
    ended that was seen first since then. direct_at: when it last answered.
    """

    member: Member
    until: float = float("-inf")
    direct_at: float = float("-inf")
    gone: bool = False
    gone_at: float = float("-inf")


class Membership:
    """See the module. me: tells how this node stands at the moment."""

    def __init__(self, store: Store, me: Callable[[], Member], terms: Terms) -> None:
        self.store = store
        self.me = me
        self.terms = terms
        self.peers: dict[str, Peer] = {}
        self.usurped = False
        self._watchers: list[Callable[[ClusterEvent, float], None]] = []
        self._keys = [store.key("nodes", each) for each in KEYS]
        self._sure_until = float("-inf")
        self._ticked = self._judges_at = float("-inf")
        store.watch(lambda up, now: self.beat(now) if up else None)

    # --- what others ask

    def watch(self, told: Callable[[ClusterEvent, float], None]) -> None:
        """Have `told` called with every event, in their order."""
        self._watchers.append(told)

    @property
    def members(self) -> Mapping[str, Member]:
        """Those who are there, this node among them."""
        others = {name: peer.member for name, peer in self.peers.items() if not peer.gone}
        return {self.me().name: self.me(), **others}

    def standing(self, name: str) -> Standing:
        member = self.members.get(name)
        if member is None:
            return Standing.GONE
        return Standing.DRAINING if member.pulse.draining else Standing.UP

    def sure(self, now: float) -> bool:
        """Whether this node's own lease certainly runs: others take over what it has once that has ended."""
        return now < self._sure_until

    # --- what happens

    def beat(self, now: float) -> None:
        """Say that this node is there and how it stands, and read who else is; also when that changes."""
        if self.usurped:
            return
        me = self.me()
        life = life_key(me.pulse.started, me.life)
        parts: list[Part] = [me.name, life, packed(me), round(self.terms.lease_s * 1000)]
        self.store.run(BEAT, self._keys, parts, now, lambda answer, then: self._read(answer, now, then))

    def leave(self, now: float) -> None:
        """Say goodbye: the others need not wait for the lease to end."""
        me = self.me()
        self.store.run(LEAVE, self._keys, [me.name, life_key(me.pulse.started, me.life)], now)

    def answered(self, pulse: Pulse, now: float) -> None:
        """A node answered what this one has just asked it: it is there, and that is how it stands."""
        peer = self.peers.get(pulse.name)
        if peer is None:
            return
        known = peer.member.pulse
        if pulse.life != known.life:
            if pulse.started <= known.started:
                return  # late words of a life that is over
            self._lose(peer, "it started anew", now)
        peer.direct_at = now
        newer = pulse.life != known.life or pulse.seq > known.seq
        if newer or peer.gone:
            self._take(peer, _with(peer.member, pulse) if newer else peer.member, now)

    def told(self, pulse: Pulse, now: float) -> None:
        """A node told how it stands without being asked. No sign that it lives: words can be said again."""
        peer = self.peers.get(pulse.name)
        if peer is None or peer.gone or peer.member.life != pulse.life:
            return
        if pulse.seq > peer.member.pulse.seq:
            self._take(peer, _with(peer.member, pulse), now)

    def left(self, pulse: Pulse, now: float) -> None:
        """A node said goodbye directly."""
        peer = self.peers.get(pulse.name)
        if peer is not None and peer.member.life == pulse.life:
            self._lose(peer, "it left", now)

    def tick(self, now: float) -> None:
        """Notice who is gone; to be called some times a second. A node that was held up itself heard nobody
        meanwhile: it listens for a while before it judges.
        """
        if now - self._ticked > HELD_UP_S:
            self._judges_at = now + HELD_UP_S
        self._ticked = now
        if now < self._judges_at:
            return
        for peer in list(self.peers.values()):
            if not peer.gone and now >= self._ends(peer):
                self._lose(peer, f"nothing heard of it for {self.terms.lease_s:g} s", now)
            elif peer.gone and now - peer.gone_at > FORGET_S:
                del self.peers[peer.member.name]

    # --- within

    def _ends(self, peer: Peer) -> float:
        return max(peer.until, peer.direct_at + self.terms.lease_s)

    def _read(self, answer: Answer, asked_at: float, now: float) -> None:
        if isinstance(answer, Missed):
            return
        other = usurper(answer)
        if other is not None:
            self.usurped = True
            log.error("another node has this one's name", name=self.me().name, life=other)
            self._tell(Usurped(other), now)
            return
        self._sure_until = asked_at + self.terms.lease_s
        for each in registered(answer) or ():
            member = unpacked(each.data)
            if member is not None and member.name != self.me().name:
                self._registered(member, now + min(each.left_s, self.terms.lease_s), now)

    def _registered(self, member: Member, until: float, now: float) -> None:
        peer = self.peers.get(member.name)
        if peer is None:
            peer = self.peers[member.name] = Peer(member, until=until, gone=True)
            self._take(peer, member, now)
            return
        known = peer.member.pulse
        if member.life != known.life:
            if member.pulse.started < known.started:
                return
            self._lose(peer, "it started anew", now)
        elif peer.gone and not self._renewed(peer, until):
            return
        peer.until = until
        newer = member.life != known.life or member.pulse.seq >= known.seq
        self._take(peer, member if newer else _with(member, known), now)

    def _renewed(self, peer: Peer, until: float) -> bool:
        """Whether a node that was gone renews its lease before our eyes. That it has one is no sign: what it
        sent before its end may have lain in a store that hung.
        """
        if peer.until == float("-inf"):
            peer.until = until
        return until >= peer.until + self.terms.lease_s / 4  # under a beat, over what answers differ by

    def _take(self, peer: Peer, member: Member, now: float) -> None:
        """The peer is there, and this is what is known of it."""
        before, was_gone = peer.member.pulse, peer.gone
        peer.member, peer.gone = member, False
        if was_gone:
            log.info("a node is there", node=member.name, region=member.region)
            self._tell(Joined(member), now)
        elif (before.draining, before.well) != (member.pulse.draining, member.pulse.well):
            self._tell(Changed(member), now)

    def _lose(self, peer: Peer, why: str, now: float) -> None:
        if peer.gone:
            return
        peer.gone, peer.gone_at = True, now
        peer.until = peer.direct_at = float("-inf")
        log.warning("a node is gone", node=peer.member.name, why=why)
        self._tell(Gone(peer.member, why), now)

    def _tell(self, event: ClusterEvent, now: float) -> None:
        for watcher in self._watchers:
            watcher(event, now)


def _with(member: Member, pulse: Pulse) -> Member:
    """What is known of a node, with how it stands at the moment."""
    return msgspec.structs.replace(member, pulse=pulse)
