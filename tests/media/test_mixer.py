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
    who.ramped()
    who.connect(1, 0, 0.0)
    assert not list(who.listeners(1)) and who.ramped() == [0]
    assert who.matrix([0])[0] is None


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


class Room:
    """A listener, row 0, of steady sources, block by block."""

    def __init__(self) -> None:
        self.who = Mixer()
        self.samples = {1: level(8000), 2: level(500)}
        self.speaking = np.zeros(8, np.bool_)
        self.ramps = None

    def block(self, changed: bool = True) -> np.ndarray:
        if changed:
            self.matrix, self.rows = self.who.matrix([0])
            self.ramps = self.who.ramps([0], self.rows)
        sources = np.stack([self.samples[row] for row in self.rows.tolist()])
        total = mixer.mix(self.matrix, sources)
        if self.ramps is not None:
            self.ramps.apply(total, sources, self.speaking)
        self.who.ramped()
        return mixer.clip(total)[0].astype(np.int64)


@pytest.fixture
def room() -> Room:
    room = Room()
    room.who.connect(1, 0, 1.0)
    room.block()
    return room


def test_a_gain_that_changes_moves_in_a_line_over_one_block_and_stays_there(room):
    room.who.connect(1, 0, 0.25)
    moving = room.block()
    assert moving[0] > 7900 and moving[-1] == 2000 and np.abs(np.diff(moving)).max() <= 39
    assert (room.block(changed=False) == 2000).all()


def test_who_is_parted_fades_out_and_who_joins_fades_in(room):
    room.who.connect(1, 0, 0.0)
    room.who.connect(2, 0, 2.0)
    moving = room.block()
    assert abs(moving[0] - 8000) < 60 and moving[-1] == 1000
    assert (room.block() == 1000).all()


def test_the_original_is_lowered_within_60_ms_while_the_interpreter_speaks(room):
    room.who.duck(1, 0, by=2, db=12.0)
    assert (room.block() == 8000).all()
    room.speaking[2] = True
    lowered = np.concatenate([room.block(changed=False) for _ in range(4)])
    assert (np.diff(lowered) <= 0).all() and np.abs(np.diff(lowered)).max() <= 14
    assert abs(20 * np.log10(lowered[480] / 8000) + 12) < 0.1


def test_it_comes_back_in_400_ms_when_the_interpreter_is_done_and_then_costs_nothing(room):
    room.who.duck(1, 0, by=2, db=12.0)
    room.block()
    room.speaking[2] = True
    [room.block(changed=False) for _ in range(4)]
    room.speaking[2] = False
    back = np.concatenate([room.block(changed=False) for _ in range(20)])
    assert (np.diff(back) >= 0).all() and np.abs(np.diff(back)).max() <= 3
    assert (room.block(changed=False) == 8000).all()


def test_a_gain_set_while_it_is_ducked_is_ducked_as_well(room):
    room.who.duck(1, 0, by=2, db=6.0)
    room.block()
    room.speaking[2] = True
    low = [room.block(changed=False) for _ in range(4)][-1][-1]
    room.who.connect(1, 0, 0.5)
    moving = room.block()
    assert abs(moving[0] - low) < 20 and abs(moving[-1] - low / 2) <= 2
    assert np.abs(room.block(changed=False) - low / 2).max() <= 2


def test_ducking_ends_with_the_edge_or_with_either_leg(room):
    room.who.duck(1, 0, by=2, db=6.0)
    assert room.who.ducked(0) and room.who.duckers() == {2}
    room.who.drop(2)
    assert not room.who.ducked(0) and not room.who.duckers()
    room.who.duck(1, 0, by=3, db=6.0)
    room.who.duck(1, 0, by=3, db=0.0)
    assert not room.who.ducked(0)


@pytest.mark.parametrize("seed", range(3))
def test_listeners_of_one_each_hear_the_same_to_the_bit_the_short_way(seed: int):
    rng, who = np.random.default_rng(seed), Mixer()
    for listener in range(5):
        who.connect(int(rng.integers(10, 14)), listener, float(rng.uniform(0.01, 8.0)))
    who.ramped()
    matrix, sources = who.matrix(list(range(5)))
    sound = rng.integers(-32768, 32768, (len(sources), 320)).astype(np.int16)
    one = mixer.single(matrix)
    assert one is not None
    assert np.array_equal(mixer.mix(matrix, sound, one), mixer.mix(matrix, sound))
    who.connect(20, 3, 1.0)
    assert mixer.single(who.matrix(list(range(5)))[0]) is None
