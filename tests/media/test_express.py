"""The express lane does to a packet what the general way does, and takes only what it may."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import express
from media.io import native
from media.io.native_lane import NativeLane
from media.messages import LegClosed, SetGain, SetRemote
from media.reception import Reception
from media.transmission import Transmission
from tests.media.stage import DTMF, PCMA, PCMU, Stage

MOVERS = {"python": lambda: express.move, "native": lambda: NativeLane(native.load()).move}


def scene(seed: int, move: express.Mover = express.move) -> Stage:
    """Eight legs in all relations, random weather, and changes while it lasts."""
    stage, rng = Stage(seed=seed, move=move), Random(seed)
    for number in range(1, 9):
        phone = stage.leg(
            number, PCMA if number == 4 else PCMU, rtcp_mux=number == 2, ptime=rng.choice([20, 20, 30])
        )
        phone.hertz = 300.0 + 100 * number
        phone.sequence = rng.randrange(65400, 65536)
        phone.timestamp = (1 << 32) - rng.randrange(80_000)
        phone.tamper = Weather(Random(seed + number))
    edges = [(1, 2), (2, 1), (3, 4), (4, 3), (5, 6), (5, 7), (6, 5), (8, 8), (1, 5)]
    stage.do(*(SetGain(a, b) for a, b in edges))
    for _ in range(12):
        stage.run(0.25)
        a, b = rng.sample(range(1, 9), 2)
        stage.do(SetGain(a, b, rng.choice([0.0, 1.0, 1.0, 0.5])))
        phone = stage.legs[rng.randrange(1, 9)]
        if rng.random() < 0.3:
            phone.press(rng.randrange(12), ends=rng.randrange(4))
        if rng.random() < 0.3:
            phone.ssrc += 1000
        if rng.random() < 0.3:
            stage.do(
                SetRemote(1, stage.legs[1].address, [PCMU], DTMF, False, rng.choice(["sendrecv", "recvonly"]))
            )
    return stage


class Weather:
    """Loss, duplicates and reordering on the way to the worker."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._late: list[bytes] = []

    def __call__(self, data: bytes) -> list[bytes]:
        chance = self._rng.random()
        if chance < 0.02:
            return []
        if chance < 0.04:
            self._late.append(data)
            return []
        late, self._late = self._late, []
        return [data, *([data] if chance < 0.06 else []), *late]


@pytest.mark.parametrize("mover", MOVERS)
@pytest.mark.parametrize("seed", range(1, 7))
def test_calls_sound_the_same_with_and_without_the_lane(seed, mover, monkeypatch):
    fast = scene(seed, MOVERS[mover]())
    assert (fast.control.core.table.rx.armed >= 0).any()
    monkeypatch.setattr(express, "arm", lambda rx, rows, pt: None)
    slow = scene(seed)
    assert not (slow.control.core.table.rx.armed >= 0).any()
    for number in range(1, 9):
        assert fast.legs[number].got == slow.legs[number].got
    assert fast.events == slow.events
    for part in (lambda core: core.table.rx, lambda core: core.table.tx, lambda core: core.planes[0].playout):
        fast_columns, slow_columns = (part(each.control.core) for each in (fast, slow))
        for column in fast_columns.SPEC:
            if column not in ("armed", "window", "window_at"):  # the window is kept as far as it is needed
                assert np.array_equal(getattr(fast_columns, column), getattr(slow_columns, column)), column
    assert not fast.told(LegClosed)


@pytest.mark.parametrize("mover", MOVERS)
def test_nearly_all_packets_of_a_calm_call_take_the_lane(mover, monkeypatch):
    stage = Stage(move=MOVERS[mover]())
    a, b = stage.leg(1), stage.leg(2)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    a.hertz = b.hertz = 440
    taken = []
    general = stage.control.core._take_other
    monkeypatch.setattr(
        stage.control.core,
        "_take_other",
        lambda packets, now: (taken.append(len(packets)), general(packets, now)),
    )
    stage.run(2.0)
    assert len(a.got) == len(b.got) == 100
    assert sum(taken) == 2


def test_what_every_packet_needs_lies_first_in_the_block():
    assert max(Reception.AT[name] for name in ("armed", "relay_to", "heard", "timestamp", "jitter")) == 13
    assert Transmission.AT["stream"] == 0 and Transmission.AT["timestamp_shift"] == 10
