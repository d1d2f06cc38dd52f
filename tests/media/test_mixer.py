"""Who hears whom, and how loud."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import mixer
from media.mixer import Mixer


def heard(edges: list[tuple[int, int, float]], samples: dict[int, np.ndarray], listener: int) -> np.ndarray:
    """What the listener hears of the sources' samples."""
    who = Mixer()
    for source, to, gain in edges:
        who.connect(source, to, gain)
    matrix, rows = who.matrix([listener])
    if matrix is None:
        return np.zeros(160, np.int16)
    return mixer.clip(mixer.mix(matrix, np.stack([samples[row] for row in rows.tolist()])))[0]


def level(value: int) -> np.ndarray:
    return np.full(160, value, np.int16)


def test_a_listener_hears_the_sum_of_its_sources():
    assert heard([(1, 0, 1.0), (2, 0, 1.0)], {1: level(1000), 2: level(-300)}, 0)[0] == 700


def test_gain_one_changes_no_sample():
    ramp = np.arange(-32767, 32768, 409, dtype=np.int16)[:160]
    assert (heard([(1, 0, 1.0)], {1: ramp}, 0) == ramp).all()


@pytest.mark.parametrize(("gain", "expected"), [(0.5, 500), (2.0, 2000), (0.25, 250), (1.5, 1500)])
def test_gain_scales(gain, expected):
    assert heard([(1, 0, gain)], {1: level(1000)}, 0)[0] == expected


def test_the_sum_is_clipped_once_and_does_not_wrap():
    loud = {i: level(32000) for i in range(1, 4)}
    assert heard([(1, 0, 1.0), (2, 0, 1.0), (3, 0, 1.0)], loud, 0)[0] == 32767
    assert heard([(1, 0, 8.0)], {1: level(-32768)}, 0)[0] == -32767


def test_clipping_comes_after_all_is_added():
    assert (
        heard(
            [(1, 0, 1.0), (2, 0, 1.0), (3, 0, 1.0)], {1: level(30000), 2: level(30000), 3: level(-30000)}, 0
        )[0]
        == 30000
    )


def test_a_hundred_sources_at_full_volume_cannot_overflow():
    sources = {i: level(32767) for i in range(1, 101)}
    assert heard([(i, 0, 8.0) for i in sources], sources, 0)[0] == 32767


def test_gain_zero_parts_and_nobody_is_left_to_hear():
    who = Mixer()
    who.connect(1, 0, 1.0)
    who.connect(1, 0, 0.0)
    assert who.matrix([0])[0] is None and not list(who.listeners(1))


def test_dropping_a_row_removes_it_on_both_sides():
    who = Mixer()
    who.connect(1, 0, 1.0)
    who.connect(0, 1, 1.0)
    who.connect(2, 0, 1.0)
    assert who.drop(0) == {1}
    assert not who.sources(1) and not who.sources(0) and not list(who.listeners(2))


def test_the_matrix_agrees_with_plain_arithmetic():
    rng = Random(4)
    numpy_rng = np.random.default_rng(4)
    who = Mixer()
    gains = np.zeros((20, 20))
    for _ in range(60):
        source, to, gain = rng.randrange(20), rng.randrange(20), rng.choice([0.0, 0.3, 1.0, 1.7])
        who.connect(source, to, gain)
        gains[to, source] = gain
    samples = numpy_rng.integers(-8000, 8000, (20, 160)).astype(np.int16)
    matrix, rows = who.matrix(list(range(20)))
    total = mixer.mix(matrix, samples[rows])
    assert np.abs(total - gains @ samples).max() <= 0.5 + 20 * 8000 / 8192
