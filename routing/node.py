"""Which node a call is nearest to, and why: the least predicted delay among nodes that can take it.

A `NodeBoard` has a row a node: region, load, state, and how far it is from each region. `nearest` looks at
all of them at once: no clock, no I/O. Nodes that cannot take the call are left out, each with its reasons
(`Bar`). For the others the round trip is predicted, from the best that is known:

1. what was measured from this very source, while it is fresh;
2. what was measured from the caller's region to that node;
3. the same between the two regions, by their other nodes;
4. an assumption: little within a region, much between two.

To that comes the way onward to where the call shall be answered, when that is known, and what the node's load
costs, which grows by its square. Nodes that differ by no more than `same_s` are equals: who had the caller
last keeps her, else the one with least load by tenths gets her, and of those one that was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

from routing.way import Ways

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
AT_HOME_S = 0.02  # assumed round trip within a region


class Bar(IntFlag):
    """Why a node is not offered a call; several may hold."""

    GONE = 1
    DRAINING = 2
    UNWELL = 4
    FULL = 8
    RESIDENCY = 16
    AVOIDED = 32
    ADDRESS = 64


WORDS = {
    Bar.GONE: "gone",
    Bar.DRAINING: "draining",
    Bar.UNWELL: "not well",
    Bar.FULL: "no room",
    Bar.RESIDENCY: "outside of where the call may be",
    Bar.AVOIDED: "tried already",
    Bar.ADDRESS: "not reached this way",
}


class Basis(IntEnum):
    """What a round trip was predicted from."""

    MEASURED = 0
    REGION = 1
    REGIONS = 2
    ASSUMED = 3


BASES = {
    Basis.MEASURED: "measured",
    Basis.REGION: "as callers of its region",
    Basis.REGIONS: "as between the regions",
    Basis.ASSUMED: "assumed",
}


@dataclass(frozen=True, slots=True)
class Node:
    """What choosing needs to know of a node. capacity, calls: at once. kinds: ways that calls reach it, such
    as "sip" and "web".
    """

    name: str
    region: str
    capacity: int
    calls: int = 0
    gone: bool = False
    draining: bool = False
    well: bool = True
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Weights:
    """same_s: difference of delay within which nodes are equals. load_s: what a full node has against it.
    unknown_s: round trip between regions of which nothing is known. fresh_s: for how long what was measured
    counts. limit: nodes in the order.
    """

    same_s: float = 0.005
    load_s: float = 0.04
    unknown_s: float = 0.2
    fresh_s: float = 600.0
    limit: int = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for.

    source: what measurements are kept by. region: of the caller, empty when unknown. kind: how the call
    comes; empty: no matter. residency: regions it may be at; none named: any. toward: node where the call
    shall be answered. last: node that had the caller before. avoid: nodes that were tried.
    """

    source: str = ""
    region: str = ""
    kind: str = ""
    residency: frozenset[str] = frozenset()
    toward: str = ""
    last: str = ""
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why this order, in columns of all nodes; nothing is put into words before it is asked for."""

    names: tuple[str, ...]
    index: Mapping[str, int]
    bars: Ints
    rtt: F64
    basis: Ints
    load: F64
    delay: F64
    first: str = ""  # how the first came to be the first, where that was not by delay alone

    def of(self, name: str) -> str:
        """What is to be said of one node."""
        at = self.index[name]
        bars = Bar(int(self.bars[at]))
        if bars:
            return f"{name}: {', '.join(word for bar, word in WORDS.items() if bar in bars)}"
        basis = BASES[Basis(int(self.basis[at]))]
        return (
            f"{name}: {self.rtt[at] * 1000:.0f} ms {basis}, load {self.load[at]:.0%}, "
            f"{self.delay[at] * 1000:.0f} ms against it"
        )

    def __str__(self) -> str:
        said = [self.of(name) for name in self.names]
        return "; ".join([self.first, *said] if self.first else said)


@dataclass(frozen=True, slots=True)
class Choice:
    """order: names of nodes, best first; empty when there is none."""

    order: tuple[str, ...]
    reasons: Reasons


@dataclass
class NodeBoard:
    """How all nodes stand now, in columns. `refresh` works out how far they are from the regions.

    ways: by source. region_ways: by the region that sources are in, of many sources together.
    """

    weights: Weights = field(default_factory=Weights)
    ways: Ways = field(default_factory=Ways)
    region_ways: Ways = field(default_factory=lambda: Ways(most=256, nodes=4096, kept=33))

    def __post_init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._stale = True
        self._rebuild()

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self._nodes

    def put(self, *nodes: Node) -> None:
        """These nodes are as told from now on."""
        for node in nodes:
            known = self._nodes.get(node.name)
            self._nodes[node.name] = node
            if known is None or known.region != node.region or known.kinds != node.kinds:
                self._stale = True
            elif not self._stale:
                self._write(self.index[node.name], node)
        if self._stale:
            self._rebuild()

    def drop(self, name: str) -> None:
        if self._nodes.pop(name, None) is not None:
            self._rebuild()

    def seen(self, source: str, node: str, rtt_s: float, now: float, region: str = "") -> None:
        """A round trip was measured. region: where the source is, if known: its neighbours learn from it."""
        if source:
            self.ways.seen(source, node, rtt_s, now)
        if not region:
            return
        way = self.region_ways.seen(region, node, rtt_s, now)
        row, at = self._region_index.get(region), self.index.get(node)
        if row is not None and at is not None and not self._unread:
            found = way.rtt(now, self.weights.fresh_s)
            self._seen[row, at] = np.nan if found is None else found
            self._seen_at[row, at] = now

    def between(self, region: str, node: str, rtt_s: float, now: float) -> None:
        """A node of a region measured the way to another node: her callers have that and their way home."""
        self.seen("", node, rtt_s + AT_HOME_S, now, region)

    def refresh(self, now: float) -> None:
        """Work out the round trips from each region to each node; a second's delay harms nothing."""
        if self._unread:
            self._read(now)
        self._seen[now - self._seen_at > self.weights.fresh_s] = np.nan
        self._rtt, self._basis = self._filled(self._seen)

    def _read(self, now: float) -> None:
        """What is known of regions, after the set of nodes has changed."""
        self._seen = np.full((len(self.regions), len(self.names)), np.nan)
        self._seen_at = np.full(self._seen.shape, -np.inf)
        for row, region in enumerate(self.regions):
            for name, way in self.region_ways.of(region):
                found, at = way.rtt(now, self.weights.fresh_s), self.index.get(name)
                if found is not None and at is not None:
                    self._seen[row, at], self._seen_at[row, at] = found, now - way.age(now)
        self._unread = False

    def _filled(self, rtt: F64) -> tuple[F64, Ints]:
        """Round trips from regions to nodes, what was not measured by the other nodes' of the region."""
        basis = np.where(np.isnan(rtt), int(Basis.ASSUMED), int(Basis.REGION))
        between = np.full((len(self.regions), len(self.regions)), np.nan)
        for to in range(len(self.regions)):
            columns = rtt[:, self.region == to]
            rows = np.flatnonzero(~np.isnan(columns).all(axis=1))
            if rows.size:
                between[rows, to] = np.nanmedian(columns[rows], axis=1)
        between = np.where(np.isnan(between), between.T, between)  # the way back is as long
        neighbours = between[:, self.region]
        by_regions = np.isnan(rtt) & ~np.isnan(neighbours)
        home = self.region[None, :] == np.arange(len(self.regions))[:, None]
        assumed = np.where(home, AT_HOME_S, self.weights.unknown_s)
        filled = np.where(np.isnan(rtt), np.where(np.isnan(neighbours), assumed, neighbours), rtt)
        return filled, np.where(by_regions, int(Basis.REGIONS), basis)

    def predicted(self, demand: Demand, now: float) -> tuple[F64, Ints]:
        """float64[n], int64[n]: the round trip from the demand's source to each node, and its `Basis`."""
        if self._unread:
            self.refresh(now)
        row = self._region_index.get(demand.region)
        if row is None:
            rtt = np.full(len(self.names), self.weights.unknown_s)
            basis = np.full(len(self.names), int(Basis.ASSUMED))
        else:
            rtt, basis = self._rtt[row].copy(), self._basis[row].copy()
        for name, way in self.ways.of(demand.source) if demand.source else ():
            at, found = self.index.get(name), way.rtt(now, self.weights.fresh_s)
            if at is not None and found is not None:
                rtt[at], basis[at] = found, int(Basis.MEASURED)
        return rtt, basis

    def onward(self, to: str) -> F64:
        """float64[n]: the round trip from each node to the one named; zeros where that is unknown."""
        at = self.index.get(to)
        if at is None:
            return np.zeros(len(self.names))
        found: F64 = np.maximum(self._rtt[self.region, at] - AT_HOME_S, 0.0)
        found[at] = 0.0
        return found

    def within(self, regions: frozenset[str]) -> Bools:
        """bool[n]: nodes of these regions."""
        wanted = np.array([name in regions for name in self.regions], np.bool_)
        found: Bools = wanted[self.region]
        return found

    def _write(self, at: int, node: Node) -> None:
        self.capacity[at], self.calls[at] = node.capacity, node.calls
        self.barred[at] = (
            node.gone * int(Bar.GONE) | node.draining * int(Bar.DRAINING) | (not node.well) * int(Bar.UNWELL)
        )

    def _rebuild(self) -> None:
        """All columns anew: the set of nodes has changed."""
        self.names: tuple[str, ...] = tuple(self._nodes)
        self.index: Mapping[str, int] = {name: at for at, name in enumerate(self.names)}
        self.regions = sorted({node.region for node in self._nodes.values()})
        self._region_index = {region: at for at, region in enumerate(self.regions)}
        nodes = list(self._nodes.values())
        self.region: Ints = np.array([self._region_index[each.region] for each in nodes], np.int64)
        self.capacity: Ints = np.zeros(len(nodes), np.int64)
        self.calls: Ints = np.zeros(len(nodes), np.int64)
        self.barred: Ints = np.zeros(len(nodes), np.int64)
        kinds = sorted({kind for each in nodes for kind in each.kinds})
        self.reached = {kind: np.array([kind in each.kinds for each in nodes], np.bool_) for kind in kinds}
        for at, node in enumerate(nodes):
            self._write(at, node)
        self._stale, self._unread = False, True


