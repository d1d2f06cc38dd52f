"""Nothing rings before the resources of both ends are there, and each end tells the other of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sip.events import (
    Acknowledged,
    Answered,
    IncomingCall,
    Provisional,
    Reanswered,
    Rejected,
    Reoffered,
    ReofferFailed,
    Reserved,
)
from sip.manner import Manner
from sip.message import Response
from sip.precondition import bare, read
from sip.session import Session
from tests.sip.network import Network, Node, Seen, Weather, pair

OFFER = (
    b"v=0\r\no=- 7 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 96 8 101\r\na=rtpmap:96 AMR-WB/16000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/16000\r\na=sendrecv\r\n"
)
ANSWER = (
    b"v=0\r\no=- 9 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n"
    b"m=audio 5000 RTP/AVP 96 101\r\na=rtpmap:96 AMR-WB/16000\r\n"
    b"a=rtpmap:101 telephone-event/16000\r\na=sendrecv\r\n"
)
READY = Manner(supported=("100rel", "precondition"))
LATER = Manner(supported=("100rel", "precondition"), reserved=False)
DANCE = ["INVITE", "183 INVITE", "PRACK", "200 PRACK", "UPDATE", "200 UPDATE"]


@dataclass
class Called:
    """A call with preconditions that is not answered yet; its session at either end."""

    network: Network
    caller: Node
    callee: Node
    ours: Session
    theirs: Session


def called(manner: Manner = LATER, **options: Any) -> Called:
    network, caller, callee = pair()
    ours = caller.call(callee, OFFER, manner=manner, **options)
    network.run(0.05)
    return Called(network, caller, callee, ours, callee.last(IncomingCall).session)


def on_the_wire(network: Network, without: str = "100 INVITE") -> list[str]:
    return [what for what in network.said() if what != without]


def body(seen: Seen) -> str:
    return seen.message.body.decode()


def test_an_invite_says_that_it_can_and_does_not_require_it():
    it = called()
    invite = it.network.trace[0].message
    assert "precondition" in invite.headers.tokens("Supported")
    assert "Require" not in invite.headers
    assert "a=curr:qos local none" in body(it.network.trace[0])
    assert "a=des:qos mandatory local sendrecv" in body(it.network.trace[0])


def test_where_all_is_there_from_the_beginning_the_phone_rings_at_once():
    it = called(READY)
    it.theirs.ring(now=it.network.now)
    it.network.run(0.1)
    it.theirs.answer(ANSWER, now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == ["INVITE", "180 INVITE", "200 INVITE", "ACK"]
    (status,) = read(it.network.trace[2].message.body)
    assert status is not None
    assert (status.current, status.confirm) == ({"local": 3, "remote": 3}, {})


def test_the_owner_of_a_call_is_told_when_somebody_may_be_rung():
    it = called()
    it.theirs.progress(ANSWER, now=it.network.now)
    it.network.run(0.2)
    assert it.theirs.reserves and not it.callee.told(Reserved)
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert not it.theirs.reserves and len(it.callee.told(Reserved)) == 1
    assert not called(READY).theirs.reserves


def test_a_phone_rings_when_the_callers_resources_are_told_of():
    it = called()
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == DANCE[:4]
    assert "a=conf:qos remote sendrecv" in body(it.network.trace[1])
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == [*DANCE, "180 INVITE"]
    it.theirs.answer(None, now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == [*DANCE, "180 INVITE", "200 INVITE", "ACK"]
    assert [each.status for each in it.caller.told(Provisional)] == [183, 180]
    assert not it.caller.told(Reanswered) + it.caller.told(ReofferFailed) + it.callee.told(Reoffered)


def test_what_goes_with_the_update_is_what_was_agreed_and_a_newer_version():
    it = called()
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    update, answer = it.network.trace[4], it.network.trace[5]
    assert "m=audio 4000 RTP/AVP 96 101" in body(update)
    assert "o=- 7 2 " in body(update)
    assert "a=curr:qos local sendrecv" in body(update)
    assert "a=curr:qos remote sendrecv" in body(update)
    assert "m=audio 5000 RTP/AVP 96 101" in body(answer)
    assert "o=- 9 2 " in body(answer)
    assert "a=conf" not in body(answer)


def test_an_answer_waits_for_them_and_no_ringing_is_owed_any_more():
    it = called()
    it.theirs.ring(now=it.network.now)
    it.theirs.answer(ANSWER, now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == DANCE[:4]
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == [*DANCE, "200 INVITE", "ACK"]
    assert it.callee.told(Acknowledged)
    assert it.caller.last(Answered).sdp == it.network.trace[5].message.body


def test_resources_that_come_while_the_prack_is_on_its_way_are_told_after_it():
    it = called()
    it.network.weather.delay = 0.5
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.6)
    it.ours.reserved(now=it.network.now)
    it.network.run(5)
    sent = [seen.what for seen in it.network.trace]
    assert sent.index("200 PRACK") < sent.index("UPDATE")
    assert "180 INVITE" in sent


def test_a_callee_whose_own_resources_come_later_rings_later():
    it = called(READY)
    it.theirs.manner = LATER
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == DANCE[:4]
    assert "a=curr:qos local none" in body(it.network.trace[1])
    it.theirs.reserved(now=it.network.now)
    it.network.run(0.2)
    assert on_the_wire(it.network) == [*DANCE[:4], "180 INVITE"]  # nobody asked to be told


def test_a_callee_who_was_asked_tells_and_the_caller_answers_by_itself():
    it = called(READY)
    it.theirs.reject(486, now=it.network.now)
    it.network.run(1)
    it.network.trace.clear()
    wish = b"a=conf:qos remote sendrecv\r\n"
    it.network.mangle = lambda data: _rewritten(data, b"INVITE", lambda sdp: sdp + wish)
    it.ours = it.caller.call(it.callee, OFFER, manner=READY)
    it.network.run(0.05)
    it.theirs = it.callee.last(IncomingCall).session
    it.theirs.manner = LATER
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.theirs.reserved(now=it.network.now)
    it.network.run(0.2)
    assert set(on_the_wire(it.network)) == {*DANCE, "180 INVITE"}
    update = next(seen for seen in it.network.trace if seen.what == "UPDATE")
    answer = next(seen for seen in it.network.trace if seen.what == "200 UPDATE")
    assert update.source == it.callee.host
    assert "a=curr:qos local sendrecv" in body(update)
    assert "m=audio 4000 RTP/AVP 96 101" in body(answer)
    assert not it.caller.told(Reoffered)


def _rewritten(data: bytes, begins: bytes, change: Callable[[bytes], bytes]) -> bytes:
    if not data.startswith(begins):
        return data
    head, _, sdp = data.partition(b"\r\n\r\n")
    sdp = change(sdp)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(sdp), b"", sdp])


def test_a_changed_offer_is_still_the_owners_matter():
    it = called()
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.ours.reoffer(OFFER.replace(b"4000", b"4002"), now=it.network.now)
    it.network.run(0.1)
    assert b"4002" in it.callee.last(Reoffered).sdp
    it.theirs.accept(ANSWER, now=it.network.now)
    it.network.run(0.1)
    (status,) = read(it.network.trace[-1].message.body)
    assert status is not None
    assert status.confirm == {"remote": 3}  # they are still not there
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert it.network.said(it.callee)[-1] == "180 INVITE"


def test_one_who_knows_nothing_of_it_is_called_as_ever():
    it = called(Manner())
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.ours.reserved(now=it.network.now)
    it.theirs.answer(None, now=it.network.now)
    it.network.run(0.2)
    assert not [seen for seen in it.network.trace if b"a=curr" in seen.message.body]


def test_an_answer_without_them_ends_the_matter():
    it = called(LATER)
    it.network.mangle = lambda data: _rewritten(data, b"SIP/2.0 183", bare)
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert it.network.said(it.caller) == ["INVITE", "PRACK"]


def test_a_caller_without_100rel_is_not_held_to_it():
    network, caller, callee = pair()
    network.mangle = lambda data: data.replace(b"100rel, ", b"")
    caller.call(callee, OFFER, manner=Manner(supported=("precondition",), reserved=False))
    network.run(0.05)
    callee.last(IncomingCall).session.ring(now=network.now)
    network.run(0.1)
    assert on_the_wire(network) == ["INVITE", "180 INVITE"]


def test_preconditions_that_nobody_meets_are_refused_by_name():
    network, caller, callee = pair()
    caller.call(callee, OFFER + b"a=des:qos mandatory e2e sendrecv\r\n")
    network.run(0.1)
    assert caller.last(Rejected).status == 580
    assert not callee.told(IncomingCall)
    (refused,) = [seen for seen in network.trace if seen.what == "580 INVITE"]
    assert "a=des:qos failure e2e sendrecv" in body(refused)
    assert isinstance(refused.message, Response)


def test_while_it_waits_the_caller_is_told_that_it_is_not_forgotten_and_not_that_it_rings():
    it = called()
    it.theirs.ring(ANSWER, now=it.network.now)
    it.network.run(61)
    assert it.network.said(it.callee)[-1] == "183 INVITE"


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_hanging_up_meanwhile_leaves_nothing(who: str):
    it = called()
    it.theirs.ring(ANSWER, now=it.network.now)
    it.theirs.answer(None, now=it.network.now)
    it.network.run(0.1)
    (it.ours if who == "caller" else it.theirs).hangup(now=it.network.now)
    it.network.settle()
    it.ours.reserved(now=it.network.now)
    it.network.settle()
    assert not any(it.network.counts().values())


def test_a_call_that_is_up_is_changed_with_versions_that_go_on():
    it = called()
    it.theirs.answer(ANSWER, now=it.network.now)
    it.network.run(0.2)
    it.ours.reserved(now=it.network.now)
    it.network.run(0.2)
    assert (it.ours.state, it.theirs.state) == ("connected", "connected")
    it.ours.reoffer(OFFER.replace(b"- 7 1 ", b"- 7 2 ").replace(b"sendrecv", b"sendonly"), now=it.network.now)
    it.network.run(0.1)
    offered = it.callee.last(Reoffered).sdp
    assert b"o=- 7 3 " in offered
    assert b"a=sendonly" in offered
    answer = ANSWER.replace(b"- 9 1 ", b"- 9 2 ").replace(b"sendrecv", b"recvonly")
    it.theirs.accept(answer, now=it.network.now)
    it.network.run(0.1)
    assert b"o=- 9 3 " in it.caller.last(Reanswered).sdp


@pytest.mark.parametrize("seed", range(8))
def test_bad_weather_delays_the_dance_and_does_not_stop_it(seed: int):
    network, caller, callee = pair(seed, Weather(delay=0.05, jitter=0.3, loss=0.15, duplication=0.1))
    ours = caller.call(callee, OFFER, manner=LATER)
    network.run(20)
    theirs = callee.last(IncomingCall).session
    theirs.ring(ANSWER, now=network.now)
    network.run(20)
    ours.reserved(now=network.now)
    network.run(20)
    theirs.answer(None, now=network.now)
    network.run(20)
    assert (ours.state, theirs.state) == ("connected", "connected")
    first_180 = next(seen.at for seen in network.trace if seen.what == "180 INVITE")
    assert first_180 > next(seen.at for seen in network.trace if seen.what == "UPDATE")
    ours.hangup(now=network.now)
    network.settle()
    assert not any(network.counts().values())
