"""Lines change under calls that are being made over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.events import EndReason
from engine.states import State
from tests.sim.gateway import Lines
from tests.sim.stage import Stage

FIRST, SECOND = "10.3.0.1", "10.3.0.2"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    return Lines(stage)


def keep(stage: Stage, *names: str) -> None:
    """Of the lines these alone are left."""
    switch = stage.house.switch
    left = {name: each for name, each in switch.config.lines.items() if name in names}
    specs = {name: each.spec() for name, each in left.items()}
    switch.config = replace(switch.config, lines=left, specs=specs)
    switch.trunks.reconfigured(stage.world.now)
    stage.house.host.pump()


@pytest.mark.parametrize("manner", ["trying", 503])
def test_a_call_on_its_way_over_a_line_that_is_gone_goes_on_over_the_next(
    lines: Lines, stage: Stage, manner: str | int
) -> None:
    first = lines.add("one", FIRST, priority=1)
    first.manner = manner
    second = lines.add("two", SECOND, priority=2)
    session = lines.dial()
    stage.run(0.012)
    keep(stage, "carrier", "two")
    stage.run(15.0)
    assert (session.state, second.numbers) == ("connected", ["+34910601234"])


def test_the_other_addresses_of_a_line_that_is_gone_are_tried_by_the_call_that_had_it(
    lines: Lines, stage: Stage
) -> None:
    lines.add("one", FIRST, SECOND).host.up = False
    session = lines.dial()
    stage.run(0.1)
    keep(stage, "carrier")
    stage.run(15.0)
    assert session.state == "connected"


def test_a_phone_that_begins_to_ring_over_a_line_that_is_gone_may_answer(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST)
    gateway.later_s = 5.0
    session = lines.dial()
    stage.run(0.035)  # the INVITE is on its way
    keep(stage, "carrier")
    stage.run(10.0)
    assert (session.state, stage.call.state) == ("connected", State.TALKING)


def test_a_phone_that_rings_over_a_line_that_is_gone_may_answer(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST)
    gateway.later_s = 5.0
    session = lines.dial()
    stage.run(2.0)
    assert stage.call.state is State.DIALLING
    keep(stage, "carrier")
    stage.run(10.0)
    assert (session.state, stage.call.state) == ("connected", State.TALKING)
    gateway.hang_up(gateway.taken[0])
    gateway.host.pump()
    stage.run(3.0)
    assert stage.records[-1].reason is EndReason.COMPLETED


def test_a_call_whose_last_line_is_gone_before_anything_rang_ends_with_its_reason(
    lines: Lines, stage: Stage
) -> None:
    lines.add("one", FIRST).manner = "trying"
    lines.dial()
    stage.run(0.5)
    keep(stage, "carrier")
    stage.run(20.0)
    assert not stage.calls
    assert stage.records[-1].reason is not EndReason.FAULT


def test_a_call_that_waits_for_room_gets_it_when_the_cap_is_raised(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST, max_calls=1)
    lines.dial()
    stage.run(2.0)
    waiting = stage.customer("+34910601234")
    stage.run(0.5)
    switch = stage.house.switch
    line = replace(switch.config.lines["one"], max_calls=2)
    every = {**switch.config.lines, "one": line}
    specs = {name: each.spec() for name, each in every.items()}
    switch.config = replace(switch.config, lines=every, specs=specs)
    switch.trunks.reconfigured(stage.world.now)
    stage.run(6.0)
    assert len(gateway.taken) == 2
    assert waiting.session is not None and waiting.session.state == "connected"


def test_a_dead_line_stays_dead_while_another_changes(lines: Lines, stage: Stage) -> None:
    first = lines.add("one", FIRST, priority=1)
    lines.add("two", SECOND, priority=2)
    first.host.up = False
    stage.run(60.0)
    exchange = stage.house.switch.trunks.exchange
    assert exchange.board.share[exchange.board.index["one"]] == 0
    lines.add("three", "10.3.0.3", priority=3)
    exchange = stage.house.switch.trunks.exchange
    assert exchange.board.share[exchange.board.index["one"]] == 0
