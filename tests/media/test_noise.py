"""Noise suppression: less noise, the same speech, a little late."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import hearing
from media.noise import Suppressor
from tests.media import voices


def suppressed(sound: np.ndarray, rate: int = 8000) -> np.ndarray:
    """With the delay of 10 ms taken out."""
    suppressor, block = Suppressor(len(sound), rate), rate // 50
    padded = np.concatenate([sound, np.zeros((len(sound), block), np.int16)], axis=1)
    who = np.arange(len(sound))
    made = [suppressor.suppress(who, each) for each in np.split(padded, padded.shape[1] // block, axis=1)]
    late = rate // 100
    return np.concatenate(made, axis=1)[:, late : late + sound.shape[1]]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_steady_noise_is_turned_down_by_10_db_and_more(rate):
    noise = voices.added(np.zeros((3, 2 * rate)), voices.white((3, 2 * rate), -40))
    made = suppressed(noise, rate)
    assert voices.level(made[:, rate:]) < voices.level(noise) - 10


def test_what_is_left_of_noise_is_noise_and_not_music():
    """Musical noise is bins that come and go: the power of single ones would spread far wider than before."""
    noise = voices.added(np.zeros((1, 80_000)), voices.white((1, 80_000), -40))

    def spread(sound: np.ndarray) -> float:
        power = (
            np.abs(np.fft.rfft(sound[0, 16_000:].reshape(-1, 160) * np.hanning(160), axis=1)[:, 4:76]) ** 2
        )
        return float((power**2).mean() / power.mean() ** 2)

    assert spread(suppressed(noise)) < 1.6 * spread(noise)


def test_speech_in_noise_is_heard_better():
    pytest.importorskip("pesq")
    said = voices.rows(voices.speech(seconds=12), 160)
    lead = np.zeros((len(said), 16_000), np.int16)
    clean = np.concatenate([lead, said], axis=1)
    noisy = voices.added(clean, voices.white(clean.shape, -36))
    made = suppressed(noisy)

    def scores(sound: np.ndarray) -> float:
        return float(np.mean([hearing.pesq(a, b[16_000:], 8000) for a, b in zip(said, sound)]))

    assert scores(made) > scores(noisy) + 0.15


def test_clean_speech_stays_as_it_is_to_the_ear():
    pytest.importorskip("pesq")
    said = voices.rows(voices.speech(seconds=8), 160)
    assert hearing.pesq(said[0], suppressed(said)[0], 8000) > 4.0


def test_speech_is_as_intelligible_as_before():
    said = voices.rows(voices.speech(seconds=8), 160)
    noisy = voices.added(said, voices.white(said.shape, -36))
    before, after = hearing.stoi(said[0], noisy[0], 8000), hearing.stoi(said[0], suppressed(noisy)[0], 8000)
    assert after > before - 0.02


def test_silence_stays_silence():
    assert not suppressed(np.zeros((1, 8000), np.int16)).any()


def test_full_scale_does_not_wrap():
    square = np.tile(np.repeat(np.array([32767, -32768], np.int16), 20), 400)[None]
    made = suppressed(square).astype(int)
    assert (np.sign(made[0, 400:800]) == np.sign(square[0, 400:800].astype(int))).mean() > 0.95


def test_rows_do_not_know_of_each_other():
    sound = voices.added(np.zeros((3, 16_000)), voices.white((3, 16_000), -40))
    assert np.abs(suppressed(sound)[1].astype(int) - suppressed(sound[1:2])[0]).max() <= 1
