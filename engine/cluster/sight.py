"""The cluster as the API sees it: nodes and how they stand, which is nearest to whom and why, and draining.

Values are made afresh for each look. Round trips are milliseconds, load is a share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from engine.cluster.cluster import Cluster
from engine.cluster.member import Member
from engine.cluster.source import network_of
from engine.views import Check, Health
from routing.node import Choice, Demand, nearest, spread

MOST_REPORTED = 16  # nodes that one caller may tell of

log = structlog.get_logger("cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One node. state: up, draining or gone. here: the one that is asked. rtt_ms: from there, None before it
    is known. why: what speaks for and against it, for a call in the region of the one that is asked.
    """

    name: str
    region: str
    state: str
    here: bool
    calls: int
    capacity: int
    load: float
    well: bool
    rtt_ms: float | None
    sip: tuple[str, ...]
    origin: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesView:
    """store: whether what nodes share can be reached. registered: whether this node's own lease runs."""

    nodes: tuple[NodeView, ...]
    store: bool
    registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NearNode:
    """One of the nodes for a call. contact, origin: where SIP and browsers reach it; empty: nowhere."""

    name: str
    region: str
    contact: str
    origin: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearView:
    """order: best first. others: why the rest are not among them. why: how the first came to be that."""

    order: tuple[NearNode, ...]
    others: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NearAsk:
    """source: address of the caller. line: over which she calls. number: hers, or the one she called. kind:
    "sip", "web" or "".
    """

    source: str = ""
    line: str = ""
    number: str = ""
    region: str = ""
    market: str = ""
    kind: str = ""


class ClusterSight:
    """On the event loop, and quick. drain: begins or ends it."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float], drain: Callable[[bool], None]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._drain = drain

    # --- nodes

    def nodes(self) -> NodesView:
        cluster, now = self._cluster, self._clock()
        membership = cluster.membership
        choice = cluster.nearest(Demand(region=cluster.config.node.region), now)
        rtts = cluster.rtts(now)
        known = {name: peer.member for name, peer in membership.peers.items()} | {cluster.name: cluster.me()}
        return NodesView(
            nodes=tuple(
                self._node(known[name], choice, rtts.get(name))
                for name in sorted(known)
                if name in choice.reasons.index
            ),
            store=cluster.store.up,
            registered=membership.sure(now),
        )

    def _node(self, member: Member, choice: Choice, rtt: float | None) -> NodeView:
        pulse, name = member.pulse, member.name
        here = name == self._cluster.name
        return NodeView(
            name=name,
            region=member.region,
            state=self._cluster.membership.standing(name).value,
            here=here,
            calls=pulse.calls,
            capacity=pulse.capacity,
            load=pulse.calls / max(pulse.capacity, 1),
            well=pulse.well,
            rtt_ms=0.0 if here else None if rtt is None else rtt * 1000,
            sip=member.sip,
            origin=member.origin,
            why=choice.reasons.of(name).partition(": ")[2],
        )

    def check(self) -> Check:
        """Of the node's health: without the store, calls go on."""
        membership = self._cluster.membership
        if membership.usurped:
            detail = "another node has this one's name; it takes no new calls"
            return Check(name="cluster", status=Health.FAILING, detail=detail)
        if not self._cluster.store.up:
            detail = "the Redis that nodes share is out of reach; they go on with what they know"
            return Check(name="cluster", status=Health.DEGRADED, detail=detail)
        return Check(name="cluster", status=Health.OK, detail=f"{len(membership.members)} nodes")

    def drain(self, draining: bool, by: str) -> None:
        """Take no new calls and say so, or take some again."""
        log.warning("the node drains" if draining else "the node takes calls again", by=by)
        self._drain(draining)

    # --- near

    def near(self, ask: NearAsk) -> NearView:
        """Which node a call is nearest to, and why."""
        return self._near(self._cluster.nearest(self.demand(ask), self._clock()))

    def demand(self, ask: NearAsk) -> Demand:
        return self._cluster.demand(
            source=network_of(ask.source) if not ask.line else "",
            line=ask.line,
            number=ask.number,
            region=ask.region,
            market=ask.market,
            kind=ask.kind,
        )

    def candidates(self, source: str, market: str) -> Sequence[NearNode]:
        """Nodes that a caller's page may measure the way to; none where there is nothing to choose."""
        cluster, now = self._cluster, self._clock()
        demand = self.demand(NearAsk(source=source, market=market, kind="web"))
        choice = nearest(cluster.board, demand, now)
        names = spread(cluster.board, choice, cluster.config.cluster.near.candidates)
        found = self._described(choice, names)
        return found if len(found) > 1 else ()

    def reported(self, source: str, market: str, ms: Mapping[str, float]) -> NearView:
        """A caller's page has measured; which node is hers. What is no measurement is passed over."""
        cluster, now = self._cluster, self._clock()
        network = network_of(source)
        told = dict(list(ms.items())[:MOST_REPORTED])
        if network:
            cluster.reported(
                network, {name: each / 1000 for name, each in told.items() if 0 < each < 10_000}, now
            )
        return self.near(NearAsk(source=source, market=market, kind="web"))

    # --- for the API's own use

    def origins(self) -> frozenset[str]:
        """Of all nodes that are known, gone ones too: pages of one node may call at another."""
        peers = (peer.member.origin for peer in self._cluster.membership.peers.values())
        return frozenset(origin.lower() for origin in (*peers, self._cluster.me().origin) if origin)

    def onward(self) -> tuple[str, ...]:
        """The origins of other nodes that take calls, nearest to this one first."""
        cluster = self._cluster
        demand = Demand(region=cluster.config.node.region, kind="web", avoid=frozenset({cluster.name}))
        choice = nearest(cluster.board, demand, self._clock())
        return tuple(each.origin for each in self._described(choice, choice.order))

    def _near(self, choice: Choice) -> NearView:
        others = [name for name in choice.reasons.names if name not in choice.order]
        return NearView(
            order=self._described(choice, choice.order),
            others=tuple(choice.reasons.of(name) for name in others),
            why=choice.reasons.first,
        )

    def _described(self, choice: Choice, names: Sequence[str]) -> tuple[NearNode, ...]:
        members = self._cluster.membership.members
        return tuple(
            NearNode(
                name=name,
                region=members[name].region,
                contact=next(iter(members[name].sip), ""),
                origin=members[name].origin,
                why=choice.reasons.of(name).partition(": ")[2],
            )
            for name in names
            if name in members
        )
