"""The ring of a rendered leg: order, lateness, packet times, and where play-out stands."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import jitter
from media.clock import BLOCK
from media.jitter import AHEAD, PATIENCE, Ring

TARGET = 320
ROW = np.array([0])


def sound(timestamp: int, length: int) -> np.ndarray:
    """Samples that say which timestamp they belong to."""
    return ((np.arange(timestamp, timestamp + length) % 30000) + 1).astype(np.int16)


class Buffer:
    """One leg's ring, and the timestamp that each block read should begin with."""

    def __init__(self, target: int = TARGET) -> None:
        self.ring = Ring(3)
        self.target = target

    def write(self, timestamp: int, length: int = 160, stream: int = 0, newest: bool = True) -> None:
        jitter.write(
            self.ring,
            ROW,
            np.array([stream]),
            np.array([timestamp & 0xFFFFFFFF]),
            np.array([newest]),
            sound(timestamp, length)[None, :],
            self.target,
        )

    def read(self) -> np.ndarray:
        block, self.there = jitter.read(self.ring, ROW, self.target)
        return block[0]


def test_play_out_begins_the_target_behind_the_first_packet():
    buffer = Buffer()
    buffer.write(16000)
    assert not buffer.read().any() and not buffer.read().any()
    assert (buffer.read() == sound(16000, BLOCK)).all()
    assert buffer.there.all()


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
@pytest.mark.parametrize("start", [0, 37, 4000, 0xFFFFFF00])
def test_any_packet_time_comes_out_as_it_went_in(ptime, start):
    buffer, length = Buffer(960), ptime * 8
    heard, fed = [], start
    for tick in range(120):
        while fed < start + BLOCK * (tick + 1):
            buffer.write(fed, length)
            fed += length
        heard.append(buffer.read())
    joined = np.concatenate(heard)
    begin = int(np.flatnonzero(joined)[0])
    assert begin == 960
    assert (joined[begin:] == sound(start, len(joined) - begin)).all()


def test_packets_out_of_order_are_put_in_order():
    buffer = Buffer()
    for timestamp in (0, 320, 160, 640, 480):
        buffer.write(timestamp, newest=timestamp not in (160, 480))
    blocks = [buffer.read() for _ in range(7)]
    assert (np.concatenate(blocks[2:]) == sound(0, 800)).all()


def test_a_hole_is_silence_and_said_to_be_missing():
    buffer = Buffer(0)
    buffer.write(0)
    buffer.write(320)
    buffer.read()
    assert not buffer.read().any() and not buffer.there.any()
    assert (buffer.read() == sound(320, BLOCK)).all()


def test_what_was_played_is_not_played_again_when_the_ring_comes_round():
    buffer = Buffer(0)
    for i in range(60):
        buffer.write(160 * i)
        buffer.read()
    assert not any(buffer.read().any() for _ in range(60))


def test_a_late_packet_that_others_overtook_is_counted_and_left_out():
    buffer = Buffer(0)
    buffer.write(0)
    buffer.write(320)
    buffer.read()
    buffer.read()
    buffer.write(160, newest=False)
    assert (buffer.read() == sound(320, BLOCK)).all()
    assert buffer.ring.late[0] == 1


def test_when_all_is_late_play_out_waits_and_nothing_more_is_lost():
    buffer = Buffer()
    buffer.write(0)
    for _ in range(6):  # the network holds everything back for 120 ms
        buffer.read()
    heard = []
    for i in range(1, 20):
        buffer.write(160 * i)
        heard.append(buffer.read())
    joined = np.concatenate(heard)
    begin = int(np.flatnonzero(joined)[0])
    assert (joined[begin:] == sound(160, len(joined) - begin)).all()
    assert buffer.ring.late[0] == 0


def test_delay_that_is_not_needed_any_more_is_given_up():
    buffer = Buffer()
    buffer.write(0)
    for i in range(1, 10):  # 200 ms arrive at once
        buffer.write(160 * i)
    fed = 1600
    for _ in range(3 * PATIENCE * 9):
        buffer.write(fed)
        fed += 160
        buffer.read()
    assert fed - int(buffer.ring.play[0]) <= TARGET + 2 * BLOCK


def test_a_jump_of_the_timestamp_begins_anew():
    buffer = Buffer()
    buffer.write(0)
    buffer.read()
    buffer.write(AHEAD + 10_000)
    blocks = [buffer.read() for _ in range(3)]
    assert (blocks[2] == sound(AHEAD + 10_000, BLOCK)).all()


def test_another_stream_begins_anew_and_leaves_nothing_of_the_old():
    buffer = Buffer()
    for i in range(4):
        buffer.write(160 * i)
    buffer.write(777_777, stream=1)
    blocks = np.concatenate([buffer.read() for _ in range(6)])
    assert not blocks[:TARGET].any()
    assert (blocks[TARGET : TARGET + 160] == sound(777_777, 160)).all()
    assert not blocks[TARGET + 160 :].any()


def test_skipped_ticks_take_their_sound_with_them():
    buffer = Buffer(0)
    for i in range(5):
        buffer.write(160 * i)
    block, _ = jitter.read(buffer.ring, ROW, 0, skipped=3)
    assert (block[0] == sound(480, BLOCK)).all()


def test_many_legs_do_not_hear_each_other():
    rng = Random(1)
    ring = Ring(40)
    rows = np.arange(40)
    starts = np.array([rng.getrandbits(32) for _ in rows])
    for i in range(50):
        stamps = starts + 160 * i & 0xFFFFFFFF
        samples = np.stack([sound(1000 * row + 160 * i, 160) for row in rows.tolist()])
        jitter.write(ring, rows, rows, stamps, np.ones(40, bool), samples, 0)
        block, there = jitter.read(ring, rows, 0)
        assert there.all() and (block == samples).all()


def test_random_arrivals_never_play_a_sample_at_the_wrong_place():
    rng = Random(9)
    for _ in range(20):
        buffer, start = Buffer(), rng.getrandbits(31)
        for i in range(200):
            for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
                at = start + 160 * (i + rng.randint(-4, 6))
                buffer.write(at, rng.choice([80, 160, 240, 480]), newest=rng.random() < 0.5)
            play = int(buffer.ring.play[0])
            block = buffer.read()
            expected = sound(play, BLOCK) if play >= start - 10_000 else block
            assert (block[buffer.there[0]] == expected[buffer.there[0]]).all()
