"""How loud: measured, brought to one level, never clipped."""

from __future__ import annotations

import numpy as np
import pytest

from media import level
from media.level import Leveller
from tests.media import voices
from tests.media.stage import tone

ME = np.array([0])
YES, NO = np.array([True]), np.array([False])


def through(sound: np.ndarray, speaking: np.ndarray = YES) -> np.ndarray:
    leveller = Leveller(1)
    return np.concatenate(
        [leveller.normalise(ME, each[None], speaking)[0] for each in sound.reshape(-1, 160)]
    )


def test_a_square_wave_at_full_scale_is_0_dbov_and_a_sine_3_less():
    square = np.tile(np.array([32767, -32767], np.int16), 80)
    sine = tone(1000, 0.02, 32767)
    assert level.measure(np.stack([square, sine])) == pytest.approx([0, -3.01], abs=0.01)


def test_silence_has_a_level_too():
    assert level.measure(np.zeros((1, 160), np.int16)) == pytest.approx(-96, abs=0.1)


@pytest.mark.parametrize("shift", [-14, -8, 6, 10])
def test_quiet_and_loud_talkers_come_to_one_level(shift):
    said = np.concatenate(voices.speech())[:80_000]
    said = voices.added(said * 10 ** (shift / 20), np.zeros(80_000))
    loud = np.abs(said.reshape(-1, 160)).max(axis=1) > np.abs(said).max() / 20
    leveller = Leveller(1)
    made = [
        leveller.normalise(ME, each[None], np.array([talks]))[0]
        for each, talks in zip(said.reshape(-1, 160), loud)
    ]
    before, after = said.reshape(-1, 160)[loud][-150:], np.stack(made)[loud][-150:]
    assert abs(voices.level(after) + 26) < max(abs(voices.level(before) + 26) - 3, 3.5)


def test_a_talker_at_the_usual_level_is_left_alone():
    sound = tone(300, 2, 10 ** (-26 / 20) * 32768 * np.sqrt(2))
    assert (through(sound) == sound).all()


def test_pauses_are_not_pumped_up():
    noise = voices.added(np.zeros(80_000), voices.white(80_000, -55))
    assert (through(noise, NO) == noise).all()


def test_gain_changes_slowly_and_without_steps():
    sound = tone(200, 4, 300)
    made = through(sound).reshape(-1, 160).astype(float)
    peaks = np.array([np.abs(each).max() for each in made])
    assert peaks[-1] > 1.5 * peaks[0] and (np.diff(20 * np.log10(peaks)) < 0.25).all()
    assert (
        np.abs(np.diff(made.reshape(-1), 2)).max()
        < 1.2 * np.abs(np.diff(tone(200, 0.1, peaks[-1]), 2)).max() + 2
    )


def test_what_would_clip_is_turned_down_without_a_step():
    sound = np.concatenate([tone(300, 3, 400), tone(300, 1, 30000, start=24_000)])
    made = through(sound).astype(int)
    assert np.abs(made).max() <= 32767
    after = made[24_160:]
    assert np.abs(after).max() <= level.CEILING + 1 and np.abs(np.diff(after)).max() < 8500


def test_clipping_is_seen_where_a_wave_was_cut_off_and_not_where_it_is_only_loud():
    loud, cut = tone(440, 0.02, 32000), np.clip(tone(440, 0.02, 32000).astype(int) * 3, -32124, 32124)
    share = level.clipped(np.stack([loud, cut.astype(np.int16), np.zeros(160, np.int16)]))
    assert share[0] < 0.2 and share[1] > 0.5 and share[2] == 0
