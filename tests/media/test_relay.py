"""The relayed way: payloads untouched, and a far end that never notices a change."""

from __future__ import annotations

import pytest

from media.legs import Way
from media.messages import CloseLeg, Codec, Dtmf, Play, SetGain, SetRemote, Stop
from tests.media.stage import DTMF, PCMA, PCMU, Phone, Stage, strength, tone, write_wav


@pytest.fixture
def stage() -> Stage:
    return Stage()


def bridge(stage: Stage, *legs: int) -> None:
    stage.do(*(SetGain(a, b) for a in legs for b in legs if a != b))


def part(stage: Stage, *legs: int) -> None:
    stage.do(*(SetGain(a, b, 0.0) for a in legs for b in legs if a != b))


def way(stage: Stage, number: int) -> Way:
    leg = stage.control.core.table.find(number)
    assert leg is not None
    return Way(int(stage.control.core.table.common.way[leg.row]))


def assert_one_stream(phone: Phone) -> None:
    """What a far end wants: one SSRC, sequence numbers without a gap, time that fits the clock."""
    assert len({heard.ssrc for heard in phone.got}) == 1
    for before, after in zip(phone.got, phone.got[1:]):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        passed = (after.timestamp - before.timestamp) & 0xFFFFFFFF
        assert passed < 1 << 31
        if after.pt != DTMF and before.pt != DTMF:
            assert passed >= len(before.payload)
            assert abs(passed - (after.at - before.at) * 8000) <= 240


def test_packets_pass_at_once_and_untouched(stage):
    a, b = stage.leg(1), stage.leg(2)
    bridge(stage, 1, 2)
    a.hertz = b.hertz = 440
    stage.run(0.5)
    assert way(stage, 2) is Way.RELAYED
    assert b.got[3].payload == tone_payload(3)
    assert b.got[0].ssrc not in (a.ssrc, b.ssrc)
    assert all(heard.at - 100.0 - 0.02 * i < 0.0051 for i, heard in enumerate(b.got))


def tone_payload(number: int) -> bytes:
    from media.codecs import g711

    return g711.encode(g711.MU, tone(440, 0.02, start=160 * number)).tobytes()


def test_a_change_of_source_is_one_stream_to_the_far_end(stage):
    caller, first, second = stage.leg(1), stage.leg(2), stage.leg(3)
    first.hertz, second.hertz = 500, 900
    for source, other in ((2, 3), (3, 2), (2, 3)):
        stage.do(SetGain(other, 1, 0.0), SetGain(source, 1))
        stage.run(0.4)
    assert_one_stream(caller)
    assert strength(caller.audio()[:3000], 500) > 7000 and strength(caller.audio()[3300:6300], 900) > 7000
    assert sum(heard.marker for heard in caller.got) == 3


def test_music_prompt_agent_hold_and_back_are_one_stream(stage, tmp_path):
    music = write_wav(tmp_path / "music.wav", tone(300, 2.0))
    caller, agent = stage.leg(1), stage.leg(2)
    caller.hertz = agent.hertz = 700
    stage.do(Play(1, 1, [music], loop=True))
    stage.run(0.313)
    assert way(stage, 1) is Way.RENDERED
    stage.do(Stop(1))
    bridge(stage, 1, 2)
    stage.run(0.405)
    assert way(stage, 1) is Way.RELAYED
    part(stage, 1, 2)
    stage.do(Play(1, 2, [music], loop=True))
    stage.run(0.5)
    stage.do(Stop(1, 2))
    stage.run(0.2)
    bridge(stage, 1, 2)
    stage.run(0.5)
    assert_one_stream(caller)
    assert strength(caller.audio(stage.now - 0.4), 700) > 7000


def test_a_far_end_that_restarts_its_stream_is_one_stream_to_the_other(stage):
    a, b = stage.leg(1), stage.leg(2)
    bridge(stage, 1, 2)
    a.hertz = 440
    stage.run(0.5)
    a.ssrc, a.sequence, a.timestamp = 0x1234, 7, 99
    stage.run(0.5)
    assert_one_stream(b)
    assert len(b.got) > 40


def test_loss_on_the_way_in_is_seen_as_loss_on_the_way_out(stage):
    a, b = stage.leg(1), stage.leg(2)
    bridge(stage, 1, 2)
    a.hertz = 440
    a.tamper = lambda data: () if a.sequence in (1010, 1011) else (data,)
    stage.run(0.6)
    steps = [(y.sequence - x.sequence, y.timestamp - x.timestamp) for x, y in zip(b.got, b.got[1:])]
    assert steps.count((3, 480)) == 1 and steps.count((1, 160)) == len(steps) - 1


def test_order_is_kept_as_it_came_and_duplicates_stop_here(stage):
    a, b = stage.leg(1), stage.leg(2)
    bridge(stage, 1, 2)
    late: list[bytes] = []

    def shuffle(data: bytes):
        if a.sequence == 1005:
            late.append(data)
            return ()
        return (data, data, *([late.pop()] if late and a.sequence == 1007 else []))

    a.tamper, a.hertz = shuffle, 440
    stage.run(0.4)
    numbers = [heard.sequence - b.got[0].sequence for heard in b.got]
    assert numbers[:9] == [0, 1, 2, 3, 4, 6, 7, 5, 8]
    assert len(set(numbers)) == len(numbers)


