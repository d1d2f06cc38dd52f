"""Session timers: who refreshes, how, and what becomes of a call nobody refreshes (RFC 4028)."""

from __future__ import annotations

import pytest

from sip.events import Ended, IncomingCall, Reanswered, Rejected, Reoffered
from sip.message import Request
from sip.timers import read_session_expires
from tests.sip.network import Network, Node, connect, drained, pair


def refreshes(network: Network, since: int) -> list[tuple[str, str]]:
    return [
        (seen.source, seen.what)
        for seen in network.trace[since:]
        if isinstance(seen.message, Request) and seen.what in ("UPDATE", "INVITE")
    ]


@pytest.mark.parametrize("we_refresh", [False, True], ids=["the caller", "the callee"])
def test_one_side_refreshes_at_half_time_and_the_call_lives_on(we_refresh: bool):
    network, caller, callee = pair(session_expires=200, we_refresh=we_refresh)
    connect(network, caller, callee)
    since = len(network.trace)
    network.run(1000)
    refresher = callee if we_refresh else caller
    assert set(refreshes(network, since)) == {(refresher.host, "UPDATE")}
    assert 9 <= len(refreshes(network, since)) <= 10
    assert not caller.told(Ended)
    assert not callee.told(Reoffered)


def test_a_peer_without_update_is_refreshed_by_the_standing_offer(monkeypatch: pytest.MonkeyPatch):
    for module in ("callee", "renegotiation"):
        monkeypatch.setattr(f"sip.{module}.ALLOW", "INVITE, ACK, CANCEL, BYE")
    network, caller, callee = pair(session_expires=200)
    _, theirs = connect(network, caller, callee)
    since = len(network.trace)
    network.run(500)
    assert set(refreshes(network, since)) == {(caller.host, "INVITE")}
    assert network.trace[since].message.body == b"v=0 offer"
    assert not caller.told(Reanswered)
    assert not callee.told(Reoffered)
    assert theirs.state == "connected"


def test_a_call_nobody_refreshes_is_ended_by_both_sides():
    network, caller, callee = pair(session_expires=300)
    connect(network, caller, callee)
    network.drop = lambda seen: True
    network.run(400)
    assert callee.last(Ended).cause == "timer"
    assert caller.last(Ended).cause in ("gone", "timer")
    network.settle()
    assert drained(network.counts())


def test_an_expired_call_is_said_goodbye():
    network, caller, callee = pair(session_expires=300)
    ours, theirs = connect(network, caller, callee)
    ours.timer.stop()  # a refresher that forgot
    began = network.now
    network.run(400)
    bye = next(seen for seen in network.trace if seen.what == "BYE")
    assert bye.source == callee.host
    assert bye.at - began == pytest.approx(300 - 32, abs=1)
    assert caller.last(Ended, ours).cause == "bye"
    assert callee.last(Ended, theirs).cause == "timer"


def test_a_refresh_the_far_end_answers_with_481_ends_the_call():
    network, caller, callee = pair(session_expires=200)
    ours, theirs = connect(network, caller, callee)
    network.drop = lambda seen: seen.source == callee.host
    theirs.hangup(now=network.now)
    network.run(50)
    network.drop = None
    network.run(100)
    assert caller.last(Ended, ours).cause == "gone"


def test_a_caller_that_asks_for_too_short_a_session_is_told_and_asks_for_a_longer_one():
    network, caller, callee = pair(session_expires=100)
    callee.agent.settings.min_se = 600
    callee.agent.settings.session_expires = 1800
    caller.call(callee)
    network.run(0.1)
    callee.last(IncomingCall).session.answer(b"v=0 answer", now=network.now)
    network.run(0.1)
    assert network.said() == ["INVITE", "422 INVITE", "ACK", "INVITE", "200 INVITE", "ACK"]
    final = next(seen.message for seen in network.trace if seen.what == "200 INVITE")
    assert read_session_expires(final) == (600, "uac")


def test_a_callee_whose_wish_cannot_be_met_rejects_the_call():
    network, caller, callee = pair(session_expires=100)
    callee.agent.settings.min_se = 200_000
    ours = caller.call(callee)
    network.settle()
    assert caller.last(Rejected, ours).status == 422
    assert drained(network.counts())


def test_a_caller_without_timers_is_refreshed_by_the_callee():
    network, caller, callee = pair(session_expires=200)
    caller.agent.settings.session_expires = 0
    network.drop = None
    connect(network, caller, callee)
    final = next(seen.message for seen in network.trace if seen.what == "200 INVITE")
    assert read_session_expires(final) is not None


def test_without_timers_on_either_side_a_call_may_last_for_ever():
    network, caller, callee = pair(session_expires=0)
    ours, _ = connect(network, caller, callee)
    since = len(network.trace)
    network.run(100_000)
    assert len(network.trace) == since
    assert ours.state == "connected"


def test_an_offer_counts_as_a_refresh():
    network, caller, callee = pair(session_expires=200)
    ours, _ = connect(network, caller, callee)

    def accept(event: object) -> None:
        if isinstance(event, Reoffered):
            event.session.accept(b"v=0 held", now=network.now)

    callee.on_event = accept
    for _ in range(10):
        network.run(90)
        ours.reoffer(b"v=0 hold %d" % network.now, now=network.now)
    since = network.now
    network.run(5)
    assert "UPDATE" not in network.said()
    assert not caller.told(Ended), since


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1800", (1800, None)),
        ("1800;refresher=uac", (1800, "uac")),
        ("90 ; refresher=UAS", (90, "uas")),
        ("90;x=y;refresher=uas;z", (90, "uas")),
        ("soon", None),
        ("-1", None),
    ],
)
def test_the_header_is_read_as_it_is_written(value: str, read: object):
    from sip.message import Response

    assert read_session_expires(Response(200, headers=[("Session-Expires", value)])) == read


def test_times_of_one_second_cannot_be_forced_upon_us():
    network, caller, callee = pair(session_expires=200)
    ours: Node = caller
    session, _ = connect(network, caller, callee)
    session.timer._start(1, True, network.now)
    since = len(network.trace)
    network.run(44)
    assert len(network.trace) == since, ours
