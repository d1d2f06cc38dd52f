"""Sample rates changed: of whole sounds, and of a voice that comes in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from media.resample import Resampling, resample

PAIRS = [(22_050, 16_000), (22_050, 8_000), (16_000, 8_000), (8_000, 16_000), (16_000, 16_000)]


def tone(hz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate", "to"), PAIRS)
@pytest.mark.parametrize("length", [1, 7, 5_000])
def test_a_sound_in_pieces_becomes_what_it_becomes_as_a_whole(rate: int, to: int, length: int):
    rng = np.random.default_rng(length)
    sound = rng.normal(size=length).astype(np.float32)
    cuts = np.unique(rng.integers(0, length + 1, 9))
    piecewise = Resampling(rate, to)
    pieces = [piecewise.feed(piece) for piece in np.split(sound, cuts)]
    pieces.append(piecewise.feed(sound[:0], over=True))
    assert np.array_equal(np.concatenate(pieces), resample(sound, rate, to))


def test_a_tone_stays_where_it_is_and_what_the_lower_rate_cannot_carry_is_gone():
    kept, gone = resample(tone(1_000, 22_050), 22_050, 8_000), resample(tone(5_000, 22_050), 22_050, 8_000)
    inner = slice(200, -200)
    assert np.abs(kept - tone(1_000, 8_000))[inner].max() < 0.01
    assert np.abs(gone[inner]).max() < 0.001


def test_no_more_is_kept_than_the_filter_reaches():
    piecewise = Resampling(22_050, 8_000)
    for _ in range(50):
        piecewise.feed(np.zeros(2_000, np.float32))
    assert len(piecewise._past) < 400
