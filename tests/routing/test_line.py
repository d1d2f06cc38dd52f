"""Which line a call goes out over, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.board import WINDOW_S, Board, LineSpec
from routing.line import Bar, Choice, Demand, Weights, choose
from routing.measure import Measure
from routing.rate import Rate, Tariff
from routing.window import Window, schedule

LONDON = Demand("+442071838750", "44", region="eu-west", country="GB")
MONDAY_NOON = 1780315200.0


def pick(board: Board, demand: Demand = LONDON, seed: int = 0, now: float = 0.0, **weights: float) -> Choice:
    return choose(board, demand, now, MONDAY_NOON, Random(seed), Weights(**weights))


def order(*specs: LineSpec, demand: Demand = LONDON) -> tuple[str, ...]:
    return pick(Board(specs), demand).order


def priced(name: str, per_minute: float, **more: object) -> LineSpec:
    return replace(LineSpec(name), tariff=Tariff(rates=(Rate("+", per_minute),)), **more)


# --- who may take it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "bar"),
    [
        (LineSpec("a", enabled=False), Bar.OFF),
        (LineSpec("a", tariff=Tariff(takes=("+34",))), Bar.DESTINATION),
        (LineSpec("a", tariff=Tariff(barred=("+4420",))), Bar.DESTINATION),
        (LineSpec("a", tariff=Tariff(rates=(Rate("+34", 0.1),))), Bar.DESTINATION),
        (LineSpec("a", regions=frozenset({"asia"})), Bar.REGION),
        (LineSpec("a", hours=schedule([Window(frozenset({5, 6}))])), Bar.CLOSED),
    ],
)
def test_a_line_that_is_not_for_the_call_is_left_out_and_says_why(spec, bar):
    choice = pick(Board([spec, LineSpec("b")]))
    assert choice.order == ("b",)
    assert Bar(int(choice.reasons.bars[0])) == bar
    assert pick(Board([spec])).wait_s is None


def test_a_call_that_must_stay_in_a_region_goes_over_lines_that_are_known_to_be_there():
    lines = LineSpec("here", region="eu-west"), LineSpec("there", region="asia"), LineSpec("nowhere")
    bound = replace(LONDON, residency=frozenset({"eu-west", "eu-south"}))
    assert order(*lines, demand=bound) == ("here",)
    assert len(order(*lines)) == 3


def test_a_line_that_was_tried_is_not_offered_again():
    assert order(LineSpec("a"), LineSpec("b"), demand=replace(LONDON, avoid=frozenset({"a"}))) == ("b",)


def test_a_dead_line_and_one_that_fails_its_calls_are_left_out_each_for_its_own_reason():
    board = Board([LineSpec("a"), LineSpec("b"), LineSpec("c")])
    board.stands("a", 0.0)
    board.stands("b", 0.0, tripped=True)
    choice = pick(board)
    assert choice.order == ("c",)
    assert choice.reasons.of("a") == "a: dead"
    assert choice.reasons.of("b") == "b: fails its calls"


# --- in which order ---------------------------------------------------------------------------------


def test_priority_goes_before_everything_else():
    assert order(priced("dear", 9.0, priority=1), priced("cheap", 0.1, priority=2)) == ("dear", "cheap")


def test_within_a_priority_the_cheaper_line_is_tried_first():
    assert order(priced("dear", 0.10), priced("cheap", 0.05)) == ("cheap", "dear")


def test_a_cheap_line_on_which_nobody_answers_is_no_bargain():
    board = Board([priced("dear", 0.10), priced("cheap", 0.08)])
    for _ in range(200):
        board.measured.add(Measure.ASR, 0, "44", 1.0, 0.0)
        board.measured.add(Measure.ASR, 1, "44", 0.1, 0.0)
    assert pick(board).order == ("dear", "cheap")


def test_a_line_in_the_callers_region_goes_before_one_elsewhere():
    assert order(LineSpec("there", region="asia"), LineSpec("here", region="eu-west"))[0] == "here"


def test_a_line_that_fills_up_leaves_calls_to_the_others():
    board = Board([LineSpec("full", max_calls=10), LineSpec("free", max_calls=10)])
    for _ in range(9):
        board.began("full", 0.0)
    assert pick(board).order == ("free", "full")


def test_a_line_in_doubt_is_the_last_resort_of_all_priorities():
    board = Board([LineSpec("best", priority=1), LineSpec("backup", priority=2)])
    board.stands("best", 1.0, doubted=True)
    assert pick(board).order == ("backup", "best")


def test_what_a_call_is_given_is_said_in_words():
    board = Board([priced("a", 0.02, priority=1), LineSpec("b", regions=frozenset({"asia"}))])
    said = str(pick(board).reasons)
    assert "a: priority 1, demerit" in said
    assert "cost 0.06" in said
    assert "b: does not serve this region" in said


def test_the_reasons_stay_what_they_were_when_the_lines_go_on():
    board = Board([LineSpec("a"), LineSpec("b")])
    board.stands("a", 0.5)
    reasons = pick(board).reasons
    before = str(reasons)
    board.stands("a", 0.0)
    board.stands("b", 1.0, doubted=True)
    board.began("b", 1.0)
    assert str(reasons) == before
    assert "coming back at 50%" in before


# --- shares -----------------------------------------------------------------------------------------


CALLS = 1500


def shares(board: Board, calls: int = CALLS, demand: Demand = LONDON) -> Counter[str]:
    rng = Random(1)
    firsts: Counter[str] = Counter()
    for _ in range(calls):
        firsts[choose(board, demand, 0.0, MONDAY_NOON, rng, Weights()).order[0]] += 1
    return firsts


def bounds(calls: int, share: float) -> tuple[float, float]:
    """Within which a count of so many throws stays but once in 15,000 times (four standard deviations)."""
    spread = 4 * (calls * share * (1 - share)) ** 0.5
    return calls * share - spread, calls * share + spread


@pytest.mark.parametrize("percent", [5, 30, 75])
def test_a_line_gets_the_percentage_it_was_promised_whatever_it_costs(percent):
    firsts = shares(
        Board([priced("promised", 9.0, percent=percent), priced("cheap", 0.1), priced("mid", 0.2)])
    )
    low, high = bounds(CALLS, percent / 100)
    assert low <= firsts["promised"] <= high
    assert firsts["mid"] == 0


def test_percentages_are_shared_out_among_themselves_where_nobody_else_is_left():
    firsts = shares(Board([LineSpec("a", percent=20), LineSpec("b", percent=60)]))
    low, high = bounds(CALLS, 0.25)
    assert low <= firsts["a"] <= high
    assert firsts["a"] + firsts["b"] == CALLS


def test_equals_share_by_weight():
    firsts = shares(Board([LineSpec("a", weight=3), LineSpec("b", weight=1)]))
    low, high = bounds(CALLS, 0.75)
    assert low <= firsts["a"] <= high


def test_a_line_that_comes_back_gets_its_share_and_no_more():
    board = Board([priced("cheap", 0.01), priced("dear", 0.05)])
    board.stands("cheap", 0.2)
    low, high = bounds(CALLS, 0.2)
    assert low <= shares(board)["cheap"] <= high


def test_a_sticky_caller_keeps_her_line_and_only_she_moves_whose_line_is_gone():
    board = Board([LineSpec(name, weight=weight) for name, weight in (("a", 1), ("b", 1), ("c", 2))])
    keys = [f"+44770090{number:04}" for number in range(400)]

    def lines() -> dict[str, str]:
        return {key: pick(board, replace(LONDON, sticky=key), seed=len(key)).order[0] for key in keys}

    before = lines()
    assert before == lines()
    counts = Counter(before.values())
    low, high = bounds(400, 0.5)
    assert low <= counts["c"] <= high
    board.stands("b", 0.0)
    after = lines()
    assert {key for key in keys if before[key] != after[key]} == {key for key in keys if before[key] == "b"}


# --- surges and emergencies -------------------------------------------------------------------------


def test_a_full_line_overflows_to_the_next_and_when_all_are_full_waiting_is_until_a_call_ends():
    board = Board([LineSpec("a", max_calls=1, priority=1), LineSpec("b", max_calls=1)])
    board.began("a", 0.0)
    assert pick(board).order == ("b",)
    board.began("b", 0.0)
    assert (pick(board).order, pick(board).wait_s) == ((), 0.0)
    board.ended("a")
    assert pick(board).order == ("a",)


def test_a_line_at_its_calls_a_second_says_when_it_takes_the_next():
    board = Board([LineSpec("a", max_calls_per_s=2)])
    board.began("a", 10.0)
    assert pick(board, now=10.1).order == ("a",)
    board.began("a", 10.25)
    assert pick(board, now=10.5).wait_s == pytest.approx(WINDOW_S - 0.5)
    assert (
        pick(board, now=11.0).order == ()
    )  # a carrier whose network was slow with the first sees both at once
    assert pick(board, now=10.0 + WINDOW_S).order == ("a",)


@given(st.lists(st.floats(0, 0.4), max_size=80), st.integers(1, 4), st.integers(1, 3))
def test_caps_are_never_exceeded(gaps, per_s, channels):
    board = Board([LineSpec("a", max_calls_per_s=per_s, max_calls=channels)])
    now, starts, busy = 0.0, [], 0
    for number, gap in enumerate(gaps):
        now += gap
        if pick(board, now=now).order:
            board.began("a", now)
            starts.append(now)
            busy += 1
        if number % 3 == 0 and busy:
            board.ended("a")
            busy -= 1
        assert busy <= channels
        assert sum(start > now - WINDOW_S for start in starts) <= per_s


EMERGENCY = Demand("999", "44", region="eu-west", emergency=True, country="GB")


def test_an_emergency_call_passes_caps_hours_prefixes_circuits_and_regions():
    line = LineSpec(
        "a",
        country="GB",
        max_calls=1,
        max_calls_per_s=1,
        hours=schedule([]),
        tariff=Tariff(takes=("+34",)),
        regions=frozenset({"asia"}),
    )
    board = Board([line])
    board.began("a", 0.0)
    board.stands("a", 0.0, tripped=True)
    assert pick(board).order == ()
    assert pick(board, EMERGENCY).order == ("a",)


def test_an_emergency_call_tries_lines_that_live_before_dead_ones_and_only_lines_of_its_country():
    board = Board(
        [
            LineSpec("dead", country="GB", priority=1),
            LineSpec("live", country="GB", priority=9),
            LineSpec("abroad", country="ES"),
            LineSpec("never", country="GB", emergency=False),
        ]
    )
    board.stands("dead", 0.0)
    assert pick(board, EMERGENCY).order == ("live", "dead")
    tried = replace(EMERGENCY, avoid=frozenset({"live", "dead"}))
    assert pick(board, tried).order == ("abroad",)
    assert pick(board, replace(EMERGENCY, country="FR")).order[-1] == "dead"
    assert "never" not in pick(board, replace(EMERGENCY, country="FR")).order


def test_what_is_known_of_a_line_survives_a_change_of_configuration():
    old = Board([LineSpec("a", max_calls=2), LineSpec("b", max_calls_per_s=1)])
    old.began("a", 0.0)
    old.began("b", 0.0)
    old.stands("a", 0.5, doubted=True)
    for _ in range(40):
        old.measured.add(Measure.MOS, 0, "44", 1.0, 0.0)
    new = Board([LineSpec("b", max_calls_per_s=1), LineSpec("c"), LineSpec("a", max_calls=1)])
    new.keep(old)
    assert pick(new, now=0.5).order == ("c",)
    assert new.share[2] == 0.5 and new.doubted[2]
    assert new.measured.estimate("44", 0.0)[Measure.MOS, 2] < 2.0


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_every_line_offered_may_take_the_call_and_none_is_offered_twice(seed, lines):
    rng = Random(seed)
    board = Board(
        [
            LineSpec(
                f"l{n}", enabled=rng.random() > 0.1, priority=rng.randint(1, 3), weight=rng.choice([1, 5]),
                percent=rng.choice([0, 0, 10]), region=rng.choice(["", "eu-west", "asia"]), max_calls=2,
                tariff=Tariff(takes=rng.choice([(), ("+44",), ("+34",)])),
            )
            for n in range(lines)
        ]
    )  # fmt: skip
    for name in board.names:
        board.stands(name, rng.choice([0.0, 0.3, 1.0, 1.0]), doubted=rng.random() < 0.2)
        for _ in range(rng.randint(0, 3)):
            board.began(name, 0.0)
    choice = pick(board, seed=seed)
    assert len(set(choice.order)) == len(choice.order)
    assert all(choice.reasons.bars[board.index[name]] == 0 for name in choice.order)
    assert len(choice.order) == min(8, int((choice.reasons.bars == 0).sum()))
