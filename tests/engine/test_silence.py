"""A phone that is not heard for long is asked whether it is still there: media.rtp_timeout_s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.events import CallRecord, EndReason, Side
from engine.leg import Leg
from engine.states import State
from sip import sdp
from tests.sim.house import SELDOM
from tests.sim.phones import AgentPhone, Customer
from tests.sim.stage import Stage, Voice
from tests.sim.story import Day

LIMIT_S = 60.0
NEARLY_S = LIMIT_S - 3.0
MORE_S = 6.0  # together with NEARLY_S, more than the limit
PATIENCE_S = 64 * 0.5  # 64 × T1: how long a question is repeated
WRAP_UP_S = 6.0  # more than the agent has for notes
HOUR_S = 3600.0


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, rtp_timeout_s=LIMIT_S, ticks_in_one=SELDOM)


@pytest.fixture
def talking(stage: Stage) -> Voice:
    """A customer and the agent talk, for a minute and a half already."""
    customer = stage.customer()
    stage.run(90.0)
    assert stage.call.state is State.TALKING
    return customer


def only_record(stage: Stage) -> CallRecord:
    (record,) = stage.records
    return record


def leg_of(stage: Stage, side: Side) -> Leg:
    (leg,) = (each for each in stage.call.legs if each.side is side)
    return leg


def agreed(leg: Leg) -> sdp.SessionDescription:
    """What we last said that the phone has taken."""
    assert leg.session is not None and leg.session.dialog is not None
    return sdp.parse(leg.session.dialog.offer.local or b"")


def seq(leg: Leg) -> int:
    """The number of our newest request in the leg's dialog."""
    assert leg.session is not None and leg.session.dialog is not None
    return leg.session.dialog.local_seq


def run_until(stage: Stage, reached: Callable[[], bool]) -> None:
    for _ in range(int(2 * LIMIT_S / 0.002)):
        if reached():
            return
        stage.run(0.002)
    raise AssertionError("it was never reached")


@pytest.mark.parametrize("side", [Side.CUSTOMER, Side.AGENT])
def test_a_muted_phone_keeps_its_call_for_an_hour(stage: Stage, talking: Voice, side: Side) -> None:
    phone = talking if side is Side.CUSTOMER else stage.agent
    phone.speaks = False
    before = seq(leg_of(stage, side))
    stage.run(HOUR_S)
    assert stage.call.state is State.TALKING
    assert seq(leg_of(stage, side)) - before in (59, 60), "it is asked every minute"


@pytest.mark.parametrize("side", [Side.CUSTOMER, Side.AGENT])
def test_a_phone_that_vanished_ends_its_call_soon_after_the_limit(
    stage: Stage, talking: Voice, side: Side
) -> None:
    (talking if side is Side.CUSTOMER else stage.agent).vanish()
    stage.run(LIMIT_S + PATIENCE_S - 3.0)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S)
    record = only_record(stage)
    assert (record.ended_by, record.reason) == (Side.ENGINE, EndReason.SIGNALLING_LOST)
    stage.run(PATIENCE_S + WRAP_UP_S)
    assert not stage.house.switch.timers.live


def test_a_phone_that_has_forgotten_the_call_ends_it_at_the_limit(stage: Stage, talking: Voice) -> None:
    talking.speaks, talking.refuses = False, 481
    stage.run(NEARLY_S)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S)
    assert only_record(stage).reason is EndReason.SIGNALLING_LOST


@pytest.mark.parametrize("status", [403, 488, 491, 500, 503])
def test_a_phone_that_refuses_the_question_keeps_its_call(stage: Stage, talking: Voice, status: int) -> None:
    talking.speaks, talking.refuses = False, status
    stage.run(5 * LIMIT_S)
    assert stage.call.state is State.TALKING
    assert talking.asked >= 3


def test_a_phone_that_answered_and_then_vanished_is_noticed_at_the_next_question(
    stage: Stage, talking: Voice
) -> None:
    talking.speaks = False
    stage.run(NEARLY_S + MORE_S)
    talking.vanish()
    stage.run(NEARLY_S)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S + PATIENCE_S)
    assert only_record(stage).reason is EndReason.SIGNALLING_LOST


def test_only_one_question_is_asked_at_a_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path, rtp_timeout_s=10.0, ticks_in_one=SELDOM)
    customer = stage.customer()
    stage.run(30.0)
    customer.vanish()
    leg = leg_of(stage, Side.CUSTOMER)
    before = seq(leg)
    stage.run(10.0 + PATIENCE_S - 3.0)
    assert seq(leg) == before + 1


