"""What may happen within a call: hold, reliable provisionals, and what session timers are agreed on."""

from __future__ import annotations

from collections.abc import Callable

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


def test_a_caller_who_wants_reliable_ringing_gets_it(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_wants_reliable", "callee")


def test_reliable_ringing_is_repeated_until_it_is_acknowledged(caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_rings_a_while")
    with callee, caller("caller_forgets_prack", end.number) as calling:
        pass
    assert calling.sent().count("SIP/2.0 180 Ringing") >= 2


def test_a_far_end_that_rings_reliably_is_acknowledged(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller", "callee_rings_reliably")


def test_too_short_a_session_is_refused_with_the_minimum(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller_wants_too_short_a_session", "callee")


def test_a_far_end_that_wants_a_longer_session_gets_it(caller: Caller, far_end: Far) -> None:
    run(caller, far_end, "caller", "callee_finds_the_session_too_short")
