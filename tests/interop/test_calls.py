"""Calls through the node as sipp sees them: a caller on a line, a far end behind a number."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interop.node import FAR, RING_S, STRANGER, FarEnd, Node
from tests.interop.sipp import Sipp

Caller = Callable[..., Sipp]
Far = Callable[..., tuple[Sipp, FarEnd]]


def test_a_call_is_rung_answered_and_hung_up_by_the_caller(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee")
    with callee, caller("caller", end.number):
        pass
    record = node.record(end.number)
    assert (record["reason"], record["ended_by"]) == ("completed", "customer")


def test_a_call_is_hung_up_by_the_far_end(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_hangs_up")
    with callee, caller("caller_is_hung_up", end.number):
        pass
    record = node.record(end.number)
    assert (record["reason"], record["ended_by"]) == ("completed", "agent")


def test_an_invite_without_offer_is_offered_to(caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee")
    with callee, caller("caller_without_offer", end.number):
        pass


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("486 Busy Here", "busy"),
        ("603 Decline", "refused"),
        ("480 Temporarily Unavailable", "no_answer"),
        ("404 Not Found", "unreachable"),
        ("500 Server Internal Error", "unreachable"),
    ],
)
def test_a_refusal_is_passed_on(node: Node, caller: Caller, far_end: Far, answer: str, reason: str) -> None:
    callee, end = far_end("callee_refuses", status=answer)
    with callee, caller("caller_refused", end.number, status=answer[:3]):
        pass
    assert node.record(end.number)["reason"] == reason


def test_a_far_end_that_does_not_answer_is_given_up(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_is_cancelled")
    with callee, caller("caller_refused", end.number, status="408", timeout=RING_S + 10):
        pass
    record = node.record(end.number)
    assert record["reason"] == "no_answer"
    assert record["answered_at"] is None


def test_a_number_that_leads_nowhere_is_not_found(caller: Caller) -> None:
    with caller("caller_refused", "nobody-has-this", status="404"):
        pass


def test_an_offer_without_a_codec_of_ours_is_not_acceptable(node: Node, caller: Caller) -> None:
    end = node.far_end()
    with caller("caller_with_strange_codec", end.number):
        pass
    assert node.record(end.number)["reason"] == "not_acceptable"


def test_a_stranger_is_asked_who_he_is(node: Node, caller: Caller) -> None:
    end = node.far_end()
    with caller("caller_refused", end.number, status="401", address=STRANGER):
        pass


def test_a_far_end_over_tcp_and_a_caller_over_tcp(caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee", "tcp")
    with callee, caller("caller", end.number, transport="t1"):
        pass


def test_a_caller_over_udp_reaches_a_far_end_over_tcp(caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_hangs_up", "tcp")
    with callee, caller("caller_is_hung_up", end.number):
        pass


def test_nothing_is_left_of_a_hundred_calls(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee", calls=100, timeout=40)
    assert callee.contact == f"{FAR}:{end.port}"
    with callee, caller("caller", end.number, calls=100, rate=25, timeout=40):
        pass
    node.idle(end.number)
