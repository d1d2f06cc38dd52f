"""Callers who give up, at every instant: nothing may be left ringing, and nothing half open."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.interop.node import FAR, FarEnd, Node
from tests.interop.sipp import Sipp

Caller = Callable[..., Sipp]
Far = Callable[..., tuple[Sipp, FarEnd]]


def test_a_caller_who_gives_up_stops_the_far_end_ringing(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_is_cancelled")
    with callee, caller("caller_cancels", end.number):
        pass
    record = node.record(end.number)
    assert (record["reason"], record["ended_by"]) == ("abandoned", "customer")


def test_a_caller_who_gives_up_at_once_leaves_nothing(node: Node, caller: Caller) -> None:
    end = node.far_end()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((FAR, end.port))
        with caller("caller_cancels_at_once", end.number):
            pass
    assert node.record(end.number)["reason"] == "abandoned"
    node.idle(end.number)


def test_a_cancel_that_crosses_the_answer_has_no_effect(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee")
    with callee, caller("caller_cancels_too_late", end.number):
        pass
    assert node.record(end.number)["reason"] == "completed"


def test_an_answer_that_crosses_our_cancel_is_acknowledged_and_ended(
    node: Node, caller: Caller, far_end: Far
) -> None:
    callee, end = far_end("callee_answers_too_late")
    with callee, caller("caller_cancels", end.number):
        pass
    assert node.record(end.number)["reason"] == "abandoned"
    node.idle(end.number)
