"""What is kept of each call's way over a line, for the report of lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.line_events import LineUsed
from routing.measure import Measure
from tests.sim.gateway import Lines
from tests.sim.stage import Stage

FIRST, SECOND = "10.3.0.1", "10.3.0.2"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    return Lines(stage)


@pytest.fixture
def told(stage: Stage) -> list[LineUsed]:
    found: list[LineUsed] = []
    stage.house.switch.observers.append(
        lambda event: found.append(event) if isinstance(event, LineUsed) else None
    )
    return found


def test_a_call_that_was_talked_in_is_told_once_with_how_it_sounded(
    lines: Lines, stage: Stage, told: list[LineUsed]
) -> None:
    gateway = lines.add("one", FIRST)
    lines.dial()
    stage.run(12.0)
    gateway.hang_up(gateway.taken[0])
    gateway.host.pump()
    stage.run(4.0)
    (use,) = told
    assert (use.line, use.direction, use.destination, use.status) == ("one", "out", "34", 200)
    assert use.answered and not use.dropped and use.blame == "worked"
    assert use.pdd_s is not None and use.setup_s is not None
    assert 0 < use.pdd_s < use.setup_s < 1.0
    assert 10.0 < use.talk_s < 12.0
    assert use.mos is not None and use.mos > 4.0 and use.loss == 0.0
    measured = stage.house.switch.trunks.exchange.board.measured.estimate("34", stage.world.now)
    assert measured[Measure.MOS].max() > 4.0


def test_each_line_that_failed_is_told_before_the_one_that_answered(
    lines: Lines, stage: Stage, told: list[LineUsed]
) -> None:
    lines.add("one", FIRST, priority=1).manner = 503
    lines.add("two", SECOND, priority=2)
    lines.dial()
    stage.run(3.0)
    (failed,) = told
    assert (failed.line, failed.status, failed.answered, failed.blame) == ("one", 503, False, "failed")
    assert failed.pdd_s is failed.setup_s is failed.mos is None


def test_a_caller_who_gives_up_says_nothing_of_the_line(
    lines: Lines, stage: Stage, told: list[LineUsed]
) -> None:
    lines.add("one", FIRST).manner = "rings"
    session = lines.dial()
    stage.run(3.0)
    session.hangup(None, now=stage.world.now)
    stage.agent.host.pump()
    stage.run(3.0)
    (use,) = told
    assert (use.answered, use.blame) == (False, "nothing")
    assert use.pdd_s is not None


def test_a_far_end_that_is_lost_in_the_middle_is_a_call_that_was_dropped(tmp_path: Path) -> None:
    stage = Stage(tmp_path, rtp_timeout_s=30.0)
    lines = Lines(stage)
    told: list[LineUsed] = []
    stage.house.switch.observers.append(
        lambda event: told.append(event) if isinstance(event, LineUsed) else None
    )
    gateway = lines.add("one", FIRST)
    lines.dial()
    stage.run(5.0)
    gateway.vanish()
    stage.run(90.0)
    (use,) = [each for each in told if each.answered]
    assert use.dropped


def test_what_comes_in_over_a_line_is_told_too(stage: Stage, told: list[LineUsed]) -> None:
    stage.customer()
    stage.run(20.0)
    (call,) = stage.calls.values()
    stage.house.switch.hang_up(call.id, stage.world.now)
    stage.run(4.0)
    (use,) = told
    assert (use.line, use.direction, use.destination, use.answered) == ("carrier", "in", "49", True)
    assert use.pdd_s is None and use.setup_s is not None and use.talk_s > 10.0
