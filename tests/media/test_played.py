"""What play-out did to a leg's sound is told in the leg's figures, in ms."""

from __future__ import annotations

import pytest

from media import codecs
from media.messages import CloseLeg, Codec, LegClosed, LegStats, SetGain
from tests.media.stage import PCMA, PCMU, Phone, Stage

G722 = Codec(9, "G722", 8000)
AMR = Codec(97, "AMR", 8000)


def call(*agreed: Codec, to: Codec = PCMA) -> tuple[Stage, Phone]:
    stage = Stage()
    speaker = stage.leg(1, *agreed)
    stage.leg(2, to, repair="off")
    stage.do(SetGain(1, 2), SetGain(2, 1))
    speaker.hertz = 440
    stage.run(1.0)
    return stage, speaker


def closed(stage: Stage) -> LegStats:
    stage.do(CloseLeg(1))
    return stage.last(LegClosed).stats


def lose(speaker: Phone, one_in: int) -> None:
    speaker.tamper = lambda data: () if speaker.sequence % one_in == 0 else (data,)


def test_what_was_made_up_for_losses_is_told() -> None:
    stage, speaker = call(PCMU)
    lose(speaker, 10)
    stage.run(4.0)
    stats = closed(stage)
    assert stats.concealed_ms == pytest.approx(20 * stats.lost, abs=40) and stats.lost > 15
    assert stats.resets == stats.failed == 0


def test_a_relayed_leg_has_nothing_made_up() -> None:
    stage, speaker = call(PCMU, to=PCMU)
    lose(speaker, 10)
    stage.run(4.0)
    stats = closed(stage)
    assert stats.lost > 15 and stats.concealed_ms == stats.accelerated_ms == stats.expanded_ms == 0


def test_it_outlasts_a_change_of_plane() -> None:
    stage, speaker = call(PCMU, G722)
    lose(speaker, 10)
    stage.run(2.0)
    speaker.switch(G722)
    stage.run(2.0)
    stats = closed(stage)
    assert stats.concealed_ms == pytest.approx(20 * stats.lost, abs=60) and stats.lost > 15


def test_nothing_is_made_up_while_the_far_end_rests() -> None:
    """It said so (RFC 3389), and is silent for four seconds."""
    stage, speaker = call(PCMU, Codec(13, "CN"))
    before = stage.control.core.hearing.played(stage.control.core.table.rows()[:1])[0, 1]
    speaker.hertz = 0
    speaker.send(bytes([60]), 13, 160)
    stage.run(4.0)
    assert closed(stage).concealed_ms - before <= 40


def test_depth_that_is_changed_by_stretching_and_times_that_leap_are_told() -> None:
    stage, speaker = call(PCMU)
    speaker.timestamp += 8000 * 5
    stage.run(2.0)
    kept: list[bytes] = []
    speaker.tamper = lambda data: kept.append(data) or ()
    stage.run(0.15)
    speaker.tamper = None
    for data in kept:
        speaker.throw(data)
        stage.run(0.005)
    stage.run(6.0)
    stats = closed(stage)
    assert stats.resets >= 1 and stats.expanded_ms + stats.accelerated_ms > 10


def test_packets_that_no_decoder_took_are_told() -> None:
    if not codecs.available(codecs.AMR):
        pytest.skip(f"no library: {codecs.missing()}")
    stage, speaker = call(AMR)
    for _ in range(3):
        speaker.send(b"\xf6", 97, 160)  # a frame of a reserved type
        stage.run(0.02)
    stage.run(0.2)
    assert closed(stage).failed == 3
