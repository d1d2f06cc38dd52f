"""Whether an address is there: doubt before death, questions before return, and a slow way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.health import (
    TABLE,
    Event,
    Reach,
    State,
    Terms,
    apply,
    asked,
    asks,
    due,
    next_timeout,
    return_s,
)

TERMS = Terms()


def after(*events: Event, reach: Reach | None = None, now: float = 0.0, terms: Terms = TERMS) -> Reach:
    """All at once."""
    found = reach or Reach()
    for event in events:
        found = apply(found, event, now, terms)
    return found


@pytest.fixture
def up() -> Reach:
    return after(Event.ANSWERED)


@pytest.fixture
def down(up: Reach) -> Reach:
    return after(Event.BROKEN, reach=up)


@pytest.fixture
def returning(down: Reach) -> Reach:
    return after(*[Event.ANSWERED] * 3, reach=down, now=10.0)


def test_a_new_address_is_used_and_asked_at_once():
    assert Reach().usable
    assert asks(Reach(), 0.0, TERMS)


def test_what_was_asked_is_not_asked_again_before_its_answer(up):
    assert not asks(asked(up), 1e9, TERMS)


def test_one_silence_is_a_doubt_and_a_question_not_a_death(up):
    doubted = after(Event.MISSED, reach=up)
    assert (doubted.state, doubted.usable, doubted.sure) == (State.DOUBTED, True, False)
    assert asks(doubted, 0.0, TERMS)
    assert after(Event.ANSWERED, reach=doubted).state is State.UP


def test_silences_in_a_row_are_a_death(up):
    assert after(Event.MISSED, Event.MISSED, reach=up).state is State.DOUBTED
    assert after(*[Event.MISSED] * 3, reach=up).state is State.DOWN
    assert after(Event.MISSED, Event.MISSED, Event.HEARD, Event.MISSED, reach=up).state is State.DOUBTED


@pytest.mark.parametrize("event", [Event.BROKEN, Event.REFUSING])
@pytest.mark.parametrize("state", [State.UP, State.DOUBTED, State.RETURNING])
def test_a_broken_transport_and_a_503_to_options_are_a_death_at_once(state, event):
    assert apply(Reach(state), event, 5.0, TERMS).state is State.DOWN


def test_a_silent_address_is_dead_within_two_seconds_of_the_first_silence(up):
    now, reach = 0.0, after(Event.MISSED, reach=up)
    while reach.state is not State.DOWN:
        now = max(now, next_timeout(reach, TERMS)) + reach.answer_wait_s(TERMS)
        reach = apply(asked(reach), Event.MISSED, now, TERMS, chance=1.0)
    assert now <= 2.0


def test_a_dead_address_carries_nothing_whatever_else_is_heard_of_it(down):
    later = after(*[Event.HEARD] * 20, reach=down, now=0.5)
    assert not later.usable
    assert later.share(1e6, TERMS) == 0.0
    assert asks(later, 0.5, TERMS)


def test_it_is_asked_ever_more_seldom_while_it_is_silent(down):
    reach, now, gaps = down, 0.0, []
    for _ in range(12):
        gaps.append(next_timeout(reach, TERMS) - now)
        now = next_timeout(reach, TERMS)
        reach = apply(asked(reach), Event.MISSED, now, TERMS)
    assert gaps[0] == pytest.approx(TERMS.first_back_off_s)
    assert gaps == sorted(gaps)
    assert gaps[-1] == pytest.approx(TERMS.longest_back_off_s)


def test_calls_that_were_under_way_when_it_died_do_not_put_questions_off(down):
    later = after(*[Event.MISSED, Event.BROKEN] * 20, reach=down, now=0.5)
    assert later == down


def test_one_answer_is_no_return_and_a_silence_between_them_starts_anew(down):
    assert after(Event.ANSWERED, Event.ANSWERED, reach=down).state is State.DOWN
    unanswered = after(Event.MISSED, reach=asked(after(Event.ANSWERED, Event.ANSWERED, reach=down)))
    interrupted = after(Event.ANSWERED, reach=unanswered)
    assert interrupted.state is State.DOWN
    assert after(Event.ANSWERED, Event.ANSWERED, reach=interrupted).state is State.RETURNING


def test_answers_are_asked_for_quickly_once_there_is_one(down):
    assert next_timeout(after(Event.ANSWERED, reach=down, now=7.0), TERMS) == 7.0 + TERMS.doubt_s


def test_what_comes_back_gets_a_growing_share(returning):
    shares = [returning.share(10.0 + each, TERMS) for each in (0, 6, 15, 30, 60)]
    assert shares == pytest.approx([TERMS.least_share, 0.2, 0.5, 1.0, 1.0])
    assert due(returning, 39.9, TERMS) is None
    assert due(returning, 40.0, TERMS) is Event.RAMPED
    assert apply(returning, Event.RAMPED, 40.0, TERMS).state is State.UP


def test_one_silence_on_the_way_back_is_a_death(returning):
    assert after(Event.MISSED, reach=returning).state is State.DOWN


def test_each_death_in_short_order_makes_the_way_back_longer_up_to_eightfold(returning):
    reach, ways = returning, []
    for _ in range(6):
        ways.append(return_s(reach, TERMS))
        reach = after(Event.MISSED, *[Event.ANSWERED] * 3, reach=reach, now=20.0)
    assert ways == [30.0, 60.0, 120.0, 240.0, 240.0, 240.0]
    forgiven = after(Event.BROKEN, *[Event.ANSWERED] * 3, reach=reach, now=20.0 + TERMS.forget_s)
    assert return_s(forgiven, TERMS) == 30.0


def test_calls_that_are_answered_put_questions_off(up):
    busy = apply(up, Event.HEARD, 29.0, TERMS)
    assert not asks(busy, 31.0, TERMS)
    assert asks(busy, 59.0, TERMS)


def test_where_options_are_not_wanted_time_alone_brings_it_back():
    terms = replace(TERMS, interval_s=0.0)
    dead = after(Event.BROKEN, terms=terms)
    assert not asks(dead, 1e9, terms)
    assert due(dead, 0.5, terms) is None
    assert due(dead, 1.0, terms) is Event.WAITED
    back = apply(dead, Event.WAITED, 1.0, terms)
    assert (back.state, back.share(1.0, terms)) == (State.RETURNING, terms.least_share)


def learns(reach: Reach, event: Event, rtt_s: float) -> Reach:
    for _ in range(50):
        reach = apply(reach, event, 0.0, TERMS, rtt_s=rtt_s)
    return reach


def test_patience_is_half_a_second_until_calls_were_answered_and_follows_them_then(up):
    assert up.wait_s(TERMS) == 0.5
    assert learns(up, Event.HEARD, 0.01).wait_s(TERMS) == TERMS.least_wait_s
    assert 0.8 <= learns(up, Event.HEARD, 0.6).wait_s(TERMS) <= 1.0
    assert learns(up, Event.HEARD, 30.0).wait_s(TERMS) == TERMS.longest_wait_s


def test_questions_teach_patience_with_calls_only_where_the_way_is_long(up):
    near, far = learns(up, Event.ANSWERED, 0.01), learns(up, Event.ANSWERED, 0.6)
    assert (near.wait_s(TERMS), near.answer_wait_s(TERMS)) == (0.5, TERMS.least_wait_s)
    assert far.wait_s(TERMS) == far.answer_wait_s(TERMS) > 0.7


def test_after_a_call_that_was_missed_twice_as_long_is_waited_until_one_is_answered(up):
    quick = learns(up, Event.HEARD, 0.01)
    missed = after(*[Event.MISSED] * 2, reach=quick)
    assert missed.wait_s(TERMS) == 2 * quick.wait_s(TERMS)
    slow = apply(missed, Event.HEARD, 0.0, TERMS, rtt_s=0.4)
    assert slow.state is State.UP
    assert slow.wait_s(TERMS) > 0.4


def test_what_means_nothing_in_a_state_changes_nothing(up):
    for state in State:
        for event in Event:
            if (state, event) not in TABLE:
                reach = replace(up, state=state)
                assert apply(reach, event, 3.0, TERMS) == reach


STEPS = st.lists(st.tuples(st.sampled_from(Event), st.floats(0, 20)), max_size=60)


@settings(max_examples=40)
@given(STEPS)
def test_a_dead_address_is_not_used_again_before_as_many_answers_in_a_row_as_are_asked_for(steps):
    reach, now, answers = Reach(), 0.0, 0
    for event, passed in steps:
        now += passed
        if event in (Event.WAITED, Event.RAMPED) and due(reach, now, TERMS) is not event:
            continue
        before = reach = asked(reach) if event in (Event.ANSWERED, Event.REFUSING) else reach
        reach = apply(reach, event, now, TERMS)
        if before.state is State.DOWN:
            answers = answers + 1 if event is Event.ANSWERED else answers * (event is not Event.REFUSING)
            assert not reach.usable or answers >= TERMS.rise
        if reach.state is not State.DOWN:
            answers = 0
        assert 0.0 <= reach.share(now, TERMS) <= 1.0
        assert (reach.share(now, TERMS) == 0.0) == (not reach.usable)


@settings(max_examples=40)
@given(STEPS, st.floats(0, 1))
def test_there_is_always_a_time_at_which_something_is_asked_or_told(steps, chance):
    reach, now = Reach(), 0.0
    for event, passed in steps:
        now += passed
        reach = apply(reach, event, now, TERMS, chance=chance)
        assert next_timeout(reach, TERMS) <= now + 1.1 * max(TERMS.interval_s, TERMS.longest_back_off_s)
