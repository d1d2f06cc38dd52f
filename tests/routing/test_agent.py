"""An agent's states: who may be offered a call, and what each event makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.agent import (
    MISSED_TOO_OFTEN,
    TABLE,
    Agent,
    AgentEvent,
    AgentState,
    IllegalTransition,
    Offer,
    apply,
    due,
    next_timeout,
)

E, S = AgentEvent, AgentState


def after(agent: Agent, *events: AgentEvent, now: float = 200.0, offer: Offer | None = None) -> Agent:
    for event in events:
        agent = apply(agent, event, now, offer=offer)
    return agent


def test_an_agent_who_logs_in_is_available_and_last_in_the_idle_order():
    agent = apply(Agent("alice", registered=True), E.LOGIN, 50.0)
    assert (agent.state, agent.idle_since, agent.free) == (S.AVAILABLE, 50.0, True)


def test_an_agent_without_a_phone_is_logged_in_but_not_free(alice):
    assert not after(alice, E.UNREGISTERED).free
    assert after(alice, E.UNREGISTERED).state is S.AVAILABLE
    with pytest.raises(IllegalTransition, match="register a phone first"):
        after(alice, E.UNREGISTERED, E.OFFER)


def test_a_phone_that_comes_back_puts_its_agent_at_the_back_of_the_idle_order(alice):
    assert after(alice, E.UNREGISTERED, E.REGISTERED, now=90.0).idle_since == 90.0


def test_refreshing_a_registration_changes_nothing(alice):
    assert after(alice, E.REGISTERED, now=90.0) == alice


def test_an_agent_who_logs_in_by_registering_does_so_with_the_first_phone_only():
    agent = Agent("alice", auto_login=True)
    logged_in = after(agent, E.REGISTERED)
    assert logged_in.state is S.AVAILABLE
    assert after(logged_in, E.LOGOUT, E.REGISTERED).state is S.LOGGED_OUT
    assert after(logged_in, E.LOGOUT, E.UNREGISTERED, E.REGISTERED).state is S.AVAILABLE


def test_registering_logs_nobody_in_who_did_not_ask_for_it():
    assert after(Agent("bob"), E.REGISTERED).state is S.LOGGED_OUT


def test_a_call_goes_from_offer_over_talk_to_wrap_up_to_available(alice, offer):
    offered = apply(alice, E.OFFER, 100.0, offer=offer)
    assert (offered.state, offered.call, offered.free) == (S.OFFERED, "call-1", False)
    talking = apply(offered, E.ACCEPT, 105.0)
    assert (talking.state, talking.call, talking.since) == (S.TALKING, "call-1", 105.0)
    wrapping = apply(talking, E.CALL_ENDED, 160.0)
    assert (wrapping.state, wrapping.call) == (S.WRAP_UP, "")
    free = apply(wrapping, E.WRAP_UP_OVER, 170.0)
    assert (free.state, free.idle_since, free.offer) == (S.AVAILABLE, 170.0, None)


def test_no_queue_offers_a_call_during_wrap_up(talking):
    wrapping = apply(talking, E.CALL_ENDED, 160.0)
    assert not wrapping.free
    assert wrapping.working
    with pytest.raises(IllegalTransition, match="choose an agent who is free"):
        apply(wrapping, E.OFFER, 161.0)


def test_wrap_up_ends_by_itself_when_its_queues_time_is_over(talking):
    wrapping = apply(talking, E.CALL_ENDED, 160.0)
    assert next_timeout(wrapping) == 170.0
    assert due(wrapping, 169.9) is None
    assert due(wrapping, 170.0) is E.WRAP_UP_OVER


def test_a_queue_without_wrap_up_makes_its_agent_available_at_once(alice, offer):
    agent = after(alice, E.OFFER, E.ACCEPT, E.CALL_ENDED, offer=replace(offer, wrap_up_s=0.0))
    assert agent.state is S.AVAILABLE


def test_an_offer_rings_as_long_as_its_queue_says_and_is_then_a_miss(alice, offer):
    offered = apply(alice, E.OFFER, 100.0, offer=offer)
    assert next_timeout(offered) == 120.0
    assert due(offered, 120.0) is E.MISS


@pytest.mark.parametrize("event", [E.MISS, E.REFUSE])
def test_missing_or_refusing_a_call_costs_the_place_in_the_idle_order(alice, offer, event):
    agent = apply(apply(alice, E.OFFER, 100.0, offer=offer), event, 120.0)
    assert (agent.state, agent.misses, agent.idle_since) == (S.AVAILABLE, 1, 120.0)


@pytest.mark.parametrize("event", [E.MISS, E.REFUSE])
def test_an_agent_who_misses_too_many_calls_in_a_row_is_paused(alice, offer, event):
    agent = after(alice, E.OFFER, event, E.OFFER, event, offer=offer)
    assert (agent.state, agent.reason) == (S.PAUSED, MISSED_TOO_OFTEN)


def test_answering_once_forgives_earlier_misses(alice, offer):
    events = (E.OFFER, E.MISS, E.OFFER, E.ACCEPT, E.CALL_ENDED, E.WRAP_UP_OVER, E.OFFER, E.MISS)
    agent = after(alice, *events, offer=offer)
    assert (agent.state, agent.misses) == (S.AVAILABLE, 1)


def test_resuming_after_too_many_misses_begins_to_count_anew(alice, offer):
    agent = after(alice, E.OFFER, E.MISS, E.OFFER, E.MISS, E.RESUME, E.OFFER, E.MISS, offer=offer)
    assert (agent.state, agent.misses) == (S.AVAILABLE, 1)


def test_a_queue_that_forgives_everything_never_pauses_its_agents(alice, offer):
    agent = after(alice, *[E.OFFER, E.MISS] * 50, offer=replace(offer, max_misses=0))
    assert agent.state is S.AVAILABLE


def test_a_caller_who_hangs_up_while_the_phone_rings_costs_the_agent_nothing(alice, offer):
    agent = after(alice, E.OFFER, E.CALL_ENDED, offer=offer)
    assert (agent.state, agent.misses, agent.idle_since) == (S.AVAILABLE, 0, alice.idle_since)


@pytest.mark.parametrize(("event", "state"), [(E.PAUSE, S.PAUSED), (E.LOGOUT, S.LOGGED_OUT)])
def test_pausing_or_logging_out_while_talking_takes_effect_after_the_call(talking, event, state):
    leaving = apply(talking, event, 130.0, reason="lunch")
    assert (leaving.state, leaving.pending) == (S.TALKING, state)
    gone = apply(leaving, E.CALL_ENDED, 160.0)
    assert (gone.state, gone.reason, gone.pending) == (state, "lunch", None)


@pytest.mark.parametrize("outcome", [E.MISS, E.REFUSE, E.CALL_ENDED])
def test_pausing_while_the_phone_rings_takes_effect_when_the_offer_comes_to_nothing(alice, offer, outcome):
    offered = apply(alice, E.OFFER, 100.0, offer=offer)
    agent = apply(apply(offered, E.PAUSE, 101.0, reason="lunch"), outcome, 110.0)
    assert (agent.state, agent.reason) == (S.PAUSED, "lunch")


def test_a_pause_asked_for_while_ringing_waits_for_the_call_that_was_answered(alice, offer):
    agent = after(alice, E.OFFER, E.PAUSE, E.ACCEPT, offer=offer)
    assert (agent.state, agent.pending) == (S.TALKING, S.PAUSED)
    assert after(agent, E.CALL_ENDED).state is S.PAUSED


@pytest.mark.parametrize("second_thought", [E.RESUME, E.LOGIN])
def test_what_was_to_happen_after_the_call_can_be_taken_back(talking, second_thought):
    assert after(talking, E.PAUSE, second_thought, E.CALL_ENDED).state is S.WRAP_UP


@pytest.mark.parametrize(("before", "reason"), [(E.PAUSE, "lunch"), (E.LOGOUT, "home")])
def test_a_call_of_her_own_brings_an_agent_back_to_where_she_was(alice, before, reason):
    away = apply(alice, before, 100.0, reason=reason)
    calling = apply(away, E.CALL_BEGAN, 110.0, offer=Offer("own"))
    assert (calling.state, calling.call) == (S.TALKING, "own")
    back = apply(calling, E.CALL_ENDED, 150.0)
    assert (back.state, back.reason) == (away.state, reason)


def test_a_call_of_her_own_keeps_queues_away_and_has_no_wrap_up(alice):
    calling = after(alice, E.CALL_BEGAN, offer=Offer("own"))
    assert not calling.free
    assert after(calling, E.CALL_ENDED).state is S.AVAILABLE


def test_a_second_leg_of_an_agent_in_a_call_changes_nothing(talking):
    assert after(talking, E.CALL_BEGAN, offer=Offer("consultation")) == talking


def test_an_agent_can_end_her_wrap_up_early(talking):
    assert after(talking, E.CALL_ENDED, E.WRAP_UP_OVER).state is S.AVAILABLE


@pytest.mark.parametrize(
    ("events", "refused", "remedy"),
    [
        ((E.LOGOUT,), E.PAUSE, "log in first"),
        ((E.LOGOUT,), E.RESUME, "log in first"),
        ((E.PAUSE,), E.LOGIN, "resume instead"),
        ((E.PAUSE,), E.WRAP_UP_OVER, "no wrap-up to end"),
        ((), E.WRAP_UP_OVER, "no wrap-up to end"),
        ((E.PAUSE,), E.OFFER, "choose an agent who is free"),
        ((E.OFFER, E.ACCEPT), E.WRAP_UP_OVER, "hang up first"),
        ((E.OFFER,), E.CALL_BEGAN, "answer it or refuse it first"),
        ((), E.ACCEPT, "offered or in"),
    ],
)
def test_what_cannot_be_done_now_is_refused_with_what_to_do_instead(alice, offer, events, refused, remedy):
    with pytest.raises(IllegalTransition, match=remedy) as caught:
        after(alice, *events, refused, offer=offer)
    assert caught.value.event is refused


@pytest.mark.parametrize("event", [E.LOGIN, E.RESUME])
def test_asking_twice_does_no_harm(alice, event):
    assert after(alice, event) == alice


def test_registering_and_unregistering_are_possible_in_every_state():
    for state in AgentState:
        assert (state, E.REGISTERED) in TABLE
        assert (state, E.UNREGISTERED) in TABLE


@given(st.lists(st.tuples(st.sampled_from(AgentEvent), st.floats(0.0, 30.0)), max_size=60))
def test_whatever_happens_an_agents_value_makes_sense(steps):
    agent, now = Agent("alice", ("support",)), 0.0
    terms = Offer("call", "support", wrap_up_s=5.0, max_misses=3)
    for event, pause in steps:
        now += pause
        try:
            agent = apply(agent, event, now, offer=terms)
        except IllegalTransition:
            continue
        in_call = agent.state in (S.OFFERED, S.TALKING)
        assert bool(agent.call) == in_call
        assert in_call or agent.pending is None
        assert not agent.free or agent.registered
        assert (agent.offer is not None) == (in_call or agent.state is S.WRAP_UP)
        assert agent.idle_since <= now
        assert agent.since <= now
