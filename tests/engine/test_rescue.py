"""A line that dies in the middle of a call: the call goes on over another, or ends and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.routing import CircuitSettings, RescueSettings
from engine.events import EndReason, LegGone, LegReturned, Side
from engine.leg import Leg
from engine.states import State
from media.messages import Play
from routing.number import LineTarget
from tests.sim.gateway import Gateway, Lines
from tests.sim.stage import Stage

FIRST, SECOND, THIRD = "10.3.0.1", "10.3.0.2", "10.3.0.3"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    """Two lines; the first is preferred, and somebody who does not stop speaking is called over it."""
    lines = Lines(stage)
    lines.add("one", FIRST, priority=1)
    lines.add("two", SECOND, priority=2)
    stage.run(1.0)
    return lines


def talk(lines: Lines) -> Gateway:
    """The agent talks to somebody over the first line."""
    lines.dial()
    lines.stage.run(5.0)
    assert lines.stage.call.state is State.TALKING
    return lines.gateways[FIRST]


def party(stage: Stage) -> Leg:
    leg = stage.call.party
    assert leg is not None
    return leg


def test_a_leg_that_is_dead_for_three_seconds_is_called_again_over_the_next_line(
    lines: Lines, stage: Stage
) -> None:
    talk(lines).vanish()
    stage.run(2.5)
    assert not lines.gateways[SECOND].called and stage.call.lost is None
    stage.run(1.5)
    assert (party(stage).line, stage.call.state, stage.call.lost) == ("two", State.TALKING, None)
    stage.run(6.0)
    for leg in (party(stage), stage.call.customer):
        assert leg is not None and leg.stats is not None and leg.stats.received > 0


def test_the_other_side_hears_comfort_noise_meanwhile(lines: Lines, stage: Stage) -> None:
    heard: list[str] = []
    play = Leg.play
    gateway = talk(lines)
    lines.gateways[SECOND].manner = "rings"

    def noted(leg: Leg, what: Play) -> None:
        heard.append(f"{leg.side} hears something again and again" if what.loop else f"{leg.side} hears")
        play(leg, what)

    Leg.play = noted  # type: ignore[method-assign]
    try:
        gateway.vanish()
        stage.run(5.0)
    finally:
        Leg.play = play  # type: ignore[method-assign]
    assert heard == [f"{Side.CUSTOMER} hears something again and again"]


def test_silence_alone_is_no_death(lines: Lines, stage: Stage) -> None:
    gateway = talk(lines)
    gateway.speaks = False
    stage.run(30.0)
    assert stage.call.state is State.TALKING and not lines.gateways[SECOND].called


def test_a_line_that_answers_and_stays_mute_loses_the_calls_after_it(stage: Stage) -> None:
    lines = Lines(stage, circuit=CircuitSettings(least_failures=2))
    first, second = lines.add("one", FIRST, priority=1), lines.add("two", SECOND, priority=2)
    first.speaks = False
    for seconds in (7.0, 3.0, 7.0):
        session = lines.dial()
        stage.run(seconds)
        stage.agent.hang_up(session)
        stage.run(2.0)
    assert len(first.called) == 3, "of one that was short nothing can be said"
    lines.dial()
    stage.run(2.0)
    assert (len(first.called), len(second.called)) == (3, 1)


def test_a_far_end_that_has_forgotten_the_call_is_called_again_at_once(lines: Lines, stage: Stage) -> None:
    gateway = talk(lines)
    gateway.speaks = False
    gateway.forget()
    stage.run(2.5)
    assert lines.gateways[SECOND].called


def test_it_is_called_again_over_none_but_the_lines_that_its_number_leads_to(
    lines: Lines, stage: Stage
) -> None:
    third = lines.add("three", THIRD, priority=3)
    lines.leads("+34", LineTarget(("one", "three")))
    stage.run(1.0)
    talk(lines).vanish()
    stage.run(6.0)
    assert third.called and not lines.gateways[SECOND].called


def test_who_was_only_away_goes_on_as_before(lines: Lines, stage: Stage) -> None:
    gateway = talk(lines)
    lines.gateways[SECOND].manner = "rings"
    gateway.vanish()
    stage.run(6.0)
    second = lines.gateways[SECOND]
    assert second.called and second.live
    gateway.host.up = gateway.speaks = True
    stage.run(3.0)
    assert (party(stage).line, stage.call.state) == ("one", State.TALKING)
    assert not second.live


@pytest.mark.parametrize("manner", [503, "rings"])
def test_a_call_that_no_line_takes_over_ends_and_says_so(
    lines: Lines, stage: Stage, manner: str | int
) -> None:
    gateway = talk(lines)
    lines.gateways[SECOND].manner = manner
    gateway.vanish()
    stage.run(30.0)
    (record,) = stage.records
    assert (record.reason, record.ended_by) == (EndReason.NOT_RESCUED, Side.ENGINE)
    assert not lines.gateways[SECOND].live


@pytest.mark.parametrize("wanted", [True, False])
def test_a_customer_whose_line_dies_is_called_back_where_that_is_wanted(stage: Stage, wanted: bool) -> None:
    lines = Lines(stage, rescue=RescueSettings(call_back=wanted))
    lines.add("one", FIRST, priority=1)
    lines.add("two", SECOND, priority=2)
    customer = stage.customer()
    stage.run(8.0)
    assert stage.call.state is State.TALKING
    customer.vanish()
    stage.run(7.0)
    gateway = lines.gateways[FIRST]
    assert gateway.numbers == (["+491701234"] if wanted else []) and stage.call.state is State.TALKING
    if not wanted:
        return
    assert stage.call.customer is not None and stage.call.customer.line == "one"
    assert stage.call.agent == "agent0"


def test_nothing_is_called_again_where_the_operator_does_not_want_it(stage: Stage) -> None:
    lines = Lines(stage, rescue=RescueSettings(enabled=False))
    lines.add("one", FIRST, priority=1)
    second = lines.add("two", SECOND, priority=2)
    stage.run(1.0)
    talk(lines).vanish()
    stage.run(20.0)
    assert not second.called


def test_the_journal_has_when_it_was_gone_and_when_it_returned(lines: Lines, stage: Stage) -> None:
    told: list[object] = []
    stage.house.switch.observers.append(told.append)
    talk(lines).vanish()
    stage.run(6.0)
    kinds = [type(event) for event in told if isinstance(event, LegGone | LegReturned)]
    assert kinds == [LegGone, LegReturned]
