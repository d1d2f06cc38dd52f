"""Assignment: longest-idle agent, longest-waiting caller, and nobody left who could have been served."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.agent import Agent, AgentState
from routing.queue import Queue, QueueSpec
from routing.select import Assignment, Reasons, assign, assign_agent, assign_call

NOW = 1000.0


def free(name: str, *queues: str, idle: float = 10.0) -> Agent:
    return Agent(name, queues, AgentState.AVAILABLE, idle_since=NOW - idle, registered=True)


def waiting(name: str, **callers: float) -> Queue:
    """A queue whose callers have waited so many seconds."""
    queue = Queue(QueueSpec(name))
    for call, waited in callers.items():
        queue = queue.enqueue(call, NOW - waited)
    return queue


def pairs(assignments: list[Assignment]) -> dict[str, str]:
    return {each.call: each.agent for each in assignments}


def test_the_longest_idle_agent_gets_the_longest_waiting_caller():
    queue = waiting("support", ann=30, ben=20)
    agents = [free("alice", "support", idle=5), free("bob", "support", idle=42)]
    assert pairs(assign([queue], agents, NOW)) == {"ann": "bob", "ben": "alice"}


def test_an_agent_of_several_queues_takes_whoever_waited_longest_in_any():
    queues = [waiting("support", ann=10), waiting("ventas", eva=50)]
    assert pairs(assign(queues, [free("carmen", "support", "ventas")], NOW)) == {"eva": "carmen"}


def test_priority_goes_before_waiting():
    vip = Queue(QueueSpec("vip", priority=5)).enqueue("vera", NOW - 1)
    chosen = assign([waiting("support", ann=500), vip], [free("alice", "support", "vip")], NOW)
    assert pairs(chosen) == {"vera": "alice"}


def test_a_caller_put_at_the_head_goes_before_those_who_waited_longer_elsewhere():
    back = waiting("ventas").enqueue("eva", NOW, at_head=True)
    chosen = assign([waiting("support", ann=500), back], [free("carmen", "support", "ventas")], NOW)
    assert pairs(chosen) == {"eva": "carmen"}


@pytest.mark.parametrize(
    "change",
    [{"registered": False}, {"queues": ()}, *[{"state": s} for s in AgentState if s != AgentState.AVAILABLE]],
)
def test_an_agent_who_is_not_free_for_the_queue_gets_nothing(change):
    agent = replace(free("alice", "support"), **change)
    assert assign([waiting("support", ann=10)], [agent], NOW) == []
    assert assign_agent(agent, [waiting("support", ann=10)], [agent], NOW) is None
    assert assign_call(waiting("support", ann=10), [agent], NOW) is None


def test_a_caller_for_whom_a_phone_rings_is_not_offered_twice():
    queue = waiting("support", ann=30).offered("ann", "alice")
    assert assign([queue], [free("bob", "support")], NOW) == []


def test_agents_idle_equally_long_are_taken_by_name_so_that_a_choice_can_be_repeated():
    agents = [free("bob", "support"), free("alice", "support")]
    assert pairs(assign([waiting("support", ann=1)], agents, NOW)) == {"ann": "alice"}


def test_a_call_that_waits_in_two_queues_is_given_to_one_agent():
    queues = [waiting("support", ann=30, ben=5), waiting("ventas", ann=30, eva=5)]
    agents = [free("alice", "support"), free("carmen", "ventas", idle=5)]
    assert pairs(assign(queues, agents, NOW)) == {"ann": "alice", "eva": "carmen"}


def test_the_reasons_say_what_a_supervisor_would_ask():
    queues = [waiting("support", **{f"call{n}": 60 - n for n in range(5)}), waiting("ventas", eva=1)]
    agents = [free("alice", "support", "ventas", idle=42), free("bob", "support"), free("dan", "support")]
    chosen = assign(queues, agents, NOW)[0]
    assert chosen.reasons == Reasons(42.0, 3, 60.0, 5, 0, ("ventas",))
    said = "idle 42 s, longest of 3; caller first of 5, waited 60 s; ahead of ventas"
    assert str(chosen.reasons) == said


def test_the_reasons_of_a_lone_agent_and_caller_read_plainly():
    chosen = assign([waiting("support", ann=7)], [free("alice", "support", idle=3)], NOW)[0]
    assert str(chosen.reasons) == "idle 3 s, the only one free; caller the only one waiting, waited 7 s"


NAMES = ("support", "ventas", "zhichi")
AGENTS = st.lists(
    st.builds(
        lambda number, queues, idle, state, registered: Agent(
            f"agent{number}", tuple(sorted(queues)), state, idle_since=NOW - idle, registered=registered
        ),
        st.integers(0, 20),
        st.sets(st.sampled_from(NAMES), max_size=3),
        st.integers(0, 100),
        st.sampled_from([AgentState.AVAILABLE, AgentState.AVAILABLE, AgentState.TALKING]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda agent: agent.name,
)
CALLERS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 100), st.integers(0, 2), st.booleans(), st.booleans()),
    max_size=20,
    unique_by=lambda caller: caller[1],
)


def queues_of(callers: list[tuple[str, int, int, bool, bool]]) -> list[Queue]:
    queues = {name: Queue(QueueSpec(name)) for name in NAMES}
    for number, (name, waited, priority, at_head, ringing) in enumerate(callers):
        call = f"call{number}"
        queue = queues[name].enqueue(call, NOW - waited, priority=priority, at_head=at_head)
        queues[name] = queue.offered(call, "somebody") if ringing else queue
    return list(queues.values())


def caller_first(queues: list[Queue], agents: list[Agent]) -> dict[str, str]:
    """The plain rule, slowly: each caller in order of service takes the longest-idle agent who is left."""
    left = sorted((agent for agent in agents if agent.free), key=lambda agent: (agent.idle_since, agent.name))
    chosen: dict[str, str] = {}
    everybody = [(place.order, queue.name, place.call) for queue in queues for place in queue.waiting]
    for _, name, call in sorted(everybody):
        agent = next((agent for agent in left if name in agent.queues), None)
        if agent is not None:
            left.remove(agent)
            chosen[call] = agent.name
    return chosen


@given(CALLERS, AGENTS)
def test_afterwards_no_free_agent_is_left_beside_a_caller_she_could_serve(callers, agents):
    queues = queues_of(callers)
    chosen = assign(queues, agents, NOW)
    taken_agents, taken_calls = [each.agent for each in chosen], [each.call for each in chosen]
    assert len(set(taken_agents)) == len(chosen) == len(set(taken_calls))
    for agent in agents:
        if agent.free and agent.name not in taken_agents:
            for queue in queues:
                left = [place for place in queue.waiting if place.call not in taken_calls]
                assert not left or queue.name not in agent.queues


@given(CALLERS, AGENTS)
def test_every_offer_is_one_that_may_be_made(callers, agents):
    queues = {queue.name: queue for queue in queues_of(callers)}
    members = {agent.name: agent for agent in agents}
    for each in assign(queues.values(), agents, NOW):
        assert members[each.agent].free
        assert each.queue in members[each.agent].queues
        assert each.call in [place.call for place in queues[each.queue].waiting]


@given(CALLERS, AGENTS)
def test_serving_agents_first_or_callers_first_comes_to_the_same(callers, agents):
    distinct = {order for queue in queues_of(callers) for order in [place.order for place in queue.places]}
    if len(distinct) == len(callers):
        queues = queues_of(callers)
        assert pairs(assign(queues, agents, NOW)) == caller_first(queues, agents)


@given(CALLERS, AGENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_queues_and_agents_are_named_does_not_matter(callers, agents, rng):
    queues = queues_of(callers)
    distinct = {place.order for queue in queues for place in queue.places}
    shuffled_agents, shuffled_queues = list(agents), list(queues)
    rng.shuffle(shuffled_agents)
    rng.shuffle(shuffled_queues)
    if len(distinct) == len(callers):
        assert assign(queues, agents, NOW) == assign(shuffled_queues, shuffled_agents, NOW)


@given(CALLERS, AGENTS)
def test_one_agent_becoming_free_is_assigned_as_all_would_be(callers, agents):
    queues = queues_of(callers)
    for agent in agents:
        alone = assign(queues, [agent], NOW)
        assert assign_agent(agent, queues, [agent], NOW) == (alone[0] if alone else None)


@given(CALLERS, AGENTS)
def test_one_caller_joining_is_assigned_as_all_would_be(callers, agents):
    for queue in queues_of(callers):
        whole = assign([queue], agents, NOW)
        first = queue.head and next((each for each in whole if each.call == queue.head.call), None)
        one = assign_call(queue, agents, NOW)
        assert (one and (one.call, one.agent)) == (first and (first.call, first.agent))
