"""A waiting caller whose call broke off has her place again when she calls again soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.call import Call
from engine.events import EndReason
from tests.sim.stage import Stage, Voice

LATE_S = 120.0  # a phone that says nothing is asked, and given up


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A house whose only agent takes no calls; +4930100 is the queue `support`."""
    return Stage(tmp_path, agents=1, rtp_timeout_s=6.0, ticks_in_one=5)


def calls(stage: Stage, caller: str) -> Voice:
    phone = Voice(stage, f"10.1.0.{1 + len(stage.world.hosts)}")
    phone.call("+4930100", caller)
    stage.run(8.0)  # she is greeted first
    return phone


def of(stage: Stage, caller: str) -> Call:
    return next(call for call in stage.calls.values() if call.caller == caller)


def position(stage: Stage, caller: str) -> int:
    call = of(stage, caller)
    assert call.queue is not None
    return stage.house.switch.acd.queues[call.queue.name].position(call.id)


@pytest.fixture
def waiting(stage: Stage) -> list[Voice]:
    """Two who wait for an agent who is not there."""
    stage.agent.answers = False
    return [calls(stage, "+491701111"), calls(stage, "+491702222")]


def lose(stage: Stage, phone: Voice, caller: str) -> None:
    """Her battery is empty, and that is noticed."""
    id = of(stage, caller).id
    phone.vanish()
    for _ in range(int(LATE_S)):
        stage.run(1.0)
        if id not in stage.calls:
            return
    raise AssertionError("nobody noticed")


def test_who_was_lost_and_calls_again_is_where_she_was(stage: Stage, waiting: list[Voice]) -> None:
    lose(stage, waiting[0], "+491701111")
    assert stage.records[0].reason is EndReason.SIGNALLING_LOST
    calls(stage, "+491703333")
    calls(stage, "+491701111")
    assert [position(stage, each) for each in ("+491701111", "+491702222", "+491703333")] == [1, 2, 3]


def test_who_hung_up_begins_anew(stage: Stage, waiting: list[Voice]) -> None:
    waiting[0].hang_up(waiting[0].session)  # type: ignore[arg-type]
    waiting[0].host.pump()
    stage.run(2.0)
    calls(stage, "+491701111")
    assert [position(stage, each) for each in ("+491702222", "+491701111")] == [1, 2]


def test_a_place_that_nobody_comes_for_is_given_up(stage: Stage) -> None:
    stage.agent.answers = False
    phone = calls(stage, "+491701111")
    lose(stage, phone, "+491701111")
    acd = stage.house.switch.acd
    assert [place.kept_until is not None for place in acd.queues["support"].places] == [True]
    assert acd.tallies["support"].abandoned == 0
    stage.run(acd.queues["support"].spec.keep_place_s)
    assert not acd.queues["support"].places
    assert acd.tallies["support"].abandoned == 1
