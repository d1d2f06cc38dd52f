"""The tone by which a caller hears that a phone rings, where its own phone or network does not make it.

425 Hz, a second in five, as most of the world has it (ITU-T E.180 section 7). A loop without a seam: the tone
begins and ends in a slope.
"""

from __future__ import annotations

import numpy as np

from engine.voice import I16, to_int16

HERTZ = 425.0
TONE_S, CADENCE_S = 1.0, 5.0
SLOPE_S = 0.01
LEVEL_DBFS = -20.0


def ring_back(rate: int) -> I16:
    """The loop, int16[CADENCE_S * rate]."""
    at = np.arange(int(TONE_S * rate)) / rate
    slope = np.clip(np.minimum(at, TONE_S - at) / SLOPE_S, 0.0, 1.0)
    loop = np.zeros(int(CADENCE_S * rate))
    loop[: len(at)] = np.sin(2 * np.pi * HERTZ * at) * slope * np.sqrt(2) * 10 ** (LEVEL_DBFS / 20)
    return to_int16(loop)
