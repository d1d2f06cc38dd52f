"""Troubles: told within three seconds, once, in words that help, and told to be over."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import rtcp
from media.codecs import g711
from media.diagnosis import SIGNS
from media.messages import CloseLeg, Codec, SetGain, SetRemote, Trouble
from media.rtcp import Block, SenderInfo
from tests.media.stage import DTMF, PCMA, PCMU, Phone, Stage, tone

SOON = 3.0  # s


def told(stage: Stage, leg: int = 1) -> list[tuple[str, bool]]:
    return [(trouble.kind, trouble.over) for trouble in stage.told(Trouble) if trouble.leg == leg]


@pytest.fixture
def stage() -> Stage:
    """Two phones in a relayed call, both talking."""
    stage = Stage()
    for number in (1, 2):
        stage.leg(number).hertz = 440
    stage.do(SetGain(1, 2), SetGain(2, 1))
    stage.run(1.0)
    return stage


@pytest.fixture
def mixed() -> Stage:
    """The same, rendered: what they say is decoded."""
    stage = Stage()
    for number in (1, 2):
        stage.leg(number).hertz = 440
    stage.do(SetGain(1, 2, 0.9), SetGain(2, 1, 0.9))
    stage.run(1.0)
    return stage


def test_a_call_that_is_well_has_no_trouble(stage):
    stage.run(20.0)
    assert stage.told(Trouble) == []


def test_a_phone_that_never_sends_is_no_rtp_when_nothing_is_sent_to_it_either():
    stage = Stage()
    stage.leg(1)
    stage.run(SOON)
    assert told(stage) == [("no_rtp", False)]
    assert "192.0.2.1:20000" in stage.last(Trouble).cause and "firewall" in stage.last(Trouble).cause


def test_a_phone_that_falls_silent_while_it_is_spoken_to_is_one_way_and_over_when_it_is_back(stage):
    phone = stage.legs[1]
    phone.hertz = 0
    stage.run(SOON)
    assert told(stage) == [("one_way", False)] and "this party is not heard" in stage.last(Trouble).cause
    stage.run(10.0)
    phone.hertz, phone.next_at = 440, stage.now
    stage.run(1.5)
    assert told(stage) == [("one_way", False), ("one_way", True)] and told(stage, 2) == []


def test_the_time_it_began_is_told_in_seconds_since_1970(stage):
    at = stage.now
    stage.legs[1].hertz = 0
    stage.run(SOON)
    assert stage.last(Trouble).since - 1_700_000_000.0 - at == pytest.approx(2.1, abs=0.2)


def test_a_phone_on_hold_owes_no_sound(stage):
    stage.do(SetRemote(1, stage.legs[1].address, [PCMU], DTMF, direction="sendonly"))
    stage.legs[1].hertz = 0
    stage.run(8.0)
    assert told(stage) == []


def report(stage: Stage, phone: Phone, highest: int) -> bytes:
    ours = phone.got[-1].ssrc
    return rtcp.build(phone.ssrc, SenderInfo(0, 0, 1, 1), Block(ours, 0, 0, highest, 0, 0, 0), b"phone")


def test_a_far_end_whose_reports_see_nothing_new_of_ours_hears_nothing(stage):
    phone = stage.legs[1]
    for highest in (100, 200, 200, 200):
        phone.throw(report(stage, phone, highest), to=1)
        stage.run(1.5)
    assert told(stage) == [("one_way", False)] and "none of our packets arrive" in stage.last(Trouble).cause
    phone.throw(report(stage, phone, 300), to=1)
    stage.run(1.5)
    assert told(stage)[-1] == ("one_way", True)


def test_who_reports_again_at_once_is_not_deaf_to_what_is_under_way(stage):
    phone = stage.legs[1]
    for highest, passes in ((100, 0.9), (145, 0.2), (145, 0.5)):
        phone.throw(report(stage, phone, highest), to=1)
        stage.run(passes)
    assert told(stage) == []


def test_who_reports_what_it_hears_apart_from_what_it_sends_is_not_deaf(stage):
    """As Chromium does: sender reports without a block, and receiver reports with it."""
    phone = stage.legs[1]
    sends = rtcp.build(phone.ssrc, SenderInfo(0, 0, 1, 1), None, b"phone")

    def hears(highest: int) -> bytes:
        return rtcp.build(phone.ssrc, None, Block(phone.got[-1].ssrc, 0, 0, highest, 0, 0, 0), b"phone")

    for data in (hears(100), sends, sends, hears(500), sends):
        phone.throw(data, to=1)
        stage.run(2.0)
    assert told(stage) == []
    for data in (hears(500), sends):
        phone.throw(data, to=1)
        stage.run(2.0)
    assert told(stage) == [("one_way", False)]


def test_who_forgot_our_stream_while_we_paused_is_not_deaf_when_we_speak_again(stage):
    """As browsers do whose person puts the other side on hold: their next report knows of no stream."""
    phone = stage.legs[1]
    phone.throw(report(stage, phone, 100), to=1)
    stage.run(2.0)
    stage.do(SetRemote(1, phone.address, [PCMU], DTMF, direction="recvonly"))
    phone.throw(rtcp.build(phone.ssrc, SenderInfo(0, 0, 1, 1), None, b"phone"), to=1)
    stage.run(3.0)
    stage.do(SetRemote(1, phone.address, [PCMU], DTMF))
    stage.run(2.0)
    assert told(stage) == []


def test_a_payload_type_that_was_not_agreed_on_is_named():
    stage = Stage()
    phone = stage.leg(1)
    for _ in range(150):
        phone.send(bytes(50), pt=111)
        stage.run(0.02)
    assert told(stage)[:1] == [("wrong_payload", False)]
    assert "payload type 111" in stage.told(Trouble)[0].cause


def test_one_stray_packet_among_good_ones_is_no_wrong_payload(stage):
    for _ in range(20):
        stage.legs[1].send(bytes(50), pt=111, span=0)
        stage.run(0.3)
    assert told(stage) == []


def test_another_stream_in_the_middle_is_told_and_soon_over(stage):
    phone = stage.legs[1]
    phone.hertz = 0
    stage.run(0.2)
    phone.ssrc, phone.sequence, phone.hertz, phone.next_at = 0xBEEF, 5, 440, stage.now
    stage.run(SOON)
    assert told(stage) == [("ssrc_change", False)]
    stage.run(5.0)
    assert told(stage) == [("ssrc_change", False), ("ssrc_change", True)]


def test_another_stream_after_the_far_end_moved_by_agreement_is_no_news(stage):
    phone = stage.phone("192.0.2.77", port=30_000)
    phone.port, phone.hertz = stage.legs[1].port, 440
    stage.legs[1].hertz = 0
    stage.do(SetRemote(1, phone.address, [PCMU], DTMF))
    stage.run(4.0)
    assert told(stage) == []


def drifting(stage: Stage, phone: Phone, ppm: float, jitter: float, seconds: float, rng: Random) -> None:
    """The phone sends by a clock of its own, every packet up to `jitter` s late."""
    period = 0.02 / (1 + ppm * 1e-6)
    phone.hertz = 0
    due = [(i * period + rng.random() * jitter) for i in range(int(seconds / period))]
    start, done = stage.now, 0
    while done < len(due):
        while done < len(due) and start + due[done] <= stage.now:
            phone.send(g711.encode(0, tone(440, 0.02)).tobytes())
            done += 1
        stage.run(0.005)


def test_a_clock_that_is_off_by_one_percent_is_found_within_three_seconds(stage):
    drifting(stage, stage.legs[1], 10_000, 0.001, SOON, Random(1))
    assert ("clock_drift", False) in told(stage)
    assert "faster than ours" in stage.told(Trouble)[0].cause


@pytest.mark.parametrize("ppm", [-600, 600])
def test_a_clock_that_is_off_by_more_than_telephones_may_is_found_in_jitter(ppm):
    stage = Stage()
    phone = stage.leg(1)
    drifting(stage, phone, ppm, 0.005, 34.0, Random(2))
    assert told(stage) == [("clock_drift", False)]
    assert ("faster" if ppm > 0 else "slower") in stage.last(Trouble).cause


@pytest.mark.parametrize("step", [-0.03, 0.03], ids=["shorter", "longer"])
def test_a_way_that_becomes_another_at_once_is_no_drift(step):
    stage = Stage()
    phone = stage.leg(1)
    due = [stage.now + 0.05 + 0.02 * i + (step if i >= 150 else 0.0) for i in range(400)]
    while due:
        while due and due[0] <= stage.now:
            phone.send(g711.encode(0, tone(440, 0.02)).tobytes())
            del due[0]
        stage.run(0.005)
    assert told(stage) == []


@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.08])
def test_jitter_alone_is_no_drift(jitter):
    stage = Stage()
    drifting(stage, stage.leg(1), 50, jitter, 34.0, Random(3))
    assert told(stage) == []


def test_digital_silence_while_the_other_side_talks_is_told_and_over_at_the_first_sound(mixed):
    phone = mixed.legs[1]
    phone.hertz = 1e-9  # speaks, and says zeros
    mixed.run(SOON)
    assert told(mixed) == [("silence", False)] and "muted" in mixed.last(Trouble).cause
    phone.hertz = 440
    mixed.run(1.0)
    assert told(mixed) == [("silence", False), ("silence", True)] and told(mixed, 2) == []


@pytest.mark.parametrize("leg", [1, 2])
def test_a_silent_leg_that_is_closed_is_no_trouble_of_another(mixed, leg):
    mixed.legs[leg].hertz = 1e-9
    mixed.run(SOON)
    assert told(mixed, leg) == [("silence", False)]
    mixed.do(CloseLeg(leg))
    mixed.run(SOON)
    assert told(mixed, 3 - leg) == []


def test_two_who_are_both_silent_are_at_rest(mixed):
    for phone in mixed.legs.values():
        phone.hertz = 1e-9
    mixed.run(5.0)
    assert mixed.told(Trouble) == []


def test_clipped_sound_is_told_and_loud_sound_is_not(mixed):
    def speak(level: float) -> None:
        wave = level * 32_768 * np.sin(2 * np.pi * 300 * np.arange(160) / 8000)
        samples = np.clip(wave, -32_768, 32_767).astype(np.int16)
        mixed.legs[1].send(g711.encode(0, samples).tobytes())

    mixed.legs[1].hertz = 0
    for level, expected in ((0.85, []), (3.0, [("clipping", False)])):
        for _ in range(150):
            speak(level)
            mixed.run(0.02)
        assert told(mixed) == expected
    for _ in range(350):
        speak(0.2)
        mixed.run(0.02)
    assert told(mixed)[-1] == ("clipping", True)


def test_a_leg_in_a_row_used_before_begins_without_its_troubles(stage):
    stage.legs[1].hertz = 0
    stage.run(3.0)
    stage.do(CloseLeg(1))
    stage.leg(3).hertz = 440
    stage.run(4.0)
    assert told(stage, 3) == []


def test_thousands_of_legs_are_looked_at_in_a_few_array_operations():
    stage = Stage(ports=(4000, 10_000))
    for number in range(1, 251):
        stage.leg(number, PCMA if number % 2 else PCMU)
    stage.run(SOON)
    assert {trouble.leg for trouble in stage.told(Trouble)} == set(range(1, 251))


def test_every_trouble_says_what_is_wrong_why_and_what_to_do():
    for rule in SIGNS.values():
        assert "{remote}" in rule.words and rule.words.count(";") >= 1 and len(rule.words) > 120


def test_a_codec_list_may_let_the_far_end_rest(stage):
    stage.do(SetRemote(2, stage.legs[2].address, [PCMU, Codec(13, "CN")], DTMF))
    stage.legs[2].hertz = 0
    stage.run(6.0)
    assert told(stage, 2) == []
