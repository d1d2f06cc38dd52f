"""What a network authorises of the sound before an answer is told, once each time it changes (RFC 5009)."""

from __future__ import annotations

import pytest

from sip import early_media
from sip.early_media import Authorised
from sip.events import EarlyMedia, IncomingCall, Provisional, Reoffered
from sip.manner import Manner
from sip.message import Response
from tests.sip.network import pair

NAME = "P-Early-Media"


@pytest.mark.parametrize(
    ("value", "authorised", "heard"),
    [
        ("sendrecv", Authorised("sendrecv"), True),
        ("sendonly", Authorised("sendonly"), True),
        ("recvonly", Authorised("recvonly"), False),
        ("Inactive, sendrecv", Authorised("inactive"), False),
        ("sendonly, gated", Authorised("sendonly", gated=True), True),
        ("supported, sendonly", Authorised("sendonly"), True),
    ],
)
def test_the_first_stream_is_what_it_says(value: str, authorised: Authorised, heard: bool):
    assert early_media.read(Response(183, headers=[(NAME, value)])) == authorised
    assert authorised.heard is heard


@pytest.mark.parametrize("value", ["", "supported", "gated", '"', "x" * 5000, ",,,", ", ".join("ab" * 500)])
def test_what_says_nothing_of_it_changes_nothing(value: str):
    assert early_media.read(Response(183, headers=[(NAME, value)])) is None


def test_each_change_is_told_before_what_it_came_with_and_nothing_twice():
    network, caller, callee = pair()
    caller.call(callee, headers=[early_media.ASKED])
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    assert callee.last(IncomingCall).request.headers.get(NAME) == "supported"
    for value in ("inactive", "inactive", "sendonly"):
        theirs.progress(b"v=0 early", reliable=False, headers=[(NAME, value)], now=network.now)
        network.run(0.05)
    told = [event for event in caller.log if isinstance(event, EarlyMedia | Provisional)]
    assert [type(event) for event in told] == [EarlyMedia, Provisional, Provisional, EarlyMedia, Provisional]
    assert [each.authorised.direction for each in caller.told(EarlyMedia)] == ["inactive", "sendonly"]


def test_an_update_before_the_answer_tells_of_it_and_one_after_it_does_not():
    network, caller, callee = pair(prefer_update=True)
    ours = caller.call(callee)
    network.run(0.05)
    theirs = callee.last(IncomingCall).session
    theirs.manner = Manner(always=((NAME, "sendrecv"),))
    theirs.progress(b"v=0 answer", now=network.now)
    network.run(0.1)
    assert ours.early_media == Authorised("sendrecv")
    theirs.manner = Manner(always=((NAME, "inactive"),))
    theirs.reoffer(b"v=0 other", now=network.now)
    network.run(0.1)
    assert ours.early_media == Authorised("inactive")
    caller.last(Reoffered).session.accept(b"v=0 fine", now=network.now)
    network.flush(caller)
    theirs.answer(None, now=network.now)
    network.run(0.2)
    theirs.manner = Manner(always=((NAME, "sendrecv"),))
    theirs.reoffer(b"v=0 third", now=network.now)
    network.run(0.1)
    assert ours.state == "connected"
    assert [each.authorised.direction for each in caller.told(EarlyMedia)] == ["sendrecv", "inactive"]
