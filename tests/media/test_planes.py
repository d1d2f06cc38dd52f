"""Legs of all codecs in one worker: who hears whom at which rate, and what is relayed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from media import codecs
from media.codecs import g711
from media.legs import Way
from media.messages import CloseLeg, Codec, LegClosed, Play, SetGain, SetRemote
from tests.media.stage import DTMF, PCMA, PCMU, Stage, packet, strength, tone, write_wav

OPUS = Codec(111, "opus", 48000, channels=2)
FEC = Codec(111, "opus", 48000, channels=2, params={"useinbandfec": "1"})
G722 = Codec(9, "G722", 8000)
AMR_WB = Codec(97, "AMR-WB", 16000)
AMR = Codec(98, "AMR", 8000)
L16 = Codec(100, "L16", 16000)
ALL = [OPUS, G722, AMR_WB, AMR, L16]


def wide(codec: Codec) -> bool:
    kind = codecs.find(codec.name, codec.rate)
    assert kind is not None
    return kind.rate == 16000


def skip_if_missing(*wanted: Codec) -> None:
    for codec in wanted:
        if codecs.find(codec.name, codec.rate) is None:
            pytest.skip(f"no library for {codec.name}: {codecs.missing()}")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def way(stage: Stage, number: int) -> Way:
    table = stage.control.core.table
    leg = table.find(number)
    assert leg is not None
    return Way(int(table.common.way[leg.row]))


def connect(stage: Stage, *numbers: int, gain: float = 1.0) -> None:
    stage.do(*(SetGain(a, b, gain) for a in numbers for b in numbers if a != b))


def level(samples: np.ndarray[Any, Any], hertz: float, rate: int) -> float:
    """Amplitude of a frequency in the middle of the samples."""
    middle = samples[len(samples) // 3 :]
    return strength(middle, hertz * 8000 / rate)


@pytest.mark.parametrize("codec", ALL, ids=lambda codec: codec.name)
def test_a_telephone_and_a_leg_of_any_codec_hear_each_other(stage: Stage, codec: Codec) -> None:
    skip_if_missing(codec)
    phone, other = stage.leg(1, PCMU), stage.leg(2, codec)
    connect(stage, 1, 2)
    phone.hertz, other.hertz = 500, 800
    stage.run(1.5)
    assert way(stage, 1) == way(stage, 2) == Way.RENDERED
    assert level(phone.audio(stage.now - 1), 800, 8000) > 4000
    assert level(other.audio(stage.now - 1), 500, other.rate) > 4000
    assert len(other.got) in (74, 75, 76)


@pytest.mark.parametrize("codec", ALL, ids=lambda codec: codec.name)
def test_two_legs_of_one_codec_get_each_others_packets_untouched(stage: Stage, codec: Codec) -> None:
    skip_if_missing(codec)
    a, b = stage.leg(1, codec), stage.leg(2, codec)
    connect(stage, 1, 2)
    a.hertz, b.hertz = 500, 800
    stage.run(0.5)
    assert way(stage, 1) == way(stage, 2) == Way.RELAYED
    assert [heard.payload for heard in b.got] == a.sent[: len(b.got)]
    steps = np.diff([heard.timestamp for heard in b.got])
    assert (steps == codec.rate // 50).all()


def test_a_conference_has_each_listeners_own_band(stage: Stage) -> None:
    skip_if_missing(G722)
    narrow, speaker, listener = stage.leg(1, PCMU), stage.leg(2, G722), stage.leg(3, G722)
    connect(stage, 1, 2, 3)
    narrow.hertz, speaker.hertz, listener.hertz = 700, 5500, 0
    stage.run(1.5)
    heard = listener.audio(stage.now - 1)
    assert level(heard, 5500, 16000) > 3000 and level(heard, 700, 16000) > 6000
    telephone = narrow.audio(stage.now - 1)
    assert telephone.std() < 100, "what a telephone cannot carry is filtered out, not folded back"


def test_calls_of_telephones_alone_never_leave_8_khz(stage: Stage) -> None:
    a, b, c = stage.leg(1, PCMU), stage.leg(2, PCMU), stage.leg(3, PCMU)
    connect(stage, 1, 2, 3)
    a.hertz = b.hertz = c.hertz = 440
    stage.run(0.5)
    narrow, broad = stage.control.core.planes
    assert len(narrow.rows) == 3 and len(broad.rows) == 0


def test_a_source_that_changes_its_codec_is_heard_on(stage: Stage) -> None:
    skip_if_missing(G722)
    phone, other = stage.leg(1, PCMU), stage.leg(2, PCMU, G722)
    connect(stage, 1, 2, gain=0.9)
    other.hertz = 600
    stage.run(1.0)
    other.switch(G722)
    stage.run(1.0)
    assert level(phone.audio(stage.now - 0.8), 600, 8000) > 4000
    narrow, broad = stage.control.core.planes
    assert len(broad.rows) == 1 and len(narrow.rows) == 1


def test_a_source_that_changes_its_codec_with_every_packet_is_not_followed(stage: Stage) -> None:
    """Each change has ways of legs decided anew: that is not to be had for one packet."""
    speaker, core = stage.leg(1, PCMU, PCMA), stage.control.core
    stage.leg(2, PCMU, PCMA)
    connect(stage, 1, 2)
    known = []
    for turn in range(100):
        speaker.send(bytes(160), turn % 2 * 8)
        stage.run(0.02)
        known.append(int(core.table.rx.codec[0]))
    assert 4 <= np.count_nonzero(np.diff(known)) <= 8
    speaker.hertz = 500
    stage.run(2.5)
    assert core.table.rx.codec[0] == codecs.PCMU, "who settles down is believed"


def test_a_late_packet_in_the_codec_before_changes_nothing(stage: Stage) -> None:
    speaker = stage.leg(1, PCMU, PCMA)
    stage.leg(2, PCMU, PCMA)
    connect(stage, 1, 2)
    speaker.hertz = 500
    stage.run(0.5)
    late = packet(speaker.sequence, speaker.timestamp, speaker.ssrc, bytes(160), 0)
    speaker.sequence, speaker.timestamp, speaker.law = speaker.sequence + 1, speaker.timestamp + 160, g711.A
    stage.run(0.3)
    speaker.throw(late)
    stage.run(0.005)
    assert stage.control.core.table.rx.codec[0] == codecs.PCMA


def test_music_is_played_in_the_band_of_the_leg(stage: Stage, tmp_path) -> None:
    skip_if_missing(G722)
    samples = np.concatenate([tone(3000, 4.0)[:64000]])  # at 16 kHz it is 6 kHz
    path = write_wav(tmp_path / "high.wav", samples, 16000)
    leg = stage.leg(1, G722)
    stage.do(Play(1, 1, [path]))
    stage.run(1.5)
    assert level(leg.audio(stage.now - 1), 6000, 16000) > 4000


def test_packets_of_60_ms_have_timestamps_of_the_codecs_clock(stage: Stage) -> None:
    skip_if_missing(OPUS)
    a, b = stage.leg(1, PCMU), stage.leg(2, Codec(111, "opus", 48000, 60, 2))
    connect(stage, 1, 2)
    a.hertz = 440
    stage.run(1.5)
    steps = np.diff([heard.timestamp for heard in b.got])
    assert len(b.got) in (24, 25) and (steps == 2880).all()
    assert [heard.marker for heard in b.got].count(True) == 1


def test_amr_of_another_payload_form_is_not_relayed(stage: Stage) -> None:
    skip_if_missing(AMR)
    stage.leg(1, AMR), stage.leg(2, Codec(98, "AMR", 8000, params={"octet-align": "1"}))
    connect(stage, 1, 2)
    stage.legs[1].hertz = 440
    stage.run(1.0)
    assert way(stage, 2) == Way.RENDERED
    assert level(stage.legs[2].audio(stage.now - 0.6), 440, 8000) > 3000


@pytest.mark.parametrize("codec", [OPUS, G722, AMR_WB], ids=lambda codec: codec.name)
def test_a_call_goes_on_when_it_is_taken_from_a_telephone_to_a_leg_of_another_codec(
    stage: Stage, codec: Codec
) -> None:
    skip_if_missing(codec)
    customer, agent, other = stage.leg(1, codec), stage.leg(2, PCMU), stage.leg(3, codec)
    customer.hertz, agent.hertz, other.hertz = 0, 500, 900
    connect(stage, 1, 2)
    stage.run(1.0)
    stage.do(SetGain(2, 1, 0), SetGain(1, 2, 0))
    connect(stage, 1, 3)
    stage.run(1.0)
    assert way(stage, 1) == Way.RELAYED
    sequence = [heard.sequence for heard in customer.got]
    assert (np.diff(sequence) & 0xFFFF == 1).all(), "the stream goes on as one"
    steps = np.diff([heard.timestamp for heard in customer.got]) & 0xFFFFFFFF
    assert (steps <= codec.rate // 50 * 3).all() and (steps > 0).all()


def test_legs_that_come_and_go_give_their_slots_back(stage: Stage) -> None:
    skip_if_missing(G722)
    for turn in range(40):
        a, b = stage.leg(2 * turn + 1, PCMU), stage.leg(2 * turn + 2, G722)
        connect(stage, 2 * turn + 1, 2 * turn + 2)
        a.hertz = b.hertz = 440
        stage.run(0.1)
        stage.do(CloseLeg(2 * turn + 1), CloseLeg(2 * turn + 2))
    assert [plane.playout.rows for plane in stage.control.core.planes] == [16, 16]
    core = stage.control.core
    assert len(core.hearing.decoding) == len(core.packer.encoding) == 0


def test_a_call_renegotiated_to_a_narrower_codec_is_heard_on(stage: Stage) -> None:
    skip_if_missing(OPUS)
    a, b = stage.leg(1, OPUS), stage.leg(2, PCMU)
    connect(stage, 1, 2)
    a.hertz = b.hertz = 600
    stage.run(0.6)
    stage.do(SetRemote(1, a.address, [PCMU], DTMF))
    a.switch(PCMU)
    stage.run(0.6)
    assert way(stage, 1) == way(stage, 2) == Way.RELAYED
    assert level(b.audio(stage.now - 0.4), 600, 8000) > 4000


def test_a_leg_begins_with_no_late_packets_of_the_one_that_had_its_row_before(stage: Stage) -> None:
    for number in (1, 3):
        speaker = stage.leg(number)
        stage.leg(number + 1)
        stage.do(SetGain(number, number + 1, 0.5))
        speaker.hertz = 440.0
        stage.run(0.3)
        if number == 1:
            stage.control.core.planes[0].playout.late[:] += 3
        stage.do(CloseLeg(number), CloseLeg(number + 1))
    late = {event.leg: event.stats.late for event in stage.told(LegClosed)}
    assert late == {1: 3, 2: 0, 3: 0, 4: 0}


@pytest.mark.parametrize("run", [1, 2, 3])
def test_packets_lost_in_a_row_are_made_up_in_their_time_and_cost_no_delay(stage: Stage, run: int) -> None:
    skip_if_missing(OPUS)
    speaker, listener = stage.leg(1, FEC), stage.leg(2, PCMU)
    speaker.coder.tune(codecs.Tuning(fec_loss=20))
    connect(stage, 1, 2)
    speaker.hertz = 600
    speaker.tamper = lambda data: () if speaker.sequence % 20 < run else (data,)
    stage.run(4.0)
    playout, here = stage.control.core.planes[1].playout, stage.control.core.planes[1].slots
    assert playout.accelerated[here] < 16_000 // 50
    assert playout.depth_ms(here) <= 20 + 20 * run
    assert playout.concealed[here] <= 200 * run / 20 * 320 * 1.1
    assert level(listener.audio(stage.now - 2), 600, 8000) > 5000
