"""Sound between the planes: what both can carry arrives as it was, what the narrow one cannot is gone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from media.halfband import Downward, Upward

SLOT = np.array([3])


def sine(hertz: float, rate: int, blocks: int = 20) -> np.ndarray:
    n = np.arange(rate // 50 * blocks)
    return np.rint(10_000 * np.sin(2 * np.pi * hertz * n / rate)).astype(np.int16).reshape(blocks, -1)


def through(filters: Upward | Downward, blocks: np.ndarray) -> np.ndarray:
    return np.concatenate([filters.convert(SLOT, block[None, :])[0] for block in blocks])


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples[len(samples) // 4 :].astype(float)))))


@pytest.mark.parametrize("hertz", [50, 300, 1000, 3000, 3500])
def test_what_both_planes_carry_passes_at_its_level(hertz):
    assert loudness(through(Upward(4), sine(hertz, 8000))) == pytest.approx(10_000 / 2**0.5, rel=0.01)
    assert loudness(through(Downward(4), sine(hertz, 16000))) == pytest.approx(10_000 / 2**0.5, rel=0.01)


@pytest.mark.parametrize("hertz", [4500, 5000, 6500, 7900])
def test_what_the_narrow_plane_cannot_carry_is_gone(hertz):
    assert loudness(through(Downward(4), sine(hertz, 16000))) < 10_000 / 1000


@pytest.mark.parametrize("hertz", [300, 1000, 3400])
def test_going_up_leaves_no_mirror_above_4_khz(hertz):
    spectrum = np.abs(np.fft.rfft(through(Upward(4), sine(hertz, 8000))[3200:] * np.hanning(3200)))
    assert spectrum[len(spectrum) * 9 // 16 :].max() < spectrum.max() / 1000


def test_it_is_the_sound_that_another_resampler_makes():
    noise = np.random.default_rng(5).normal(0, 3000, 8000)
    low = resample_poly(
        resample_poly(noise, 1, 2), 3, 4
    )  # below 3 kHz at 3 kHz a second rate: well inside the band
    low = np.rint(resample_poly(low, 4, 3)).astype(np.int16)[: 160 * 20].reshape(20, 160)
    ours = through(Upward(4), low)
    theirs = resample_poly(low.reshape(-1).astype(float), 2, 1)
    delay = 40
    difference = ours[delay + 400 : 6000].astype(float) - theirs[400 : 6000 - delay]
    assert np.abs(difference).std() < 0.01 * theirs.std()


def test_blocks_join_without_a_seam_and_slots_do_not_mix():
    rng = np.random.default_rng(1)
    sound = rng.integers(-9000, 9000, (6, 4, 320)).astype(np.int16)
    together, alone = Downward(8), [Downward(8) for _ in range(4)]
    slots = np.array([5, 0, 7, 2])
    for block in sound:
        joint = together.convert(slots, block)
        for i in range(4):
            assert np.array_equal(joint[i], alone[i].convert(slots[i : i + 1], block[i : i + 1])[0])


def test_the_loudest_sound_is_clipped_not_wrapped():
    square = np.where(np.arange(320 * 4) // 20 % 2, 32767, -32768).astype(np.int16).reshape(4, 320)
    out = through(Downward(4), square).astype(int)
    assert np.abs(np.diff(out)).max() <= 65534 and out.max() <= 32767 and out.min() >= -32767
