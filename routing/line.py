"""Which line a call goes out over, in which order, and why.

A `Board` has what the operator says of the lines and how they stand now; `choose` looks at it: no clock, no
I/O, and chance is a `random.Random` that is passed in.

Lines that cannot take the call are left out, each with its reasons (`Bar`). The others are put in order:

1. Lines that are sure before those in doubt, or on their way back and not having drawn this call.
2. Priority, lowest first, as in SRV records.
3. Within a priority, lines that are promised a percentage get it, by lot. The rest of the calls go to the
   least demerit: cost, measured quality, load and being elsewhere, weighed by the policy. Lines that are
   within `near` of the best are equals, and drawn by weight.
4. A sticky call goes by its key instead of by lot and merit: the same line each time, on every node, as long
   as it can take it; when it cannot, others' keys keep theirs (rendezvous hashing).

Emergency calls pass caps, hours, prefixes, circuits and regions: every line that may carry them in the
caller's country, then any that may; those that are dead come last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from hashlib import blake2b
from random import Random

import numpy as np
from numpy.typing import NDArray

from routing.board import Board

F64 = NDArray[np.float64]


class Bar(IntFlag):
    """Why a line is not offered a call; several may hold."""

    TRIED = 1
    OFF = 2
    DESTINATION = 4
    REGION = 8
    RESIDENCY = 16
    CLOSED = 32
    DEAD = 64
    TRIPPED = 128
    FULL = 256
    RATE = 512
    EMERGENCY = 1024
    UNNAMED = 2048
    UNREGISTERED = 4096


WORDS = {
    Bar.TRIED: "tried already",
    Bar.OFF: "switched off",
    Bar.DESTINATION: "not for this destination",
    Bar.REGION: "does not serve this region",
    Bar.RESIDENCY: "outside of where the call may go",
    Bar.CLOSED: "closed at this hour",
    Bar.DEAD: "dead",
    Bar.TRIPPED: "fails its calls",
    Bar.FULL: "all channels taken",
    Bar.RATE: "at its calls a second",
    Bar.EMERGENCY: "not for emergency calls",
    Bar.UNNAMED: "not among those for this number",
    Bar.UNREGISTERED: "not registered with its carrier",
}
CAPS = Bar.FULL | Bar.RATE  # what passes by waiting
SURE, DOUBTFUL, LAST = 0, 1, 2  # tiers


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much. cost: of a line at the middle price of those that can take the call. quality:
    of one that is useless. load: of one that is full; grows by the square. away: of one in another region.
    near: difference of demerit within which lines are equals. limit: lines in the order.
    """

    cost: float = 1.0
    quality: float = 2.0
    load: float = 0.5
    away: float = 0.5
    near: float = 0.05
    limit: int = 8


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked for.

    number: E.164, or a short number. destination: what measurements are kept by, such as a country code.
    residency: regions that the call may pass through; none named: any. country: of the caller, for emergency
    numbers. avoid: lines that were tried. among: lines that may be used; none named: any.
    """

    number: str
    destination: str = ""
    region: str = ""
    residency: frozenset[str] = frozenset()
    sticky: str = ""
    emergency: bool = False
    country: str = ""
    avoid: frozenset[str] = frozenset()
    among: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why this order, in columns of all lines; nothing is put into words before it is asked for."""

    board: Board
    bars: NDArray[np.int64]
    demerit: F64
    cost: F64
    quality: F64
    load: F64
    share: F64
    doubted: NDArray[np.bool_]
    lot: str = ""  # how the first came to be the first, where that was not by merit

    def takes(self, name: str) -> bool:
        """Whether a line can take the call, wherever it stands in the order."""
        return int(self.bars[self.board.index[name]]) == 0

    def of(self, name: str) -> str:
        """What is to be said of one line."""
        at = self.board.index[name]
        bars = Bar(int(self.bars[at]))
        if bars:
            return f"{name}: {', '.join(word for bar, word in WORDS.items() if bar in bars)}"
        parts = [f"priority {self.board.priority[at]}", f"demerit {self.demerit[at]:.2f}"]
        if math.isfinite(self.cost[at]):
            parts.append(f"cost {self.cost[at]:.4g}")
        parts += [f"quality {1 - self.quality[at]:.0%}", f"load {self.load[at]:.0%}"]
        if self.doubted[at]:
            parts.append("in doubt")
        if self.share[at] < 1:
            parts.append(f"coming back at {self.share[at]:.0%}")
        return f"{name}: {', '.join(parts)}"

    def __str__(self) -> str:
        said = [self.of(name) for name in self.board.names]
        return "; ".join([self.lot, *said] if self.lot else said)


