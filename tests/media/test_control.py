"""Commands and what is told: opening, closing, refusing, figures, silence."""

from __future__ import annotations

import pytest

from media.messages import (
    CloseLeg,
    Codec,
    LegClosed,
    LegFailed,
    LegOpened,
    OpenLeg,
    Ping,
    Play,
    Pong,
    RtpStarted,
    RtpStopped,
    SendDtmf,
    SetGain,
    SetRemote,
    Stop,
)
from tests.media.stage import DTMF, PCMU, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def failures(stage: Stage) -> list[tuple[int, str]]:
    return [(event.leg, event.reason) for event in stage.told(LegFailed)]


def test_legs_get_even_ports_of_their_own(stage):
    for number in range(1, 51):
        stage.leg(number)
    ports = [event.port for event in stage.told(LegOpened)]
    assert len(set(ports)) == 50 and not any(port % 2 for port in ports)


def test_when_ports_run_out_the_leg_fails_and_the_next_free_one_is_used():
    stage = Stage(ports=(4000, 4004))
    stage.do(*(OpenLeg(number, [PCMU]) for number in (1, 2, 3)))
    assert failures(stage) == [(3, "no_ports")]
    stage.do(CloseLeg(1), OpenLeg(4, [PCMU]))
    assert stage.last(LegOpened) == LegOpened(4, 4000)