def nearest(board: NodeBoard, demand: Demand, now: float) -> Choice:
    """The nodes for a call, best first. now: monotonic seconds."""
    weights = board.weights
    rtt, basis = board.predicted(demand, now)
    load = board.calls / np.maximum(board.capacity, 1)
    delay = rtt + weights.load_s * load * load
    if demand.toward:
        delay = delay + board.onward(demand.toward)
    bars = _bars(board, demand)
    usable = np.flatnonzero(bars == 0)
    order, first = _order(board, demand, usable, delay, basis, load)
    return Choice(order, Reasons(board.names, board.index, bars, rtt, basis, load, delay, first))


def _bars(board: NodeBoard, demand: Demand) -> Ints:
    """int64[n]: flags of `Bar` for each node, 0 for those that can take the call."""
    bars: Ints = board.barred | (board.calls >= board.capacity) * int(Bar.FULL)
    if demand.residency:
        bars |= ~board.within(demand.residency) * int(Bar.RESIDENCY)
    if demand.kind:
        reached = board.reached.get(demand.kind)
        bars |= int(Bar.ADDRESS) if reached is None else ~reached * int(Bar.ADDRESS)
    for name in demand.avoid:
        if name in board.index:
            bars[board.index[name]] |= int(Bar.AVOIDED)
    return bars


