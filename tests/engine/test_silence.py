"""A phone that is not heard for too long ends its call: media.rtp_timeout_s."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import CallRecord, EndReason, Side
from engine.states import State
from tests.sim.stage import Stage, Voice
from tests.sim.story import Day

LIMIT_S = 60.0
NEARLY_S = LIMIT_S - 3.0
MORE_S = 6.0  # together with NEARLY_S, more than the limit
WRAP_UP_S = 6.0  # more than the agent has for notes


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, rtp_timeout_s=LIMIT_S)


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


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_a_call_ends_when_one_of_the_two_is_heard_no_more(stage: Stage, talking: Voice, who: str) -> None:
    phone = talking if who == "customer" else stage.agent
    phone.speaks = False
    stage.run(NEARLY_S)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S)
    record = only_record(stage)
    assert (record.ended_by, record.reason) == (Side.ENGINE, EndReason.NO_MEDIA)
    stage.run(WRAP_UP_S)
    assert not stage.house.switch.timers.live


def test_a_phone_that_is_heard_again_in_time_keeps_its_call(stage: Stage, talking: Voice) -> None:
    for _ in range(3):
        talking.speaks = False
        stage.run(NEARLY_S)
        talking.speaks = True
        stage.run(MORE_S)
    assert stage.call.state is State.TALKING


def test_a_phone_that_was_never_heard_has_its_time_from_the_moment_it_is_connected(stage: Stage) -> None:
    stage.customer().speaks = False
    stage.run(NEARLY_S)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S)
    assert only_record(stage).reason is EndReason.NO_MEDIA


def test_a_caller_who_waits_and_is_not_heard_gives_up_the_place(stage: Stage) -> None:
    stage.customer()
    stage.run(5.0)
    stage.customer().speaks = False
    stage.run(NEARLY_S)
    assert len(stage.calls) == 2
    stage.run(MORE_S)
    assert only_record(stage).reason is EndReason.NO_MEDIA
    assert not stage.house.switch.acd.queues["support"].places


def test_a_phone_need_not_be_heard_while_it_rings(stage: Stage) -> None:
    stage.agent.pick_up = lambda session: None  # type: ignore[method-assign]
    stage.customer("agent0").speaks = False
    stage.run(NEARLY_S)
    assert stage.call.state is State.DIALLING


def test_a_phone_that_holds_need_not_be_heard(stage: Stage, talking: Voice) -> None:
    stage.agent.hold()
    stage.agent.speaks = False
    stage.run(3 * LIMIT_S)
    assert stage.call.state is State.HELD
    stage.agent.take_back()
    stage.run(NEARLY_S)
    assert stage.call.state is State.TALKING
    stage.run(MORE_S)
    assert only_record(stage).reason is EndReason.NO_MEDIA


def test_a_phone_that_is_held_has_to_be_heard(stage: Stage, talking: Voice) -> None:
    stage.agent.hold()
    talking.speaks = False
    stage.run(NEARLY_S + MORE_S)
    assert only_record(stage).reason is EndReason.NO_MEDIA


def test_with_0_nobody_needs_to_be_heard(tmp_path: Path) -> None:
    stage = Stage(tmp_path, rtp_timeout_s=0.0)
    stage.customer().speaks = stage.agent.speaks = False
    stage.run(10 * LIMIT_S)
    assert stage.call.state is State.TALKING


def test_a_day_of_phones_that_are_never_heard_leaves_nothing_behind(tmp_path: Path) -> None:
    outcome = Day(7, 80, tmp_path, rtp_timeout_s=15.0).live()
    assert outcome.reasons["no_media"] > outcome.calls // 10
