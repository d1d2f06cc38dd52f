"""A leg that died is called again over another line; one that is only silent is left in peace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.rescue import Do, Event, Rescue, State, Terms, apply, due, next_timeout

TERMS = Terms()


def pass_time(rescue: Rescue, until: float, terms: Terms = TERMS) -> tuple[Rescue, list[tuple[float, Do]]]:
    """Whatever time brings up to `until`, each at its moment."""
    done: list[tuple[float, Do]] = []
    while (at := next_timeout(rescue, terms)) is not None and at <= until:
        event = due(rescue, at, terms)
        assert event is not None
        rescue, actions = apply(rescue, event, at)
        done += [(at, action) for action in actions]
    return rescue, done


def test_a_leg_dead_both_ways_for_three_seconds_is_called_again_while_the_other_hears_comfort_noise():
    _, done = pass_time(Rescue(), 5.0)
    assert done == [(1.0, Do.ASK), (3.0, Do.COMFORT), (3.0, Do.REDIAL)]


def test_a_muted_phone_whose_signalling_answers_is_left_in_peace():
    rescue = Rescue()
    for second in range(1, 30):
        rescue, done = pass_time(rescue, float(second))
        assert Do.REDIAL not in [action for _, action in done]
        rescue, _ = apply(rescue, Event.SIGNALLING, second + 0.05)
    assert rescue.state is not State.RESCUING


def test_sound_that_comes_again_ends_the_doubt():
    doubted, _ = pass_time(Rescue(), 1.0)
    assert apply(doubted, Event.MEDIA, 2.0)[0].state is State.WELL


def test_a_leg_on_hold_is_not_missed():
    assert next_timeout(Rescue(held=True), TERMS) is None


@pytest.mark.parametrize("state", [State.WELL, State.DOUBTED])
def test_a_leg_of_which_signalling_says_that_it_is_gone_is_rescued_at_once(state):
    rescue, actions = apply(Rescue(state), Event.GONE, 7.0)
    assert (rescue.state, actions) == (State.RESCUING, (Do.COMFORT, Do.REDIAL))


@pytest.fixture
def rescuing() -> Rescue:
    return apply(Rescue(), Event.GONE, 10.0)[0]


def test_a_rescued_leg_is_well_again_and_may_be_rescued_again(rescuing):
    well, actions = apply(rescuing, Event.TAKEN, 12.0)
    assert (well.state, well.rescued, actions) == (State.WELL, 1, (Do.JOIN,))
    assert next_timeout(well, TERMS) == 13.0


def test_a_leg_that_was_only_away_is_joined_again_and_the_dialling_called_off(rescuing):
    well, actions = apply(rescuing, Event.MEDIA, 12.0)
    assert (well.state, actions) == (State.WELL, (Do.STOP_DIALLING, Do.JOIN))


def test_a_rescue_without_a_line_or_too_late_ends_the_call(rescuing):
    assert apply(rescuing, Event.NO_LINE, 11.0)[1] == (Do.END,)
    lost, done = pass_time(rescuing, 100.0)
    assert (lost.state, done) == (State.LOST, [(30.0, Do.STOP_DIALLING), (30.0, Do.END)])


def test_where_it_is_not_wanted_nothing_happens():
    assert next_timeout(Rescue(), replace(TERMS, enabled=False)) is None
