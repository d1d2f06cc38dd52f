"""Who hears whom, and how loud: a sparse gain matrix, one row a listener, one column a source.

Gains are kept as numbers and multiplied as 12-bit fractions; a listener's gains are scaled down together
when they add up to more than LOUDEST, so that sums of int16 samples can never leave int32. Sums are clipped
once, to int16.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse

from media.columns import I16, I32, I64

FRACTION = 12  # bits
LOUDEST = 15.0  # 15 << 12 times 32768 is still below 2**31
MAX_GAIN = 8.0


class Mixer:
    """Edges between rows of the leg table."""

    def __init__(self) -> None:
        self._sources: dict[int, dict[int, float]] = {}
        self._listeners: dict[int, set[int]] = {}

    def connect(self, source: int, listener: int, gain: float) -> None:
        """`listener` hears `source` at `gain` (0: not at all), at most MAX_GAIN."""
        gain = min(gain, MAX_GAIN)
        if gain > 0.0:
            self._sources.setdefault(listener, {})[source] = gain
            self._listeners.setdefault(source, set()).add(listener)
            return
        heard = self._sources.get(listener)
        if heard is not None and heard.pop(source, None) is not None:
            self._listeners[source].discard(listener)

    def drop(self, row: int) -> set[int]:
        """Remove all edges of the row; returns the rows that heard it."""
        listeners = self._listeners.pop(row, set())
        for listener in listeners:
            self._sources[listener].pop(row, None)
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
            total = sum(heard.values())
            scale = (1 << FRACTION) * min(1.0, LOUDEST / total if total else 1.0)
            for source, gain in heard.items():
                gains.append(int(gain * scale + 0.5))
                columns.append(index.setdefault(source, len(index)))
            ends.append(len(gains))
        rows = np.array(list(index), np.int64)
        if not gains:
            return None, rows
        shape = (len(listeners), len(index))
        data = (np.array(gains, np.int32), np.array(columns, np.int32), np.array(ends, np.int32))
        return sparse.csr_matrix(data, shape), rows


def mix(matrix: Any, samples: I16) -> I32:
    """What each listener hears: matrix int32[listeners, sources] times int16[sources, L], rounded; not
    clipped yet.
    """
    total: I32 = matrix @ samples.astype(np.int32)
    total += 1 << FRACTION - 1
    total >>= FRACTION
    return total


def clip(total: I32) -> I16:
    """To int16, once, after everything is added."""
    return np.clip(total, -32767, 32767).astype(np.int16)
