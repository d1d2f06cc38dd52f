"""A line that fails its calls is left alone, tried by one call at a time, and comes back slowly."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.breaker import Breaker, Circuit, Event, Terms, apply, due, next_timeout

TERMS = Terms()


def after(*events: Event, breaker: Breaker | None = None, now: float = 0.0, told_s: float = 0.0) -> Breaker:
    found = breaker or Breaker()
    for event in events:
        found = apply(found, event, now, TERMS, told_s=told_s)
    return found


@pytest.fixture
def opened() -> Breaker:
    return after(*[Event.BEGAN, Event.FAILED] * 5)


@pytest.fixture
def trial(opened: Breaker) -> Breaker:
    return after(Event.RESTED, breaker=opened, now=5.0)


def played(failing: float, per_s: float, calls: int = 400) -> int:
    """Calls that began before the circuit opened, when a share fails after 20 ms; all where it did not."""
    breaker, rng = Breaker(), Random(3)
    for number in range(calls):
        breaker = apply(breaker, Event.BEGAN, number / per_s, TERMS)
        if rng.random() < failing:
            breaker = apply(breaker, Event.FAILED, number / per_s + 0.02, TERMS)
        if not breaker.passes():
            return number + 1
    return calls


def test_a_line_that_never_worked_is_left_alone_after_five_calls():
    assert [played(1.0, per_s) for per_s in (1.0, 5.0, 100.0)] == [5, 5, 5]


@pytest.mark.parametrize("per_s", [1.0, 20.0])
def test_a_line_that_fails_some_calls_is_borne_and_one_that_fails_most_is_not(per_s):
    assert played(0.2, per_s) == 400
    assert played(0.8, per_s) < 20


def test_a_busy_line_that_turns_bad_is_left_alone_within_15_calls_whatever_earlier_ones_say():
    breaker = Breaker()
    for number in range(1000):
        breaker = apply(breaker, Event.BEGAN, number / 20, TERMS)
    met = 0
    while breaker.passes():
        met += 1
        now = 50 + met / 20
        for event in (Event.BEGAN, Event.WORKED, Event.FAILED):
            breaker = apply(breaker, event, now, TERMS)
    assert met <= 15


def test_failures_far_apart_are_borne():
    breaker = Breaker()
    for at in range(50):
        for event in (Event.BEGAN, Event.FAILED):
            breaker = apply(breaker, event, at * 30.0, TERMS)
    assert breaker.passes()


def test_it_rests_and_is_then_tried_by_one_call_at_a_time(opened, trial):
    assert (due(opened, 4.9), due(opened, 5.0)) == (None, Event.RESTED)
    assert next_timeout(opened) == 5.0
    assert trial.passes()
    trying = after(Event.BEGAN, breaker=trial)
    assert not trying.passes()
    assert after(Event.DROPPED, breaker=trying).passes()


def test_three_that_do_well_close_it_and_its_share_grows_from_there(trial):
    closed = trial
    for _ in range(3):
        assert closed.circuit is Circuit.TRIAL
        closed = after(Event.BEGAN, Event.WORKED, breaker=closed, now=6.0)
    assert closed.circuit is Circuit.CLOSED
    shares = [closed.share_of_calls(6.0 + each, TERMS) for each in (0, 15, 30)]
    assert shares == pytest.approx([TERMS.least_share, 0.5, 1.0])


def test_each_trial_that_fails_doubles_the_rest(trial):
    rests, breaker = [], trial
    for _ in range(10):
        breaker = after(Event.BEGAN, Event.FAILED, breaker=breaker, now=6.0)
        rests.append(breaker.rest_s)
        breaker = after(Event.RESTED, breaker=breaker, now=6.0 + breaker.rest_s)
    assert rests[:3] == [10.0, 20.0, 40.0]
    assert max(rests) == TERMS.longest_rest_s


def test_a_line_that_was_mute_is_tried_by_what_is_heard():
    mute = after(*[Event.BEGAN, Event.MUTE] * 5)
    assert (mute.passes(), mute.listens()) == (False, False)
    trial = after(Event.RESTED, Event.BEGAN, breaker=mute, now=5.0)
    assert trial.listens()
    again = after(Event.MUTE, breaker=trial, now=11.0)
    assert (again.passes(), again.rest_s) == (False, 10.0)
    heard = after(*[Event.WORKED, Event.BEGAN] * 2, Event.WORKED, breaker=trial, now=6.0)
    assert (heard.circuit, heard.listens()) == (Circuit.CLOSED, False)


def test_a_line_that_says_for_how_long_is_left_alone_for_so_long():
    told = after(Event.TOLD, told_s=42.0)
    assert (told.passes(), next_timeout(told)) == (False, 42.0)
    assert next_timeout(after(Event.TOLD, told_s=1e9)) == TERMS.longest_rest_s
    assert next_timeout(after(Event.TOLD, breaker=told, now=40.0, told_s=10.0)) == 50.0


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(Event), st.floats(0, 30)), max_size=80))
def test_while_it_rests_nothing_passes_and_a_trial_is_one_call(steps):
    breaker, now, flying = Breaker(), 0.0, 0
    for event, passed in steps:
        now += passed
        if event is Event.RESTED and due(breaker, now) is None:
            continue
        if event is Event.BEGAN and not breaker.passes():
            continue
        was = breaker.circuit
        breaker = apply(breaker, event, now, TERMS, told_s=3.0)
        if breaker.circuit is Circuit.TRIAL and was is Circuit.TRIAL:
            flying += (event is Event.BEGAN) - flying * (event in (Event.WORKED, Event.FAILED, Event.DROPPED))
        else:
            flying = 0
        assert flying <= 1
        assert breaker.passes() == (breaker.share_of_calls(now, TERMS) > 0)
        if breaker.circuit is Circuit.OPEN:
            assert not breaker.passes()
            assert now <= next_timeout(breaker) <= now + TERMS.longest_rest_s or due(breaker, now)
