"""How well each line has lately carried calls, by destination: what was measured, fading with time.

Answer-seizure ratio (ASR, ITU-T E.411), post-dial delay (PDD), MOS and loss, of all lines in columns. Each
value loses half its weight every `half_life_s`. Where little is known of a line for a destination, its figure
leans on the line's figure for all destinations, and that on what is expected of any line, as if `lean` calls
had said so: one bad call condemns nobody, and a line that was never tried is neither best nor worst.

`deficit` makes one number of it, 0 for as good as any, 1 for useless. ASR counts against the best line of the
same destination (a destination where nobody answers is no line's fault); the others count by themselves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
EVERYWHERE = ""


class Measure(IntEnum):
    """What is measured, in the order of the rows."""

    ASR = 0  # 1 answered, 0 not; of calls that the callee could have answered
    PDD = 1  # seconds from the call to the first sign of ringing
    MOS = 2  # 1 to 5
    LOSS = 3  # share of packets


BOUNDS = ((0.0, 1.0), (0.0, 60.0), (1.0, 5.0), (0.0, 1.0))
EXPECTED = np.array([[0.6], [2.5], [4.0], [0.0]])  # of a line that nothing is known of
# Where the deficit of a measure begins, and where it is whole: PDD 2 and 10 s, MOS 4 and 2, loss 0 and 10 %
FINE = np.array([2.0, 4.0, 0.0])
USELESS = np.array([10.0, 2.0, 0.10])
SHARES = np.array([0.4, 0.15, 0.3, 0.15])  # of the four in the deficit


@dataclass(slots=True)
class _Table:
    """float64[4, n] each: mean of what was measured, its weight in fresh samples, and when that was."""

    mean: F64
    weight: F64
    at: F64

    def add(self, what: Measure, line: int, value: float, now: float, half_life: float) -> None:
        weight = self.weight[what, line] * np.exp2(-max(0.0, now - self.at[what, line]) / half_life) + 1.0
        self.mean[what, line] += (value - self.mean[what, line]) / weight
        self.weight[what, line], self.at[what, line] = weight, now

    def leaning(self, on: F64, lean: float, now: float, half_life: float) -> F64:
        """float64[4, n]: the means, drawn towards `on` where they rest on little."""
        weight = self.weight * np.exp2(-np.maximum(0.0, now - self.at) / half_life)
        found: F64 = (self.mean * weight + on * lean) / (weight + lean)
        return found


@dataclass(slots=True)
class Measurements:
    """Of `lines` lines. A destination is whatever key the caller gives, a country code or a prefix; the
    `most` that were used last are kept. Figures are worked out anew at most every `fresh_s`.
    """

    lines: int
    half_life_s: float = 1800.0
    lean: float = 10.0
    most: int = 1000
    fresh_s: float = 1.0
    _tables: OrderedDict[str, _Table] = field(default_factory=OrderedDict)
    _deficits: dict[str, tuple[float, F64]] = field(default_factory=dict)

    def add(self, what: Measure, line: int, destination: str, value: float, now: float) -> None:
        """One measured value; bounded to what can be."""
        low, high = BOUNDS[what]
        bounded = min(max(value, low), high)
        for key in dict.fromkeys((EVERYWHERE, destination)):
            table = self._tables.get(key)
            if table is None:
                table = self._tables[key] = self._table()
            table.add(what, line, bounded, now, self.half_life_s)
            self._tables.move_to_end(key)
        while len(self._tables) > self.most:
            self._forget(next(key for key in self._tables if key != EVERYWHERE))

    def estimate(self, destination: str, now: float) -> F64:
        """float64[4, n]: what is to be expected of each line for a destination, a row for each `Measure`."""
        every = np.broadcast_to(EXPECTED, (4, self.lines))
        for key in dict.fromkeys((EVERYWHERE, destination)):
            if key in self._tables:
                every = self._tables[key].leaning(every, self.lean, now, self.half_life_s)
        return np.array(every)

    def deficit(self, destination: str, now: float) -> F64:
        """float64[n], 0 to 1: how much worse than good each line is. Not to be written to."""
        kept = self._deficits.get(destination)
        if kept is not None and 0 <= now - kept[0] < self.fresh_s:
            return kept[1]
        found = deficit(self.estimate(destination, now))
        if len(self._deficits) >= self.most:
            self._deficits.clear()
        self._deficits[destination] = (now, found)
        return found

    def keep(self, old: Measurements, rows: Sequence[int | None]) -> None:
        """Take over what `old` knows; rows: of each line in it, None for a line that is new."""
        new = [at for at, was in enumerate(rows) if was is not None]
        was = [row for row in rows if row is not None]
        for key, known in old._tables.items():
            table = self._tables[key] = self._table()
            table.mean[:, new] = known.mean[:, was]
            table.weight[:, new] = known.weight[:, was]
            table.at[:, new] = known.at[:, was]

    def _table(self) -> _Table:
        shape = (4, self.lines)
        return _Table(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def _forget(self, key: str) -> None:
        del self._tables[key]
        self._deficits.pop(key, None)


def deficit(estimate: F64) -> F64:
    """float64[4, n] to float64[n]: 0 is as good as any, 1 is useless."""
    asr = 1.0 - estimate[Measure.ASR] / max(float(estimate[Measure.ASR].max(initial=0.0)), 1e-9)
    rest = (estimate[1:] - FINE[:, None]) / (USELESS - FINE)[:, None]
    parts = np.vstack((asr, np.clip(rest, 0.0, 1.0)))
    found: F64 = SHARES @ parts
    return found
