"""Session timers (RFC 4028): sessions are refreshed by either side, refreshes meet, and some run out.

The calls begin with the suite and go on beside the other tests (see `long_calls`); these tests come last.
"""

from __future__ import annotations

import pytest

from tests.interop.long_calls import TIMEOUT_S, LongCalls
from tests.interop.node import Node

pytestmark = pytest.mark.timeout(TIMEOUT_S + 30)


@pytest.mark.parametrize("way", ["UPDATE", "re-INVITE"])
def test_the_node_refreshes_a_callers_session(long_calls: LongCalls, node: Node, way: str) -> None:
    number = long_calls.finish(f"refreshed by {way}")
    assert node.record(number)["reason"] == "completed"


def test_the_node_refreshes_a_far_ends_session(long_calls: LongCalls, node: Node) -> None:
    number = long_calls.finish("far end refreshed")
    assert node.record(number)["ended_by"] == "agent"


def test_refreshes_that_meet_are_refused_491_by_either_side_and_tried_again(
    long_calls: LongCalls, node: Node
) -> None:
    number = long_calls.finish("refreshes meet")
    assert node.record(number)["reason"] == "completed"


def test_a_session_nobody_refreshes_is_ended_on_both_sides(long_calls: LongCalls, node: Node) -> None:
    number = long_calls.finish("nobody refreshes")
    assert node.record(number)["reason"] == "signalling_lost"


def test_a_session_the_caller_refreshes_goes_on(long_calls: LongCalls, node: Node) -> None:
    number = long_calls.finish("caller refreshes")
    record = node.record(number)
    assert record["reason"] == "completed"
    assert record["talk_s"] > 60
