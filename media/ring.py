"""Decoded samples of every slot, in a ring addressed by position.

Positions are int64 samples that only grow; whose they are, from where on a ring has been filled and where
play-out stands is media.playout's business. Both ends of a row are mirrored beyond the other, so that any
run of up to `longest` samples lies in one piece: reading and writing packets of one length is one gather or
scatter over all slots. What a hole between packets holds is MISSING.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from media.columns import I16, I64, Bool, Column, Columns

WINDOWS = 24  # views that are kept, one for each length of run; phones use few, rubbish any
MISSING = -32768  # a real sample of that value beside a loss is taken for lost, too


class Ring(Columns):
    """samples: for each row a mirror of the end, the ring itself, a mirror of the beginning."""

    SPEC: ClassVar[dict[str, Column]] = {"samples": Column(np.int16, 0, 1)}
    samples: I16

    def __init__(self, rows: int, size: int, longest: int) -> None:
        """size: samples of a ring, a power of 2. longest: samples of the longest run handled in one piece."""
        self.size = size
        self.longest = longest
        self._mask = size - 1
        self._stride = size + 3 * longest  # runs that begin in the mirror end in it, too
        self._windows: dict[int, NDArray[np.void]] = {}
        super().__init__(rows, samples=self._stride)

    def grow(self, rows: int) -> None:
        """Enlarge to `rows` rings, keeping what is in them."""
        super().grow(rows)
        self._windows.clear()

    def _runs(self, length: int) -> NDArray[np.void]:
        """Every run of `length` samples in all rows, as a view: opaque values of 2 * length bytes, which are
        moved four times faster than rows of numbers.
        """
        view = self._windows.get(length)
        if view is None:
            if len(self._windows) >= WINDOWS:
                self._windows.clear()
            flat, run = self.samples.reshape(-1), np.dtype((np.void, 2 * length))
            first = flat[:length].view(run)
            view = np.lib.stride_tricks.as_strided(first, (len(flat) - length + 1,), flat.strides)
            self._windows[length] = view
        return view

    def put(self, rows: I64, at: I64, samples: I16) -> None:
        """Store runs, int16[n, L] with L <= longest, one a ring, beginning at their positions."""
        length = samples.shape[1]
        runs = self._runs(length)
        values = np.ascontiguousarray(samples, np.int16).view(runs.dtype)[:, 0]
        place = at & self._mask
        start = rows * self._stride + self.longest + place
        runs[start] = values
        low = place < self.longest
        if low.any():
            runs[start[low] + self.size] = values[low]
        high = place + length > self.size
        if high.any():
            runs[start[high] - self.size] = values[high]

    def get(self, rows: I64, at: I64, length: int) -> I16:
        """Runs of `length` <= longest samples from the positions on: int16[n, length], a copy."""
        runs = self._runs(length)[rows * self._stride + self.longest + (at & self._mask)]
        return runs.view(np.int16).reshape(len(rows), length)

    def fill(self, rows: I64, begin: I64, end: I64, value: int) -> None:
        """Store one value from `begin` up to `end`, at most a whole ring, in each."""
        counts = np.minimum(end - begin, self.size)
        most = int(counts.max(initial=0))
        for done in range(0, most, self.longest):
            part = np.minimum(counts - done, self.longest)
            some = part > 0
            self._fill_piece(rows[some], begin[some] + done, part[some], value)

    def _fill_piece(self, rows: I64, begin: I64, counts: I64, value: int) -> None:
        width = int(counts.max(initial=0))
        if not width:
            return
        piece = self.get(rows, begin, width)
        inside: Bool = np.arange(width) < counts[:, None]
        piece[inside] = value
        self.put(rows, begin, piece)
