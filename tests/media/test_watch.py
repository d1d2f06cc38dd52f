"""Figures of legs and extended reports: what is told to the engine, and to the far end."""

from __future__ import annotations

import pytest

from media import rtcp, xr
from media.clock import ntp
from media.messages import LegStats, SetGain
from media.xr import Extended, LastReceived, VoipMetrics
from tests.media.stage import WORKER, Phone, Stage

EPOCH = 1_700_000_000.0


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    for number in (1, 2):
        stage.leg(number, repair="off").hertz = 440
    stage.do(SetGain(1, 2), SetGain(2, 1))
    stage.run(1.0)
    return stage


def figures(stage: Stage, leg: int) -> LegStats:
    return [each for stats in stage.told_stats() for each in stats if each.leg == leg][-1]


def extended(phone: Phone) -> list[Extended]:
    return [each for data in phone.reports for each in rtcp.parse(data).extended]


def test_figures_tell_rate_and_quality_of_what_comes(stage):
    stage.run(10.0)
    told = figures(stage, 1)
    assert told.kbps == pytest.approx(64.0, abs=1.0) and told.burst_ratio == 1.0
    assert told.mos == told.mos_now == pytest.approx(4.41, abs=0.01)


def test_quality_now_recovers_when_losses_stop_and_that_of_the_call_remembers_them(stage):
    phone = stage.legs[1]
    phone.tamper = lambda data: () if phone.sequence % 10 < 2 else (data,)
    stage.run(15.0)
    bad = figures(stage, 1)
    phone.tamper = None
    stage.run(60.0)
    good = figures(stage, 1)
    assert bad.mos_now is not None and bad.mos is not None and good.mos is not None
    assert bad.mos_now < 3.5 and bad.burst_ratio == pytest.approx(1.6, abs=0.2)
    assert good.mos_now == pytest.approx(4.41, abs=0.05) and good.mos < 4.3


def test_reports_carry_voip_metrics_of_what_comes(stage):
    phone = stage.legs[1]
    phone.tamper = lambda data: () if phone.sequence % 10 < 2 else (data,)
    stage.run(20.0)
    metrics = extended(phone)[-1].metrics[0]
    assert metrics.ssrc == phone.ssrc and metrics.loss_rate == pytest.approx(51, abs=6)
    assert metrics.burst_density > 40 and 10 <= metrics.mos_cq <= 45 and metrics.gmin == 16
    clean = extended(stage.legs[2])[-1].metrics[0]
    assert clean.loss_rate == clean.burst_density == 0 and clean.mos_lq == 44 and clean.r == 93


def test_on_a_2g_network_no_metrics_hold_speech_up():
    stage = Stage()
    phone = stage.leg(1, profile="mobile-2g")
    phone.hertz = 440
    stage.run(12.0)
    assert phone.reports and not any(each.metrics for each in extended(phone))


def test_what_the_far_end_hears_is_told(stage):
    phone = stage.legs[2]
    ours = phone.got[-1].ssrc
    report = rtcp.build(
        phone.ssrc, None, None, b"phone", xr.build(phone.ssrc, VoipMetrics(ours, mos_lq=40, mos_cq=37))
    )
    phone.throw(report, to=1)
    stage.run(6.0)
    assert figures(stage, 2).mos_there == 3.7 and figures(stage, 1).mos_there is None


def test_a_leg_that_only_receives_learns_the_round_trip_by_reference_times():
    stage = Stage()
    phone = stage.leg(1)
    phone.hertz = 440
    while not extended(phone):
        stage.run(0.005)
    reference = extended(phone)[-1].reference
    assert reference >> 32 == ntp(EPOCH + stage.now) >> 32
    ssrc = extended(phone)[-1].ssrc
    stage.run(0.1)
    answer = xr.build(phone.ssrc, received=LastReceived(ssrc, reference >> 16 & 0xFFFFFFFF, 0))
    phone.throw(rtcp.build(phone.ssrc, None, None, b"phone", answer), to=1)
    stage.run(6.0)
    assert figures(stage, 1).rtt_ms == pytest.approx(105, abs=12)


def test_a_far_end_that_asks_by_reference_time_is_answered_once(stage):
    phone = stage.legs[1]
    asked = xr.build(phone.ssrc, reference=0x0001_0002_0003_0004)
    host, port = phone.address
    data = rtcp.build(phone.ssrc, None, None, b"phone", asked)
    stage.network.deliver(data, (host, port + 1), (WORKER, phone.port + 1))
    stage.run(20.0)
    answers = [times for each in extended(phone) for times in each.received]
    assert [(times.ssrc, times.lrr) for times in answers] == [(phone.ssrc, 0x0002_0003)]
    assert 0 < answers[0].dlrr < 10 * 65536


def test_reports_from_another_host_are_not_looked_at(stage):
    phone, stranger = stage.legs[2], stage.phone("198.51.100.9")
    stranger.port = phone.port
    metrics = VoipMetrics(phone.got[-1].ssrc, mos_lq=10, mos_cq=10)
    stranger.throw(rtcp.build(phone.ssrc, None, None, b"x", xr.build(phone.ssrc, metrics)), to=1)
    stage.run(6.0)
    assert figures(stage, 2).mos_there is None
