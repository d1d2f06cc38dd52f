"""The noise of a quiet line, made here: a listener to whom nothing comes would take the line for dead.

A ring, as the music is: noise of random phases, falling by 3 dB an octave as in a room, so that the loop has
no seam and every build of it has the same samples.
"""

from __future__ import annotations

import numpy as np

from engine.voice import I16, to_int16

SECONDS = 8
LEVEL_DBFS = -56.0
BAND_HZ = (100.0, 3400.0)


def line_noise(rate: int) -> I16:
    """The loop, int16[SECONDS * rate]."""
    size = SECONDS * rate
    hertz = np.fft.rfftfreq(size, 1 / rate)
    inside = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    strength = np.where(inside, (np.maximum(hertz, BAND_HZ[0]) / BAND_HZ[0]) ** -0.5, 0.0)
    phases = np.random.default_rng(3389).random(len(hertz))
    noise = np.fft.irfft(strength * np.exp(2j * np.pi * phases), size)
    return to_int16(noise * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(noise**2)))
