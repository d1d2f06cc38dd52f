"""Callers who wait, and a supervisor's hand on them: queue, priority, agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import steering
from engine.states import State
from engine.steering import Order
from engine.views import IllegalState, UnknownAgent, UnknownCall
from routing.agent import AgentEvent, AgentState
from tests.engine.overheard import Overheard
from tests.sim.stage import Voice


class Waiting(Overheard):
    """Two callers wait in `support`, whose agents have a break: first, and second five seconds later."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, agents=3)
        self.pause("agent0", "agent1", "agent2")
        self.first: Voice = self.customer()
        self.run(5.0)
        self.second: Voice = self.customer()
        self.run(5.0)
        self.one, self.two = list(self.calls)

    def pause(self, *names: str) -> None:
        for name in names:
            self.switch.set_agent(name, AgentEvent.PAUSE, self.world.now)

    def resume(self, *names: str) -> None:
        for name in names:
            self.switch.set_agent(name, AgentEvent.RESUME, self.world.now)
        self.run(0.1)

    def steer(self, call: str, **order: object) -> None:
        steering.steer(self.switch, call, Order("boss", **order), self.world.now)  # type: ignore[arg-type]
        self.run(0.1)

    def place(self, call: str) -> tuple[str, int, int]:
        seen = steering.look(self.switch, call, self.world.now)
        assert seen is not None
        return seen.queue, seen.position, seen.priority


@pytest.fixture
def hall(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path)


def test_a_raised_caller_is_served_first_and_the_offer_says_why(hall: Waiting) -> None:
    hall.steer(hall.two, priority=5)
    assert hall.place(hall.two) == ("support", 1, 5) and hall.place(hall.one) == ("support", 2, 0)
    hall.resume("agent0")
    assert hall.calls[hall.two].state is State.OFFERED and hall.calls[hall.one].state is State.QUEUED
    offered = next(event for event in hall.noted if event.kind == "call.offered")
    assert "priority 5" in offered.why
    (changed,) = [event for event in hall.noted if event.kind == "call.priority_changed"]
    assert (changed.before, changed.priority, changed.by) == (0, 5, "boss")


def test_a_caller_who_is_moved_keeps_the_time_that_she_waited(hall: Waiting) -> None:
    before = steering.look(hall.switch, hall.one, hall.world.now)
    hall.steer(hall.one, queue="sales")
    seen = steering.look(hall.switch, hall.one, hall.world.now)
    assert seen is not None and before is not None
    assert (seen.queue, seen.position) == ("sales", 1) and hall.place(hall.two)[1] == 1
    assert seen.waited_s == pytest.approx(before.waited_s + 0.1)
    assert hall.switch.acd.tallies["support"].abandoned == 0, "nobody gave up"
    hall.resume("agent1")  # of both queues
    assert hall.calls[hall.one].state is State.OFFERED, "she waited longer than who is in the other queue"
    (moved,) = [event for event in hall.noted if event.kind == "call.queue_moved"]
    assert (moved.before, moved.queue, moved.by) == ("support", "sales", "boss")


def test_the_longest_wait_of_the_queue_she_is_moved_to_begins_anew(hall: Waiting) -> None:
    hall.run(65.0)  # she has waited over sales' 60 s
    hall.steer(hall.one, queue="sales")
    assert hall.calls[hall.one].state is State.QUEUED and hall.calls[hall.one].queue.name == "sales"
    hall.run(50.0)
    assert hall.calls[hall.one].state is State.QUEUED
    hall.run(15.0)
    assert hall.one not in hall.calls or hall.calls[hall.one].state is State.LEAVING


def test_a_phone_that_rings_for_one_who_is_moved_rings_no_more(hall: Waiting) -> None:
    hall.agents[0].answers = False
    hall.resume("agent0")
    assert hall.calls[hall.one].offered_agent == "agent0"
    hall.steer(hall.one, queue="sales")
    hall.run(0.5)
    assert hall.calls[hall.one].state is State.QUEUED
    assert hall.calls[hall.two].offered_agent == "agent0", "the next one has her"
    assert hall.switch.acd.agents["agent0"].misses == 0


