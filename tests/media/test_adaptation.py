"""Adaptation at work in a worker: reports come in, packets change, wishes and repairs follow."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs, rtcp, xr
from media.codecs import adapt
from media.legs import Way
from media.messages import CloseLeg, Codec, LegClosed, OpenLeg, SetGain, SetRemote, Wish
from media.rtcp import Block
from media.xr import VoipMetrics
from tests.media.stage import DTMF, PCMU, Phone, Stage

OPUS = Codec(111, "opus", 48_000, channels=2, params={"useinbandfec": "1"})
AMR = Codec(97, "AMR", 8000)
CLEAN, LOSSY, HEAVY = 0, 22, 77  # of 256

needs_opus = pytest.mark.skipif(not codecs.available(codecs.OPUS), reason="libopus is not installed")


def reported(
    stage: Stage, phone: Phone, fraction: int, times: int, metrics: VoipMetrics | None = None
) -> None:
    """The far end's report on what we send, every five seconds."""
    for _ in range(times):
        ours = phone.got[-1].ssrc
        extended = xr.build(phone.ssrc, metrics._replace(ssrc=ours)) if metrics is not None else b""
        block = Block(ours, fraction, 0, phone.highest, 0, 0, 0)
        phone.throw(rtcp.build(phone.ssrc, None, block, b"phone", extended), to=1)
        stage.run(0.5)


def call(*codecs: Codec, **more: object) -> tuple[Stage, Phone]:
    """A rendered call: leg 1 hears leg 2 at less than full gain."""
    stage = Stage()
    phone = stage.leg(1, *codecs, **more)
    stage.leg(2).hertz = 440
    stage.do(SetGain(2, 1, 0.9))
    stage.run(1.0)
    return stage, phone


def rate(stage: Stage, phone: Phone, seconds: float = 3.0, headers: int = 40) -> tuple[float, float]:
    """Packets a second, and kb/s of the whole stream, that the phone now gets."""
    phone.got.clear()
    stage.run(seconds)
    size = sum(len(packet.payload) + headers for packet in phone.got)
    return len(phone.got) / seconds, 8e-3 * size / seconds


@needs_opus
def test_a_2g_leg_gets_opus_in_packets_of_60_ms_and_under_16_kbps_with_headers():
    stage, phone = call(OPUS, profile="mobile-2g")
    packets, kbps = rate(stage, phone)
    assert packets == pytest.approx(1000 / 60, abs=0.7) and kbps < 16.0


@needs_opus
def test_reports_of_congestion_make_the_stream_smaller_and_calm_ones_give_it_back():
    stage, phone = call(OPUS)
    _, before = rate(stage, phone)
    reported(stage, phone, HEAVY, 4)
    _, lossy = rate(stage, phone)
    reported(stage, phone, CLEAN, 20)
    _, after = rate(stage, phone)
    assert lossy < before and after == pytest.approx(before, rel=0.1)


@needs_opus
def test_reports_by_who_has_not_heard_the_stream_change_nothing():
    """Their newest packet is one that was never sent, or was long ago: nobody who hears it says so."""
    stage, phone = call(OPUS)
    row = stage.control.core.table.find(1).row
    _, before = rate(stage, phone)
    for lead in (1, 2000, 32_768, 40_000, 1 << 16, 1 << 31):
        stage.run(0.2)
        highest = int(stage.control.core.table.tx.sequence[row]) + lead & 0xFFFF_FFFF
        block = Block(phone.got[-1].ssrc, 200, 99, highest, 0, 0, 0)
        phone.throw(rtcp.build(phone.ssrc, None, block, b"phone"), to=1)
    _, after = rate(stage, phone)
    assert after == pytest.approx(before, rel=0.02)
    assert stage.control.core.table.find(1).view.lost is None


@needs_opus
def test_losses_in_bursts_are_met_with_copies_where_they_were_agreed_on():
    stage, phone = call(OPUS, Codec(63, "red", 48_000, channels=2))
    reported(stage, phone, LOSSY, 5, VoipMetrics(1, loss_rate=20, burst_density=190, gap_density=2))
    phone.got.clear()
    stage.run(1.0)
    assert {packet.pt for packet in phone.got if packet.pt < 72} == {63}