@dataclass(frozen=True, slots=True)
class Choice:
    """order: names of lines, best first; empty when there is none. wait_s: after which one of those that are
    at a cap has room for certain, or 0.0 when that depends on a call's ending; None when waiting helps
    nothing.
    """

    order: tuple[str, ...]
    reasons: Reasons
    wait_s: float | None = None


def choose(board: Board, demand: Demand, now: float, wall: float, rng: Random, weights: Weights) -> Choice:
    """The lines for a call, best first. now: monotonic seconds; wall: seconds since 1970, for hours and
    rates.
    """
    row = board.tariffs.row(demand.number)
    cost = board.tariffs.costs(row, wall)
    load = board.load()
    if demand.emergency:
        bars, tier = _emergency(board, demand)
    else:
        bars = _bars(board, demand, row.takes & _rated(board, cost), now, wall)
        tier = _tier(board, bars, rng)
    usable = np.flatnonzero(bars == 0)
    quality = board.measured.deficit(demand.destination, now)
    demerit = _demerit(board, demand, usable, (cost, quality, load), weights)
    order, lot = _order(board, demand, usable, tier, demerit, rng, weights)
    wait = None if order else _wait(board, bars, now)
    stood = board.share.copy(), board.doubted.copy()  # the board goes on, the reasons stay
    return Choice(order, Reasons(board, bars, demerit, cost, quality, load, *stood, lot), wait)


def _bars(
    board: Board, demand: Demand, takes: NDArray[np.bool_], now: float, wall: float
) -> NDArray[np.int64]:
    """int64[n]: flags of `Bar` for each line, 0 for those that can take the call."""
    bars = np.where(takes, 0, int(Bar.DESTINATION))
    bars |= board.off * int(Bar.OFF)
    bars |= (board.share <= 0) * np.where(board.tripped, int(Bar.TRIPPED), int(Bar.DEAD))
    bars |= (board.active >= board.channels) * int(Bar.FULL)
    bars |= (board.ready_at > now) * int(Bar.RATE)
    bars |= ~board.serves(demand.region) * int(Bar.REGION)
    bars |= board.closed(wall) * int(Bar.CLOSED)
    bars |= board.unregistered * int(Bar.UNREGISTERED)
    if demand.among:
        bars |= ~board.named(demand.among) * int(Bar.UNNAMED)
    if demand.residency:
        bars |= ~board.within(demand.residency) * int(Bar.RESIDENCY)
    _mark_tried(board, demand, bars)
    return bars


