"""Assignment over several nodes: one order of callers for all, and near agents before far ones."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from routing.across import Ways, assign_across
from routing.agent import Agent, AgentState
from routing.queue import Place, Queue, QueueSpec
from routing.select import Assignment, assign

NOW = 1000.0
RTT = {("a", "b"): 20.0, ("a", "c"): 120.0, ("b", "a"): 20.0, ("b", "c"): 110.0}
HERE = Ways("a", RTT)


def free(name: str, node: str = "", idle: float = 10.0, *queues: str) -> Agent:
    return Agent(
        name, queues or ("support",), AgentState.AVAILABLE, idle_since=NOW - idle, registered=True, node=node
    )


def waiting(*callers: tuple[str, float, str], name: str = "support", priority: int = 0) -> Queue:
    """Callers by name, with how long they have waited and at which node."""
    queue = Queue(QueueSpec(name, priority=priority))
    for call, waited, node in callers:
        queue = queue.put(Place(call, NOW - waited, priority, node=node))
    return queue


def pairs(chosen: list[Assignment]) -> dict[str, str]:
    return {each.call: each.agent for each in chosen}


def test_an_agent_next_door_goes_before_one_who_rested_a_little_longer() -> None:
    agents = [free("far", "c", idle=200), free("near", "b", idle=30), free("local", idle=5)]
    chosen = assign_across([waiting(("ann", 9, ""))], agents, NOW, HERE)
    assert pairs(chosen) == {"ann": "local"}
    assert pairs(assign_across([waiting(("ann", 9, ""))], agents[:2], NOW, HERE)) == {"ann": "near"}


def test_one_who_rested_much_longer_is_not_left_out_for_being_far() -> None:
    agents = [free("far", "c", idle=500), free("near", "b", idle=10)]
    (choice,) = assign_across([waiting(("ann", 9, ""))], agents, NOW, HERE)
    assert (choice.agent, choice.node, choice.reasons.rtt_ms) == ("far", "c", 120.0)
    assert "at node c, 120 ms away" in str(choice.reasons)


def test_an_unmeasured_way_is_longer_than_none() -> None:
    agents = [free("elsewhere", "d", idle=60), free("local", idle=1)]
    assert pairs(assign_across([waiting(("ann", 9, ""))], agents, NOW, HERE)) == {"ann": "local"}


def test_who_waited_longest_chooses_first_wherever_she_is() -> None:
    queue = waiting(("ann", 5, ""), ("ben", 50, "b"))
    assert pairs(assign_across([queue], [free("alice")], NOW, HERE)) == {"ben": "alice"}


def test_priority_goes_before_waiting_over_all_nodes() -> None:
    queues = [waiting(("ann", 500, "")), waiting(("vera", 1, "c"), name="vip", priority=5)]
    chosen = assign_across(queues, [free("alice", "", 1, "support", "vip")], NOW, HERE)
    assert pairs(chosen) == {"vera": "alice"}


def test_a_caller_whose_node_cannot_reach_an_agent_leaves_her_to_the_next() -> None:
    queue = waiting(("ben", 50, "b"), ("ann", 5, ""))
    ways = replace(HERE, cut=frozenset({("b", "a")}))
    assert pairs(assign_across([queue], [free("alice")], NOW, ways)) == {"ann": "alice"}
    passed = frozenset({("ben", "alice")})
    assert pairs(assign_across([queue], [free("alice")], NOW, HERE, passed)) == {"ann": "alice"}


def test_a_call_of_two_queues_and_an_agent_of_two_are_each_given_once() -> None:
    queues = [waiting(("ann", 30, ""), ("ben", 5, "")), waiting(("ann", 30, ""), name="sales")]
    agents = [free("alice", "", 9, "support", "sales"), free("carmen", "b", 5, "support", "sales")]
    assert pairs(assign_across(queues, agents, NOW, HERE)) == {"ann": "alice", "ben": "carmen"}


@pytest.mark.parametrize("seed", range(20))
def test_all_nodes_find_the_same_and_one_that_is_alone_finds_what_it_always_found(seed: int) -> None:
    rng = Random(seed)
    nodes = ("a", "b", "c")
    calls = [(f"call{n}", rng.uniform(0, 300), rng.choice(nodes)) for n in range(rng.randrange(1, 9))]
    agents = [(f"agent{n}", rng.choice(nodes), rng.uniform(0, 300)) for n in range(rng.randrange(1, 9))]

    def seen_at(here: str) -> dict[str, str]:
        queue = waiting(*((call, waited, "" if node == here else node) for call, waited, node in calls))
        known = [free(name, "" if node == here else node, idle) for name, node, idle in agents]
        return pairs(assign_across([queue], known, NOW, Ways(here, RTT)))

    assert seen_at("a") == seen_at("b") == seen_at("c")
    queue = waiting(*((call, waited, "") for call, waited, _ in calls))
    known = [free(name, "", idle) for name, _, idle in agents]
    assert pairs(assign_across([queue], known, NOW, Ways("a"))) == pairs(assign([queue], known, NOW))