def _order(
    board: NodeBoard, demand: Demand, usable: NDArray[np.intp], delay: F64, basis: Ints, load: F64
) -> tuple[tuple[str, ...], str]:
    """Names, best first, and how the first was chosen among equals."""
    ranked = usable[np.argsort(delay[usable], kind="stable")]
    if not ranked.size:
        return (), ""
    near = ranked[: np.searchsorted(delay[ranked], delay[ranked[0]] + board.weights.same_s, side="right")]
    last = board.index.get(demand.last, -1)
    if last in near:
        first, said = last, "" if last == ranked[0] else f"{demand.last} had the caller before"
    else:
        tenth = np.floor(load * 10)
        first = int(near[np.lexsort((delay[near], basis[near] != Basis.MEASURED, tenth[near]))[0]])
        better = "has least load" if tenth[first] < tenth[ranked[0]] else "is measured"
        said = "" if first == ranked[0] else f"{board.names[first]} {better}, of equals"
    rest = [at for at in ranked[: board.weights.limit].tolist() if at != first]
    return tuple(board.names[at] for at in [first, *rest][: board.weights.limit]), said


def spread(board: NodeBoard, choice: Choice, most: int) -> tuple[str, ...]:
    """Nodes whose way is worth measuring: the best of each region first, then the best of the rest."""
    usable = np.flatnonzero(choice.reasons.bars == 0)
    ranked = usable[np.argsort(choice.reasons.delay[usable], kind="stable")]
    firsts = _firsts(ranked.tolist(), board.region)
    rest = (at for at in ranked.tolist() if at not in firsts)
    return tuple(board.names[at] for at in [*firsts, *rest][:most])


def _firsts(ranked: Iterable[int], region: Ints) -> dict[int, None]:
    seen: dict[int, int] = {}
    for at in ranked:
        seen.setdefault(int(region[at]), at)
    return dict.fromkeys(seen.values())
