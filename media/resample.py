"""Sample rates changed by a windowed-sinc filter in polyphase form, for sounds as they are loaded."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

ZEROS = 16  # of the sinc to each side, at the lower of the two rates
BETA = 8.0  # Kaiser window: stop band below -80 dB
CHUNK = 8192  # output samples at a time: short enough that the tick beside it is not held up
PASS = 0.95  # share of the lower band that is passed


def _phases(up: int, down: int) -> tuple[F32, int]:
    """Filter taps by phase, float32[up, taps], and how many input samples lie before the centre."""
    cut = PASS * min(1.0, up / down)  # of the input's band
    half = int(np.ceil(ZEROS / cut))
    offset = np.arange(-half + 1, half + 1)[None, :] - (np.arange(up) / up)[:, None]
    inside = np.clip(1.0 - (offset / half) ** 2, 0.0, 1.0)
    taps = cut * np.sinc(cut * offset) * np.i0(BETA * np.sqrt(inside)) / np.i0(BETA)
    taps /= taps.sum(axis=1, keepdims=True)
    return taps.astype(np.float32), half - 1


def resample(samples: F32, rate: int, to: int) -> F32:
    """float32[n] at `rate` Hz as float32[ceil(n * to / rate)] at `to` Hz, delay taken out."""
    if rate == to or not len(samples):
        return samples
    up, down = to // gcd(rate, to), rate // gcd(rate, to)
    taps, before = _phases(up, down)
    width = taps.shape[1]
    length = -(-len(samples) * up // down)
    padded = np.concatenate([np.zeros(before, np.float32), samples, np.zeros(width + down, np.float32)])
    runs = np.lib.stride_tricks.sliding_window_view(padded, width)
    out = np.empty(length, np.float32)
    for at in range(0, length, CHUNK):
        place = np.arange(at, min(at + CHUNK, length)) * down
        out[at : at + CHUNK] = np.einsum("ij,ij->i", runs[place // up], taps[place % up])
    return out
