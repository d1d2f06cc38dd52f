"""Comfort noise: what a pause sounds like, told in a few bytes (RFC 3389) and made from them.

A description is a level in dBov and up to ORDER reflection coefficients of the all-pole filter that colours
the noise. Noise is made in the frequency domain, windows overlapping by half, from one table of random
spectra, so that all rows are made at once and no filter has to run sample by sample.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy import fft

from media.columns import F32, I16, I64, Column, Columns

ORDER = 8  # reflection coefficients kept
QUIETEST = 127  # -dBov
AT_ONCE = 256  # rows worked on together
NEAR_ONE = np.float32(0.98)  # a coefficient of 1 would ring for ever
EASE = np.float32(0.3)  # share of the way to a new description that a block goes
TABLE = 1 << 16


def decode(payload: bytes) -> tuple[float, list[float]] | None:
    """Level in dBov, and reflection coefficients, of a comfort-noise payload; None when it is empty.

    RFC 3389 section 3: a level byte whose upper bit is not looked at, then k = 258 (N - 127) / 2**15.
    """
    if not payload:
        return None
    return -float(payload[0] & 0x7F), [
        (min(each, 254) - 127) * 258 / 32768 for each in payload[1 : 1 + ORDER]
    ]


def encode(level: float, reflection: list[float] | None = None) -> bytes:
    """A payload that tells the level (dBov) and, if any, reflection coefficients."""
    quiet = min(max(round(-level), 0), QUIETEST)
    return bytes([quiet, *(min(max(round(k * 32768 / 258), -127), 127) + 127 for k in reflection or [])])


def describe(blocks: I16) -> tuple[F32, F32]:
    """Level in dBov float32[n] and reflection coefficients float32[n, ORDER] of blocks int16[n, L].

    By the recursion of Levinson and Durbin over the autocorrelation of the windowed block.
    """
    sound = blocks.astype(np.float64)
    power = np.maximum(np.einsum("ij,ij->i", sound, sound) / sound.shape[1], 0.27)
    level = np.maximum(10 * np.log10(power) - 90.309, -QUIETEST)
    sound *= np.hanning(sound.shape[1])
    lags = [np.einsum("ij,ij->i", sound[:, k:], sound[:, : sound.shape[1] - k]) for k in range(ORDER + 1)]
    lags[0] = lags[0] * 1.001 + 1  # white noise, 30 dB below, so that silence and tones have a filter as well
    error = lags[0].copy()
    taps = np.zeros((len(blocks), ORDER + 1))
    taps[:, 0] = 1
    reflection = np.zeros((len(blocks), ORDER))
    for m in range(1, ORDER + 1):
        left = sum(taps[:, j] * lags[m - j] for j in range(m))
        k = -left / error
        reflection[:, m - 1] = k
        taps[:, 1 : m + 1] = taps[:, 1 : m + 1] + k[:, None] * taps[:, m - 1 :: -1]
        error *= 1 - k * k
    return level.astype(np.float32), reflection.astype(np.float32)


def envelope(reflection: F32, bins: int) -> F32:
    """Amplitude by frequency, float32[n, bins] from 0 Hz to half the rate, mean power 1, of the all-pole
    filter with these reflection coefficients float32[n, ORDER].
    """
    reflection = np.clip(reflection, -NEAR_ONE, NEAR_ONE)
    taps = np.zeros((len(reflection), reflection.shape[1] + 1), np.float32)
    taps[:, 0] = 1
    for m in range(1, taps.shape[1]):
        taps[:, : m + 1] = taps[:, : m + 1] + reflection[:, m - 1 : m] * taps[:, m::-1]
    size = 2 * (bins - 1)
    inverse = np.maximum(np.abs(fft.rfft(taps, size, axis=1)), np.float32(1e-4))
    shape: F32 = (1 / inverse).astype(np.float32)
    shape /= np.sqrt(np.mean(shape * shape, axis=1, keepdims=True))
    return shape


class ComfortNoise(Columns):
    """A generator of noise for each row.

    shape: amplitude by bin that is wanted. now: what it has come to. late: the half window that is still to
    be heard.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "shape": Column(np.float32, 0, 161),
        "now": Column(np.float32, 0, 161),
        "late": Column(np.float32, 0, 160),
    }
    shape: F32
    now: F32
    late: F32

    def __init__(self, rows: int, rate: int, rng: np.random.Generator) -> None:
        self.length = length = rate // 50
        self._window = np.sin(np.pi * (np.arange(2 * length) + 0.5) / (2 * length)).astype(np.float32)
        self._random = rng.standard_normal(TABLE, np.float32)
        self._rng = rng
        super().__init__(rows, shape=length + 1, now=length + 1, late=length)

    def describe(self, rows: I64, level: F32, reflection: F32 | None = None) -> None:
        """Noise of these levels (dBov, float32[n]) and colours (float32[n, up to ORDER]; None: white) from
        now on, eased into.
        """
        size = self.length + 1
        shape = np.ones((len(rows), size), np.float32) if reflection is None else envelope(reflection, size)
        self.shape[rows] = shape * (10 ** (level / 20) * 32768)[:, None]

    def make(self, rows: I64) -> I16:
        """The next block of noise, int16[n, rate / 50]."""
        out = np.empty((len(rows), self.length), np.int16)
        for at in range(0, len(rows), AT_ONCE):
            out[at : at + AT_ONCE] = self._make_some(rows[at : at + AT_ONCE])
        return out

    def _make_some(self, rows: I64) -> I16:
        length, bins = self.length, self.length + 1
        now = self.now[rows]
        now += EASE * (self.shape[rows] - now)
        self.now[rows] = now
        starts = self._rng.integers(0, TABLE - 2 * bins, len(rows))
        chance = np.lib.stride_tricks.sliding_window_view(self._random, 2 * bins)[starts]
        spectrum = chance.view(np.complex64) * now
        spectrum *= np.float32(np.sqrt(length))
        window = fft.irfft(spectrum, 2 * length, axis=1)
        window *= self._window
        out = self.late[rows] + window[:, :length]
        self.late[rows] = window[:, length:]
        noise: I16 = np.clip(np.rint(out, out=out), -32767, 32767).astype(np.int16)
        return noise