def test_one_who_is_being_greeted_is_moved_and_greeted_to_the_end(hall: Waiting) -> None:
    third = hall.customer()
    hall.run(0.3)
    id = list(hall.calls)[-1]
    assert hall.calls[id].state is State.GREETING and third.live
    with pytest.raises(IllegalState, match="greeted"):
        hall.steer(id, priority=3)
    hall.steer(id, queue="sales")
    assert hall.calls[id].state is State.GREETING and hall.place(id) == ("sales", 0, 0)
    hall.run(3.0)
    assert hall.place(id) == ("sales", 1, 0)


def test_the_agent_who_was_picked_gets_her_and_nobody_else_does(hall: Waiting) -> None:
    hall.resume("agent2")
    hall.run(20.0)
    assert hall.calls[hall.one].state is State.TALKING, "who comes first is served meanwhile"
    hall.steer(hall.two, agent="agent2")
    hall.resume("agent0", "agent1")
    hall.run(5.0)
    assert hall.calls[hall.two].state is State.QUEUED, "two are free, and she waits for the third"
    assert hall.first.session is not None
    hall.first.hang_up(hall.first.session)
    hall.first.host.pump()
    hall.run(8.0)  # with the time after the call
    assert hall.calls[hall.two].agent == "agent2"
    offered = [event for event in hall.noted if event.kind == "call.offered"][-1]
    assert offered.why.endswith("picked by hand")


def test_a_pick_is_taken_back_or_falls_when_she_goes(hall: Waiting) -> None:
    hall.resume("agent2")
    hall.run(20.0)
    hall.steer(hall.two, agent="agent2")
    hall.resume("agent0")
    assert hall.calls[hall.two].state is State.QUEUED
    hall.steer(hall.two, agent="")
    assert hall.calls[hall.two].offered_agent == "agent0"
    picked = [event.agent for event in hall.noted if event.kind == "call.agent_picked"]
    assert picked == ["agent2", ""]


def test_one_who_logs_out_instead_leaves_her_to_anybody(hall: Waiting) -> None:
    hall.resume("agent2")
    hall.run(20.0)
    hall.steer(hall.two, agent="agent2")
    hall.switch.set_agent("agent2", AgentEvent.LOGOUT, hall.world.now)
    hall.resume("agent0")
    assert hall.calls[hall.two].state is State.QUEUED, "she works as long as she talks"
    assert hall.first.session is not None
    hall.first.hang_up(hall.first.session)
    hall.first.host.pump()
    hall.run(0.3)
    assert hall.switch.acd.agents["agent2"].state is AgentState.LOGGED_OUT
    assert hall.calls[hall.two].offered_agent == "agent0"


def test_all_is_done_or_nothing(hall: Waiting) -> None:
    with pytest.raises(IllegalState, match="takes no calls"):
        hall.steer(hall.two, queue="sales", priority=9, agent="agent0")
    with pytest.raises(UnknownAgent):
        hall.steer(hall.two, priority=9, agent="nobody")
    with pytest.raises(IllegalState, match="no queue"):
        hall.steer(hall.two, queue="none", priority=9)
    with pytest.raises(UnknownCall):
        hall.steer("none", priority=9)
    assert hall.place(hall.two) == ("support", 2, 0)
    hall.resume("agent0")
    hall.steer(hall.two, queue="sales", priority=9, agent="agent0")
    seen = steering.look(hall.switch, hall.two, hall.world.now)
    assert seen is not None and (seen.queue, seen.priority, seen.agent) == ("sales", 9, "agent0")


def test_one_who_talks_has_no_place(hall: Waiting) -> None:
    hall.resume("agent0")
    hall.run(3.0)
    assert hall.calls[hall.one].state is State.TALKING
    with pytest.raises(IllegalState, match="does not wait"):
        hall.steer(hall.one, priority=1)
    assert steering.look(hall.switch, hall.one, hall.world.now) is None
