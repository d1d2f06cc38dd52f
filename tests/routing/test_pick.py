"""Agents who are picked by hand for callers, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.across import Ways, assign_across
from routing.agent import Agent, AgentState
from routing.queue import NotWaiting, Queue, QueueSpec
from routing.select import assign

NOW = 1000.0


def agent(name: str, *queues: str, state: AgentState = AgentState.AVAILABLE, idle: float = 10.0) -> Agent:
    return Agent(name, queues or ("support",), state, idle_since=NOW - idle, registered=True)


def waiting(**callers: float) -> Queue:
    queue = Queue(QueueSpec("support"))
    for call, waited in callers.items():
        queue = queue.enqueue(call, NOW - waited)
    return queue


def offers(queue: Queue, *agents: Agent) -> dict[str, str]:
    """By both ways of assigning, which have to agree."""
    alone = {each.call: each.agent for each in assign([queue], agents, NOW)}
    across = assign_across(
        [queue], agents, NOW, Ways("here"), working=lambda: {each.name for each in agents if each.working}
    )
    assert {each.call: each.agent for each in across} == alone
    return alone


def test_she_is_offered_to_the_one_who_was_picked_and_to_nobody_else():
    queue = waiting(ann=30, ben=20).ordered("ben", picked="bob")
    assert offers(queue, agent("bob", idle=1), agent("eve", idle=50)) == {"ben": "bob", "ann": "eve"}
    busy = agent("bob", state=AgentState.TALKING)
    assert offers(queue, busy, agent("eve")) == {"ann": "eve"}
    assert offers(queue.leave("ann"), busy, agent("eve")) == {}


def test_of_two_with_the_same_pick_the_first_is_first():
    queue = waiting(ann=30, ben=20).ordered("ann", picked="bob").ordered("ben", picked="bob")
    assert offers(queue, agent("bob"), agent("eve")) == {"ann": "bob"}
    queue = queue.ordered("ben", priority=3)
    assert offers(queue, agent("bob"), agent("eve")) == {"ben": "bob"}


def test_the_pick_need_not_be_of_her_queue():
    queue = waiting(ann=30).ordered("ann", picked="carmen")
    assert offers(queue, agent("carmen", "ventas"), agent("eve")) == {"ann": "carmen"}


@pytest.mark.parametrize("state", [AgentState.PAUSED, AgentState.LOGGED_OUT])
def test_one_who_takes_no_calls_any_more_was_not_picked(state: AgentState):
    queue = waiting(ann=30).ordered("ann", picked="bob")
    assert offers(queue, agent("bob", state=state), agent("eve")) == {"ann": "eve"}
    assert offers(queue, replace(agent("bob"), registered=False), agent("eve")) == {"ann": "eve"}
    assert offers(queue, agent("eve")) == {"ann": "eve"}, "nor one who is not known"


def test_a_pick_is_good_for_one_offer():
    queue = waiting(ann=30).ordered("ann", picked="bob").offered("ann", "bob").restored("ann")
    assert offers(queue, agent("eve")) == {"ann": "eve"}
    other = waiting(ann=30).ordered("ann", picked="bob").offered("ann", "-").restored("ann")
    assert other.places[0].picked == "bob", "while she is out of reach it is kept"


def test_the_reasons_say_so():
    queue = waiting(ann=30).ordered("ann", picked="bob", priority=7)
    (choice,) = assign([queue], [agent("bob")], NOW)
    assert str(choice.reasons).endswith("waited 30 s, priority 7; the agent was picked by hand")


def test_a_call_that_cannot_reach_her_waits_for_her():
    queue = waiting(ann=30).ordered("ann", picked="bob")
    there = replace(agent("bob"), node="there")
    ways = Ways("here", cut=frozenset({("here", "there")}))
    assert assign_across([queue], [there, agent("eve")], NOW, ways, working=lambda: {"bob", "eve"}) == []


# --- priority


def test_a_raised_caller_goes_before_those_who_waited_longer_and_ties_go_by_arrival():
    queue = waiting(ann=30, ben=20, cid=10).ordered("cid", priority=5)
    assert [place.call for place in queue.places] == ["cid", "ann", "ben"]
    queue = queue.ordered("ben", priority=5)
    assert [place.call for place in queue.places] == ["ben", "cid", "ann"]
    queue = queue.ordered("ben", priority=0)
    assert [place.call for place in queue.places] == ["cid", "ann", "ben"]
    assert queue.places[2].wait_s(NOW) == 20


def test_one_who_rings_somewhere_stays_marked_and_one_who_does_not_wait_has_no_priority():
    queue = waiting(ann=30).offered("ann", "bob").ordered("ann", priority=2)
    assert queue.places[0].offered_to == "bob" and queue.places[0].priority == 2
    with pytest.raises(NotWaiting):
        queue.ordered("zoe", priority=1)
