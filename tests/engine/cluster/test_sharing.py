"""Queues shared by several nodes: whatever the network, the store and the nodes do."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
import structlog

from engine.cluster import news
from tests.engine.cluster.several import Net, Person, Town

NODES = ("a", "b", "c")
AGENTS = {f"agent{n}": ("support", "sales") if n % 3 else ("support",) for n in range(9)}


def town(seed: int, net: Net | None = None, agents: dict[str, tuple[str, ...]] = AGENTS) -> Town:
    """Three nodes, agents spread over them, everybody acquainted."""
    built = Town(seed, NODES, agents, net or Net())
    for n, agent in enumerate(agents):
        built.register(agent, NODES[n % 3])
    built.run(2.0)
    return built


def traffic(of: Town, calls: int, per_s: float) -> list[Person]:
    """So many callers, everywhere, some of whom give up."""
    people: list[Person] = []

    def arrive() -> None:
        up = [name for name, node in of.nodes.items() if node.up]
        person = of.caller(of.rng.choice(("support", "support", "sales")), of.rng.choice(up))
        people.append(person)
        if of.rng.random() < 0.1:
            of.after(of.rng.uniform(0, 8), lambda: of.hang_up(person))

    when = 0.0
    for _ in range(calls):
        when += of.rng.expovariate(per_s)
        of.after(when, arrive)
    of.run(when)
    return people


def in_turn(of: Town, node: str, caller: str) -> Person:
    """Somebody who calls support, a second before whatever comes next."""
    person = of.caller("support", node, caller)
    of.run(1.0)
    return person


def all_served(people: list[Person]) -> bool:
    return all(each.served or each.over for each in people)


@pytest.mark.parametrize("seed", [0, 1, 2, 7, 130])
def test_on_a_sound_network_nobody_is_offered_twice_nor_out_of_turn(seed: int) -> None:
    here = town(seed)
    here.bound_s = 0.5  # a beat, two ways, a pause of the teller, and the way of the offer
    people = traffic(here, 150, 1.5)
    here.run(90.0)
    assert all_served(people)
    here.check_agreement()


def test_who_moves_to_another_node_is_counted_there_alone() -> None:
    """So that the nodes' counts of agents add up."""
    here = Town(1, ("a", "b"), {"ann": ("support",), "bea": ("support",)}, Net())
    here.register("ann", "a")
    here.run(3.0)
    assert [sorted(node.acd.states()) for node in here.nodes.values()] == [
        ["available", "logged_out"],
        ["logged_out"],
    ]
    here.unregister("ann", "a")
    here.register("ann", "b")
    here.run(3.0)
    assert here.nodes["a"].acd.agents["ann"].state == "available"  # which says nothing: she has left
    assert [sorted(node.acd.states()) for node in here.nodes.values()] == [
        ["logged_out"],
        ["available", "logged_out"],
    ]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_may_be_lost_and_late(seed: int) -> None:
    here = town(seed, Net(delay_s=0.2, loss=0.2))
    people = traffic(here, 120, 1.5)
    here.run(120.0)
    assert all_served(people)
    here.net.loss = 0.0
    here.run(5.0)
    here.check_agreement()


@pytest.mark.parametrize("seed", range(3))
def test_without_the_store_each_node_serves_its_own_and_after_it_all_agree(seed: int) -> None:
    here = town(seed)
    for _ in range(3):
        traffic(here, 30, 3.0)
        here.net.store_up = False
        traffic(here, 30, 3.0)
        here.net.store_up = True
    here.settle(within_s=2.0)
    here.run(90.0)
    assert all_served(list(here.people.values()))


@pytest.mark.parametrize("seed", range(3))
def test_nodes_that_cannot_reach_each_other_leave_agents_to_those_who_can(seed: int) -> None:
    here = town(seed)
    rng = Random(seed)
    here.net.parted = {frozenset(rng.sample(NODES, 2))}
    people = traffic(here, 90, 1.5)
    here.run(60.0)
    assert all_served(people)
    here.net.parted = set()
    here.run(8.0)
    here.check_agreement()


@pytest.mark.parametrize("seed", range(3))
def test_phones_that_move_between_nodes_are_never_rung_from_two(seed: int) -> None:
    here = town(seed, Net(delay_s=0.2, loss=0.1))

    def move() -> None:
        agent, node = here.rng.choice(list(AGENTS)), here.rng.choice(NODES)
        before = here.home[agent]
        here.register(agent, node)
        if before != node and here.rng.random() < 0.7:  # else it is forgotten there as nobody said good-bye
            here.after(here.rng.uniform(0, 10), lambda: here.home[agent] != before and _leave(agent, before))
        here.after(here.rng.expovariate(1.5), move)

    def _leave(agent: str, node: str) -> None:
        here.unregister(agent, node)

    move()
    for up in (True, False, True):
        here.net.store_up = up
        traffic(here, 60, 2.0)
    assert len(here.served) > 60