def test_a_port_given_back_is_the_last_to_be_used_again():
    stage = Stage(ports=(4000, 4006))
    stage.do(OpenLeg(1, [PCMU]), CloseLeg(1), OpenLeg(2, [PCMU]), OpenLeg(3, [PCMU]), OpenLeg(4, [PCMU]))
    assert [event.port for event in stage.told(LegOpened)] == [4000, 4002, 4004, 4000]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (OpenLeg(1, [PCMU]), "exists"),
        (OpenLeg(2, [Codec(97, "iLBC")]), "codec"),
        (OpenLeg(2, [PCMU], None, ("phone.example.com", 4000)), "address"),
        (OpenLeg(2, [PCMU], None, ("2001:db8::1", 4000)), "address"),
        (OpenLeg(2, [PCMU], None, ("192.0.2.2", 70_000)), "address"),
        (SetRemote(2, ("192.0.2.2", 4000), [PCMU]), "unknown"),
        (SetRemote(1, ("192.0.2.2", 4000), [Codec(97, "iLBC")]), "codec"),
        (SetGain(1, 2), "unknown"),
        (SetGain(2, 1), "unknown"),
        (Play(2, 1, ["a.wav"]), "unknown"),
        (SendDtmf(2, "1"), "unknown"),
        (SendDtmf(1, "x"), "dtmf"),
        (CloseLeg(2), "unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_done_fails_with_its_reason_and_changes_nothing(stage, command, reason):
    stage.leg(1)
    before = stage.network.free
    stage.do(command)
    assert [found for _, found in failures(stage)] == [reason]
    assert stage.network.free == before and len(stage.control.core.table) == 1


def test_stopping_and_parting_closed_legs_is_no_failure(stage):
    stage.leg(1)
    stage.do(Stop(2), SetGain(1, 2, 0.0), SetGain(2, 1, 0.0), Stop(1))
    assert failures(stage) == []


def test_payload_types_outside_seven_bits_are_ignored(stage):
    stage.do(OpenLeg(1, [Codec(0, "PCMU"), Codec(500, "PCMA")], 300, ("192.0.2.1", 4000)))
    stage.do(SendDtmf(1, "1"))
    assert failures(stage) == [(1, "dtmf")]


def test_a_ping_is_answered(stage):
    stage.do(Ping(77))
    assert stage.last(Pong).n == 77


def test_rtp_that_stops_is_told_after_five_seconds_and_told_again_when_it_comes_back(stage):
    phone = stage.leg(1)
    phone.hertz = 440
    stage.run(1.0)
    phone.hertz = 0
    stage.run(4.5)
    assert not stage.told(RtpStopped)
    stage.run(1.0)
    assert stage.told(RtpStopped) == [RtpStopped(1)]
    stage.run(10.0)
    assert len(stage.told(RtpStopped)) == 1
    phone.hertz = 440
    phone.next_at = stage.now
    stage.run(0.5)
    assert len(stage.told(RtpStarted)) == 2


def test_a_leg_that_never_gets_a_packet_is_told_to_have_stopped(stage):
    stage.leg(1)
    stage.run(5.5)
    assert stage.told(RtpStopped) == [RtpStopped(1)]


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_silence_that_was_agreed_on_is_not_told(stage, direction):
    stage.leg(1, direction=direction)
    stage.run(8.0)
    assert not stage.told(RtpStopped)


def test_figures_come_every_five_seconds_for_every_leg(stage):
    for number in range(1, 31):
        stage.leg(number)
    stage.run(10.1)
    told = [leg.leg for stats in stage.told_stats() for leg in stats]
    assert {told.count(number) for number in range(1, 31)} <= {2, 3}


def test_closing_tells_the_legs_last_figures(stage):
    a, b = stage.leg(1), stage.leg(2, repair="off")
    stage.do(SetGain(1, 2), SetGain(2, 1))
    a.hertz = b.hertz = 440
    a.tamper = lambda data: () if a.sequence % 10 == 0 else (data, data) if a.sequence % 10 == 5 else (data,)
    stage.run(4.0)
    stage.do(CloseLeg(1), CloseLeg(2))
    stats = {event.leg: event.stats for event in stage.told(LegClosed)}
    assert stats[1].codec == "PCMU" and stats[1].source == a.address
    assert (stats[1].received, stats[1].duplicate, stats[1].lost) == (200, 20, 19)
    assert stats[2].sent == 180 and stats[1].sent == len(a.got) == 200
    assert stats[2].lost == 0 and stats[2].jitter_ms < 1
    assert stats[1].mos is not None and stats[1].mos < stats[2].mos


def test_legs_closed_in_one_go_have_the_figures_that_each_has_alone():
    stages = Stage(), Stage()
    for stage in stages:
        phones = [stage.leg(number, repair="off") for number in (1, 2, 3)]
        stage.do(SetGain(1, 2), SetGain(2, 1), SetGain(3, 1))
        for hertz, phone in zip((300, 440, 700), phones):
            phone.hertz = hertz
        phones[1].tamper = lambda data, phone=phones[1]: (data,) if phone.sequence % 10 else ()
        stage.run(4.0)
    together, alone = stages
    together.do(CloseLeg(1), CloseLeg(9), CloseLeg(2), CloseLeg(1), CloseLeg(3))
    for number in (1, 2, 3):
        alone.do(CloseLeg(number))
    assert failures(together) == [(9, "unknown"), (1, "unknown")]
    assert together.told(LegClosed) == alone.told(LegClosed)
    assert [event.stats.lost for event in together.told(LegClosed)] == [0, 19, 0]
    assert together.control.idle


def test_a_closed_leg_leaves_nothing_behind(stage):
    core = stage.control.core
    for turn in range(5):
        a, b = stage.leg(10 * turn + 1), stage.leg(10 * turn + 2)
        a.hertz = b.hertz = 440
        stage.do(
            SetGain(10 * turn + 1, 10 * turn + 2),
            SetGain(10 * turn + 2, 10 * turn + 1, 0.5),
            Play(10 * turn + 1, 1, ["none.wav"], True),
            SendDtmf(10 * turn + 2, "123"),
        )
        stage.run(0.2)
        a.press(1, ends=0)
        stage.run(0.02)
        stage.do(CloseLeg(10 * turn + 2), CloseLeg(10 * turn + 1))
        stage.run(0.3)
        assert stage.control.idle and stage.network.free == 200
        assert not core.digits.dialling and not core.digits.pressed and not core.uncertain
        assert not core.mixer._sources and not any(core.mixer._listeners.values())
        assert not core.plan._source and not core.plan.relays and not core.plan.playing
        assert (core.table.common.number < 0).all() and (core.table.rx.relay_to < 0).all()


def test_the_table_grows_past_its_first_size_and_keeps_what_it_has():
    stage = Stage(ports=(4000, 5000))
    first, second = stage.leg(1), stage.leg(2)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    first.hertz = second.hertz = 440
    stage.run(0.2)
    for number in range(3, 200):
        stage.leg(number)
    stage.run(0.2)
    assert len(second.got) == 20 and len({heard.ssrc for heard in second.got}) == 1


def test_a_leg_opened_without_an_address_is_completed_later(stage):
    phone = stage.phone("192.0.2.8")
    stage.do(OpenLeg(8))
    phone.port = stage.last(LegOpened).port
    other = stage.leg(1)
    other.hertz = 440
    stage.do(SetGain(1, 8))
    stage.run(0.2)
    assert not phone.got
    stage.do(SetRemote(8, phone.address, [PCMU], DTMF))
    stage.run(0.2)
    assert phone.got


def test_hold_told_by_address_zero_sends_nothing(stage):
    a, b = stage.leg(1), stage.leg(2)
    b.hertz = 440
    stage.do(SetGain(2, 1), SetRemote(1, ("0.0.0.0", 4000), [PCMU], DTMF))
    stage.run(0.3)
    assert not a.got
    stage.do(SetRemote(1, a.address, [PCMU], DTMF))
    stage.run(0.3)
    assert a.got
