"""The delay that packets need: found from how late they came, soon when it grows, slowly when it shrinks."""

from __future__ import annotations

import numpy as np
import pytest

from media.delay import MENDED_MS, BufferSettings, Delays

ROW = np.array([0])
MS = 8  # samples


class Stream:
    """One stream's packets, by the ms that each is late."""

    def __init__(self, settings: BufferSettings | None = None) -> None:
        self.delays = Delays(2, 8000, settings or BufferSettings())
        self.delays.begin(ROW, np.array([0]))

    def comes(self, late: object, packets: int = 1) -> None:
        for ms in np.resize(np.atleast_1d(np.asarray(late)), packets).tolist():
            self.delays.observe(ROW, np.array([int(ms * MS)]))

    def target(self) -> float:
        """ms above a packet that is not late."""
        self.delays.review(ROW)
        return float(self.delays.target[0]) / MS


def test_it_begins_with_what_the_settings_say():
    assert Stream(BufferSettings(start_ms=60)).target() == 40  # and the 20 ms of the block itself


def test_a_stream_that_is_never_late_comes_down_to_the_least():
    stream = Stream()
    stream.comes(0, 500)
    assert stream.target() == 0


def test_a_tenth_that_is_late_is_waited_for():
    stream = Stream()
    stream.comes([0] * 9 + [55], 500)
    assert stream.target() == 55


def test_one_packet_in_a_hundred_is_not_waited_for():
    stream = Stream()
    stream.comes([0] * 99 + [150], 1000)
    assert stream.target() <= 5


def test_it_is_up_in_half_a_second_and_down_only_after_many():
    stream = Stream()
    stream.comes(0, 1000)
    stream.comes(80, 25)
    assert stream.target() == 80
    stream.comes(0, 150)
    assert stream.target() == 80
    stream.comes(0, 1000)
    assert stream.target() == 0


def test_a_path_that_became_longer_is_no_jitter():
    stream = Stream()
    stream.comes([0, 5], 1000)
    for _ in range(60):
        stream.comes([300, 305], 16)
        stream.target()
    assert stream.target() == 305
    assert float(stream.delays.base(ROW)[0]) / MS == 300


def test_a_path_that_became_shorter_brings_the_bounds_down_at_once():
    stream = Stream()
    stream.comes(0, 300)
    stream.comes(-400, 10)
    assert stream.target() <= -400 + 180
    stream.comes(-400, 1500)
    assert stream.target() == -400


def test_who_could_do_without_waits_for_fewer():
    stream = Stream()
    stream.comes([0] * 80 + [30] * 15 + [60] * 4 + [90], 1000)
    assert stream.target() == 60
    stream.delays.price[0] = MENDED_MS
    assert stream.target() == 30


def test_packets_held_back_for_a_second_are_no_reason_to_be_a_second_late():
    stream = Stream(BufferSettings(max_ms=1000))
    stream.comes(0, 1000)
    stream.comes(np.arange(1000, 0, -20), 50)
    assert stream.target() < 100


@pytest.mark.parametrize(("late", "target"), [(175, 175), (100, 100), (0, 20), (500, 20)])
def test_the_settings_bound_it_and_what_they_put_out_of_reach_is_not_tried(late, target):
    stream = Stream(BufferSettings(min_ms=40))
    stream.comes([0, late], 100)
    assert stream.target() == target


def test_a_fixed_delay_stays():
    stream = Stream(BufferSettings(start_ms=100, fixed=True))
    stream.comes([0, 90, 20], 600)
    assert stream.target() == 80


def test_a_drifting_clock_moves_the_target_with_it():
    stream, late = Stream(), 0.0
    for _ in range(15_000):  # five minutes at 300 ppm
        stream.comes(late)
        late += 0.006
    assert late - 3 < stream.target() < late + 6


def test_weights_do_not_overflow_in_a_day():
    stream = Stream()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for _ in range(300):
            stream.comes([0, 0, 40], 90)
            stream.delays.weight[0] *= 1e4
            assert np.isfinite(stream.target())


def test_those_that_came_later_than_expected_are_named():
    delays, rows = Delays(4, 8000, BufferSettings()), np.arange(4)
    delays.begin(rows, np.zeros(4, np.int64))
    late = delays.observe(rows, np.array([0, 50 * MS, 10 * MS, 21 * MS]))
    assert late.tolist() == [1, 3]
