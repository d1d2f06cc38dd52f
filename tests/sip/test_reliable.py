"""Provisional responses that must arrive, and changes of a call not answered yet (RFC 3262, RFC 3311)."""

from __future__ import annotations

import pytest

from sip.events import (
    Acknowledged,
    Answered,
    Ended,
    IncomingCall,
    Provisional,
    Reanswered,
    Rejected,
    Reoffered,
)
from tests.sip.network import Network, Node, Seen, Weather, drained, pair

OFFER, ANSWER = b"v=0 offer", b"v=0 answer"
REQUIRED = [("Require", "100rel")]


def ring_early(network: Network, caller: Node, callee: Node, **options: object):
    ours = caller.call(callee, **options)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(ANSWER, now=network.now)
    network.run(0.2)
    return ours, theirs


def test_early_media_is_answered_reliably_and_acknowledged_by_prack():
    network, caller, callee = pair()
    ours, theirs = ring_early(network, caller, callee)
    assert network.said() == ["INVITE", "183 INVITE", "PRACK", "200 PRACK"]
    assert caller.last(Provisional).sdp == ANSWER
    theirs.answer(None, now=network.now)
    network.run(1)
    assert caller.last(Answered).sdp == ANSWER
    final = next(seen.message for seen in network.trace if seen.what == "200 INVITE")
    assert not final.body
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_ringing_without_media_is_sent_unreliably_unless_the_caller_requires_more():
    for headers, pracks in (([], 0), (REQUIRED, 1)):
        network, caller, callee = pair()
        caller.call(callee, headers=headers)
        network.run(0.05)
        callee.last(IncomingCall).session.ring(now=network.now)
        network.run(1)
        assert network.said().count("PRACK") == pracks


def test_a_caller_without_an_offer_is_rung_unreliably_where_it_may_be():
    network, caller, callee = pair()
    caller.call(callee, None)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(None, 180, True, now=network.now)
    network.run(0.5)
    assert network.said() == ["INVITE", "180 INVITE"]


def test_the_first_that_goes_reliably_carries_the_offer_or_is_not_sent():
    """RFC 3262 section 5: an INVITE without an offer whose caller requires reliable ringing."""
    network, caller, callee = pair()
    ours = caller.call(callee, None, headers=REQUIRED)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.ring(now=network.now)
    network.run(0.5)
    assert "180 INVITE" not in network.said()
    theirs.ring(OFFER, now=network.now)
    network.run(0.1)
    assert caller.last(Provisional).sdp == OFFER
    ours.acknowledge(ANSWER, now=network.now)
    network.run(0.1)
    assert callee.last(Reanswered).sdp == ANSWER
    theirs.answer(OFFER, now=network.now)
    network.run(0.5)
    assert [each for each in network.said() if each != "100 INVITE"][1:4] == [
        "180 INVITE",
        "PRACK",
        "200 PRACK",
    ]
    assert (ours.state, theirs.state) == ("connected", "connected")
    final = next(seen.message for seen in network.trace if seen.what == "200 INVITE")
    assert not final.body


def test_a_phone_that_rings_long_is_heard_of_reliably_where_that_is_required():
    network, caller, callee = pair()
    caller.call(callee, headers=REQUIRED, ring_timeout=400.0)
    network.run(0.05)
    callee.last(IncomingCall).session.ring(now=network.now)
    network.run(200)
    rung = [seen.message for seen in network.trace if seen.what == "180 INVITE"]
    assert len(rung) >= 3 and all("100rel" in each.headers.tokens("Require") for each in rung)
    assert network.said().count("PRACK") == len({each.headers.get("RSeq") for each in rung})


def test_a_lost_reliable_ringing_is_sent_again_until_its_prack_comes():
    network, caller, callee = pair()
    lost = iter([True, True, False])
    network.drop = lambda seen: seen.what == "183 INVITE" and next(lost, False)
    ring_early(network, caller, callee)
    network.run(5)
    assert network.said().count("183 INVITE") == 3
    assert network.said().count("PRACK") == 1
    assert len(caller.told(Provisional)) == 1


def test_a_reliable_ringing_sent_twice_is_told_once():
    network, caller, callee = pair(weather=Weather(duplication=1.0))
    ring_early(network, caller, callee)
    network.run(1)
    assert [event.status for event in caller.told(Provisional) if event.status > 100] == [183]


def test_reliable_responses_follow_each_other_one_at_a_time():
    network, caller, callee = pair()
    caller.call(callee, headers=REQUIRED)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(ANSWER, now=network.now)
    theirs.ring(now=network.now)
    theirs.answer(None, now=network.now)
    network.run(1)
    said = [what for what in network.said(callee) if "INVITE" in what]
    assert said == ["183 INVITE", "180 INVITE", "200 INVITE"]
    assert sorted(network.said(caller)) == ["ACK", "INVITE", "PRACK", "PRACK"]


def test_an_answer_waits_until_the_media_before_it_is_acknowledged():
    network, caller, callee = pair()
    lost = iter([True])
    network.drop = lambda seen: seen.what == "PRACK" and next(lost, False)
    caller.call(callee)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(ANSWER, now=network.now)
    theirs.answer(None, now=network.now)
    network.run(0.3)
    assert "200 INVITE" not in network.said()
    network.run(2)
    assert caller.last(Answered).sdp == ANSWER