@pytest.mark.parametrize("seed", range(3))
def test_the_calls_of_a_node_that_dies_are_nobody_elses_and_its_agents_come_back(seed: int) -> None:
    here = town(seed)
    traffic(here, 40, 3.0)
    dying = here.rng.choice(NODES)
    here.kill(dying)
    here.run(2.0)
    left = [name for name in NODES if name != dying]
    for agent, home in list(here.home.items()):
        if home == dying:
            here.register(agent, here.rng.choice(left))
    people = traffic(here, 60, 1.5)
    here.run(90.0)
    assert all_served(people)
    here.check_agreement()


def test_the_nearest_agent_is_preferred() -> None:
    here = town(1, agents={"near": ("support",), "far": ("support",)})
    here.register("far", "a")
    here.register("near", "b")
    here.unregister("near", "a")
    here.unregister("far", "b")
    here.run(3.0)
    here.nodes["c"].sharing.rtt_ms = {"a": 120.0, "b": 8.0}
    assert here.caller("support", "c").rung == "near"


def test_a_caller_whose_node_dies_has_her_place_again_at_another() -> None:
    here = town(1, agents={})
    first, second, third = (in_turn(here, "a", name) for name in ("ann", "ben", "eva"))
    here.kill("a")
    here.run(3.0)
    late, back = in_turn(here, "b", "late"), in_turn(here, "c", "ben")
    for node in ("b", "c"):
        queue = here.nodes[node].acd.queues["support"]
        assert [p.call for p in queue.places] == [first.call, back.call, third.call, late.call]
        assert queue.head is not None and queue.head.call == back.call
    here.run(60.0)
    assert [p.call for p in here.nodes["b"].acd.queues["support"].places] == [back.call, late.call]
    assert second.over


def test_who_calls_again_before_the_loss_is_noticed_has_her_place_when_it_is() -> None:
    here = town(1, agents={})
    in_turn(here, "a", "ann")
    in_turn(here, "b", "ben")
    here.kill("a")
    here.run(0.5)
    again = here.caller("support", "c", "ann")
    here.run(3.0)
    for node in ("b", "c"):
        assert here.nodes[node].acd.queues["support"].position(again.call) == 1


def test_a_call_that_breaks_off_keeps_its_place_for_whoever_called() -> None:
    here = town(1, agents={})
    ann, ben = in_turn(here, "a", "ann"), in_turn(here, "b", "ben")
    here.drop(ann)
    here.run(1.0)
    stranger, again = in_turn(here, "c", "eva"), in_turn(here, "c", "ann")
    for node in here.nodes.values():
        calls = [place.call for place in node.acd.queues["support"].places]
        assert calls == [again.call, ben.call, stranger.call]


def test_of_two_who_come_for_one_kept_place_the_first_has_it() -> None:
    here = town(1, agents={})
    in_turn(here, "a", "switchboard")
    in_turn(here, "b", "ben")
    here.kill("a")
    here.run(3.0)
    here.net.store_up = False
    first = here.caller("support", "b", "switchboard")
    here.run(0.5)
    second = here.caller("support", "c", "switchboard")
    here.net.store_up = True
    here.run(2.0)
    for node in ("b", "c"):
        queue = here.nodes[node].acd.queues["support"]
        assert (queue.position(first.call), queue.position(second.call)) == (1, 3)


def test_a_node_whose_clock_is_minutes_off_is_named_once() -> None:
    here = town(1)
    page = news.decode(here.nodes["b"].sharing.telling.page(here.now))
    with structlog.testing.capture_logs() as logs:
        for late in range(3):
            told = msgspec.structs.replace(page, at=page.at - 180.0, version=page.version + late + 1)
            here.nodes["a"].hear(news.encode(told))
    (said,) = [each for each in logs if each["event"] == "clocks of nodes differ"]
    assert (said["node"], said["ahead_s"]) == ("b", -180.0)
    assert "NTP" in said["remedy"]


@pytest.mark.parametrize("field", ["at", "joined_at", "kept_until", "idle_since"])
def test_an_instant_that_is_none_is_not_read(field: str) -> None:
    """NaN is neither before nor after anything: no order of callers would hold."""
    place, agent = news.PlaceNote("c", "support", 1.7e9), news.AgentNote("agent1")
    good = news.News("b", "b-1", 0, 1, 1.7e9, [place], [], [agent])
    nan = {field: float("nan")}
    if field == "at":
        bad = msgspec.structs.replace(good, **nan)
    elif field == "idle_since":
        bad = msgspec.structs.replace(good, agents=[msgspec.structs.replace(agent, **nan)])
    else:
        bad = msgspec.structs.replace(good, places=[msgspec.structs.replace(place, **nan)])
    assert news.decode(news.encode(good)) == good
    assert news.decode(news.encode(bad)) is None


def test_what_cannot_be_read_changes_nothing() -> None:
    here = town(1)
    here.caller("support", "a")
    rng, node = Random(7), here.nodes["a"]
    good = here.nodes["b"].sharing.telling.page(here.now)
    before = here.places(node)
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        node.hear(bytes(bad[: rng.randrange(len(bad))]))
    assert here.places(node) == before
    assert news.decode(b"") is None
