"""This node among the others: what it tells of itself, who else is there, which is nearest to a call.

Synchronous, on passed-in time; `engine.cluster.running` gives it a clock and a socket. A node that is alone
has one too, over a store in memory, and is always the nearest.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from config.schema import Config
from engine.cluster.member import MOST_WAYS, Member, Pulse
from engine.cluster.membership import ClusterEvent, Gone, Membership, Terms
from engine.cluster.ping import Keys, Pings
from engine.cluster.source import line_of
from engine.cluster.store import Store
from routing.node import Choice, Demand, Node, NodeBoard, Weights, nearest
from routing.way import Way

WAYS_S = 30.0  # how old what is told of the way to another node may be
TELLS_S = 60.0  # a network tells of its region no more often, lest one caller speaks for all
MOST_HOMES = 20_000  # callers' networks whose region is remembered


@dataclass(frozen=True, slots=True)
class Load:
    """How this node stands. calls: in progress. well: whether its parts work."""

    calls: int
    draining: bool
    well: bool


class Cluster:
    """See the module. life: a word that no other process has. load: tells how this node stands."""

    def __init__(
        self,
        config: Config,
        store: Store,
        load: Callable[[], Load],
        *,
        life: str,
        started: float,
        rng: random.Random,
    ) -> None:
        self.config = config
        self.store = store
        self.life = life
        self._load = load
        near = config.cluster.near
        self.board = NodeBoard(
            Weights(
                same_s=near.same_ms / 1000,
                load_s=near.load_ms / 1000,
                unknown_s=near.unknown_ms / 1000,
                fresh_s=near.fresh_s,
            )
        )
        self.sent_on = 0  # calls that another node was nearer to
        self.lines: Mapping[str, float] = {}  # round trips to lines, as this node measured them
        self._lines: dict[str, Way] = {}
        self._pulse = Pulse(name=config.node.name, life=life, started=started)
        self._homes: OrderedDict[str, tuple[str, float]] = OrderedDict()  # region, and when it was told
        self.membership = Membership(store, self.me, Terms(config.cluster.lease_s))
        self.membership.watch(self._happened)
        self.pings: Pings | None = None
        between = config.cluster.between
        if between.key is not None and not config.cluster.alone:
            secrets = {id: key.reveal().encode() for id, key in between.keys.items()}
            self.pings = Pings(Keys(secrets, between.key), self.membership, rng, self._measured)
        self.look(0.0)

    # --- this node

    @property
    def name(self) -> str:
        return self.config.node.name

    @property
    def owner(self) -> str:
        """What this node holds leases as."""
        return self.me().owner

    def me(self) -> Member:
        """How this node stands, for others to know."""
        load, told = self._load(), self._pulse
        capacity = self.config.node.limits.max_calls
        now = (load.calls, capacity, load.draining, load.well)
        if now != (told.calls, told.capacity, told.draining, told.well):
            self._pulse = told = Pulse(told.name, told.life, told.started, told.seq + 1, *now)
        cluster = self.config.cluster
        return Member(
            pulse=told,
            region=self.config.node.region,
            sip=cluster.advertise.sip,
            origin=cluster.advertise.origin or "",
            host=cluster.between.host or "",
            port=0 if cluster.alone else cluster.between.port,
            ways=self._ways,
            lines=self.lines,
        )

    def beat(self, now: float) -> None:
        """A sign of life, with what this node measured; also at once when it begins to drain."""
        rtts = self.rtts(now)
        self._ways = {name: rtts[name] for name in sorted(rtts, key=rtts.__getitem__)[:MOST_WAYS]}
        lines = {line: way.rtt(now, self.config.cluster.near.fresh_s) for line, way in self._lines.items()}
        self.lines = {line: rtt for line, rtt in lines.items() if rtt is not None}
        self.membership.beat(now)
        self.look(now)

    _ways: Mapping[str, float] = {}

    # --- all nodes

    def look(self, now: float) -> None:
        """Bring the board up to what is known of the members, and of the ways that they measured."""
        members = self.membership.members
        for name in self.board.nodes.keys() - self.membership.peers.keys() - {self.name}:
            self.board.drop(name)
        self.board.put(*(_node(member) for member in members.values()))
        for member in members.values():
            for name, rtt in () if member.name == self.name else member.ways.items():
                self.board.between(member.region, name, rtt, now)
            for line, rtt in member.lines.items():
                self.board.seen(line_of(line), member.name, rtt, now)
        self.board.refresh(now)

    def demand(
        self,
        *,
        source: str = "",
        line: str = "",
        number: str = "",
        region: str = "",
        market: str = "",
        kind: str = "",
        last: str = "",
    ) -> Demand:
        """What to ask for a caller.

        region: hers; else where she was measured to be, or what her number says. source: her network. line:
        the one she calls over, whose way counts then. number: E.164.
        """
        config = self.config
        known = config.lines.get(line)
        where = region or self.home(source) or (known.region if known and known.region else "")
        return Demand(
            source=line_of(line) if line else source,
            region=where or self._region_of(number),
            kind=kind,
            residency=config.cluster.regions_for(market or config.node.market),
            last=last,
        )

    def _region_of(self, number: str) -> str:
        prefixes = self.config.cluster.near.prefixes
        found = [prefix for prefix in prefixes if number.startswith(prefix)]
        return prefixes[max(found, key=len)] if found else ""

    def rtts(self, now: float) -> Mapping[str, float]:
        """The ways to other nodes that this one has measured, in seconds."""
        return {} if self.pings is None else self.pings.rtts(now, WAYS_S)

    def nearest(self, demand: Demand, now: float) -> Choice:
        """Nodes for a call, best first; this node's own load is that of this very moment."""
        self.board.put(_node(self.me()))
        return nearest(self.board, demand, now)

    def reported(self, source: str, rtts: Mapping[str, float], now: float) -> str:
        """A caller measured the ways to some nodes: what is nearest to her is where she is. Her region."""
        known = {name: rtt for name, rtt in rtts.items() if name in self.board.nodes}
        if not known:
            return self.home(source)
        home = self.board.nodes[min(known, key=known.__getitem__)].region
        told = now - self._homes.get(source, ("", float("-inf")))[1] >= TELLS_S
        if told:
            self._homes[source] = home, now
            self._homes.move_to_end(source)
        while len(self._homes) > MOST_HOMES:
            self._homes.popitem(last=False)
        for name, rtt in known.items():
            self.board.seen(source, name, rtt, now, region=home if told else "")
        return home

    def home(self, source: str) -> str:
        """The region that a source was found to be in; empty when that is not known."""
        return self._homes.get(source, ("", 0.0))[0]

    def line_answered(self, line: str, rtt_s: float, now: float) -> None:
        """A line answered OPTIONS after so long."""
        if line in self._lines or len(self._lines) < MOST_WAYS:
            self._lines.setdefault(line, Way()).seen(rtt_s, now)

    # --- within

    def _measured(self, node: str, rtt_s: float, now: float) -> None:
        self.board.between(self.config.node.region, node, rtt_s, now)

    def _happened(self, event: ClusterEvent, now: float) -> None:
        match event:
            case Gone(member):
                self.board.put(_node(member, gone=True))
            case _:
                self.look(now)


def _node(member: Member, gone: bool = False) -> Node:
    """A member as choosing sees it."""
    pulse = member.pulse
    kinds = {kind for kind, address in (("sip", member.sip), ("web", member.origin)) if address}
    return Node(
        name=member.name,
        region=member.region,
        capacity=pulse.capacity,
        calls=pulse.calls,
        gone=gone,
        draining=pulse.draining,
        well=pulse.well,
        kinds=frozenset(kinds),
    )