def test_a_call_is_refused_when_the_prack_never_comes():
    network, caller, callee = pair()
    network.drop = lambda seen: seen.what == "PRACK"
    ours, theirs = ring_early(network, caller, callee)
    network.settle()
    assert callee.last(Ended, theirs).cause == "no_prack"
    assert caller.last(Rejected, ours).status == 504
    assert drained(network.counts())


def test_a_prack_that_acknowledges_nothing_is_answered_481():
    network, caller, callee = pair()
    ours, _ = ring_early(network, caller, callee)
    answers: list[int] = []
    headers = [("RAck", "1 1 INVITE")]
    ours.send("PRACK", lambda _, response, __: answers.append(response.status), network.now, headers=headers)
    network.run(0.1)
    assert answers == [481]


def test_without_an_offer_a_reliable_ringing_offers_and_the_prack_answers():
    network, caller, callee = pair()
    ours = caller.call(callee, offer=None)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(b"v=0 callee offers", reliable=True, now=network.now)
    network.run(0.1)
    assert caller.last(Provisional).sdp == b"v=0 callee offers"
    assert "PRACK" not in network.said()
    ours.acknowledge(b"v=0 caller answers", now=network.now)
    network.run(0.1)
    assert callee.last(Reanswered, theirs).sdp == b"v=0 caller answers"
    theirs.answer(None, now=network.now)
    network.run(1)
    assert caller.last(Answered, ours).sdp == b"v=0 callee offers"
    assert callee.last(Acknowledged, theirs).sdp is None
    assert not next(seen.message for seen in network.trace if seen.what == "ACK").body


@pytest.mark.parametrize("caller_asks", [True, False], ids=["by the caller", "by the callee"])
def test_early_media_is_changed_by_update(caller_asks: bool):
    network, caller, callee = pair()
    ours, theirs = ring_early(network, caller, callee)
    asking, asked = (ours, theirs) if caller_asks else (theirs, ours)
    asking.reoffer(b"v=0 changed", now=network.now)
    network.run(0.1)
    (callee if caller_asks else caller).last(Reoffered, asked)
    asked.accept(b"v=0 changed too", now=network.now)
    network.run(0.1)
    assert (caller if caller_asks else callee).last(Reanswered, asking).sdp == b"v=0 changed too"
    theirs.answer(None, now=network.now)
    network.run(1)
    expected = b"v=0 changed too" if caller_asks else b"v=0 changed"
    assert caller.last(Answered).sdp == expected


def test_an_update_before_the_offer_of_the_invite_is_answered_is_refused():
    network, caller, callee = pair()
    ours = caller.call(callee, headers=REQUIRED)
    network.run(0.05)
    callee.last(IncomingCall).session.ring(now=network.now)
    network.run(0.1)
    headers = [("Content-Type", "application/sdp")]
    ours.send("UPDATE", lambda *_: None, network.now, headers=headers, body=OFFER)
    network.run(0.1)
    assert "500 UPDATE" in network.said(callee)


def test_media_in_an_unreliable_ringing_is_a_preview_of_the_answer():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.progress(ANSWER, reliable=False, now=network.now)
    network.run(0.1)
    assert caller.last(Provisional, ours).sdp == ANSWER
    assert "PRACK" not in network.said()
    theirs.answer(ANSWER, now=network.now)
    network.run(1)
    assert caller.last(Answered, ours).sdp == ANSWER


def test_a_peer_that_knows_nothing_of_100rel_is_rung_plainly():
    network, caller, callee = pair()

    def strip(seen: Seen) -> bool:
        if seen.what != "INVITE" or seen.message.headers.get("Supported") is None:
            return False
        seen.message.headers.remove("Supported")
        network.drop = None
        from sip.hop import Hop

        callee.agent.receive(seen.message.encode(), Hop("udp", seen.source, 5060), network.now)
        network.flush(callee)
        return True

    network.drop = strip
    caller.call(callee)
    network.run(0.05)
    callee.last(IncomingCall).session.progress(ANSWER, reliable=True, now=network.now)
    network.run(0.1)
    response = next(seen.message for seen in network.trace if seen.what == "183 INVITE")
    assert "RSeq" not in response.headers


def test_cancelling_during_early_media_leaves_nothing_behind():
    network, caller, callee = pair()
    ours, _ = ring_early(network, caller, callee)
    ours.hangup(now=network.now)
    network.settle()
    assert "487 INVITE" in network.said(callee)
    assert drained(network.counts())


@pytest.mark.parametrize("seed", range(10))
def test_early_media_over_a_bad_network_comes_to_an_answer(seed: int):
    network, caller, callee = pair(seed, Weather(delay=0.03, jitter=0.1, loss=0.15, duplication=0.1))
    ours = caller.call(callee)
    network.run(5)
    theirs = callee.last(IncomingCall).session
    theirs.progress(ANSWER, now=network.now)
    theirs.ring(now=network.now)
    network.run(1)
    theirs.answer(None, now=network.now)
    network.run(30)
    assert caller.last(Answered, ours).sdp == ANSWER
    theirs.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())
