"""Real speech and made noise, for the tests of what listens to sound or changes it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks import hearing

Sound = np.ndarray[Any, Any]
FULL = 32768.0


@cache
def speech(rate: int = 8000, seconds: float = 24.0) -> tuple[Sound, ...]:
    """Passages of recorded speech at -26 dBov, int16; skips the test where there is none."""
    if hearing.folder_of_speech() is None:
        pytest.skip("no recorded speech: set ISOGLOSS_SPEECH to a folder of WAV files")
    return tuple(each.samples for each in hearing.passages(rate, seconds=seconds))


def rows(sounds: tuple[Sound, ...] | list[Sound], block: int) -> Sound:
    """Sounds of any length as rows of whole blocks, silence behind the shorter ones."""
    length = -(-max(map(len, sounds)) // block) * block
    out = np.zeros((len(sounds), length), np.int16)
    for row, sound in zip(out, sounds):
        row[: len(sound)] = sound
    return out


def added(sound: Sound, noise: Sound) -> Sound:
    return np.clip(np.rint(sound + noise), -32767, 32767).astype(np.int16)


def white(shape: int | tuple[int, ...], dbov: float, seed: int = 1) -> Sound:
    return np.random.default_rng(seed).standard_normal(shape) * 10 ** (dbov / 20) * FULL


def hum(length: int, dbov: float, rate: int = 8000) -> Sound:
    """Mains hum with its harmonics, as a bad cable gives it."""
    t = np.arange(length) / rate
    sound = sum(np.sin(2 * np.pi * 50 * h * t + h) / h for h in (1, 2, 3, 4, 5, 7, 9))
    return sound / sound.std() * 10 ** (dbov / 20) * FULL


def level(sound: Sound) -> float:
    """dBov of the whole."""
    return float(10 * np.log10((sound.astype(float) ** 2).mean() + 1e-9) - 20 * np.log10(FULL))
