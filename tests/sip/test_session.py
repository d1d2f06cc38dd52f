"""A call from both ends: set up, refused, taken back, hung up, and every way these cross on the wire."""

from __future__ import annotations

import pytest

from sip.errors import WrongState
from sip.events import (
    Acknowledged,
    Answered,
    Cancelled,
    DtmfInfo,
    Ended,
    IncomingCall,
    Provisional,
    Reason,
    Rejected,
)
from sip.hop import Hop
from sip.message import Request, Uri
from sip.states import CALLEE, CALLER, ENDED
from tests.sip.network import Network, Node, Seen, Weather, connect, drained, pair

OFFER, ANSWER = b"v=0 offer", b"v=0 answer"


def ringing(network: Network, caller: Node, callee: Node, **options: object):
    ours = caller.call(callee, **options)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.ring(now=network.now)
    network.run(0.05)
    return ours, theirs


def test_a_call_is_offered_rung_answered_and_hung_up():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.1)
    incoming = callee.last(IncomingCall)
    assert incoming.offer == OFFER
    theirs = incoming.session
    theirs.ring(now=network.now)
    network.run(1)
    assert caller.last(Provisional).status == 180
    theirs.answer(ANSWER, now=network.now)
    network.run(1)
    assert caller.last(Answered).sdp == ANSWER
    assert callee.told(Acknowledged, theirs)
    theirs.hangup(now=network.now)
    network.settle()
    assert caller.last(Ended, ours).cause == "bye"
    assert callee.last(Ended, theirs).cause == "hangup"
    assert network.said() == ["INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    assert drained(network.counts())


def test_a_callee_that_says_nothing_for_200_ms_says_100():
    network, caller, callee = pair()
    caller.call(callee)
    network.run(0.4)
    assert network.said() == ["INVITE", "100 INVITE"]
    assert caller.last(Provisional).status == 100


@pytest.mark.parametrize("status", [486, 480, 603, 404, 488])
def test_a_refused_call_is_reported_with_its_status(status: int):
    network, caller, callee = pair()
    ours, theirs = ringing(network, caller, callee)
    theirs.reject(status, now=network.now)
    network.settle()
    assert caller.last(Rejected, ours).status == status
    assert callee.last(Ended, theirs).cause == "rejected"
    assert drained(network.counts())


def test_a_busy_callee_tells_when_to_try_again():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    theirs.reject(486, headers=[("Retry-After", "30")], now=network.now)
    network.settle()
    assert caller.last(Rejected).retry_after == 30


def test_a_redirect_names_where_to_try_instead():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    elsewhere = (Uri.sip("desk", "10.0.0.8"), Uri.sip("mobile", "10.0.0.9"))
    theirs.redirect(elsewhere, now=network.now)
    network.settle()
    rejected = caller.last(Rejected)
    assert (rejected.status, rejected.contacts) == (302, elsewhere)


def test_a_caller_who_gives_up_while_it_rings_sends_cancel():
    network, caller, callee = pair()
    ours, theirs = ringing(network, caller, callee)
    ours.hangup(Reason("SIP", 200, "Call completed elsewhere"), now=network.now)
    network.settle()
    assert network.said()[2:] == ["CANCEL", "200 CANCEL", "487 INVITE", "ACK"]
    assert "SIP;cause=200" in callee.last(Cancelled, theirs).reason
    assert caller.last(Ended, ours).cause == "hangup"
    assert drained(network.counts())


def test_a_cancel_waits_for_a_first_response():
    network, caller, callee = pair()
    network.drop = lambda seen: seen.what == "100 INVITE" and network.now < 1001
    ours = caller.call(callee)
    network.run(0.05)
    ours.hangup(now=network.now)
    network.run(0.9)
    assert "CANCEL" not in network.said()
    network.settle()
    assert callee.told(Cancelled)
    assert drained(network.counts())


def test_a_cancelled_call_nobody_ever_answers_is_forgotten_after_32_seconds():
    network, caller, callee = pair()
    ours, _ = ringing(network, caller, callee)
    network.drop = lambda seen: seen.source == callee.host
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up():
    network, caller, callee = pair()
    ours, theirs = ringing(network, caller, callee)
    theirs.answer(ANSWER, now=network.now)
    ours.hangup(now=network.now)
    network.settle()
    assert not caller.told(Answered)
    assert network.said(caller)[1:] == ["CANCEL", "ACK", "BYE"]
    assert callee.last(Ended, theirs).cause == "bye"
    assert not callee.told(Cancelled)
    assert drained(network.counts())


def test_a_call_nobody_answers_is_cancelled_when_its_time_is_over():
    network, caller, callee = pair()
    ours, theirs = ringing(network, caller, callee, ring_timeout=20.0)
    network.run(25)
    rejected = caller.last(Rejected, ours)
    assert (rejected.status, rejected.cause) == (408, "ringing")
    assert callee.told(Cancelled, theirs)
    network.settle()
    assert drained(network.counts())


def test_a_callee_nobody_answers_for_gives_up_by_itself():
    network, caller, callee = pair(max_ringing=120.0)
    ours, theirs = ringing(network, caller, callee)
    network.settle()
    assert caller.last(Rejected, ours).status == 480
    assert callee.last(Ended, theirs).cause == "no_answer"


def test_a_long_ringing_call_is_kept_alive_every_minute():
    network, caller, callee = pair()
    ringing(network, caller, callee)
    network.run(170)
    assert network.said(callee).count("180 INVITE") == 3


def test_an_invite_nobody_reacts_to_is_sent_seven_times_and_then_timed_out():
    network, caller, _ = pair()
    network.drop = lambda seen: True
    ours = caller.call(network.nodes["10.0.0.2"])
    network.settle()
    assert network.said() == ["INVITE"] * 7
    rejected = caller.last(Rejected, ours)
    assert (rejected.status, rejected.cause) == (408, "timeout")
    assert drained(network.counts())


def test_a_lost_200_is_sent_again_until_the_ack_comes():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    lost = iter([True, True, False])
    network.drop = lambda seen: seen.what == "200 INVITE" and next(lost, False)
    theirs.answer(ANSWER, now=network.now)
    network.run(5)
    assert network.said(callee).count("200 INVITE") == 3
    assert caller.told(Answered)
    assert theirs.state == "connected"


def test_a_lost_ack_is_sent_again_for_each_200():
    network, caller, callee = pair()
    ours, theirs = ringing(network, caller, callee)
    lost = iter([True, True, False])
    network.drop = lambda seen: seen.what == "ACK" and next(lost, False)
    theirs.answer(ANSWER, now=network.now)
    network.run(5)
    assert network.said(caller).count("ACK") == 3
    assert len(caller.told(Answered)) == 1
    assert (ours.state, theirs.state) == ("connected", "connected")


def test_an_answer_that_is_never_acknowledged_is_hung_up():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    network.drop = lambda seen: seen.what == "ACK"
    theirs.answer(ANSWER, now=network.now)
    network.settle()
    assert callee.last(Ended, theirs).cause == "no_ack"
    assert caller.last(Ended).cause == "bye"
    assert drained(network.counts())


def test_a_callee_who_hangs_up_before_the_ack_waits_for_it():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    theirs.answer(ANSWER, now=network.now)
    theirs.hangup(now=network.now)
    network.flush(callee)
    assert network.said(callee)[-1] == "200 INVITE"
    network.settle()
    assert network.said()[-3:] == ["ACK", "BYE", "200 BYE"]
    assert len(callee.told(Ended, theirs)) == 1
    assert drained(network.counts())


def test_two_byes_that_cross_both_succeed():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.hangup(now=network.now)
    theirs.hangup(now=network.now)
    network.settle()
    assert network.said()[-4:] == ["BYE", "BYE", "200 BYE", "200 BYE"]
    assert [event.cause for event in caller.told(Ended) + callee.told(Ended)] == ["hangup", "hangup"]
    assert drained(network.counts())


def test_a_bye_carries_its_reason():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.hangup(Reason("Q.850", 16, "Normal call clearing"), now=network.now)
    network.settle()
    assert Reason.parse(callee.last(Ended).reason) == Reason("Q.850", 16, "Normal call clearing")


def test_a_bye_nobody_answers_ends_the_session_all_the_same():
    network, caller, callee = pair(session_expires=90)
    ours, _ = connect(network, caller, callee)
    network.drop = lambda seen: seen.source == callee.host
    ours.hangup(now=network.now)
    network.settle()
    assert ours.state == ENDED
    assert drained(network.counts())


def test_an_unanswered_call_may_be_refused_with_the_status_of_a_sip_reason():
    network, caller, callee = pair()
    _, theirs = ringing(network, caller, callee)
    theirs.hangup(Reason("SIP", 486), now=network.now)
    network.settle()
    assert caller.last(Rejected).status == 486


def test_a_delayed_offer_is_answered_in_the_ack():
    network, caller, callee = pair()
    ours = caller.call(callee, offer=None)
    network.run(0.1)
    incoming = callee.last(IncomingCall)
    assert incoming.offer is None
    incoming.session.answer(b"v=0 their offer", now=network.now)
    network.run(1)
    assert caller.last(Answered).sdp == b"v=0 their offer"
    assert "ACK" not in network.said()
    ours.acknowledge(ANSWER, now=network.now)
    network.run(1)
    assert callee.last(Acknowledged).sdp == ANSWER
    assert (ours.state, incoming.session.state) == ("connected", "connected")


def test_a_delayed_offer_nobody_answers_ends_the_call():
    network, caller, callee = pair()
    ours = caller.call(callee, offer=None)
    network.run(0.1)
    callee.last(IncomingCall).session.answer(b"v=0 their offer", now=network.now)
    network.settle()
    assert caller.last(Ended, ours).cause in ("no_ack", "bye")
    assert drained(network.counts())


def test_over_a_stream_nothing_is_sent_twice_and_nothing_lingers_but_the_invite():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee, transport="tcp")
    ours.hangup(now=network.now)
    network.run(1)
    assert network.said() == ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    assert network.counts()["transactions"] == 2  # RFC 6026: both ends of the INVITE wait for late 2xx
    network.settle()
    assert drained(network.counts())


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_the_contact_names_the_transport_of_the_call(transport: str):
    network, caller, callee = pair()
    connect(network, caller, callee, transport=transport)
    contacts = [seen.message.contacts[0].uri for seen in network.trace if seen.message.contacts]
    assert {uri.param("transport") for uri in contacts} == {transport}
    assert {seen.message.top_via.transport for seen in network.trace} == {transport.upper()}


