"""How late each stream's packets come, and how long play-out should therefore wait for them.

Time is counted in ticks: a packet's *transit* is the tick clock at its arrival less its timestamp, both in
samples, so that a packet is in time exactly when its transit is not above that of play-out. The network's
delay is in it, the phase of packets against ticks too, and nothing has to be known of the sender's clock: a
drift of it just moves all transits. A histogram of them, in which a packet counts the less the older it is,
gives the transit that `QUANTILE` of packets keep (Moon, Kurose, Towsley, Multimedia Systems 1998), or a
lower one when what lies between costs more delay than it saves speech: packets held back for a second are
not a reason to be a second late. Bins are absolute, so a shift of the path moves weight from bin to bin while
a spike leaves little of it; the largest transit of the last packets is kept beside, which says whether they
still come as late as the one that made play-out wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from media.columns import F32, F64, I64, Bool, Column, Columns

BINS = 64
LOWEST = 8  # bin that the lowest transit goes to when bins are moved
QUANTILE = 0.98
PRICE_MS = 3000  # of delay at most that all of speech is worth: 30 ms for each 1 % that would be late
MENDED_MS = 250  # the same, where the listener could have had the packets as they came
GROWTH = 1.004  # weight of a packet over that of the one before it: 250 packets until it counts 1/e
PRIOR = 6.0  # packets that the delay to begin with counts for
HEAVY = 1e12  # weight of a packet at which a histogram is scaled down
RECENT = 32  # packets in each of the two halves of the recent past
WINDOW = 128  # packets in each of the two halves over which the lowest transit is taken


@dataclass(frozen=True)
class BufferSettings:
    """Bounds of the delay, ms: sound in the buffer when a block is taken out. fixed: always start_ms."""

    min_ms: int = 20
    max_ms: int = 200
    start_ms: int = 40
    fixed: bool = False


class Delays(Columns):
    """Transits in samples. anchor: of bin 0's upper edge. target: that play-out should have.

    weight: of the next packet in `bins`. price: ms of delay that all of speech is worth. seen: packets.
    low, peak: lowest since the window began, highest since the half began; lowest, highest: of the half
    before. soon, soonest: as low and lowest, of transits that are not rounded to ticks.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "anchor": Column(np.int64),
        "seen": Column(np.int64),
        "low": Column(np.int64),
        "peak": Column(np.int64),
        "target": Column(np.int64),
        "weight": Column(np.float64, 1.0),
        "price": Column(np.float32, PRICE_MS),
        "lowest": Column(np.int64),
        "highest": Column(np.int64),
        "soon": Column(np.int64),
        "soonest": Column(np.int64),
        "bins": Column(np.float32, 0.0, BINS),
    }
    anchor: I64
    seen: I64
    low: I64
    peak: I64
    target: I64
    weight: F64
    price: F32
    lowest: I64
    highest: I64
    soon: I64
    soonest: I64
    bins: F32

    def __init__(self, rows: int, rate: int, settings: BufferSettings) -> None:
        super().__init__(rows)
        widest = max(5, -(-(settings.max_ms + 60) // (BINS - LOWEST)))
        self.width = widest * rate // 1000  # samples of a bin
        self.tick = rate // 50
        start_ms = min(max(settings.start_ms, settings.min_ms), settings.max_ms)
        self.start, self.least, self._most = (
            max(ms * rate // 1000 - self.tick, 0) for ms in (start_ms, settings.min_ms, settings.max_ms)
        )
        self._fixed = settings.fixed
        self.least = self.start if settings.fixed else self.least
        self._cost = np.arange(BINS, dtype=np.float32) * self.width
        self._clock = np.float32(rate / 1000)

    def starts(self, count: int, steady: Bool | None) -> I64:
        """Samples that play-out of so many streams begins with; less of those that come evenly."""
        least = np.zeros(count, np.bool_) if steady is None else steady
        return np.where(least, self.least, self.start)

    def begin(self, rows: I64, transit: I64, start: I64 | None = None) -> None:
        """Forget all, and expect `start` samples around a first packet's transit."""
        start = self.starts(len(rows), None) if start is None else start
        self.anchor[rows] = transit - LOWEST * self.width
        self.seen[rows] = 0
        self.weight[rows] = 1.0
        for column in (self.low, self.peak, self.lowest, self.highest):
            column[rows] = transit
        for column in (self.soon, self.soonest):
            column[rows] = transit + self.tick
        self.target[rows] = transit + start
        self.bins[rows] = 0.0
        self.bins[rows, np.minimum(LOWEST + -(-start // self.width), BINS - 1)] = PRIOR

    def observe(self, rows: I64, transit: I64, after: I64 | int = 0) -> I64:
        """Count packets in; returns the rows whose target they exceeded. after: samples since the tick."""
        place = (transit - self.anchor[rows] + self.width - 1) // self.width
        if place.min(initial=0) < 0:
            self._lower(rows, place)
        weight = self.weight[rows]
        self.bins.reshape(-1)[rows * BINS + np.minimum(place, BINS - 1)] += weight
        self.weight[rows] = weight * GROWTH
        self.low[rows] = np.minimum(self.low[rows], transit)
        self.soon[rows] = np.minimum(self.soon[rows], transit + after)
        self.peak[rows] = np.maximum(self.peak[rows], transit)
        seen = self.seen[rows] + 1
        self.seen[rows] = seen
        turns = seen & RECENT - 1 == 0
        if turns.any():
            self._turn(rows[turns], seen[turns], transit[turns])
        late: I64 = rows[transit > self.target[rows]]
        return late

    def _turn(self, rows: I64, seen: I64, transit: I64) -> None:
        """Begin another half of the recent past, and every so often another window."""
        self.highest[rows] = self.peak[rows]
        self.peak[rows] = transit
        window = seen & WINDOW - 1 == 0
        rows, transit = rows[window], transit[window]
        self.lowest[rows], self.soonest[rows] = self.low[rows], self.soon[rows]
        self.low[rows], self.soon[rows] = transit, transit + self.tick

    def _lower(self, rows: I64, place: I64) -> None:
        """Move the bins of those whose packets came sooner than any of them holds; corrects `place`."""
        below = place < 0
        steps = np.minimum(place[below] - LOWEST, 0)
        self._move(rows[below], steps)
        place[below] -= steps

    def _move(self, rows: I64, steps: I64) -> None:
        """Let bin 0 stand for what bin `steps` stood for; weight that falls out is kept in the outermost."""
        self.anchor[rows] += steps * self.width
        before = self.bins[rows].astype(np.float64)
        edge = np.concatenate([np.zeros((len(rows), 1)), before.cumsum(axis=1)], axis=1)
        upto = np.arange(1, BINS + 1) + steps[:, None]
        upto[:, -1] = BINS
        after = np.diff(np.take_along_axis(edge, np.clip(upto, 0, BINS), axis=1), axis=1, prepend=0.0)
        self.bins[rows] = after

    def base(self, rows: I64) -> I64:
        """The lowest transit lately."""
        return np.minimum(self.low[rows], self.lowest[rows])

    def first(self, rows: I64) -> I64:
        """The same, to the sample and not to the tick."""
        return np.minimum(self.soon[rows], self.soonest[rows])

    def recent(self, rows: I64) -> I64:
        """The highest transit lately."""
        return np.maximum(self.peak[rows], self.highest[rows])

    def ceiling(self, rows: I64) -> I64:
        """The highest transit that play-out may have."""
        return self.base(rows) + (self.start if self._fixed else self._most)

    def review(self, rows: I64) -> None:
        """Bring the target of the rows up to date."""
        base = self.base(rows)
        if self._fixed:
            self.target[rows] = base + self.start
            return
        heavy = rows[self.weight[rows] > HEAVY]
        if len(heavy):
            self.bins[heavy] /= self.weight[heavy, None].astype(np.float32)
            self.weight[heavy] = 1.0
        risen = (base - self.anchor[rows]) // self.width - LOWEST
        if (risen > LOWEST).any():
            self._move(rows[risen > LOWEST], risen[risen > LOWEST])
        upto = self.bins[rows].cumsum(axis=1)
        keeps = (upto < QUANTILE * upto[:, -1:]).sum(axis=1)
        price = self.price[rows, None] * self._clock
        cost = self._cost - price * (upto / upto[:, -1:])
        cost[self._cost > (base + self._most - self.anchor[rows])[:, None]] = np.inf
        worth = np.argmin(cost, axis=1)
        place = np.minimum(keeps, worth)
        target = self.anchor[rows] + place * self.width
        self.target[rows] = np.clip(target, base + self.least, base + self._most)
