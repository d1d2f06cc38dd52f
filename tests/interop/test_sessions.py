"""What may happen within a call: hold, glare, reliable provisionals, session timers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interop.node import FarEnd, Node
from tests.interop.sipp import Sipp

Caller = Callable[..., Sipp]
Far = Callable[..., tuple[Sipp, FarEnd]]


def run(caller: Caller, far_end: Far, scenario: str, far: str, **options: str | int) -> str:
    """A caller's and a far end's scenario against the node at once; the number dialled."""
    callee, end = far_end(far, **options)
    with callee, caller(scenario, end.number, **options):
        pass
    return end.number


def test_a_caller_holds_and_resumes(node: Node, caller: Caller, far_end: Far) -> None:
    number = run(caller, far_end, "caller_holds", "callee")
    record = node.record(number)
    assert record["reason"] == "completed"
    assert record["hold_s"] > 0.25


def test_a_far_end_holds_and_resumes(node: Node, caller: Caller, far_end: Far) -> None:
    number = run(caller, far_end, "caller_is_hung_up", "callee_holds")
    assert node.record(number)["hold_s"] > 0.25


def test_reinvites_that_meet_are_refused_491_by_either_side_and_tried_again(
    caller: Caller, far_end: Far
) -> None:
    run(caller, far_end, "caller_glares", "callee")


def test_a_caller_who_wants_reliable_ringing_gets_it(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_wants_reliable", "callee")


def test_reliable_ringing_is_repeated_until_it_is_acknowledged(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_forgets_prack", "callee_rings_a_while")


def test_a_far_end_that_rings_reliably_is_acknowledged(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller", "callee_rings_reliably")


@pytest.mark.parametrize("way", ["update", "reinvite"])
def test_the_node_refreshes_a_callers_session(caller: Caller, far_end: Far, way: str) -> None:
    run(caller, far_end, f"caller_is_refreshed_by_{way}", "callee")


def test_the_node_refreshes_a_far_ends_session(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_is_hung_up", "callee_is_refreshed")


def test_a_caller_refreshes_and_the_call_goes_on(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_refreshes", "callee")


def test_a_session_nobody_refreshes_is_ended_on_both_sides(node: Node, caller: Caller, far_end: Far) -> None:
    number = run(caller, far_end, "caller_stops_refreshing", "callee")
    assert node.record(number)["reason"] == "signalling_lost"


def test_too_short_a_session_is_refused_with_the_minimum(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_wants_too_short_a_session", "callee")


def test_a_far_end_that_wants_a_longer_session_gets_it(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller", "callee_finds_the_session_too_short")
