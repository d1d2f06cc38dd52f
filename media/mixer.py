"""Who hears whom, and how loud: a sparse gain matrix, one row a listener, one column a source.

Gains are kept as numbers and multiplied as 12-bit fractions; a listener's gains are scaled down together
when they add up to more than LOUDEST, so that sums of int16 samples can never leave int32. Sums are clipped
once, to int16. A gain that changes does so in a line over one block (ramp.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse

from media.columns import I16, I32, I64
from media.ramp import DEEPEST_DB, Duck, Edge, Ramps

FRACTION = 12  # bits
LOUDEST = 15.0  # 15 << 12 times 32768 is still below 2**31
MAX_GAIN = 8.0


class Mixer:
    """Edges between rows of the leg table."""

    def __init__(self) -> None:
        self._sources: dict[int, dict[int, float]] = {}
        self._listeners: dict[int, set[int]] = {}
        self._ducks: dict[int, dict[int, Duck]] = {}  # by listener and source
        self._moved: dict[int, dict[int, float]] = {}  # gains before they changed, by listener and source

    def connect(self, source: int, listener: int, gain: float) -> None:
        """`listener` hears `source` at `gain` (0: not at all), at most MAX_GAIN."""
        gain = min(gain, MAX_GAIN)
        before = self._sources.get(listener, {}).get(source, 0.0)
        if gain != before:
            self._moved.setdefault(listener, {}).setdefault(source, before)
        if gain > 0.0:
            self._sources.setdefault(listener, {})[source] = gain
            self._listeners.setdefault(source, set()).add(listener)
            return
        heard = self._sources.get(listener)
        if heard is not None and heard.pop(source, None) is not None:
            self._listeners[source].discard(listener)

    def duck(self, source: int, listener: int, by: int, db: float) -> None:
        """Lower what `listener` hears of `source` by `db` while the row `by` speaks; 0: no longer."""
        if db > 0:
            low = 10 ** (-min(db, DEEPEST_DB) / 20)
            before = self._ducks.get(listener, {}).get(source)
            factor = 1.0 if before is None else max(before.factor, low)
            self._ducks.setdefault(listener, {})[source] = Duck(by, low, factor)
            return
        ducks = self._ducks.get(listener, {})
        ducks.pop(source, None)
        if not ducks:
            self._ducks.pop(listener, None)

    def ducked(self, listener: int) -> bool:
        """Whether anything the row hears is ever lowered, so that it cannot be relayed."""
        return not self._ducks.get(listener, {}).keys().isdisjoint(self._sources.get(listener, {}))

    def duckers(self) -> set[int]:
        """Rows whose speech lowers somebody else."""
        return {duck.by for ducks in self._ducks.values() for duck in ducks.values()}

    def ramped(self) -> list[int]:
        """Gains have moved to where they were to go; the rows for which something was faded out."""
        faded = [
            listener
            for listener, moved in self._moved.items()
            if not moved.keys() <= self._sources.get(listener, {}).keys()
        ]
        self._moved.clear()
        return faded

    def ramps(self, listeners: list[int], sources: I64) -> Ramps | None:
        """The moving edges of the matrix of these listeners and the sources that came with it."""
        column_of = {row: column for column, row in enumerate(sources.tolist())}
        ramps = Ramps()
        for place, listener in enumerate(listeners):
            heard, ducks = self._sources.get(listener, {}), self._ducks.get(listener, {})
            moved = self._moved.get(listener, {})
            scale = _scale(heard)
            for source in {**moved, **ducks}:
                gain, column = heard.get(source, 0.0) * scale, column_of.get(source)
                started = moved.get(source)
                if column is not None:
                    ramps.add(Edge(place, column, gain, started, ducks.get(source)))
        return ramps if ramps.edges or ramps.ducks else None

    def drop(self, row: int) -> set[int]:
        """Remove all edges of the row; returns the rows that heard it."""
        listeners = self._listeners.pop(row, set())
        for listener in listeners:
            self._sources[listener].pop(row, None)
        for kept in (self._ducks, self._moved):
            kept.pop(row, None)
        for listener, ducks in list(self._ducks.items()):
            for source in [each for each, duck in ducks.items() if row in (each, duck.by)]:
                self.duck(source, listener, row, 0)
        for moved in self._moved.values():
            moved.pop(row, None)
        for source in self._sources.pop(row, {}):
            if source in self._listeners:
                self._listeners[source].discard(row)
        return listeners - {row}

    def sources(self, listener: int) -> dict[int, float]:
        """Gain by source of what the row hears."""
        return self._sources.get(listener, {})

    def listeners(self, source: int) -> Iterable[int]:
        """Rows that hear the row."""
        return self._listeners.get(source, ())

    def matrix(self, listeners: list[int]) -> tuple[Any, I64]:
        """The rows' gains as a CSR matrix of 12-bit fractions (None without edges), and the rows of its
        columns.
        """
        gains: list[int] = []
        columns: list[int] = []
        ends = [0]
        index: dict[int, int] = {}
        for listener in listeners:
            heard = self._sources.get(listener, {})
            scale = (1 << FRACTION) * _scale(heard)
            fading = dict.fromkeys(self._moved.get(listener, ()), 0.0)  # is heard until its line has ended
            for source, gain in {**fading, **heard}.items():
                gains.append(int(gain * scale + 0.5))
                columns.append(index.setdefault(source, len(index)))
            ends.append(len(gains))
        rows = np.array(list(index), np.int64)
        if not gains:
            return None, rows
        shape = (len(listeners), len(index))
        data = (np.array(gains, np.int32), np.array(columns, np.int32), np.array(ends, np.int32))
        return sparse.csr_matrix(data, shape), rows


def _scale(heard: dict[int, float]) -> float:
    """What a listener's gains are multiplied by, so that their sum stays within LOUDEST."""
    total = sum(heard.values())
    return min(1.0, LOUDEST / total) if total else 1.0


def single(matrix: Any) -> tuple[I64, I32] | None:
    """Column and gain of each row of a matrix, int32[listeners, 1], where all have just one."""
    if matrix is None or not (np.diff(matrix.indptr) == 1).all():
        return None
    return matrix.indices.astype(np.int64), matrix.data[:, None]


def mix(matrix: Any, samples: I16, one: tuple[I64, I32] | None = None) -> I32:
    """What each listener hears: matrix int32[listeners, sources] times int16[sources, L], rounded; not
    clipped yet. one: the matrix as `single` has it, which takes a fraction of the time.
    """
    total: I32 = matrix @ samples.astype(np.int32) if one is None else samples[one[0]] * one[1]
    total += 1 << FRACTION - 1
    total >>= FRACTION
    return total


def clip(total: I32) -> I16:
    """To int16, once, after everything is added."""
    return np.clip(total, -32767, 32767).astype(np.int16)