def test_headers_given_to_a_call_are_sent_as_they_are():
    network, caller, callee = pair()
    caller.call(callee, headers=[("P-Asserted-Identity", "<tel:+4930123456>"), ("Privacy", "id")])
    network.run(0.1)
    request = callee.last(IncomingCall).request
    assert request.headers.get("P-Asserted-Identity") == "<tel:+4930123456>"


def test_the_path_of_a_binding_becomes_the_route_of_the_invite():
    network, caller, callee = pair()
    caller.call(callee, route=("<sip:10.0.0.2:5060;lr>", "<sip:edge.example.com;lr>"))
    network.run(0.1)
    routes = callee.last(IncomingCall).request.headers.all("Route")
    assert routes == ["<sip:10.0.0.2:5060;lr>", "<sip:edge.example.com;lr>"]


def test_digits_sent_by_info_arrive_in_order_even_when_one_is_lost():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    lost = iter([False, True])
    network.drop = lambda seen: seen.what == "INFO" and next(lost, False)
    for digit in "12#":
        ours.info_dtmf(digit, 120, now=network.now)
    network.run(3)
    assert [(event.digit, event.ms) for event in callee.told(DtmfInfo)] == [
        ("1", 120),
        ("2", 120),
        ("#", 120),
    ]


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=250\r\n", ("5", 250)),
        ("application/dtmf-relay", b"Signal= *\nDuration= 100\n", ("*", 100)),
        ("application/dtmf-relay", b"Signal=11\r\n", ("#", 160)),
        ("application/dtmf", b"9", ("9", 160)),
        ("application/dtmf", b"12", ("A", 160)),
    ],
)
def test_digits_are_read_as_gateways_write_them(kind: str, body: bytes, digit: tuple[str, int]):
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.send("INFO", lambda *_: None, network.now, headers=[("Content-Type", kind)], body=body)
    network.run(0.1)
    event = callee.last(DtmfInfo)
    assert (event.digit, event.ms) == digit


