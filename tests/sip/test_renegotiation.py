"""Changing a call under way: hold and resume, offers from both sides at once.

And refusals that change nothing.
"""

from __future__ import annotations

import pytest

from sip.events import Ended, IncomingCall, Reanswered, Reoffered, ReofferFailed
from sip.message import Request
from sip.turns import IDLE, RENEGOTIATION
from tests.sip.network import Network, Node, Weather, connect, drained, pair

HOLD, HELD, RESUME, RESUMED = b"v=0 hold", b"v=0 held", b"v=0 resume", b"v=0 resumed"


def accept_with(network: Network, node: Node, answer: bytes) -> None:
    def on_event(event: object) -> None:
        if isinstance(event, Reoffered):
            event.session.accept(answer, now=network.now)

    node.on_event = on_event


@pytest.mark.parametrize("caller_holds", [True, False], ids=["the caller", "the callee"])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_either_side_holds_and_resumes(caller_holds: bool, method: str):
    network, caller, callee = pair(prefer_update=method == "UPDATE")
    sessions = connect(network, caller, callee)
    holder, held = (caller, callee) if caller_holds else (callee, caller)
    ours, theirs = sessions if caller_holds else reversed(sessions)
    for offer, answer in ((HOLD, HELD), (RESUME, RESUMED)):
        since = len(network.trace)
        accept_with(network, held, answer)
        ours.reoffer(offer, now=network.now)
        network.run(1)
        assert held.last(Reoffered, theirs).sdp == offer
        assert holder.last(Reanswered, ours).sdp == answer
        assert network.said(since=since)[:2] == [method, f"200 {method}"]
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_an_offer_that_is_refused_leaves_the_call_as_it_was():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(0.1)
    theirs.refuse(488, now=network.now)
    network.run(1)
    assert caller.last(ReofferFailed, ours).status == 488
    assert ours.dialog.offer.local == b"v=0 offer"
    assert theirs.dialog.offer.remote == b"v=0 offer"
    accept_with(network, callee, RESUMED)
    ours.reoffer(RESUME, now=network.now)
    network.run(1)
    assert caller.last(Reanswered, ours).sdp == RESUMED


def test_a_far_end_that_hears_an_offer_and_never_answers_is_gone_in_the_end():
    network, caller, callee = pair(ring_timeout=60.0)
    ours, _ = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(1)
    assert network.said()[-1] == "100 INVITE"
    network.drop = lambda seen: True
    network.run(50)
    assert not caller.told(Ended)
    network.run(20)
    assert caller.last(Ended, ours).cause == "gone"
    network.settle()
    assert drained(network.counts())


def test_offers_that_cross_are_both_refused_and_both_made_again():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    accept_with(network, caller, b"v=0 caller says yes")
    accept_with(network, callee, b"v=0 callee says yes")
    ours.reoffer(b"v=0 from the caller", now=network.now)
    theirs.reoffer(b"v=0 from the callee", now=network.now)
    network.run(0.5)
    assert network.said().count("491 INVITE") == 2
    assert not caller.told(Reanswered)
    network.run(10)
    assert caller.last(Reanswered, ours).sdp == b"v=0 callee says yes"
    assert callee.last(Reanswered, theirs).sdp == b"v=0 caller says yes"
    assert ours.renegotiation.state == theirs.renegotiation.state == IDLE


@pytest.mark.parametrize("seed", range(20))
def test_after_glare_the_owner_of_the_call_id_waits_longer(seed: int):
    network, caller, callee = pair(seed)
    ours, theirs = connect(network, caller, callee)
    accept_with(network, caller, HELD)
    accept_with(network, callee, HELD)
    began = network.now
    ours.reoffer(HOLD, now=network.now)
    theirs.reoffer(HOLD, now=network.now)
    network.run(10)
    again = [
        (seen.at - began, seen.source)
        for seen in network.trace
        if seen.what == "INVITE" and seen.at > began + 0.015
    ]
    assert [source for _, source in again] == [callee.host, caller.host]
    assert again[0][0] <= 2.1
    assert 2.1 <= again[1][0] <= 4.1


def test_an_update_that_crosses_a_reinvite_is_refused_too():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    callee.agent.settings.prefer_update = True
    accept_with(network, caller, HELD)
    accept_with(network, callee, HELD)
    ours.reoffer(HOLD, now=network.now)
    theirs.reoffer(RESUME, now=network.now)
    network.run(0.5)
    assert {"491 INVITE", "491 UPDATE"} <= set(network.said())
    network.run(10)
    assert caller.told(Reanswered, ours)
    assert callee.told(Reanswered, theirs)


def test_a_second_offer_before_the_first_is_answered_is_told_to_wait():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(0.1)
    # A caller that does not keep to RFC 3261 section 14.1 sends another one all the same.
    ours.send(
        "INVITE", lambda *_: None, network.now, headers=[("Content-Type", "application/sdp")], body=RESUME
    )
    network.run(0.1)
    refusal = next(seen.message for seen in network.trace if seen.what == "500 INVITE")
    assert 0 <= refusal.number("Retry-After") <= 10
    theirs.accept(HELD, now=network.now)
    network.run(1)
    assert caller.last(Reanswered, ours).sdp == HELD