def test_a_straggler_of_the_old_source_does_not_use_a_number_twice(stage):
    caller, first, second = stage.leg(1), stage.leg(2), stage.leg(3)
    stage.do(SetGain(2, 1))
    first.hertz = 500
    stage.run(0.2)
    kept: list[bytes] = []
    first.tamper = lambda data: kept.append(data) or () if first.sequence == 1010 else (data,)
    stage.run(0.1)
    stage.do(SetGain(2, 1, 0.0), SetGain(3, 1))
    second.hertz = 900
    stage.run(0.1)
    stage.do(SetGain(3, 1, 0.0), SetGain(2, 1))
    stage.run(0.1)
    first.throw(kept[0])
    stage.run(0.1)
    numbers = [heard.sequence for heard in caller.got]
    assert len(set(numbers)) == len(numbers)


def test_keys_pass_through_with_the_other_sides_payload_type_and_are_told_once(stage):
    a = stage.leg(1)
    b = stage.leg(2)
    stage.do(SetRemote(2, b.address, [PCMU], 96))
    bridge(stage, 1, 2)
    a.hertz = 440
    stage.run(0.2)
    a.press(7, marker=False)
    stage.run(0.3)
    events = [heard for heard in b.got if heard.pt == 96]
    assert len(events) == 8 and len({heard.timestamp for heard in events}) == 1
    assert [event.digit for event in stage.told(Dtmf)] == ["7"]
    assert (events[0].timestamp - b.got[0].timestamp) & 0xFFFFFFFF == a.timestamp_of_press - 160_000


def test_a_far_end_without_telephone_events_gets_none(stage):
    a, b = stage.leg(1), stage.leg(2)
    stage.do(SetRemote(2, b.address, [PCMU], None))
    bridge(stage, 1, 2)
    a.hertz = 440
    stage.run(0.2)
    a.press(7)
    stage.run(0.2)
    assert {heard.pt for heard in b.got} == {0} and len(stage.told(Dtmf)) == 1


@pytest.mark.parametrize(
    ("codecs", "gain", "expected"),
    [
        ((PCMU, PCMU), 1.0, Way.RELAYED),
        ((PCMA, PCMA), 1.0, Way.RELAYED),
        ((PCMU, PCMA), 1.0, Way.RENDERED),
        ((PCMU, PCMU), 0.5, Way.RENDERED),
        ((PCMU, Codec(99, "pcmu")), 1.0, Way.RELAYED),
    ],
    ids=["same", "same A-law", "other codec", "other gain", "other payload type"],
)
def test_the_core_decides_by_itself_which_way(stage, codecs, gain, expected):
    stage.leg(1, codecs[0])
    stage.leg(2, codecs[1])
    stage.do(SetGain(1, 2, gain))
    stage.run(0.05)
    assert way(stage, 2) is expected


def test_a_second_source_makes_a_leg_rendered_and_parting_makes_it_relayed_again(stage):
    legs = [stage.leg(number) for number in (1, 2, 3)]
    bridge(stage, 1, 2)
    for leg, hertz in zip(legs, (400, 700, 1100)):
        leg.hertz = hertz
    stage.run(0.5)
    bridge(stage, 1, 2, 3)
    stage.run(0.5)
    assert [way(stage, number) for number in (1, 2, 3)] == [Way.RENDERED] * 3
    assert all(strength(legs[0].audio(stage.now - 0.3), hertz) > 7000 for hertz in (700, 1100))
    stage.do(CloseLeg(3))
    stage.run(0.5)
    assert [way(stage, number) for number in (1, 2)] == [Way.RELAYED] * 2
    assert_one_stream(legs[0])
    assert strength(legs[0].audio(stage.now - 0.3), 700) > 7000


def test_one_leg_is_relayed_to_several_listeners(stage):
    talker = stage.leg(1)
    listeners = [stage.leg(number) for number in (2, 3, 4)]
    stage.do(*(SetGain(1, number) for number in (2, 3, 4)))
    talker.hertz = 440
    stage.run(0.4)
    stage.do(CloseLeg(2))
    stage.run(0.4)
    for listener in listeners[1:]:
        assert len(listener.got) == 40
        assert_one_stream(listener)
        assert strength(listener.audio(), 440) > 7900
    assert len(listeners[0].got) == 20


def test_a_source_that_changes_its_codec_is_rendered_from_then_on(stage):
    a, b = stage.leg(1, PCMU, PCMA), stage.leg(2, PCMU)
    stage.do(SetGain(1, 2))
    a.hertz = 440
    stage.run(0.4)
    assert way(stage, 2) is Way.RELAYED
    a.law = 1
    stage.run(0.5)
    assert way(stage, 2) is Way.RENDERED
    assert {heard.pt for heard in b.got} == {0}
    assert_one_stream(b)
    assert strength(b.audio(stage.now - 0.3), 440) > 7000


def test_a_leg_can_hear_itself(stage):
    a = stage.leg(1)
    stage.do(SetGain(1, 1))
    a.hertz = 440
    stage.run(0.4)
    assert strength(a.audio(), 440) > 7900


@pytest.mark.parametrize(
    ("direction", "hears", "is_heard"),
    [
        ("sendrecv", True, True),
        ("sendonly", True, False),
        ("recvonly", False, True),
        ("inactive", False, False),
    ],
)
def test_direction_says_who_may_be_heard(stage, direction, hears, is_heard):
    a, b = stage.leg(1), stage.leg(2)
    bridge(stage, 1, 2)
    a.hertz = b.hertz = 440
    stage.do(SetRemote(1, a.address, [PCMU], DTMF, False, direction))
    stage.run(0.3)
    assert bool(a.got) is hears and bool(b.got) is is_heard