def test_g_711_on_a_2g_network_wishes_for_opus_and_is_sent_in_longer_packets_until_then():
    stage, phone = call(PCMU, OPUS, profile="mobile-2g")
    reported(stage, phone, CLEAN, 1)
    assert stage.told(Wish)[0].leg == 1 and stage.told(Wish)[0].codec == "OPUS"
    assert "64" in stage.told(Wish)[0].why or "69" in stage.told(Wish)[0].why
    packets, _ = rate(stage, phone)
    assert packets == pytest.approx(1000 / 60, abs=0.7)
    stage.do(SetRemote(1, phone.address, [OPUS, PCMU], DTMF))
    stage.run(0.2)
    packets, kbps = rate(stage, phone)
    assert kbps < 16.0 and packets < 17.5


def test_without_reports_of_the_far_end_what_comes_from_it_is_taken_for_the_network():
    stage, phone = call(OPUS)
    phone.hertz = 300
    phone.tamper = lambda data: () if phone.sequence % 4 == 0 else (data,)
    stage.run(40.0)
    core = stage.control.core
    row = core.table.find(1).row
    assert stage.control._watch.adaptation._sent[row].grade is adapt.Grade.HEAVY


def test_a_new_leg_in_the_row_of_an_old_one_begins_with_the_table_s_first_row():
    from media.messages import CloseLeg

    stage, phone = call(OPUS)
    reported(stage, phone, HEAVY, 4)
    stage.do(CloseLeg(1))
    stage.leg(3, OPUS)
    states = stage.control._watch.adaptation._sent
    assert all(state.grade is adapt.Grade.CLEAN for state in states.values())


# --- repair -----------------------------------------------------------------------------------------


def way(stage: Stage, number: int) -> Way:
    leg = stage.control.core.table.find(number)
    return Way(int(stage.control.core.table.common.way[leg.row]))


def relayed(**more: object) -> Stage:
    stage = Stage()
    stage.leg(1).hertz = 440
    stage.leg(2, **more)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    stage.run(1.0)
    return stage


def rough(stage: Stage, seconds: float) -> None:
    """Leg 1's packets come with 5 % loss for so long."""
    phone, rng = stage.legs[1], np.random.default_rng(2)
    phone.tamper = lambda data: () if rng.random() < 0.05 else (data,)
    stage.run(seconds)
    phone.tamper = None


def test_a_rough_source_has_its_plain_listener_rendered_and_relayed_again_after_long_calm():
    stage = relayed()
    assert way(stage, 2) is Way.RELAYED
    rough(stage, 6.0)
    assert way(stage, 2) is Way.RENDERED and way(stage, 1) is Way.RELAYED
    stage.run(60.0)
    assert way(stage, 2) is Way.RELAYED


def test_a_listener_that_reports_to_cope_is_left_to_it():
    stage = relayed()
    phone = stage.legs[2]
    phone.hertz = 440
    stage.run(0.5)
    metrics = VoipMetrics(1, mos_lq=42, mos_cq=41, discard_rate=0)
    reported(stage, phone, CLEAN, 1, metrics)
    rough(stage, 5.0)
    assert way(stage, 2) is Way.RELAYED


@pytest.mark.parametrize(("setting", "expected"), [("on", Way.RENDERED), ("off", Way.RELAYED)])
def test_a_leg_s_own_setting_goes_before_the_policy(setting, expected):
    stage = relayed(repair=setting)
    stage.run(2.0)
    if setting == "off":
        rough(stage, 5.0)
    assert way(stage, 2) is expected


def test_openings_carry_profile_and_repair():
    command = OpenLeg(1)
    assert (command.profile, command.repair) == ("standard", "auto")


def test_a_leg_that_was_never_looked_at_is_closed_like_any_other() -> None:
    stage = Stage()
    legs = range(1, 100)  # more than the tables begin with
    stage.do(*(OpenLeg(leg, [PCMU], None, ("192.0.2.9", 4000)) for leg in legs))
    stage.do(*(CloseLeg(leg) for leg in legs))
    assert len(stage.told(LegClosed)) == len(legs)
