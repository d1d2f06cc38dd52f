"""Sample rates changed by a windowed-sinc filter in polyphase form: of whole sounds and of voices."""

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
    return Resampling(rate, to).feed(samples, over=True) if len(samples) else samples


class Resampling:
    """The same of sound that comes piece by piece: what it gives is, put together, what `resample` gives."""

    def __init__(self, rate: int, to: int) -> None:
        self._up, self._down = to // gcd(rate, to), rate // gcd(rate, to)
        self._same = rate == to
        self._taps, before = _phases(self._up, self._down)
        self._past = np.zeros(before, np.float32)  # input that is still needed
        self._at = 0  # of the next output: steps of 1/up of an input sample, from where the past begins
        self._heard = self._given = 0

    def feed(self, samples: F32, *, over: bool = False) -> F32:
        """float32[n] in; float32[m] out, those samples whose neighbours are known. over: nothing follows."""
        if self._same:
            return samples
        width = self._taps.shape[1]
        self._heard += len(samples)
        self._past = np.concatenate([self._past, samples, np.zeros(over * (width + self._down), np.float32)])
        known = (len(self._past) - width + 1) * self._up - self._at
        count = max(0, -(-known // self._down))
        if over:
            count = -(-self._heard * self._up // self._down) - self._given
        out = self._outputs(count)
        done = min((self._at + count * self._down) // self._up, len(self._past))
        self._at += count * self._down - done * self._up
        self._past = self._past[done:]
        self._given += count
        return out

    def _outputs(self, count: int) -> F32:
        out = np.empty(count, np.float32)
        if count:
            runs = np.lib.stride_tricks.sliding_window_view(self._past, self._taps.shape[1])
        for at in range(0, count, CHUNK):
            place = self._at + np.arange(at, min(at + CHUNK, count)) * self._down
            out[at : at + CHUNK] = np.einsum(
                "ij,ij->i", runs[place // self._up], self._taps[place % self._up]
            )
        return out
