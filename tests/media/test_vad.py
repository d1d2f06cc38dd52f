"""Who speaks: real voices are found, steady noise of any kind is not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import hearing
from media.vad import Vad
from tests.media import voices

SETTLING = 10  # blocks in which a floor is first found


def verdicts(sound: np.ndarray, rate: int = 8000) -> np.ndarray:
    """By row and block."""
    vad, block = Vad(len(sound), rate), rate // 50
    who = np.arange(len(sound))
    return np.stack(
        [vad.look(who, each) for each in np.split(sound, sound.shape[1] // block, axis=1)], axis=1
    )


def loud(sound: np.ndarray, rate: int = 8000) -> np.ndarray:
    """Blocks within 15 dB of the active level: speech by any measure."""
    power = (sound.reshape(len(sound), -1, rate // 50).astype(float) ** 2).mean(axis=2)
    active = np.array([hearing.active_level(each.astype(np.float32), rate) for each in sound])
    return power > (active**2 / 10**1.5)[:, None]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_is_found(rate):
    said = voices.rows(voices.speech(rate), rate // 50)
    found = verdicts(voices.added(said, voices.white(said.shape, -70)), rate)
    assert found[loud(said, rate)].mean() > 0.94


@pytest.mark.parametrize(("snr", "share"), [(20, 0.93), (10, 0.85), (5, 0.78)])
def test_speech_is_found_in_white_noise(snr, share):
    said = voices.rows(voices.speech(), 160)
    found = verdicts(voices.added(said, voices.white(said.shape, -26 - snr)))
    assert found[loud(said)].mean() > share


@pytest.mark.parametrize("dbov", [-70, -50, -35, -20])
def test_line_noise_is_not_speech(dbov):
    found = verdicts(voices.added(np.zeros((10, 80_000)), voices.white((10, 80_000), dbov)))
    assert found[:, SETTLING:].mean() < 0.01


def test_hum_is_not_speech():
    found = verdicts(np.stack([voices.hum(80_000, dbov) for dbov in (-50, -36, -26)]).astype(np.int16))
    assert not found[:, SETTLING:].any()


def test_silence_is_not_speech():
    assert not verdicts(np.zeros((1, 16_000), np.int16)).any()


def test_noise_that_begins_loudly_is_soon_taken_for_noise():
    quiet = voices.white((4, 40_000), -65)
    quiet[:, 16_000:] += voices.white((4, 24_000), -35, seed=2)
    found = verdicts(voices.added(np.zeros_like(quiet), quiet))
    assert not found[:, :100][:, SETTLING:].any() and not found[:, -10:].any()


def test_speech_ends_within_a_quarter_of_a_second_of_hangover():
    said = voices.speech()[0][:16_000]
    sound = voices.rows([np.concatenate([said, np.zeros(16_000)])], 160)
    found = verdicts(voices.added(sound, voices.white(sound.shape, -70)))
    last = np.flatnonzero(loud(sound)[0])[-1]
    assert not found[0, last + 30 :].any()


def test_rows_do_not_know_of_each_other():
    said = voices.rows(voices.speech(), 160)[:, :32_000]
    together, alone = verdicts(said), [verdicts(each[None])[0] for each in said]
    assert (together == np.stack(alone)).all()


def test_many_rows_are_the_same_as_few():
    said = voices.rows(voices.speech(), 160)[:1, :8000]
    assert (verdicts(np.repeat(said, 300, axis=0)) == verdicts(said)).all()
