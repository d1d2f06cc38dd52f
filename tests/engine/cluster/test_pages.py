"""Callers by HTTP whose node was lost: their call waits for them at the node that took it over."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.call import Call
from engine.cluster.capture import capture
from engine.cluster.replica import CallReplica, decode, encode
from engine.cluster.revival import GOES_ON, revive
from engine.cluster.surrender import surrender
from engine.events import CallHandedOver, CallTaken, EndReason
from engine.states import State
from engine.whip import Answered, Refused, Whip
from tests.engine.test_browser import OFFER, House, opened, secured
from tests.engine.test_whip import Page


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def page(house: House) -> Page:
    return Page(house, Whip(house.switch))


def goes_over(house: House, **changes: object) -> Call:
    """The only call, as if another node had it until now."""
    switch, now = house.switch, house.stage.world.now
    written: CallReplica = replace(decode(encode(capture(house.stage.call))), **changes)
    surrender(house.stage.call, "elsewhere", now)
    for name, queue in written.agents:
        switch.acd.resume(name, written.id, queue, now)
    call = revive(switch, written, "elsewhere", now)
    house.stage.house.host.pump()
    house.stage.run(1.0)
    return call


def comes_back(house: House, page: Page) -> Answered | Refused:
    page._ask(lambda now: page.whip.call(page.claims, OFFER, page.outcomes.append, now, resuming=True))
    leg = page.newest.number
    house.tells(opened(leg, "theirs"))
    house.tells(secured(leg))
    outcome = page.outcomes[-1]
    assert isinstance(outcome, Answered | Refused)
    return outcome


def test_a_call_goes_on_from_every_state_that_it_can_have():
    assert set(GOES_ON) == set(State) - {State.ENDING}


def test_who_talked_is_waited_for_and_talks_on(house: House, page: Page):
    page.talks()
    call = goes_over(house)
    assert call.state is State.TALKING
    assert call.customer is not None and call.customer.away
    answer = comes_back(house, page)
    assert isinstance(answer, Answered)
    assert (answer.resumed, answer.call) == (True, call.id)
    assert call.state is State.TALKING
    assert not call.customer.away


def test_who_waited_has_her_place_and_is_offered_to_nobody_until_she_is_back(house: House, page: Page):
    house.stage.agent.answers = False
    page.calls()
    house.until(lambda: house.stage.call.state in (State.QUEUED, State.OFFERED))
    joined = house.switch.acd.queues["support"].places[0].joined_at
    call = goes_over(house)
    assert call.state is State.QUEUED
    assert [place.joined_at for place in house.switch.acd.queues["support"].places] == [pytest.approx(joined)]
    house.stage.agent.answers = True
    house.stage.run(3.0)
    assert call.state is State.QUEUED
    assert isinstance(comes_back(house, page), Answered)
    house.until(lambda: call.state is State.TALKING)


def test_who_does_not_come_back_in_time_has_a_record_that_says_so(house: House, page: Page):
    page.talks()
    goes_over(house)
    house.stage.run(60.0)
    (record,) = house.stage.records
    assert record.reason is EndReason.NOT_RESUMED


def test_a_node_that_never_had_the_call_begins_none(house: House, page: Page):
    page._ask(lambda now: page.whip.call(page.claims, OFFER, page.outcomes.append, now, resuming=True))
    (outcome,) = page.outcomes
    assert isinstance(outcome, Refused)
    assert outcome.status == 404  # 421 where there are other nodes that may have it
    assert not house.switch.calls


def test_what_is_surrendered_leaves_nothing_behind_and_no_record(house: House, page: Page):
    told: list[object] = []
    house.switch.observers.append(told.append)
    page.talks()
    surrender(house.stage.call, "elsewhere", house.stage.world.now)
    house.stage.run(3.0)
    assert not house.switch.calls and not house.switch.sessions and not house.switch.legs
    assert house.stage.records == []
    assert [each.node for each in told if isinstance(each, CallHandedOver)] == ["elsewhere"]


def test_what_is_taken_over_is_told_with_where_it_was(house: House, page: Page):
    told: list[object] = []
    house.switch.observers.append(told.append)
    page.talks()
    goes_over(house)
    (taken,) = [each for each in told if isinstance(each, CallTaken)]
    assert (taken.taken_from, taken.state) == ("elsewhere", State.TALKING)


@pytest.mark.parametrize("role", ["customer", "party"])
def test_a_call_whose_other_side_cannot_be_taken_up_ends_with_its_record(house: House, page: Page, role: str):
    page.talks()
    legs = [
        each if each.role != role else replace(each, session=[0], token="")
        for each in capture(house.stage.call).legs
    ]
    house.stage.house.ledger.arrived.clear()
    goes_over(house, legs=legs)
    house.stage.run(5.0)
    (record,) = house.stage.records
    assert record.reason is EndReason.NODE_LOST
    assert not house.switch.acd.calls_of("agent0")
