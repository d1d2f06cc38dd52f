"""The ring of decoded samples: any run, any position, all slots apart."""

from __future__ import annotations

import numpy as np
import pytest

from media.ring import WINDOWS, Ring

SIZE, LONGEST = 4096, 480


@pytest.mark.parametrize("length", [1, 37, 80, 160, 320, 480])
def test_what_is_put_at_a_position_is_got_from_it_wherever_the_ring_stands(length):
    ring, rows = Ring(3, SIZE, LONGEST), np.arange(3)
    for position in range(-SIZE, 2 * SIZE, 61):
        at = position + rows * 500
        samples = (at[:, None] + np.arange(length)).astype(np.int16)
        ring.put(rows, at, samples)
        assert (ring.get(rows, at, length) == samples).all()


def test_runs_are_read_across_the_packets_that_were_written():
    rng, ring, rows = np.random.default_rng(1), Ring(2, SIZE, LONGEST), np.arange(2)
    truth = rng.integers(-30000, 30000, (2, 40_000)).astype(np.int16)
    at = 0
    while at < 39_000:
        length = int(rng.integers(1, LONGEST + 1))
        ring.put(rows, np.array([at, at]), truth[:, at : at + length])
        at += length
        back = int(rng.integers(0, min(at, SIZE - LONGEST)))
        size = min(int(rng.integers(1, LONGEST + 1)), back)
        if size:
            got = ring.get(rows, np.array([at - back, at - back]), size)
            assert (got == truth[:, at - back : at - back + size]).all()


def test_runs_of_ever_new_lengths_leave_no_more_behind_than_a_few_do():
    ring, one = Ring(2, SIZE, LONGEST), np.zeros(1, np.int64)
    for length in range(1, LONGEST + 1):
        samples = np.arange(length, dtype=np.int16)[None]
        ring.put(one, one, samples)
        assert (ring.get(one, one, length) == samples).all()
    assert len(ring._windows) <= WINDOWS


def test_filling_touches_what_it_says_and_nothing_else():
    ring, rows = Ring(3, SIZE, LONGEST), np.arange(3)
    for begin in range(0, SIZE, LONGEST // 2):
        ring.put(rows, np.full(3, begin), np.full((3, LONGEST // 2), 7, np.int16))
    ring.fill(np.array([0, 2]), np.array([4000, 10]), np.array([4000 + 1000, 10]), 1)
    ones = np.stack([ring.get(rows, np.full(3, at), 1)[:, 0] for at in range(3900, 5200)], axis=1)
    assert (ones[0] == np.where((np.arange(3900, 5200) >= 4000) & (np.arange(3900, 5200) < 5000), 1, 7)).all()
    assert (ones[1:] == 7).all()


def test_filling_more_than_a_ring_fills_it_once():
    ring = Ring(1, SIZE, LONGEST)
    ring.fill(np.array([0]), np.array([5]), np.array([1 << 50]), 3)
    for at in range(0, SIZE, LONGEST):
        assert (ring.get(np.array([0]), np.array([at]), LONGEST) == 3).all()


def test_a_ring_that_grows_keeps_what_is_in_it():
    ring = Ring(1, SIZE, LONGEST)
    ring.put(np.array([0]), np.array([4000]), np.arange(300, dtype=np.int16)[None, :])
    ring.grow(5)
    assert (ring.get(np.array([0]), np.array([4000]), 300)[0] == np.arange(300)).all()
    assert not ring.get(np.array([4]), np.array([4000]), 300).any()


def test_a_ring_of_the_8_khz_plane_takes_less_than_12_kb():
    ring = Ring(1, SIZE, LONGEST)
    assert ring.samples.nbytes < 12_000