def _emergency(board: Board, demand: Demand) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bars and tiers of a call that must get through: those that live first, the caller's country before
    others.
    """
    bars = np.where(board.emergency & ~board.off, 0, int(Bar.EMERGENCY))
    _mark_tried(board, demand, bars)
    here = board.in_country(demand.country)
    if (here & (bars == 0)).any():
        bars[~here] |= int(Bar.EMERGENCY)
    return bars, np.where(board.share <= 0, LAST, np.where(board.doubted, DOUBTFUL, SURE))


def _mark_tried(board: Board, demand: Demand, bars: NDArray[np.int64]) -> None:
    for name in demand.avoid:
        if name in board.index:
            bars[board.index[name]] |= int(Bar.TRIED)


def _rated(board: Board, cost: F64) -> NDArray[np.bool_]:
    """bool[n]: lines that name a price now, or none for anything."""
    found: NDArray[np.bool_] = ~board.rated | np.isfinite(cost)
    return found


def _tier(board: Board, bars: NDArray[np.int64], rng: Random) -> NDArray[np.int64]:
    """int64[n]: a line that is coming back has to draw the call to be among those that are sure."""
    tier = np.where(board.doubted, DOUBTFUL, SURE)
    for at in np.flatnonzero((board.share < 1) & (bars == 0)):
        if rng.random() >= board.share[at]:
            tier[at] = DOUBTFUL
    return tier


def _demerit(
    board: Board, demand: Demand, usable: NDArray[np.intp], terms: tuple[F64, F64, F64], weights: Weights
) -> F64:
    """float64[n]: what speaks against each line; one without a price counts as of the middle price."""
    cost, quality, load = terms
    known = np.sort(cost[usable])  # inf, where a line names no price, comes last
    known = known[: np.searchsorted(known, np.inf)]
    middle = float(known[len(known) // 2]) if known.size else 0.0
    relative = np.where(np.isfinite(cost), cost / middle, 1.0) if middle > 0 else np.zeros(len(cost))
    found: F64 = (
        weights.cost * relative
        + weights.quality * quality
        + weights.load * load * load
        + weights.away * board.away(demand.region)
    )
    return found


def _order(
    board: Board,
    demand: Demand,
    usable: NDArray[np.intp],
    tier: NDArray[np.int64],
    demerit: F64,
    rng: Random,
    weights: Weights,
) -> tuple[tuple[str, ...], str]:
    """Names, best first, and how the first was drawn where it was."""
    ranked = usable[np.lexsort((demerit[usable], board.priority[usable], tier[usable]))]
    against = dict(zip(ranked.tolist(), demerit[ranked].tolist(), strict=True))
    order: list[str] = []
    lot = ""
    for group in _groups(board, ranked, tier):
        draw = _Draw(board, group, against, rng, weights.near, weights.limit - len(order))
        names, how = draw.sticky(demand.sticky) if demand.sticky else draw.by_lot()
        lot = lot if order else how
        order += names
        if len(order) >= weights.limit:
            break
    return tuple(order[: weights.limit]), lot


def _groups(board: Board, ranked: NDArray[np.intp], tier: NDArray[np.int64]) -> Iterator[list[int]]:
    """Runs of one tier and priority."""
    keys = tier[ranked] * (2 << 16) + board.priority[ranked]
    ends = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    for part in np.split(ranked, ends):
        if part.size:
            yield part.tolist()


@dataclass(frozen=True, slots=True)
class _Draw:
    """One group of lines, by rising demerit, put into an order; the first `limit` of it matter."""

    board: Board
    group: Sequence[int]
    demerit: Mapping[int, float]
    rng: Random
    near: float
    limit: int

    def sticky(self, key: str) -> tuple[list[str], str]:
        """By weight, from the key alone: its score for a line depends on no other line."""
        scored = sorted(self.group, key=lambda at: self._score(_hashed(key, self.board.names[at]), at))
        return self._names(scored), f"{self.board.names[scored[0]]} by its key"

    def by_lot(self) -> tuple[list[str], str]:
        specs = self.board.specs
        promised = [at for at in self.group if specs[at].percent > 0]
        free = [at for at in self.group if specs[at].percent <= 0] if promised else self.group
        lucky = self._promised(promised, bool(free))
        others = [at for at in promised if at != lucky]
        rest = [*self._equals(free), *self._shuffled(others, lambda at: specs[at].percent)]
        if lucky is None:
            return self._names(rest), ""
        said = f"{self.board.names[lucky]} by its {specs[lucky].percent:g} %"
        return self._names([lucky, *rest]), said

    def _promised(self, promised: Sequence[int], others: bool) -> int | None:
        """The line that gets this call as part of its percentage; where there are no others, one of them
        does.
        """
        if not promised:
            return None
        shares = [self.board.specs[at].percent for at in promised]
        thrown = self.rng.random() * (max(100.0, sum(shares)) if others else sum(shares))
        for at, share in zip(promised, shares):
            if thrown < share:
                return at
            thrown -= share
        return None if others else promised[-1]

    def _equals(self, free: Sequence[int]) -> list[int]:
        """Those within `near` of the best by weight, then the next such, each by lot among themselves."""
        found: list[int] = []
        start = 0
        while start < len(free) and len(found) < self.limit:
            end = start + 1
            while end < len(free) and self.demerit[free[end]] - self.demerit[free[start]] <= self.near:
                end += 1
            found += self._shuffled(free[start:end], lambda at: self.board.specs[at].weight)
            start = end
        return found

    def _shuffled(self, lines: Sequence[int], weight: Callable[[int], float]) -> list[int]:
        """Drawn one by one, each with the chance of its weight (Efraimidis and Spirakis, 2006)."""
        if len(lines) < 2:
            return list(lines)
        return sorted(lines, key=lambda at: -math.log(1.0 - self.rng.random()) / weight(at))

    def _score(self, uniform: float, at: int) -> float:
        return -math.log(uniform) / self.board.specs[at].weight

    def _names(self, lines: Sequence[int]) -> list[str]:
        return [self.board.names[at] for at in lines]


def _hashed(key: str, name: str) -> float:
    """Over 0 to 1, the same on every node and in every run."""
    digest = blake2b(f"{key}\0{name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 1) / (2**64 + 1)


def _wait(board: Board, bars: NDArray[np.int64], now: float) -> float | None:
    """How long until a line that only a cap keeps from the call has room; 0.0: until some call ends."""
    capped = np.flatnonzero((bars != 0) & ((bars & ~int(CAPS)) == 0))
    if not capped.size:
        return None
    timed = capped[(bars[capped] & int(Bar.FULL)) == 0]
    return float((board.ready_at[timed] - now).min()) if timed.size else 0.0
