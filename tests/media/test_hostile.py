"""A busy leg under seeded rubbish: no fault, no growth, and the call sounds as before."""

from __future__ import annotations

import gc
import struct
import tracemalloc
from collections import Counter
from random import Random

import numpy as np
import pytest

from media import express
from media.messages import Dtmf, Play, SetGain
from tests.media.soak_datagrams import Scene, Tally
from tests.media.stage import DTMF, PCMA, PCMU, Phone, Stage, packet, strength
from tests.project.tree import ROOT

OWN = tracemalloc.Filter(True, f"{ROOT}/media/*")  # what the worker holds, not the stand


class Rubbish:
    """Datagrams from wholly random to nearly right."""

    def __init__(self, rng: Random, phone: Phone) -> None:
        self._rng = rng
        self._phone = phone

    def __call__(self) -> bytes:
        rng, phone = self._rng, self._phone
        kind = rng.randrange(7)
        if kind == 0:
            return rng.randbytes(rng.choice([0, 1, 2, 8, 11, 12, 13, 40, 172, 500, 1599, 1600, 1601, 4000]))
        payload = rng.randbytes(rng.choice([1, 4, 80, 160, 160, 481, 1200]))
        pt = rng.choice([0, 8, 13, 72, 73, DTMF, 127])
        sequence, stamp = rng.randrange(65536), rng.getrandbits(32)
        if kind == 1:
            return packet(sequence, stamp, rng.getrandbits(32), payload, pt, rng.random() < 0.5)
        if kind == 2:  # right SSRC, wild numbers
            return packet(sequence, stamp, phone.ssrc, payload, pt)
        if kind == 3:  # flags that promise what is not there
            return (
                bytes([rng.choice([0x90, 0xA0, 0x8F, 0xBF])])
                + packet(sequence, stamp, phone.ssrc, payload)[1:]
            )
        if kind == 4:  # the very packet that was sent last, again
            return packet(phone.sequence - 1, phone.timestamp - 160, phone.ssrc, rng.randbytes(160))
        if kind == 5:
            return (
                struct.pack(
                    "!BBH", 0x80 | rng.randrange(32), rng.choice([200, 201, 202, 203, 207]), rng.randrange(99)
                )
                + payload
            )
        return packet(
            sequence, stamp, phone.ssrc, struct.pack("!BBH", rng.randrange(256), rng.randrange(256), 1), DTMF
        )


@pytest.mark.parametrize("codecs", [(PCMU, PCMU), (PCMU, PCMA)], ids=["relayed", "rendered"])
def test_a_call_is_heard_through_rubbish_from_everywhere(codecs):
    stage, rng = Stage(seed=3), Random(17)
    a, b = stage.leg(1, codecs[0], rtcp_mux=True), stage.leg(2, codecs[1])
    stage.do(SetGain(1, 2), SetGain(2, 1))
    a.hertz, b.hertz = 500, 900
    stage.run(0.5)
    rubbish = Rubbish(rng, a)
    strangers = [stage.phone(f"203.0.113.{i}", port=a.port) for i in range(5)]

    def storm(data: bytes):
        for stranger in strangers:
            stage.network.deliver(
                rubbish(), stranger.address, (a.stage.network.address, a.port + rng.randrange(2))
            )
        return (data, *(rubbish() for _ in range(rng.randrange(4))))

    a.tamper = storm
    stage.run(6.0)
    assert strength(a.audio(stage.now - 4.0), 900) > 7900
    heard = b.audio(stage.now - 4.0)
    whole = [each for each in b.got if each.at > stage.now - 4.0 and len(each.payload) == 160]
    assert strength(heard, 500) > 7000
    assert len(whole) >= 195 and len({each.ssrc for each in b.got}) == 1
    assert not any(stranger.got for stranger in strangers)


def test_rubbish_does_not_make_the_worker_grow():
    stage, rng = Stage(seed=4), Random(23)
    a, b = stage.leg(1, rtcp_mux=True), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2), SetGain(2, 1), Play(1, 1, ["none.wav"], True))
    a.hertz = b.hertz = 440
    rubbish = Rubbish(rng, a)
    a.tamper = lambda data: (data, *(rubbish() for _ in range(6)))

    def spell() -> int:
        for _ in range(4):
            stage.run(0.5)
            for phone in (a, b):
                phone.got.clear()
                phone.reports.clear()
            stage.events.clear()
        gc.collect()
        held = tracemalloc.take_snapshot().filter_traces([OWN])
        return sum(each.size for each in held.traces)

    tracemalloc.start()
    spell()
    before = spell()
    after = spell()
    tracemalloc.stop()
    assert before > 0 and after - before < 8 * 1024
    assert stage.told(Dtmf) == []


def test_a_storm_of_random_sources_before_the_phone_speaks_does_not_keep_it_out():
    stage, rng = Stage(seed=5), Random(29)
    a, b = stage.leg(1), stage.leg(2)
    stage.do(SetGain(1, 2))
    for i in range(2000):
        source = (f"203.0.{rng.randrange(256)}.{rng.randrange(256)}", rng.randrange(1, 65536))
        data = packet(i // 8, i * 160, rng.randrange(4), bytes(160))
        stage.network.deliver(data, source, (stage.network.address, a.port))
        if i % 8 == 0:
            stage.run(0.005)
    a.hertz = 440
    stage.run(0.5)
    assert strength(b.audio(stage.now - 0.3), 440) > 7900
    assert len(stage.control.core.table.at(0).latch._candidates) <= 8


def test_ten_thousand_random_batches_keep_every_table_sane():
    stage, rng = Stage(seed=6), Random(31)
    phones = [stage.leg(number, PCMU, PCMA) for number in range(1, 9)]
    for number in range(1, 9):
        stage.do(SetGain(number, number % 8 + 1, rng.choice([1.0, 0.5])))
    rubbish = [Rubbish(rng, phone) for phone in phones]
    core = stage.control.core
    for _ in range(2500):
        for phone, make in zip(phones, rubbish):
            for _ in range(rng.randrange(3)):
                phone.throw(make(), to=int(rng.random() < 0.1))
        stage.run(0.005)
        stage.events.clear()
    table = core.table
    assert np.isfinite(table.rx.jitter).all() and (table.rx.jitter >= 0).all()
    rows = table.rows()
    assert (table.rx.lost(rows) >= 0).all()
    assert (table.tx.sequence[rows] < 1 << 40).all()
    assert len(core.digits.pressed) <= 8


def test_calls_of_all_kinds_are_heard_through_some_thousand_random_datagrams():
    """A sample of `python -m tests.media.soak_datagrams`."""
    scene, tally = Scene(2, express.move), Tally(Counter(), {})
    scene.storm(6000, tally)
    assert tally.escaped == tally.harmed == 0, tally.worst
    assert sum(tally.thrown.values()) >= 6000 and scene.sane()