@pytest.mark.parametrize("later", [0.1, 100.0], ids=["at once", "when nothing can come for it any more"])
def test_methods_on_a_session_that_is_over_do_nothing(later: float):
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    ours.hangup(now=network.now)
    network.run(later)
    sent = len(network.trace)
    for session in (ours, theirs):
        session.hangup(now=network.now)
        session.abandon(now=network.now)
        session.surrender(now=network.now)
        session.reoffer(OFFER, now=network.now)
        session.accept(ANSWER, now=network.now)
        session.refuse(now=network.now)
        session.info_dtmf("1", now=network.now)
        session.ring(now=network.now)
        session.answer(ANSWER, now=network.now)
        session.reject(486, now=network.now)
        session.refer(caller.uri, now=network.now)
        session.accept_refer(now=network.now)
        session.refuse_refer(now=network.now)
        session.notify_refer(200, now=network.now)
        session.acknowledge(ANSWER, now=network.now)
        session.reserved(now=network.now)
        session.ask(now=network.now)
        assert session.over
        assert not session.reserves
        assert caller.agent.snapshot(session) is None
        assert caller.agent.last_word(session) is None
    network.run(0.1)
    assert len(network.trace) == sent


def test_answering_twice_is_the_owners_mistake():
    network, caller, callee = pair()
    _, theirs = connect(network, caller, callee)
    with pytest.raises(WrongState):
        theirs.answer(ANSWER, now=network.now)