@pytest.mark.parametrize("side", [Side.CUSTOMER, Side.AGENT])
def test_the_question_changes_nothing(stage: Stage, talking: Voice, side: Side) -> None:
    leg = leg_of(stage, side)
    before, codec = agreed(leg), leg.codec
    (talking if side is Side.CUSTOMER else stage.agent).speaks = False
    stage.run(3 * LIMIT_S)
    assert leg.session is not None and leg.session.dialog is not None
    assert not leg.session.dialog.offer.remote_offered, "ours was the newest offer"
    assert agreed(leg) == before, "the same version too"
    assert (leg.codec, leg.held) == (codec, False)


def test_a_question_that_crosses_a_hold_does_not_take_the_phone_off_hold(
    stage: Stage, talking: Voice
) -> None:
    stage.agent.speaks = False
    leg = leg_of(stage, Side.AGENT)
    run_until(stage, lambda: leg.asked)
    stage.agent.hold()
    stage.run(LIMIT_S / 2)
    assert stage.call.state is State.HELD
    assert not leg.asked
    said = agreed(leg)
    assert said.media[0].direction == "recvonly"
    assert said.encode() == leg.standing(), "nothing older was said again"


def test_a_phone_that_is_heard_again_in_time_is_not_asked(stage: Stage, talking: Voice) -> None:
    before = seq(leg_of(stage, Side.CUSTOMER))
    for _ in range(3):
        talking.speaks = False
        stage.run(NEARLY_S)
        talking.speaks = True
        stage.run(MORE_S)
    assert seq(leg_of(stage, Side.CUSTOMER)) == before


def test_a_phone_that_was_never_heard_has_its_time_from_the_moment_it_is_connected(stage: Stage) -> None:
    stage.customer().speaks = False
    stage.run(NEARLY_S)
    before = seq(leg_of(stage, Side.CUSTOMER))
    stage.run(MORE_S)
    assert seq(leg_of(stage, Side.CUSTOMER)) == before + 1


def test_a_caller_who_waits_and_has_vanished_gives_up_the_place_when_it_was_kept_for_a_while(
    stage: Stage,
) -> None:
    stage.customer()
    stage.run(5.0)
    waiting = stage.customer()
    stage.run(5.0)
    assert len(stage.calls) == 2
    waiting.vanish()
    stage.run(NEARLY_S)
    assert len(stage.calls) == 2
    stage.run(MORE_S + PATIENCE_S)
    assert only_record(stage).reason is EndReason.SIGNALLING_LOST
    queue = stage.house.switch.acd.queues["support"]
    assert queue.head is None
    stage.run(queue.spec.keep_place_s)
    assert not stage.house.switch.acd.queues["support"].places


def test_a_phone_need_not_be_heard_while_it_rings(stage: Stage) -> None:
    stage.agent.pick_up = lambda session: None  # type: ignore[method-assign]
    stage.customer("agent0").speaks = False
    stage.run(NEARLY_S)
    assert stage.call.state is State.DIALLING


def test_a_phone_that_holds_need_not_be_heard(stage: Stage, talking: Voice) -> None:
    stage.agent.hold()
    stage.agent.speaks = False
    stage.run(1.0)
    before = seq(leg_of(stage, Side.AGENT))
    stage.run(3 * LIMIT_S)
    assert stage.call.state is State.HELD
    assert seq(leg_of(stage, Side.AGENT)) == before
    stage.agent.take_back()
    stage.run(NEARLY_S)
    assert seq(leg_of(stage, Side.AGENT)) == before
    stage.run(MORE_S)
    assert seq(leg_of(stage, Side.AGENT)) == before + 1
    assert stage.call.state is State.TALKING


def test_a_phone_that_is_held_has_to_be_heard_or_to_answer(stage: Stage, talking: Voice) -> None:
    stage.agent.hold()
    talking.speaks = False
    stage.run(2 * LIMIT_S)
    assert stage.call.state is State.HELD
    talking.vanish()
    stage.run(LIMIT_S + PATIENCE_S + MORE_S)
    assert only_record(stage).reason is EndReason.SIGNALLING_LOST


def test_with_0_nobody_is_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path, rtp_timeout_s=0.0, ticks_in_one=SELDOM)
    customer = stage.customer()
    customer.speaks = stage.agent.speaks = False
    stage.run(10 * LIMIT_S)
    assert stage.call.state is State.TALKING
    assert not customer.asked


def test_a_day_of_phones_that_vanish_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Customer, "VANISHING", 1.0)
    monkeypatch.setattr(AgentPhone, "TALK_S", 300.0)
    outcome = Day(7, 80, tmp_path, rtp_timeout_s=15.0).live()
    assert outcome.reasons["signalling_lost"] > outcome.calls // 10
