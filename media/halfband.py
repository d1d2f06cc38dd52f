"""Sound between the two planes: a half-band filter in polyphase form, over all crossing legs at once.

Every second tap of a half-band filter is zero, so that each direction is one convolution at 8 kHz: upwards
it makes the samples between those that are there, downwards it is added to every second one. The filter is a
windowed sinc, flat within 0.01 dB to 3.5 kHz and below -70 dB from 4.5 kHz on; it delays by 2.5 ms.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from media.clock import BLOCK
from media.columns import I16, I64, Column, Columns

F32 = NDArray[np.float32]

TAPS = 40
BETA = 6.8  # Kaiser window
CHUNK = 32  # outputs of a row of the matrix product: more multiply more zeros, fewer copy more
PAST = TAPS - 1


def _taps() -> NDArray[np.float64]:
    """The taps at odd distances from the centre, doubled, so that they add up to 1."""
    offset = np.arange(TAPS) - (TAPS - 1) / 2
    window = np.i0(BETA * np.sqrt(1.0 - (offset / (TAPS / 2)) ** 2)) / np.i0(BETA)
    taps = np.sinc(offset) * window
    scaled: NDArray[np.float64] = taps / taps.sum()
    return scaled


def _banded() -> F32:
    """The taps as float32[CHUNK + PAST, CHUNK]: column i has them from row i on."""
    banded = np.zeros((CHUNK + PAST, CHUNK))
    for i, column in enumerate(banded.T):
        column[i : i + TAPS] = _taps()
    return banded.astype(np.float32)


_BANDED = _banded()


def between(samples: F32) -> F32:
    """float32[n, PAST + BLOCK] filtered: float32[n, BLOCK], each between two in the middle of its taps."""
    n, step = len(samples), samples.strides
    shape = (n, BLOCK // CHUNK, CHUNK + PAST)
    windows = np.lib.stride_tricks.as_strided(samples, shape, (step[0], CHUNK * step[1], step[1]))
    filtered: F32 = windows.reshape(-1, CHUNK + PAST) @ _BANDED
    return filtered.reshape(n, BLOCK)


def _clip(samples: F32) -> I16:
    return np.clip(np.rint(samples), -32767, 32767).astype(np.int16)


class Upward(Columns):
    """8 to 16 kHz. past: the newest samples of each slot, which the filter still needs."""

    SPEC: ClassVar[dict[str, Column]] = {"past": Column(np.int16, 0, PAST)}
    past: NDArray[Any]

    def convert(self, slots: I64, block: I16) -> I16:
        """int16[n, BLOCK] to int16[n, 2 * BLOCK]."""
        joined = np.concatenate([self.past[slots], block], axis=1)
        self.past[slots] = joined[:, BLOCK:]
        out = np.empty((len(slots), BLOCK, 2), np.int16)
        out[:, :, 0] = joined[:, TAPS // 2 - 1 : TAPS // 2 - 1 + BLOCK]
        out[:, :, 1] = _clip(between(joined.astype(np.float32)))
        return out.reshape(len(slots), 2 * BLOCK)


class Downward(Columns):
    """16 to 8 kHz. even, odd: the newest samples of each slot, by their place."""

    SPEC: ClassVar[dict[str, Column]] = {
        "even": Column(np.int16, 0, PAST),
        "odd": Column(np.int16, 0, PAST),
    }
    even: NDArray[Any]
    odd: NDArray[Any]

    def convert(self, slots: I64, block: I16) -> I16:
        """int16[n, 2 * BLOCK] to int16[n, BLOCK]."""
        even = np.concatenate([self.even[slots], block[:, 0::2]], axis=1)
        odd = np.concatenate([self.odd[slots], block[:, 1::2]], axis=1)
        self.even[slots], self.odd[slots] = even[:, BLOCK:], odd[:, BLOCK:]
        centre = even[:, TAPS // 2 : TAPS // 2 + BLOCK]
        return _clip((between(odd.astype(np.float32)) + centre) * np.float32(0.5))
