"""Which node a call is nearest to, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from routing.node import Bar, Basis, Choice, Demand, Node, NodeBoard, Weights, nearest, spread

WEB = frozenset({"web", "sip"})


def node(name: str, region: str = "eu", **more: object) -> Node:
    return replace(Node(name, region, capacity=100, kinds=WEB), **more)


def board(*nodes: Node, **weights: float) -> NodeBoard:
    made = NodeBoard(Weights(**weights))
    made.put(*nodes)
    return made


def first(choice: Choice) -> str:
    return choice.order[0]


# --- who may take it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "demand", "said"),
    [
        (node("b", gone=True), Demand(), "gone"),
        (node("b", draining=True), Demand(), "draining"),
        (node("b", well=False), Demand(), "not well"),
        (node("b", calls=100), Demand(), "no room"),
        (node("b", "us"), Demand(residency=frozenset({"eu", "uk"})), "outside of where the call may be"),
        (node("b"), Demand(avoid=frozenset({"b", "unknown"})), "tried already"),
        (node("b", kinds=frozenset({"sip"})), Demand(kind="web"), "not reached this way"),
        (node("b", capacity=0), Demand(), "no room"),
    ],
)
def test_a_node_that_cannot_take_the_call_is_left_out_and_says_why(other, demand, said):
    nodes = board(node("a"), other)
    nodes.seen("me", "b", 0.001, 0.0)
    choice = nearest(nodes, replace(demand, source="me"), 0.0)
    assert choice.order == ("a",)
    assert choice.reasons.of("b") == f"b: {said}"


def test_where_none_can_take_it_there_is_no_choice_and_every_node_says_why():
    choice = nearest(
        board(node("a", gone=True), node("b", calls=100, draining=True)), Demand(kind="fax"), 0.0
    )
    assert choice.order == ()
    assert str(choice.reasons) == "a: gone, not reached this way; b: draining, no room, not reached this way"
    assert nearest(NodeBoard(), Demand(), 0.0).order == ()


# --- how far it is ----------------------------------------------------------------------------------


def test_what_was_measured_from_the_caller_goes_before_what_her_region_says():
    nodes = board(node("a", "eu"), node("b", "us"))
    nodes.seen("cafe", "b", 0.030, 0.0)
    nodes.seen("cafe", "a", 0.080, 0.0)
    choice = nearest(nodes, Demand("cafe", region="eu"), 1.0)
    assert first(choice) == "b"
    assert choice.reasons.of("b") == "b: 30 ms measured, load 0%, 30 ms against it"
    assert first(nearest(nodes, Demand("other", region="eu"), 1.0)) == "a"


def test_what_was_measured_long_ago_counts_no_more():
    nodes = board(node("a", "eu"), node("b", "us"), fresh_s=600.0)
    nodes.seen("cafe", "b", 0.001, 0.0)
    assert first(nearest(nodes, Demand("cafe", region="eu"), 599.0)) == "b"
    assert first(nearest(nodes, Demand("cafe", region="eu"), 601.0)) == "a"


def test_a_region_is_as_far_as_its_callers_measured_and_forgets_that_as_well():
    nodes = board(node("a", "eu"), node("b", "us"))
    nodes.seen("someone", "b", 0.010, 0.0, region="eu")
    nodes.seen("someone", "a", 0.040, 0.0, region="eu")
    nodes.refresh(1.0)
    choice = nearest(nodes, Demand("another", region="eu"), 1.0)
    assert (first(choice), choice.reasons.basis.tolist()) == ("b", [Basis.REGION, Basis.REGION])
    nodes.refresh(1000.0)
    assert first(nearest(nodes, Demand("another", region="eu"), 1000.0)) == "a"


def test_a_new_node_is_as_far_as_others_of_its_region_in_either_direction():
    nodes = board(node("a", "eu"), node("b", "us"), node("c", "asia"))
    nodes.seen("someone", "b", 0.090, 0.0, region="eu")
    nodes.seen("another", "a", 0.160, 0.0, region="asia")
    nodes.put(node("new-b", "us"), node("new-c", "asia"))
    choice = nearest(nodes, Demand(region="eu"), 0.0)
    far = dict(zip(choice.reasons.names, choice.reasons.rtt, strict=True))
    assert (far["new-b"], far["new-c"]) == (pytest.approx(0.090), pytest.approx(0.160))
    assert choice.reasons.basis[choice.reasons.index["new-b"]] == Basis.REGIONS


def test_what_nodes_measure_to_each_other_tells_of_their_regions_callers():
    nodes = board(node("a", "eu"), node("b", "us"), node("c", "asia"))
    for region, to, rtt in (("us", "a", 0.080), ("us", "c", 0.001), ("eu", "c", 0.170)):
        nodes.between(region, to, rtt, 0.0)
    assert nearest(nodes, Demand(region="us"), 0.0).order == ("b", "c", "a"), "its own first, if by little"
    assert nearest(nodes, Demand(region="eu"), 0.0).order == ("a", "b", "c")


def test_of_nothing_known_ones_own_region_is_assumed_to_be_nearest():
    nodes = board(node("a", "eu"), node("b", "us"))
    assert first(nearest(nodes, Demand(region="us"), 0.0)) == "b"
    assert str(nearest(nodes, Demand(region="us"), 0.0).reasons).count("assumed") == 2
    assert len(nearest(nodes, Demand(region="mars"), 0.0).order) == 2


def test_the_way_onward_to_where_the_call_is_answered_counts_too():
    nodes = board(node("a", "eu"), node("b", "us"))
    for name, rtt in (("a", 0.020), ("b", 0.050)):
        nodes.seen("me", name, rtt, 0.0)
    nodes.between("eu", "b", 0.090, 0.0)
    nodes.refresh(0.0)
    assert first(nearest(nodes, Demand("me"), 0.0)) == "a"
    assert first(nearest(nodes, Demand("me", toward="b"), 0.0)) == "b", "20 + 90 ms by way of a"


def test_one_wild_measurement_does_not_move_a_way():
    nodes = board(node("a"), node("b"))
    for at, rtt in enumerate([0.020, 0.021, 1.9, 0.020, 2.5, 0.022, 0.020]):
        nodes.seen("me", "a", rtt, float(at))
        nodes.seen("me", "b", 0.040, float(at))
    choice = nearest(nodes, Demand("me"), 7.0)
    assert first(choice) == "a"
    assert choice.reasons.rtt[0] == pytest.approx(0.021)


def test_what_is_no_round_trip_is_not_taken_for_one():
    nodes = board(node("a", "eu"), node("b", "us"))
    for nonsense in (0.0, -1.0, 60.0, float("nan"), float("inf")):
        nodes.seen("me", "b", nonsense, 0.0, region="eu")
    assert nearest(nodes, Demand("me", region="eu"), 0.0).reasons.basis.tolist() == [Basis.ASSUMED] * 2


# --- load and equals --------------------------------------------------------------------------------


def test_a_full_house_is_far_and_a_half_full_one_a_little():
    nodes = board(node("a", calls=95), node("b", calls=0), load_s=0.04, same_s=0.005)
    nodes.seen("me", "a", 0.010, 0.0)
    nodes.seen("me", "b", 0.030, 0.0)
    assert first(nearest(nodes, Demand("me"), 0.0)) == "b"
    nodes.put(node("a", calls=50))
    assert first(nearest(nodes, Demand("me"), 0.0)) == "a"


def test_of_equals_the_one_with_least_load_is_it_unless_one_had_the_caller_before():
    nodes = board(node("a", calls=30), node("b", calls=10), node("c", calls=20))
    for name, rtt in (("a", 0.020), ("b", 0.024), ("c", 0.021)):
        nodes.seen("me", name, rtt, 0.0)
    choice = nearest(nodes, Demand("me"), 0.0)
    assert (first(choice), choice.reasons.first) == ("b", "b has least load, of equals")
    stays = nearest(nodes, Demand("me", last="a"), 0.0)
    assert (first(stays), stays.reasons.first) == ("a", "a had the caller before")
    assert sorted(stays.order) == ["a", "b", "c"]


def test_of_equals_with_like_load_one_that_was_measured_is_it():
    nodes = board(node("a", "us"), node("b", "us", calls=5), node("c", "eu"))
    nodes.seen("me", "b", 0.024, 0.0)
    choice = nearest(nodes, Demand("me", region="us"), 0.0)
    assert (first(choice), choice.reasons.first) == ("b", "b is measured, of equals")
    nodes.put(node("b", "us", calls=25))
    assert first(nearest(nodes, Demand("me", region="us"), 0.0)) == "a"


def test_who_had_the_caller_before_loses_her_when_another_is_clearly_nearer():
    nodes = board(node("a"), node("b"))
    for name, rtt in (("a", 0.060), ("b", 0.020)):
        nodes.seen("me", name, rtt, 0.0)
    assert first(nearest(nodes, Demand("me", last="a"), 0.0)) == "b"


def test_a_node_that_is_dropped_is_no_more_and_reasons_of_before_stay():
    nodes = board(node("a"), node("b"))
    before = nearest(nodes, Demand(), 0.0)
    nodes.drop("a")
    nodes.put(node("b", draining=True))
    assert nearest(nodes, Demand(), 0.0).order == ()
    assert "ms" in before.reasons.of("a")
    assert Bar(int(before.reasons.bars[before.reasons.index["b"]])) == Bar(0)


def test_what_is_worth_measuring_is_the_best_of_each_region_then_the_best_of_the_rest():
    nodes = board(*(node(f"{region}{n}", region) for region in ("eu", "us", "asia") for n in range(3)))
    choice = nearest(nodes, Demand(region="us"), 0.0)
    assert {name[:-1] for name in spread(nodes, choice, 3)} == {"eu", "us", "asia"}
    assert spread(nodes, choice, 3)[0].startswith("us")
    assert [name[:-1] for name in spread(nodes, choice, 5)[3:]] == ["us", "us"]
    assert len(spread(nodes, choice, 99)) == 9


def test_sources_are_bounded_and_the_least_recently_measured_are_forgotten():
    nodes = board(node("a"))
    nodes.ways = type(nodes.ways)(most=3, nodes=2)
    for source in "vwxyz":
        nodes.seen(source, "a", 0.01, 0.0)
    assert len(nodes.ways) == 3
    for name in ("a", "b", "c"):
        nodes.seen("z", name, 0.01, float(ord(name)))
    assert [name for name, _ in nodes.ways.of("z")] == ["b", "c"]


def test_of_noisy_ways_the_truly_nearest_is_chosen():
    rng = np.random.default_rng(5)
    true = {"eu1": 0.020, "us1": 0.110, "asia1": 0.180}
    nodes = board(*(node(name, name[:-1]) for name in true))
    right = 0
    for caller in range(200):
        for _ in range(5):
            for name, rtt in true.items():
                noise = rng.exponential(0.005) + (rng.random() < 0.1) * rng.exponential(0.3)
                nodes.seen(f"c{caller}", name, rtt + noise, float(caller))
        right += first(nearest(nodes, Demand(f"c{caller}"), float(caller))) == "eu1"
    assert right >= 198