def test_a_peer_behind_a_nat_is_reached_where_it_sends_from():
    network, caller, callee = pair()
    # The phone believes itself at a private address that means nothing here.
    caller.agent.settings.addresses = {"udp": ("192.168.1.7", 5060)}
    _, theirs = connect(network, caller, callee)
    theirs.hangup(now=network.now)
    network.settle()
    assert network.trace[-2].what == "BYE"
    assert network.trace[-2].target == caller.host
    assert caller.told(Ended)


def test_requests_inside_a_call_follow_the_recorded_route():
    network, caller, callee = pair()
    proxy = "10.0.0.99"

    def record(seen: Seen) -> bool:
        if seen.what == "INVITE":
            assert isinstance(seen.message, Request)
            seen.message.headers.add("Record-Route", f"<sip:{proxy};lr>")
            callee.agent.receive(seen.message.encode(), Hop("udp", seen.source, 5060), network.now)
            return True
        return False

    network.drop = record
    caller.call(callee)
    network.drop = None
    network.flush(callee)
    network.run(0.1)
    theirs = callee.last(IncomingCall).session
    theirs.answer(ANSWER, now=network.now)
    network.run(0.1)
    ack = network.trace[-1]
    assert (ack.what, ack.target) == ("ACK", proxy)
    assert ack.message.headers.all("Route") == [f"<sip:{proxy};lr>"]


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_a_call_goes_through_a_bad_network(loss: float):
    network, caller, callee = pair(7, Weather(delay=0.05, jitter=0.1, loss=loss, duplication=0.1))
    callee.on_event = lambda event: (
        event.session.answer(ANSWER, now=network.now) if isinstance(event, IncomingCall) else None
    )
    ours = caller.call(callee)
    network.run(20)
    assert ours.state == "connected"
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


@pytest.mark.parametrize("table", [CALLER, CALLEE])
def test_every_state_of_a_session_can_be_left_and_reaches_the_end(table: dict):
    follows: dict[str, set[str]] = {}
    for (state, _), (following, _) in table.items():
        follows.setdefault(state, set()).add(following)
    reach = {ENDED}
    for _ in follows:
        reach |= {state for state, next_states in follows.items() if next_states & reach}
    assert set(follows) <= reach
