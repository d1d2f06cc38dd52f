"""Coded legs through the worker: their parameters, their streams, and what their far ends wish for."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs
from media.codecs import Tuning
from media.messages import Codec, SetGain
from tests.media.stage import PCMU, Stage, strength

OPUS = Codec(111, "opus", 48000, channels=2)
G722 = Codec(9, "G722", 8000)
AMR_WB = Codec(97, "AMR-WB", 16000, params={"octet-align": "1"})
AMR = Codec(98, "AMR", 8000, params={"octet-align": "1"})
CODED = [OPUS, G722, AMR_WB, AMR]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def connect(stage: Stage, *numbers: int, gain: float = 1.0) -> None:
    stage.do(*(SetGain(a, b, gain) for a in numbers for b in numbers if a != b))


def heard(stage: Stage, number: int, hertz: float, seconds: float) -> float:
    """Amplitude of a frequency in what a G.711 phone heard lately."""
    return strength(stage.legs[number].audio(stage.now - seconds), hertz)


@pytest.mark.parametrize("codec", CODED, ids=lambda codec: codec.name)
def test_a_leg_that_was_relayed_for_a_while_is_heard_at_once_when_it_is_rendered_again(
    stage: Stage, codec: Codec
):
    """Its parameters are known still, and the packets that nobody decoded are not waited for."""
    coded, _, agent = stage.leg(1, codec), stage.leg(2, codec), stage.leg(3, PCMU)
    coded.hertz = 700
    connect(stage, 1, 3)
    stage.run(0.4)
    stage.do(SetGain(1, 3, 0), SetGain(3, 1, 0))
    connect(stage, 1, 2)
    stage.run(3.0)
    stage.do(SetGain(1, 2, 0), SetGain(2, 1, 0))
    connect(stage, 1, 3)
    stage.run(0.5)
    assert heard(stage, 3, 700, 0.3) > 3000
    assert not agent.hertz


@pytest.mark.parametrize("step", [-40, 40])
def test_another_stream_that_counts_near_the_one_before_is_heard(stage: Stage, step: int):
    coded, _ = stage.leg(1, OPUS), stage.leg(2, PCMU)
    coded.hertz = 700
    connect(stage, 1, 2)
    stage.run(1.0)
    coded.hertz = 0
    stage.run(0.1)
    coded.ssrc ^= 0x5555
    coded.sequence = coded.sequence + step & 0xFFFF
    coded.timestamp += 123_456_789
    coded.hertz = 700
    stage.run(0.6)
    assert heard(stage, 2, 700, 0.3) > 3000


def test_a_phone_that_asks_for_a_lower_mode_gets_it(stage: Stage):
    phone, other = stage.leg(1, AMR_WB), stage.leg(2, PCMU)
    phone.hertz, other.hertz = 500, 800
    connect(stage, 1, 2)
    stage.run(0.4)
    before = {len(packet.payload) for packet in phone.got[-5:]}
    phone.coder.tune(Tuning(request=0))
    stage.run(0.4)
    after = {len(packet.payload) for packet in phone.got[-5:]}
    assert after == {2 + 17} and min(before) > 19


def test_copies_fill_the_gaps_of_a_lossy_way(stage: Stage):
    red = Codec(112, "red", 48000, channels=2)
    coded, _ = stage.leg(1, OPUS, red), stage.leg(2, PCMU)
    connect(stage, 1, 2)
    sent, encoder = [], codecs.encoder(codecs.OPUS, {})
    rng = np.random.default_rng(5)
    time = np.arange(320) / 16_000
    for n in range(100):
        sound = (8000 * np.sin(2 * np.pi * 700 * (time + n * 0.02))).astype(np.int16)
        sent.append(encoder.encode(sound))
        blocks = [(back, sent[n - back]) for back in (2, 1) if n >= back]
        head = b"".join(
            (1 << 31 | 111 << 24 | 960 * back << 10 | len(old)).to_bytes(4, "big") for back, old in blocks
        )
        payload = head + bytes([111]) + b"".join(old for _, old in blocks) + sent[n]
        if n < 5 or rng.random() > 0.2:
            coded.send(payload, 112, 960)
        else:
            coded.sequence = coded.sequence + 1 & 0xFFFF
            coded.timestamp += 960
        stage.run(0.02)
    core = stage.control.core
    row = core.table.find(1).row
    assert heard(stage, 2, 700, 1.5) > 7000
    assert core.hearing.decoding.late(row) == 0