def test_an_offer_made_while_another_is_on_its_way_follows_it():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    accept_with(network, callee, HELD)
    ours.reoffer(HOLD, now=network.now)
    ours.reoffer(b"v=0 forgotten", now=network.now)
    ours.reoffer(RESUME, now=network.now)
    network.run(2)
    assert [event.sdp for event in callee.told(Reoffered)] == [HOLD, RESUME]
    assert len(caller.told(Reanswered)) == 2


def test_an_offer_made_while_it_rings_is_sent_when_the_call_is_answered():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.ring(now=network.now)
    network.run(0.05)
    ours.reoffer(HOLD, now=network.now)
    accept_with(network, callee, HELD)
    theirs.answer(b"v=0 answer", now=network.now)
    network.run(1)
    assert caller.last(Reanswered, ours).sdp == HELD


def test_an_offer_is_asked_for_and_answered_in_the_ack():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.reoffer(None, now=network.now)
    network.run(0.1)
    assert callee.last(Reoffered, theirs).sdp is None
    theirs.accept(b"v=0 callee offers", now=network.now)
    network.run(0.1)
    assert caller.last(Reoffered, ours).sdp == b"v=0 callee offers"
    ours.accept(b"v=0 caller answers", now=network.now)
    network.run(0.1)
    assert callee.last(Reanswered, theirs).sdp == b"v=0 caller answers"
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_an_offer_that_says_what_stands_already_is_answered_without_asking():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.reoffer(b"v=0 offer", now=network.now)
    network.run(1)
    assert not callee.told(Reoffered)
    assert caller.last(Reanswered, ours).sdp == b"v=0 answer"


def test_an_offer_the_owner_never_answers_is_refused_after_32_seconds():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(60)
    assert caller.last(ReofferFailed, ours).status == 500
    assert theirs.renegotiation.state == IDLE
    assert ours.state == theirs.state == "connected"


def test_a_call_the_far_end_forgot_is_ended_by_the_next_offer():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    network.drop = lambda seen: seen.source == callee.host
    theirs.hangup(now=network.now)
    network.run(60)
    network.drop = None
    ours.reoffer(HOLD, now=network.now)
    network.settle()
    assert caller.last(Ended, ours).cause == "gone"
    assert drained(network.counts())


def test_an_offer_nobody_answers_ends_the_call():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    network.drop = lambda seen: True
    ours.reoffer(HOLD, now=network.now)
    network.run(70)
    assert caller.last(Ended, ours).cause == "gone"


def test_hanging_up_in_the_middle_of_a_change_leaves_nothing_behind():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(0.1)
    theirs.hangup(now=network.now)
    network.settle()
    assert "487 INVITE" in network.said(callee)
    assert drained(network.counts())


def test_a_hang_up_while_the_far_end_considers_an_offer_leaves_nothing_behind():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.reoffer(HOLD, now=network.now)
    network.run(0.1)
    ours.hangup(now=network.now)
    network.settle()
    assert caller.last(Ended, ours).cause == "hangup"
    assert drained(network.counts())


def test_a_request_that_comes_out_of_order_is_answered_500():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.dialog.local_seq -= 5
    answers: list[int] = []
    ours.send("INFO", lambda _out, response, _now: answers.append(response.status), network.now)
    network.run(0.1)
    assert answers == [500]
    assert theirs.state == "connected"


def test_a_target_refresh_moves_the_remote_target():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    accept_with(network, callee, HELD)
    moved = network.add("10.0.0.3")
    network.nodes[moved.host] = caller  # the same phone, now also at another address
    caller.agent.settings.addresses = {"udp": (moved.host, 5060)}
    ours.reoffer(HOLD, now=network.now)
    network.run(1)
    theirs.hangup(now=network.now)
    network.run(1)
    bye = next(seen for seen in network.trace if seen.what == "BYE")
    assert isinstance(bye.message, Request)
    assert bye.message.uri.host == moved.host


@pytest.mark.parametrize("seed", range(10))
def test_holds_from_both_sides_over_a_bad_network_all_come_to_an_end(seed: int):
    network, caller, callee = pair(seed, Weather(delay=0.05, jitter=0.2, loss=0.1, duplication=0.1))
    callee.on_event = lambda event: (
        event.session.answer(b"v=0 answer", now=network.now) if isinstance(event, IncomingCall) else None
    )
    ours = caller.call(callee)
    network.run(30)
    theirs = callee.last(IncomingCall).session
    accept_with(network, caller, HELD)
    accept_with(network, callee, HELD)
    for turn in range(5):
        ours.reoffer(b"v=0 caller %d" % turn, now=network.now)
        theirs.reoffer(b"v=0 callee %d" % turn, now=network.now)
        network.run(network.rng.random())
    network.run(120)
    for session in (ours, theirs):
        assert session.state == "ended" or session.renegotiation.state == IDLE
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_every_state_of_a_change_leads_back_to_idle():
    assert {state for (state, event) in RENEGOTIATION if event == "done"} == {
        state for (state, _) in RENEGOTIATION if state != IDLE
    }
