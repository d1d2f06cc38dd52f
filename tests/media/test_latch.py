"""Where a leg's packets may come from: NAT is followed, thieves are not."""

from __future__ import annotations

import numpy as np
import pytest

from media.latch import LatchPolicy
from media.messages import Codec, LegOpened, OpenLeg, RtpStarted, SetGain, SetRemote
from tests.media.stage import DTMF, PCMU, Phone, Stage, packet, strength


@pytest.fixture
def stage() -> Stage:
    return Stage()


def call(stage: Stage) -> tuple[Phone, Phone]:
    """Two phones bridged; the first has not said anything yet."""
    caller, agent = stage.leg(1), stage.leg(2)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    agent.hertz = 700
    stage.run(0.2)
    return caller, agent


def behind_nat(stage: Stage, number: int) -> Phone:
    """A phone whose SDP names a private address."""
    phone = stage.phone("198.51.100.7", 40_000 + number)
    stage.do(OpenLeg(number, [PCMU], DTMF, ("192.168.1.5", 4000)))
    phone.port = stage.last(LegOpened).port
    return phone


def intruder(stage: Stage, victim: Phone, host: str = "203.0.113.66", hertz: float = 1900) -> Phone:
    """Somebody who sends to the victim's port."""
    phone = stage.phone(host, 5000, ssrc=0xBAD)
    phone.port = victim.port
    phone.hertz = hertz
    return phone


def heard_from(phone: Phone, hertz: float, last: float = 0.5) -> float:
    return strength(phone.audio(phone.stage.now - last), hertz)


def test_the_sdps_address_is_taken_with_its_first_packet(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    assert RtpStarted(1, caller.address) in stage.told(RtpStarted)
    assert heard_from(agent, 440) > 7000


def test_a_phone_behind_nat_is_found_by_its_packets(stage):
    agent = stage.leg(2)
    caller = behind_nat(stage, 1)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    caller.hertz, agent.hertz = 440, 700
    stage.run(1.0)
    assert heard_from(agent, 440) > 7000 and heard_from(caller, 700) > 7000
    assert stage.last(RtpStarted).remote in (caller.address, agent.address)


def test_strangers_are_not_followed_when_the_policy_says_so():
    stage = Stage(policy=LatchPolicy(strangers=False))
    agent, caller = stage.leg(2), behind_nat(stage, 1)
    stage.do(SetGain(1, 2))
    caller.hertz = 440
    stage.run(1.0)
    assert not agent.got


def test_an_intruder_neither_speaks_into_a_call_nor_gets_its_sound(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    thief = intruder(stage, caller)
    stage.run(5.0)
    assert not thief.got
    assert heard_from(agent, 1900) < 50 and heard_from(agent, 440) > 7000


def test_an_intruder_who_is_first_loses_the_leg_to_the_sdps_address(stage):
    caller, agent = call(stage)
    thief = intruder(stage, caller)
    stage.run(0.5)
    caller.hertz = 440
    stage.run(1.0)
    thief.got.clear()
    stage.run(0.5)
    assert not thief.got
    assert heard_from(agent, 440) > 7000 and heard_from(agent, 1900) < 50


def test_an_intruder_does_not_take_a_leg_from_a_phone_behind_nat(stage):
    agent, caller = stage.leg(2), behind_nat(stage, 1)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    caller.hertz = agent.hertz = 440
    stage.run(0.5)
    thief = intruder(stage, caller)
    stage.run(5.0)
    assert not thief.got and heard_from(agent, 1900) < 50 and heard_from(agent, 440) > 7000


def test_many_intruders_at_once_do_not_get_in_either(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.2)
    thieves = [intruder(stage, caller, f"203.0.113.{i}") for i in range(20)]
    stage.run(3.0)
    assert not any(thief.got for thief in thieves) and heard_from(agent, 440) > 7000


def test_guessing_the_ssrc_does_not_help_while_the_phone_speaks(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    thief = intruder(stage, caller)
    thief.ssrc, thief.sequence = caller.ssrc, caller.sequence + 5
    stage.run(1.0)
    assert not thief.got and heard_from(agent, 1900) < 50


def test_a_forged_source_with_another_ssrc_does_not_disturb_the_stream(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    caller.tamper = lambda data: (data, packet(caller.sequence * 7, 5, 0xBAD, bytes(160)))
    stage.run(1.0)
    assert heard_from(agent, 440) > 7900


def test_a_phone_whose_nat_gives_it_another_port_is_found_again(stage):
    agent, caller = stage.leg(2), behind_nat(stage, 1)
    stage.do(SetGain(1, 2), SetGain(2, 1))
    caller.hertz = agent.hertz = 440
    stage.run(4.0)
    del stage.phones[caller.address]
    caller.address = (caller.address[0], 61_000)
    stage.phones[caller.address] = caller
    stage.run(4.0)
    assert stage.last(RtpStarted).remote == caller.address
    assert heard_from(agent, 440) > 7000 and heard_from(caller, 440) > 7000


def test_a_silent_phones_leg_goes_to_no_one_who_sends_a_few_packets(stage):
    caller, _ = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    caller.hertz = 0
    stage.run(3.0)
    thief = intruder(stage, caller, hertz=0)
    for sequence in (1, 2, 3, 50, 51, 52, 99):
        thief.sequence = sequence
        thief.speak()
        stage.run(0.02)
    stage.run(0.1)
    assert not thief.got


def test_a_new_address_in_sdp_is_followed_and_the_old_one_is_not(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    moved = stage.phone("192.0.2.99", 22_000, ssrc=0xC0FFEE)
    moved.port, moved.hertz = caller.port, 1000
    stage.do(SetRemote(1, moved.address, [PCMU], DTMF))
    stage.run(1.0)
    assert heard_from(agent, 1000) > 7000 and heard_from(agent, 440) < 50
    assert heard_from(moved, 700) > 7000
    assert not [heard for heard in caller.got if heard.at > stage.now - 0.9]


def test_the_same_address_again_in_sdp_changes_nothing(stage):
    caller, agent = call(stage)
    caller.hertz = 440
    stage.run(0.5)
    started = len(stage.told(RtpStarted))
    stage.do(SetRemote(1, caller.address, [PCMU], DTMF))
    stage.run(0.5)
    assert len(stage.told(RtpStarted)) == started and heard_from(agent, 440) > 7900


def test_nothing_is_taken_before_the_far_end_is_known(stage):
    stage.do(OpenLeg(9, [Codec(0, "PCMU")]))
    phone = stage.phone("192.0.2.9")
    phone.port, phone.hertz = stage.last(LegOpened).port, 440
    stage.run(0.5)
    assert not stage.told(RtpStarted)


def test_reports_from_elsewhere_are_not_believed(stage):
    caller, _ = call(stage)
    caller.hertz = 440
    stage.run(6.0)
    ours = caller.got[-1].ssrc
    lie = np.array([0x81C90007, 0xBAD, ours, 0xFF00FFFF, 0, 0, 0, 0], ">u4").tobytes()
    thief = intruder(stage, caller, hertz=0)
    thief.throw(lie, to=1)
    stage.run(6.0)
    assert all(leg.remote_lost is None for stats in stage.told_stats() for leg in stats)
