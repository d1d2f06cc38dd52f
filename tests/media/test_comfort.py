"""Comfort noise: its description on the wire, and noise made from it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from media import comfort
from media.comfort import ComfortNoise
from tests.media import voices


def made(level: list[float], reflection: np.ndarray | None = None, rate: int = 8000) -> np.ndarray:
    """Two seconds of each, once it has come to its level."""
    rows = np.arange(len(level))
    noise = ComfortNoise(len(level), rate, np.random.default_rng(3))
    noise.describe(rows, np.array(level, np.float32), reflection)
    return np.concatenate([noise.make(rows) for _ in range(130)], axis=1)[:, 30 * rate // 50 :]


def test_a_level_alone_is_one_byte():
    assert comfort.encode(-50) == bytes([50]) and comfort.decode(bytes([50])) == (-50.0, [])


def test_the_levels_upper_bit_is_not_looked_at():
    assert comfort.decode(bytes([0x80 | 40])) == (-40.0, [])


def test_coefficients_are_steps_of_258_around_127():
    """RFC 3389 section 3: k(N) = 258 (N - 127), in 1/32768."""
    payload = comfort.encode(-30, [0.5, -0.25, 0.0])
    assert list(payload) == [30, 127 + 64, 127 - 32, 127]
    assert comfort.decode(payload)[1] == pytest.approx([0.5, -0.25, 0.0], abs=258 / 65536)


@pytest.mark.parametrize("payload", [b"", bytes(range(256)), bytes([255] * 40), bytes(12)])
def test_any_payload_is_understood_or_none(payload):
    told = comfort.decode(payload)
    if told is None:
        assert not payload
        return
    level, reflection = told
    assert -127 <= level <= 0 and len(reflection) <= comfort.ORDER and all(-1 < k < 1 for k in reflection)
    sound = made([level], np.array([reflection], np.float32) if reflection else None)
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("rate", [8000, 16000])
def test_noise_has_the_level_it_was_told(rate):
    for row, level in zip(made([-30, -45, -60], rate=rate), (-30, -45, -60)):
        assert voices.level(row) == pytest.approx(level, abs=0.5)


def test_noise_has_the_colour_it_was_told():
    sources = voices.white((3, 16_000), -40)
    coloured = np.stack(
        [lfilter([1], taps, row) for taps, row in zip(([1, -0.9], [1, 0.5], [1, -1.2, 0.8]), sources)]
    )
    level, reflection = comfort.describe(coloured.astype(np.int16))
    again_level, again = comfort.describe(made(level.tolist(), reflection))
    assert np.abs(again - reflection).max() < 0.06 and np.abs(again_level - level).max() < 1


def test_a_description_survives_the_wire():
    noise = lfilter([1], [1, -0.7], voices.white(8000, -40))[None].astype(np.int16)
    level, reflection = comfort.describe(noise)
    told = comfort.decode(comfort.encode(float(level[0]), reflection[0].tolist()))
    assert abs(told[0] - level[0]) <= 0.5 and np.abs(np.array(told[1]) - reflection[0]).max() < 0.005


def test_silence_and_tones_have_a_description_as_well():
    tone = np.rint(8000 * np.sin(np.arange(160) * 0.3)).astype(np.int16)
    level, reflection = comfort.describe(np.stack([np.zeros(160, np.int16), tone]))
    assert np.isfinite(reflection).all() and (np.abs(reflection) < 1).all() and level[0] < -90


def test_a_new_level_is_eased_into_and_blocks_join_without_a_click():
    noise = ComfortNoise(1, 8000, np.random.default_rng(3))
    me = np.array([0])
    noise.describe(me, np.array([-30], np.float32))
    blocks = np.concatenate([noise.make(me)[0] for _ in range(40)]).astype(float)
    assert voices.level(blocks[:160]) < -36
    joins = np.abs(np.diff(blocks))[159::160]
    assert joins[20:].mean() < 1.5 * np.abs(np.diff(blocks))[3200:].mean()
