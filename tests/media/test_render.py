"""The rendered way: transcoding, packet times, digits, music, and silence that keeps flowing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from media.messages import CloseLeg, Codec, Dtmf, Play, PlayDone, SendDtmf, SetGain, SetRemote, Stop
from tests.media.stage import DTMF, PCMA, PCMU, Stage, strength, tone, write_wav


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def music(tmp_path) -> str:
    return write_wav(tmp_path / "music.wav", tone(300, 1.0))


def test_mu_law_and_a_law_hear_each_other(stage):
    a, b = stage.leg(1, PCMU), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    a.hertz, b.hertz = 500, 900
    stage.run(1.0)
    assert strength(a.audio(stage.now - 0.5), 900) == pytest.approx(8000, rel=0.02)
    assert strength(b.audio(stage.now - 0.5), 500) == pytest.approx(8000, rel=0.02)


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_packets_go_out_with_the_packet_time_that_was_agreed(stage, music, ptime):
    phone = stage.leg(1, Codec(0, "PCMU", 8000, ptime))
    stage.do(Play(1, 1, [music], loop=True))
    stage.run(1.21)
    assert {len(heard.payload) for heard in phone.got} == {8 * ptime}
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(phone.got)} == {8 * ptime}
    assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(phone.got)} == {1}
    assert len(phone.got) in (1220 // ptime, 1220 // ptime - 1, 1200 // ptime)
    assert strength(phone.audio(), 300) > 7000


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_packets_of_any_packet_time_are_understood(stage, ptime):
    a, b = stage.leg(1, ptime=ptime), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    a.hertz = 440
    stage.run(1.0)
    assert strength(b.audio(stage.now - 0.5), 440) == pytest.approx(8000, rel=0.02)


def test_gain_makes_a_source_softer(stage):
    a, b = stage.leg(1), stage.leg(2)
    stage.do(SetGain(1, 2, 0.25))
    a.hertz = 440
    stage.run(1.0)
    assert strength(b.audio(stage.now - 0.5), 440) == pytest.approx(2000, rel=0.03)


def test_reordered_packets_with_jitter_are_heard_whole(stage):
    a, b = stage.leg(1), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    kept: list[bytes] = []

    def swap(data: bytes):
        if a.sequence % 3 == 0:
            kept.append(data)
            return ()
        return (data, data, kept.pop()) if kept else (data,)

    a.tamper, a.hertz = swap, 440
    stage.run(1.5)
    sound = b.audio(stage.now - 1.0)
    assert strength(sound, 440) == pytest.approx(8000, rel=0.02)
    assert np.sqrt(np.mean(sound.astype(float) ** 2)) == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_music_goes_on_over_an_announcement_and_is_told_done_in_order(stage, music, tmp_path):
    prompt = write_wav(tmp_path / "prompt.wav", tone(1000, 0.3), 8000)
    phone = stage.leg(1)
    stage.do(Play(1, 1, [music], loop=True))
    stage.run(0.4)
    stage.do(Play(1, 2, [prompt]))
    stage.run(0.2)
    assert strength(phone.audio(stage.now - 0.15), 1000) > 7000
    stage.run(0.4)
    assert stage.told(PlayDone) == [PlayDone(1, 2, True)]
    assert strength(phone.audio(stage.now - 0.15), 300) > 7000
    stage.do(Stop(1))
    assert stage.told(PlayDone)[1:] == [PlayDone(1, 1, False)]
    count = len(phone.got)
    stage.run(0.2)
    assert len(phone.got) == count  # nothing to say, nobody to hear: nothing is sent


def test_a_file_that_is_not_there_is_a_play_that_did_not_complete(stage):
    stage.leg(1)
    stage.do(Play(1, 5, ["/nowhere/at/all.wav"]))
    stage.run(0.1)
    assert stage.told(PlayDone) == [PlayDone(1, 5, False)]


def test_silence_flows_to_a_leg_that_hears_a_silent_one_rendered(stage):
    stage.leg(1)
    b = stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    stage.run(0.5)
    assert len(b.got) == 25 and not (np.abs(b.audio()) > 8).any()


def test_time_of_music_passes_while_the_far_end_holds(stage, tmp_path):
    ramp = write_wav(tmp_path / "ramp.wav", np.repeat(np.arange(1, 101, dtype=np.int16) * 200, 160))
    phone = stage.leg(1)
    stage.do(Play(1, 1, [ramp], loop=True))
    stage.run(0.2)
    stage.do(SetRemote(1, phone.address, [PCMU], DTMF, False, "recvonly"))
    stage.run(0.2)
    held = len(phone.got)
    stage.do(SetRemote(1, phone.address, [PCMU], DTMF, False, "sendrecv"))
    stage.run(0.2)
    assert held <= 11
    values = phone.audio()[80::160] / 200
    assert values[held] - values[held - 1] == pytest.approx(11, abs=1.5)
    assert phone.got[held].timestamp - phone.got[held - 1].timestamp == pytest.approx(1760, abs=161)
    assert phone.got[held].sequence - phone.got[held - 1].sequence == 1


def test_digits_are_sent_as_events_and_the_sound_goes_on_after(stage, music):
    phone = stage.leg(1)
    stage.do(Play(1, 1, [music], loop=True))
    stage.run(0.3)
    stage.do(SendDtmf(1, "4#", 100))
    stage.run(0.8)
    events = [heard for heard in phone.got if heard.pt == DTMF]
    assert [heard.payload[0] for heard in events] == [4] * 7 + [11] * 7
    assert len({heard.timestamp for heard in events}) == 2
    assert [heard.marker for heard in events] == [True, *[False] * 6] * 2
    numbers = [heard.sequence for heard in phone.got]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1}
    stamps = [heard.timestamp for heard in phone.got]
    assert all((b - a) & 0xFFFFFFFF < 1 << 31 for a, b in pairwise(stamps))
    first_after = next(heard for heard in phone.got if heard.at > events[-1].at)
    passed = (first_after.timestamp - events[-1].timestamp) & 0xFFFFFFFF
    assert passed == pytest.approx((first_after.at - events[7].at) * 8000, abs=161)


def test_a_key_pressed_on_one_leg_reaches_those_who_hear_it_rendered(stage):
    a, b = stage.leg(1, PCMU), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    a.hertz = 440
    stage.run(0.3)
    a.press(3)
    stage.run(0.5)
    events = [heard for heard in b.got if heard.pt == DTMF]
    assert {heard.payload[0] for heard in events} == {3} and len({heard.timestamp for heard in events}) == 1
    assert [event.digit for event in stage.told(Dtmf)] == ["3"]


def test_keys_are_kept_from_who_is_not_to_be_dialled_them_and_leave_no_gap_there(stage):
    a, b = stage.leg(1, PCMU), stage.leg(2, PCMA)
    c = stage.leg(3, PCMA)
    stage.do(SetGain(1, 2, keys=False), SetGain(3, 2), SetGain(1, 3))
    a.hertz = 440
    stage.run(0.3)
    a.press(3)
    stage.run(0.5)
    assert [heard.pt for heard in b.got if heard.pt == DTMF] == []
    assert any(heard.pt == DTMF for heard in c.got), "another one is dialled them"
    assert np.diff([heard.at for heard in b.got[5:]]).max() < 0.021
    stage.do(SetGain(1, 2))
    a.press(4)
    stage.run(0.5)
    assert {heard.payload[0] for heard in b.got if heard.pt == DTMF} == {4}, "until told otherwise"


def test_skipped_ticks_leave_a_gap_in_time_not_in_sequence(stage, music):
    phone = stage.leg(1)
    stage.do(Play(1, 1, [music], loop=True))
    stage.run(0.2)
    stage.now += 0.4
    stage.control.tick(stage.now, skipped=20)
    before, after = phone.got[-2:]
    assert after.sequence - before.sequence == 1
    assert after.timestamp - before.timestamp == 160 * 21


def test_many_calls_render_side_by_side_without_hearing_each_other():
    stage = Stage(ports=(4000, 5000))
    legs = {number: stage.leg(number, PCMU if number % 2 else PCMA) for number in range(1, 101)}
    for number in range(1, 101, 2):
        stage.do(SetGain(number, number + 1), SetGain(number + 1, number))
    for number, phone in legs.items():
        phone.hertz = 300 + 25 * number
    stage.run(0.6)
    for number, phone in legs.items():
        other = number + 1 if number % 2 else number - 1
        sound = phone.audio(stage.now - 0.3)
        assert strength(sound, 300 + 25 * other) > 7500
        assert strength(sound, 300 + 25 * number) < 700
    stage.do(*(CloseLeg(number) for number in legs))
    assert stage.control.idle
