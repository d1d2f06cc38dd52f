"""Linear prediction over many short signals at once: a voice's tract, apart from what drives it.

A signal x is an excitation e sent through 1/A: e[t] = sum a[j] x[t-j], a[0] = 1. Autocorrelation method
(Makhoul, "Linear prediction: a tutorial review", 1975) with noise correction and bandwidth expansion, so that
every filter is stable whatever the signal was.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from media.columns import F32

FLOOR = 1e-4  # white noise added to the autocorrelation, of its power: 40 dB below
WIDEN = 0.99  # poles are drawn in by this, so that a response has died away after RESPONSE samples
RESPONSE = 512
TAIL = 0.15  # of the window falls off at its newer end; the rest rises, so that what is newest counts most


def runs(signal: F32, width: int) -> F32:
    """Every run of `width` samples in contiguous float32[n, N]: a view, float32[n, N - width + 1, width]."""
    count, size = signal.shape
    row, step = signal.strides
    view: F32 = np.ndarray((count, size - width + 1, width), np.float32, signal, strides=(row, step, step))
    return view


@cache
def _window(size: int) -> F32:
    """ITU-T G.729 section 3.2.1's shape: half a Hamming-like rise, a quarter cosine's fall."""
    fall = int(size * TAIL)
    rise = np.hanning(2 * (size - fall) + 2)[1 : size - fall + 1]
    return np.concatenate([rise, np.cos(np.pi / 2 * np.arange(fall) / fall)]).astype(np.float32)


@cache
def _lags(order: int) -> NDArray[np.int64]:
    """Which lag of the autocorrelation stands where in the normal equations."""
    lags: NDArray[np.int64] = np.abs(np.arange(order)[:, None] - np.arange(order))
    return lags


@cache
def _narrowing(order: int) -> NDArray[np.float64]:
    return WIDEN ** np.arange(1.0, order + 1)


def coefficients(signal: F32, order: int) -> F32:
    """float32[n, N], its newest end weighed most, to float32[n, order + 1]."""
    size = signal.shape[1]
    spectrum = np.fft.rfft(signal * _window(size), 1 << (size + order).bit_length())
    power = spectrum.real**2 + spectrum.imag**2
    correlation = np.fft.irfft(power)[:, : order + 1].astype(np.float64)
    correlation[:, 0] = correlation[:, 0] * (1 + FLOOR) + 1.0  # silence has a filter too
    solved = np.linalg.solve(correlation[:, _lags(order)], -correlation[:, 1:, None])[:, :, 0]
    filters = np.ones((len(signal), order + 1), np.float32)
    filters[:, 1:] = solved * _narrowing(order)
    return filters


def excitation(signal: F32, filters: F32) -> F32:
    """What drove the signal, but for its first `order` samples: float32[n, N - order]."""
    driven: F32 = np.einsum("nto,no->nt", runs(signal, filters.shape[1]), filters[:, ::-1])
    return driven


def synthesis(drive: F32, filters: F32, before: F32) -> F32:
    """The excitation float32[n, N] sent through 1/A of filters that gave `before`, float32[n, order], last.

    By convolution with the filter's response, which takes a few transforms instead of N steps.
    """
    count, length = drive.shape
    order = filters.shape[1] - 1
    shifted = np.zeros((count, 2 * order), np.float32)
    shifted[:, :order] = filters[:, 1:]
    ringing = np.einsum("nko,no->nk", runs(shifted, order)[:, :order], before[:, ::-1])
    driven = drive.copy()
    driven[:, :order] -= ringing[:, :length]
    response = np.fft.irfft(1 / np.fft.rfft(filters, RESPONSE))[:, :length]
    size = 1 << (2 * length - 1).bit_length()
    sound = np.fft.irfft(np.fft.rfft(response, size) * np.fft.rfft(driven, size))[:, :length]
    return sound.astype(np.float32, copy=False)
