"""The period of voices: normalised correlation over many short signals at once."""

from __future__ import annotations

import numpy as np

from media.columns import F32, F64, I64
from media.lpc import runs

SHORTEST_MS, LONGEST_MS = 2.5, 16.0  # periods of 400 to 62 Hz
WINDOW_MS = 8.0  # compared with what was a period before
QUIET = 1e3  # power below which likeness means nothing, of a whole window


def likeness(signal: F32, shortest: int, longest: int, window: int) -> F32:
    """How alike the signal's last `window` samples are to those `lag` before, -1 to 1.

    signal: float32[n, N], N >= window + longest. Returns float32[n, longest - shortest + 1], shortest first.
    """
    size = signal.shape[1]
    last = signal[:, size - window :]
    span = np.ascontiguousarray(signal[:, size - window - longest : size - shortest])
    match = np.einsum("nlw,nw->nl", runs(span, window), last)
    power = np.zeros((len(signal), span.shape[1] + 1))
    np.cumsum(np.square(span, dtype=np.float64), axis=1, out=power[:, 1:])
    energy = power[:, window:] - power[:, :-window]
    own = np.square(last, dtype=np.float64).sum(axis=1, keepdims=True)
    found: F32 = (match / np.sqrt(energy * own + QUIET)).astype(np.float32)
    return found[:, ::-1]


def likeness_ahead(signal: F32, have: I64, longest: int) -> F32:
    """How alike the signal's beginning is to itself `lag` later, by lag from 0 to `longest` (< N).

    signal: float32[n, N], zero from `have` on. Each lag is judged by all samples there are for it.
    """
    size = signal.shape[1]
    spectrum = np.fft.rfft(signal, 1 << (size + longest).bit_length())
    match = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, : longest + 1]
    power = np.zeros((len(signal), size + 1))
    np.cumsum(np.square(signal, dtype=np.float64), axis=1, out=power[:, 1:])
    lags = np.arange(longest + 1)
    early = np.take_along_axis(power, np.maximum(have[:, None] - lags, 0), axis=1)
    late = np.maximum(power[:, -1:] - power[:, : longest + 1], 0)
    found: F32 = (match / np.sqrt(early * late + QUIET)).astype(np.float32)
    return found


def peak(found: F32, best: I64) -> F64:
    """`best` columns of likeness, int64[n], finer than a sample: by a parabola through their neighbours."""
    middle = np.clip(best, 1, found.shape[1] - 2)
    row = np.arange(len(best))
    left, top, right = (found[row, middle + step].astype(np.float64) for step in (-1, 0, 1))
    bend = left - 2 * top + right
    aside = np.clip(0.5 * (left - right) / np.minimum(bend, -1e-9), -0.5, 0.5)
    fine: F64 = best.astype(np.float64) + np.where((bend < 0) & (middle == best), aside, 0.0)
    return fine
