"""A block from more or less sound than it lasts: the period found, the splice unheard."""

from __future__ import annotations

import numpy as np
import pytest

from media import stretch

RATES = pytest.mark.parametrize("rate", [8000, 16000])


def voice(rate: int, pitch: float, size: int, seed: int = 0) -> np.ndarray:
    """A steady vowel: harmonics of a pitch that fall off, float."""
    rng, t = np.random.default_rng(seed), np.arange(size) / rate
    count = int(0.4 * rate / pitch)
    return sum(
        3000 / (1 + k / 3) * np.sin(2 * np.pi * pitch * k * t + rng.uniform(0, 6)) for k in range(1, count)
    )


def around(rate: int, pitch: float) -> np.ndarray:
    """What a splice is given: reach, block, reach."""
    return voice(rate, pitch, 2 * stretch.reach(rate) + rate // 50)[None, :].astype(np.int16)


@RATES
@pytest.mark.parametrize("pitch", [75, 100, 140, 200, 320])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_lag_is_a_number_of_pitch_periods_of_a_voice(rate, pitch, sign):
    found = stretch.match(around(rate, pitch), np.array([sign * rate]), rate)
    periods = float(found.lag[0]) * pitch / rate
    assert np.sign(found.lag[0]) == sign and found.likeness[0] > 0.95
    assert abs(periods - round(periods)) < 0.06


@RATES
@pytest.mark.parametrize("sign", [1, -1])
def test_no_more_is_moved_than_was_asked_for(rate, sign):
    sound = np.repeat(around(rate, 75), 40, axis=0)
    room = sign * np.arange(40) * rate // 1000 // 2
    lag = stretch.match(sound, room, rate).lag
    if sign > 0:
        assert (lag <= room).all()
    assert (lag[np.abs(room) < 2 * rate // 1000] == 0).all() or sign < 0


@RATES
@pytest.mark.parametrize("pitch", [80, 120, 210])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_spliced_voice_goes_on_as_if_nothing_had_been_done(rate, pitch, sign):
    sound, reach, span = around(rate, pitch), stretch.reach(rate), rate // 50
    found = stretch.match(sound, np.array([sign * rate]), rate)
    block = stretch.splice(sound, found.lag, found.likeness, span, rate)[0].astype(float)
    whole = sound[0].astype(float)
    joined = np.concatenate([whole[:reach], block, whole[reach + span + found.lag[0] :]])
    steps, usual = np.abs(np.diff(joined)), np.abs(np.diff(whole)).max()
    assert steps.max() < 1.1 * usual
    period = rate / pitch
    plain = voice(rate, pitch, len(joined))
    error = np.sqrt(np.mean((joined[:reach] - plain[:reach]) ** 2))
    assert error < 1.0 and abs(len(joined) - len(whole) + found.lag[0]) == 0 and period > 0


@RATES
def test_noise_keeps_its_power_where_it_is_laid_over_itself(rate):
    rng, reach, span = np.random.default_rng(3), stretch.reach(rate), rate // 50
    sound = rng.normal(0, 1000, (400, 2 * reach + span)).astype(np.int16)
    room = np.where(np.arange(400) % 2, rate, -rate)
    found = stretch.match(sound, room, rate)
    block = stretch.splice(sound, found.lag, found.likeness, span, rate).astype(float)
    fade = block[:, : stretch.FADE_MS * rate // 1000]
    assert 0.93 < fade.std() / 1000 < 1.07


def test_silence_and_full_scale_are_stretched_without_a_warning():
    with np.errstate(all="raise"):
        for level in (0, 32767, -32768):
            sound = np.full((2, 400), level, np.int16)
            found = stretch.match(sound, np.array([300, -300]), 8000)
            block = stretch.splice(sound, found.lag, found.likeness, 160, 8000)
            assert (np.abs(block.astype(int) - level) <= 1).all()
