"""Reports: built, read, and their figures by RFC 3550's formulas."""

from __future__ import annotations

import struct
from random import Random

import pytest

from media import rtcp
from media.clock import ntp
from media.messages import SetGain
from media.remote import RemoteView
from media.rtcp import Block, Report, SenderInfo
from tests.media.stage import Phone, Stage

EPOCH = 1_700_000_000.0
BLOCK = Block(0xABCD, 64, 1234, 70_000, 55, 0x11112222, 65536)
SENDER = SenderInfo(0x0123456789ABCDEF, 4711, 100, 16_000)


def test_a_sender_report_is_read_as_it_was_built():
    data = rtcp.build(0x1234, SENDER, BLOCK, b"someone@here")
    assert len(data) % 4 == 0
    assert rtcp.parse(data).reports == [Report(0x1234, SENDER, [BLOCK])]


def test_a_receiver_report_has_no_sender():
    assert rtcp.parse(rtcp.build(1, None, BLOCK, b"x")).reports == [Report(1, None, [BLOCK])]
    assert rtcp.parse(rtcp.build(1, SENDER, None, b"x")).reports == [Report(1, SENDER, [])]


@pytest.mark.parametrize(("lost", "read"), [(-5, -5), (1 << 30, 0x7FFFFF), (-(1 << 30), -0x800000)])
def test_cumulative_loss_is_24_bits_with_sign(lost, read):
    block = BLOCK._replace(lost=lost)
    assert rtcp.parse(rtcp.build(1, None, block, b"x")).reports[0].blocks[0].lost == read


def test_random_and_cut_datagrams_are_read_as_far_as_they_make_sense():
    rng = Random(2)
    good = rtcp.build(0x1234, SENDER, BLOCK, b"someone@here")
    for _ in range(3000):
        data = bytearray(good * rng.randint(1, 3))
        for _ in range(rng.randint(0, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        for report in rtcp.parse(bytes(data[: rng.randint(0, len(data))])).reports:
            assert len(report.blocks) <= 31
        rtcp.parse(rng.randbytes(rng.randint(0, 200)))


def test_round_trip_time_is_arrival_minus_lsr_minus_dlsr():
    view, sent = RemoteView(), 50.0
    lsr = ntp(EPOCH + sent) >> 16 & 0xFFFFFFFF
    held = round(0.75 * 65536)
    report = Report(9, None, [Block(7, 0, 3, 690, 0, lsr, held)])
    view.take(report, 7, 9, 50, 700, sent + 0.75 + 0.12, EPOCH)
    assert view.rtt == pytest.approx(0.12, abs=0.001) and view.lost == 3


def test_a_report_on_another_stream_or_with_impossible_times_gives_no_round_trip():
    view = RemoteView()
    view.take(Report(9, None, [Block(8, 0, 3, 690, 0, 1, 0)]), 7, 9, 50, 700, 50.0, EPOCH)
    view.take(Report(9, None, [Block(7, 0, 3, 690, 0, 1, 0)]), 7, 9, 50, 700, 50.0, EPOCH)
    assert view.rtt is None


def test_a_receiver_that_came_late_counts_fewer_turns_of_the_numbering_and_is_believed():
    view = RemoteView()
    view.take(Report(9, None, [Block(7, 51, 3, 0x0000_FFF0, 0, 0, 0)]), 7, 9, 50, 0x0003_0005, 50.0, EPOCH)
    assert view.lost == 3 and view.fraction == pytest.approx(0.2, abs=0.01)


def reports(phone: Phone) -> list[Report]:
    return [report for data in phone.reports for report in rtcp.parse(data).reports]


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.leg(1)
    stage.leg(2)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    return stage


def test_reports_tell_loss_and_fraction_as_rfc_3550_counts_them(stage):
    phone = stage.legs[1]
    phone.hertz = 440
    phone.tamper = lambda data: () if phone.sequence % 4 == 0 else (data,)
    stage.run(13.0)
    told = [report.blocks[0] for report in reports(phone)]
    assert len(told) >= 2
    assert all(block.ssrc == phone.ssrc for block in told)
    assert told[1].fraction == pytest.approx(64, abs=2)
    assert told[1].lost == pytest.approx((told[1].highest - 1000) / 4, abs=2)


def test_sender_reports_tell_what_was_sent_and_when(stage):
    talker, phone = stage.legs[1], stage.legs[2]
    talker.hertz = 440
    stage.run(6.0)
    report = next(report for report in reports(phone) if report.sender)
    assert report.ssrc == phone.got[0].ssrc and report.sender is not None
    assert report.sender.octets == 160 * report.sender.packets
    at = (report.sender.ntp >> 32) - 2_208_988_800 - EPOCH
    near = min(phone.got, key=lambda heard: abs(heard.at - at))
    assert abs((report.sender.timestamp - near.timestamp) / 8000 - (at - near.at)) < 1.0


def test_the_far_ends_report_gives_round_trip_and_its_loss(stage):
    talker, phone = stage.legs[1], stage.legs[2]
    talker.hertz = phone.hertz = 440
    stage.run(3.5)
    phone.reports.clear()
    answered = 0
    while not answered:
        stage.run(0.005)
        for report in reports(phone):
            if report.sender is not None:
                block = Block(report.ssrc, 0, 17, phone.highest, 0, report.sender.ntp >> 16 & 0xFFFFFFFF, 0)
                stage.run(0.09)
                phone.throw(rtcp.build(phone.ssrc, None, block, b"phone"), to=1)
                answered += 1
                break
    stage.run(5.5)
    figures = [leg for stats in stage.told_stats() for leg in stats if leg.leg == 2][-1]
    assert figures.remote_lost == 17
    assert figures.rtt_ms == pytest.approx(95, abs=12)


def test_with_mux_reports_come_and_go_on_the_rtp_port():
    stage = Stage()
    phone = stage.leg(1, rtcp_mux=True)
    other = stage.leg(2)
    stage.do(SetGain(2, 1))
    phone.hertz = other.hertz = 440
    stage.run(6.0)
    assert not phone.reports
    muxed = [heard for heard in phone.got if heard.marker and heard.pt == 200 - 128]
    assert len(muxed) >= 1
    phone.throw(
        rtcp.build(phone.ssrc, None, Block(phone.got[0].ssrc, 0, 23, phone.highest, 0, 0, 0), b"phone")
    )
    stage.run(5.5)
    figures = [leg for stats in stage.told_stats() for leg in stats if leg.leg == 1][-1]
    assert figures.remote_lost == 23
    lengths = {struct.calcsize("!III") + len(heard.payload) for heard in muxed}
    assert all(length % 4 == 0 for length in lengths)
