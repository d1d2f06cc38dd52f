"""What an agent's page shows of real calls: offer, talk, hold, wrap-up; and when it is woken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.agent_desk import Desks
from engine.events import CallWrappedUp, Event
from engine.views import DeskCall, DeskView, UnknownCall
from tests.sim.stage import Stage, Voice


class Desk:
    """agent0's page, on the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.desks = Desks(stage.house.switch)
        self.woken = 0
        self.watch = self.desks.open("agent0", self.wake)

    def wake(self) -> None:
        self.woken += 1

    @property
    def now(self) -> DeskView:
        return self.desks.look("agent0", self.stage.world.now)

    @property
    def call(self) -> DeskCall:
        (call,) = self.now.calls
        return call


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, agents=2)


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def offered(stage: Stage) -> Voice:
    """A customer waits, and agent0's phone rings."""
    stage.agent.answers = False
    customer = stage.customer()
    stage.run(5.0)
    return customer


def test_a_page_about_the_call_is_named_by_its_queue_and_a_caller_names_no_other(
    stage: Stage, desk: Desk
) -> None:
    acd = stage.house.switch.acd
    queue, template = acd.queues["support"], "https://crm.example.com/find?n={number}&name={name}&q={queue}"
    acd.queues["support"] = replace(queue, spec=replace(queue.spec, screen_pop=template))
    offered(stage)
    assert desk.call.pop == "https://crm.example.com/find?n=%2B491701234&name=&q=support"
    stage.call.display = "x&admin=1#/../\u202e<b>"
    assert desk.call.pop.endswith("&name=x%26admin%3D1%23%2F..%2F%E2%80%AE%3Cb%3E&q=support")


def test_an_offer_says_who_why_in_which_language_and_how_long_she_has_waited(
    stage: Stage, desk: Desk
) -> None:
    offered(stage)
    view, call = desk.now, desk.call
    assert (view.state, call.state, call.outgoing) == ("offered", "offered", False)
    assert (call.who, call.queue, call.language) == ("+491701234", "support", "en")
    assert call.why is not None and call.why.free_agents == 2
    assert call.waited_s is not None and 0 <= call.waited_s < 5
    assert view.until is not None and view.until > view.since
    assert desk.woken > 0


def test_a_call_is_followed_from_the_offer_to_the_wrap_up(stage: Stage, desk: Desk) -> None:
    stage.customer()
    stage.run(8.0)
    assert (desk.now.state, desk.call.state, desk.call.held_by) == ("talking", "talking", ())
    assert [leg.side for leg in desk.call.legs] == ["customer", "agent"]
    stage.agent.hold()
    stage.run(0.5)
    assert (desk.call.state, desk.call.held_by) == ("held", ("agent",))
    call = stage.call.id
    woken = desk.woken
    assert stage.agent.session is not None
    stage.agent.session.hangup(None, now=stage.world.now)
    stage.agent.host.pump()
    stage.run(3.0)
    assert (desk.now.state, desk.now.calls) == ("wrap_up", ())
    assert desk.now.last is not None and (desk.now.last.call, desk.now.last.who) == (call, "+491701234")
    assert desk.woken > woken


def test_a_call_that_she_dials_shows_whom_she_calls(stage: Stage, desk: Desk) -> None:
    agent = stage.agent
    stage.agents[1].answers = False
    agent.call("agent1", agent.name, agent.credentials)
    stage.run(1.5)
    assert (desk.call.outgoing, desk.call.who, desk.call.waited_s) == (True, "agent1", None)


def test_what_she_writes_about_a_call_is_in_the_journal_and_only_for_calls_of_hers(
    stage: Stage, desk: Desk
) -> None:
    noted: list[Event] = []
    stage.customer()
    stage.run(8.0)
    stage.house.switch.observers.append(noted.append)  # type: ignore[arg-type]
    desk.desks.wrap_up("agent0", stage.call.id, "resolved", "all well", stage.world.now)
    (wrapped,) = noted
    assert isinstance(wrapped, CallWrappedUp) and (wrapped.agent, wrapped.outcome) == ("agent0", "resolved")
    with pytest.raises(UnknownCall):
        desk.desks.wrap_up("agent1", stage.call.id, "resolved", "", stage.world.now)


def test_a_page_that_has_left_is_woken_no_more(stage: Stage, desk: Desk) -> None:
    desk.desks.close(desk.watch)
    offered(stage)
    assert desk.woken == 0
