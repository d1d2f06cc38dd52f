"""A voice as loud as others are, whatever its own level, from its first third of a second on."""

from __future__ import annotations

import numpy as np
import pytest

from media.speech.loudness import CEILING, TAIL, TARGET, Loudness

RATE = 8_000


def voiced(db: float, seconds: float, seed: int = 0) -> np.ndarray:
    """Noise at a level in dBov, swelling as syllables do."""
    rng = np.random.default_rng(seed)
    swell = 1 + 0.7 * np.sin(2 * np.pi * 4 * np.arange(int(seconds * RATE)) / RATE)
    sound = rng.normal(size=len(swell)) * swell
    return (sound / np.sqrt(np.mean(sound**2)) * 32768 * 10 ** (db / 20)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def level(sound: np.ndarray) -> float:
    """dBov of blocks that are not silent."""
    blocks = sound[: len(sound) // 160 * 160].reshape(-1, 160).astype(np.float64) / 32768
    power = (blocks**2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() * 1e-4].mean()))


def whole(loudness: Loudness, sound: np.ndarray, piece: int = 700) -> np.ndarray:
    given = [loudness.feed(sound[at : at + piece]) for at in range(0, len(sound), piece)]
    return np.concatenate([*given, loudness.feed(sound[:0], over=True)])


@pytest.mark.parametrize("db", [-40.0, -30.0, -20.0, -12.0])
def test_a_voice_of_any_level_comes_at_the_level_of_a_call(db: float):
    assert level(whole(Loudness(RATE), voiced(db, 3.0))) == pytest.approx(TARGET, abs=1.0)


def test_a_voice_that_is_known_is_right_from_its_first_word():
    first = whole(Loudness(RATE, known=-30.0), voiced(-30.0, 0.1))
    assert level(first) == pytest.approx(TARGET, abs=0.5)


def test_a_loud_beginning_is_followed_slowly_and_never_jumps():
    sound = np.concatenate([voiced(-14.0, 0.5), voiced(-24.0, 3.0, 1)])
    made, raw = whole(Loudness(RATE), sound).astype(np.float64), sound.astype(np.float64)
    count = len(made) // 160 * 160
    rms = [np.sqrt((each[:count].reshape(-1, 160) ** 2).mean(axis=1)) for each in (made, raw)]
    gains = 20 * np.log10(rms[0] / rms[1])
    assert np.abs(np.diff(gains)).max() < 1.5, "bent peaks apart, a gain moves 0.15 dB a block"
    assert gains[-1] - gains[0] > 2.0


def test_silence_around_it_is_left_out_but_for_a_breath_and_pauses_in_it_stay():
    sound = np.concatenate([silence(1.0), voiced(-20, 0.5), silence(0.6), voiced(-20, 0.5), silence(2.0)])
    made = whole(Loudness(RATE), sound)
    assert len(made) / RATE == pytest.approx(1.6 + 0.02 + TAIL * 0.02, abs=0.05)
    assert not made[int(0.6 * RATE) : int(1.0 * RATE)].any()


def test_it_begins_when_a_third_of_a_second_is_there():
    loudness = Loudness(RATE)
    assert not len(loudness.feed(voiced(-20, 0.28)))
    assert len(loudness.feed(voiced(-20, 0.04)))


def test_peaks_are_bent_not_cut():
    made = whole(Loudness(RATE), voiced(-20, 1.0) + 30_000 * (np.arange(RATE) % 400 == 0))
    assert np.abs(made.astype(int)).max() < CEILING


def test_nothing_is_made_of_silence_and_none_of_it_is_kept():
    loudness = Loudness(RATE)
    assert not len(whole(loudness, silence(60.0)))
    assert len(loudness._held) <= 1 and loudness.level is None
