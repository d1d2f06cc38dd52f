"""Who takes over what a lost node had: everybody comes to the same answer, and it is shared fairly."""

from __future__ import annotations

from collections import Counter

import pytest

from routing.inheritance import Heir, heir

THREE = [Heir("a", "eu"), Heir("b", "eu"), Heir("c", "us")]
CALLS = [f"call {n}" for n in range(3000)]


def shares(survivors: list[Heir]) -> Counter[str]:
    return Counter(heir(call, survivors).name for call in CALLS)


def test_all_survivors_come_to_the_same_answer_whatever_the_order_they_know_each_other_in():
    assert [heir(call, THREE).name for call in CALLS] == [heir(call, THREE[::-1]).name for call in CALLS]


def test_equal_survivors_have_equal_shares():
    found = shares(THREE)
    assert max(found.values()) / min(found.values()) < 1.2


def test_whoever_is_half_full_takes_half_as_much():
    found = shares([Heir("a", "eu", load=0.5), Heir("b", "eu")])
    assert found["a"] / found["b"] == pytest.approx(0.5, rel=0.15)


def test_loads_that_differ_by_little_change_nothing():
    slightly = [Heir(each.name, each.region, load=0.02) for each in THREE]
    assert shares(THREE) == shares(slightly)


def test_whoever_falls_away_leaves_the_shares_of_the_others_as_they_were():
    left = THREE[:2]
    moved = [call for call in CALLS if heir(call, THREE).name != heir(call, left).name]
    assert {heir(call, THREE).name for call in moved} == {"c"}


def test_a_market_s_calls_stay_in_its_regions():
    assert {heir(call, THREE, frozenset({"us"})).name for call in CALLS} == {"c"}


def test_where_nobody_may_have_it_nobody_has_it_and_it_says_why():
    choice = heir("call 1", THREE, frozenset({"asia"}))
    assert (choice.name, choice.reasons) == ("", ("no survivor in asia",))
    assert heir("call 1", []).reasons == ("no survivor",)


def test_full_survivors_are_better_than_none():
    assert heir("call 1", [Heir("a", "eu", load=7.0)]).name == "a"
