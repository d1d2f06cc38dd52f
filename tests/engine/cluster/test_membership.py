"""Who is there: leases in the store, words between nodes, and what is made of both."""

from __future__ import annotations

import pytest

from engine.cluster.membership import Changed, Gone, Joined, Standing, Usurped
from tests.engine.cluster.nodes import World


@pytest.fixture
def world() -> World:
    made = World("a", "b", "c")
    made.run(2.0)
    return made


def test_nodes_find_each_other_within_a_beat(world):
    for house in world.houses.values():
        assert set(house.membership.members) == {"a", "b", "c"}
        assert house.kinds() == ["Joined", "Joined"]
        assert house.when(Joined) <= 0.6
        assert house.membership.sure(world.now)


def test_a_node_that_dies_is_gone_within_two_seconds_and_once(world):
    died = world.now
    world["b"].alive = False
    world.run(10.0)
    for name in ("a", "c"):
        assert 1.0 <= world[name].when(Gone) - died <= 2.0
        assert world[name].kinds().count("Gone") == 1
        assert world[name].membership.standing("b") is Standing.GONE
        assert "b" not in world[name].membership.members


def test_what_a_dead_node_had_said_before_and_a_store_brings_late_does_not_bring_it_back(world):
    world["b"].alive = False
    world.run(4.0)
    world["b"].membership.beat(world.now)  # it lay in a store that hung
    world.run(4.0)
    assert world["a"].kinds().count("Joined") == 2
    assert world["a"].membership.standing("b") is Standing.GONE


def test_a_node_that_was_cut_off_is_back_when_it_beats_again(world):
    world.deaf = {frozenset(pair) for pair in ("ab", "bc", "ca")}
    world.cut_store("b")
    world.run(5.0)
    assert world["a"].membership.standing("b") is Standing.GONE
    world.mend_store("b")
    world.run(1.6)
    assert world["a"].membership.standing("b") is Standing.UP


def test_a_node_that_says_goodbye_is_gone_at_once(world):
    world["b"].membership.leave(world.now)
    for letter in world["b"].pings.farewell():
        world[letter.host].pings.receive(letter.data, world.now)
    world["b"].alive = False
    assert world["a"].when(Gone) == world["c"].when(Gone) == world.now
    world.run(5.0)
    assert world["a"].kinds().count("Gone") == 1, "what is left of it in the store brings it back to nobody"


def test_a_node_that_drains_is_known_to_drain_and_not_to_drain(world):
    world["b"].draining = True
    world["b"].membership.beat(world.now)
    world.run(0.6)
    assert world["a"].membership.standing("b") is Standing.DRAINING
    assert isinstance(world["a"].events[-1][1], Changed)
    world["b"].draining = False
    world.run(0.6)
    assert world["a"].membership.standing("b") is Standing.UP


def test_load_is_known_within_a_beat(world):
    world["b"].calls = 17
    world.run(0.6)
    assert world["a"].membership.members["b"].pulse.calls == 17


def test_without_the_store_all_go_on_with_those_who_answer_and_still_notice_who_dies(world):
    world.cut_store()
    world.run(10.0)
    for house in world.houses.values():
        assert set(house.membership.members) == {"a", "b", "c"}
        assert "Gone" not in house.kinds()
        assert not house.membership.sure(world.now), "others may have taken what its leases held"
    world["b"].alive, world["c"].calls, world["c"].draining = False, 9, True
    died = world.now
    world.run(2.0)
    assert world["a"].when(Gone) - died <= 2.0
    assert world["a"].membership.members["c"].pulse.calls == 9
    assert world["a"].membership.standing("c") is Standing.DRAINING


def test_a_store_that_comes_back_empty_is_filled_again_and_nobody_was_gone(world):
    world.cut_store()
    world.run(5.0)
    world.server.lose()
    world.mend_store()
    world.run(1.0)
    assert all(house.membership.sure(world.now) for house in world.houses.values())
    world.run(5.0)
    assert not any("Gone" in house.kinds() for house in world.houses.values())


def test_a_store_that_forgets_while_it_is_up_costs_nobody_anything(world):
    world.server.lose()
    world.run(5.0)
    assert not any("Gone" in house.kinds() for house in world.houses.values())


def test_one_that_only_lost_the_store_goes_on_being_called(world):
    world.cut_store("b")
    world.run(5.0)
    assert world["a"].membership.standing("b") is Standing.UP
    assert world["b"].membership.standing("a") is Standing.UP
    assert not world["b"].membership.sure(world.now)


def test_nodes_that_cannot_hear_each_other_are_there_by_their_leases(world):
    world.deaf = {frozenset(pair) for pair in ("ab", "bc", "ca")}
    world.run(10.0)
    assert not any("Gone" in house.kinds() for house in world.houses.values())
    world.cut_store()
    world.run(3.0)
    assert set(world["a"].membership.members) == {"a"}, "neither store nor answer: as if they were gone"
    world.mend_store()
    world.run(1.5)
    assert set(world["a"].membership.members) == {"a", "b", "c"}, "each was seen to beat again"


def test_a_second_life_takes_the_place_of_the_first(world):
    world["b"].alive = False
    world.add("b", started=world.now, life="2")
    world.run(1.0)
    assert world["a"].kinds()[-2:] == ["Gone", "Joined"]
    assert world["a"].events[-2][1].why == "it started anew"
    assert world["a"].membership.members["b"].life == "2"


def test_two_that_run_with_one_name_are_told_apart_and_the_first_gives_way(world):
    first = world["b"]
    second = world.add("b", started=world.now, life="2")
    second.membership.beat(world.now)
    first.membership.beat(world.now)
    assert first.kinds()[-1] == Usurped.__name__
    assert "2" in first.events[-1][1].life
    before = dict(world["a"].membership.members)
    first.membership.beat(world.now + 0.1)
    assert before.keys() == world["a"].membership.members.keys()
    assert not second.membership.usurped


def test_a_node_that_was_cut_off_and_comes_back_is_there_again(world):
    world.cut_store("b")
    world.deaf = {frozenset("ab"), frozenset("bc")}
    world.run(4.0)
    assert world["a"].membership.standing("b") is Standing.GONE
    world.deaf.clear()
    world.run(3.0)
    assert world["a"].membership.standing("b") is Standing.UP, "it answers, though the store is still away"


def test_a_node_that_was_held_up_takes_nobody_for_gone_before_it_has_listened(world):
    world.now += 5.0  # a busy machine, or one that slept
    world.run(3.0)
    assert not any("Gone" in house.kinds() for house in world.houses.values())
    world["b"].alive = False
    died = world.now
    world.run(3.0)
    assert world["a"].when(Gone) - died <= 2.0


def test_names_that_are_long_gone_are_forgotten(world):
    world["b"].alive = False
    world.run(3.0)
    assert "b" in world["a"].membership.peers
    world.now += 7200.0
    world.run(1.0)
    assert "b" not in world["a"].membership.peers


def test_what_stands_in_the_store_and_is_no_member_is_passed_over(world):
    server, key = world.server, world["a"].store.key("nodes", "members")
    server.keys.call("HSET", key, "b", b"\x93nonsense", "c", b"x" * 100_000)
    world["b"].alive = world["c"].alive = False
    world["a"].membership.beat(world.now)
    assert set(world["a"].membership.members) == {"a", "b", "c"}
