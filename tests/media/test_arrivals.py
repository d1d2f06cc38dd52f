"""What is taken before ticks alone is measured, played and reported as if it had been taken when it came."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media.arrivals import Arrivals
from media.messages import Codec, SetGain
from media.network import Batch
from tests.media.stage import PCMU, Stage
from tests.media.test_planes import OPUS, skip_if_missing


class Network:
    """Of which these rows have packets waiting."""

    def __init__(self, *waiting: int) -> None:
        self.waiting = waiting

    def note(self, seen, since, now):
        for row in self.waiting:
            if seen[row] < since:
                seen[row] = now


def talk(codec: Codec, *, patient: bool) -> Stage:
    """Two who hear each other mixed; the one's packets come at any of a tick's four drains, some together."""
    stage, rng = Stage(patient=patient), Random(5)
    one, other = stage.leg(1, codec), stage.leg(2, codec)
    stage.do(SetGain(1, 2, 0.5), SetGain(2, 1, 0.5))
    one.hertz, other.hertz = 440.0, 700.0
    for _ in range(150):
        one.next_at += rng.choice((-0.005, 0.0, 0.0, 0.005))
        stage.run(0.02)
    stage.run(0.005)  # up to a tick
    return stage


@pytest.mark.parametrize("codec", [PCMU, OPUS], ids=lambda codec: codec.name)
def test_a_call_sounds_and_is_measured_as_with_every_drain(codec: Codec):
    skip_if_missing(codec)
    patient, usual = talk(codec, patient=True), talk(codec, patient=False)
    for number in (1, 2):
        assert len(usual.legs[number].got) > 140
        assert patient.legs[number].got == usual.legs[number].got
    assert usual.control.core.table.rx.jitter[0] > 0
    for part in (lambda core: core.table.rx, lambda core: core.planes[codec is OPUS].playout.delays):
        one, other = (part(stage.control.core) for stage in (patient, usual))
        for column in one.SPEC:
            assert np.array_equal(getattr(one, column), getattr(other, column)), column


def test_nothing_is_left_waiting_while_a_leg_is_relayed():
    stage = Stage(patient=True)
    stage.leg(1)
    stage.leg(2)
    stage.do(SetGain(1, 2, 0.5))
    stage.run(0.02)
    assert stage.control.core.patient
    stage.do(SetGain(2, 1))
    stage.run(0.02)
    assert not stage.control.core.patient


def test_a_packet_bears_the_time_at_which_it_was_first_seen():
    arrivals, batch = Arrivals(), Batch(4)
    arrivals.note(Network(1), 2, since=1.0, now=1.005)
    arrivals.note(Network(1, 0), 2, since=1.0, now=1.010)
    arrivals.date(batch, batch.fill([0, 1], [20, 20]), since=1.0, now=1.020)
    assert batch.times[:2].tolist() == [1.010, 1.005]


def test_a_leg_s_second_packet_bears_the_drain_s_time():
    arrivals, batch = Arrivals(), Batch(4)
    arrivals.note(Network(0), 1, since=1.0, now=1.005)
    arrivals.date(batch, batch.fill([0], [20]), since=1.0, now=1.020)
    arrivals.date(batch, batch.fill([0], [20]), since=1.0, now=1.020)
    assert batch.times[0] == 1.020


def test_what_was_noted_before_the_last_drain_is_no_time_of_a_packet_behind_it():
    arrivals, batch = Arrivals(), Batch(4)
    arrivals.note(Network(0), 1, since=1.0, now=1.005)
    arrivals.forget()
    arrivals.note(Network(), 1, since=1.020, now=1.025)
    arrivals.date(batch, batch.fill([0], [20]), since=1.020, now=1.040)
    assert batch.times[0] == 1.040
