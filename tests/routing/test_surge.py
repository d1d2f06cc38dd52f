"""Calls that wait a moment for room on a line."""

from __future__ import annotations

import pytest

from routing.surge import Surge, TooMany


def test_who_came_first_is_next():
    surge = Surge()
    for call in ("ann", "ben", "eva"):
        surge.join(call, 0.0)
    surge.leave("ann")
    assert surge.head == "ben"
    surge.leave("nobody")
    assert len(surge) == 2


def test_a_call_waits_no_longer_than_it_may_however_often_it_asks():
    surge = Surge(longest_s=2.0)
    assert surge.join("ann", 10.0) == 12.0
    assert surge.join("ann", 11.5) == 12.0
    surge.join("ben", 11.0)
    assert surge.next_timeout() == 12.0
    assert surge.expired(11.9) == []
    assert surge.expired(12.0) == ["ann"]
    assert surge.head == "ben"


def test_more_than_may_wait_are_refused_and_told_when_to_come_again():
    surge = Surge(most=2, retry_after_s=10.0)
    for call in ("ann", "ben"):
        surge.join(call, 0.0)
    with pytest.raises(TooMany) as refused:
        surge.join("eva", 0.0)
    assert (refused.value.waiting, refused.value.retry_after_s) == (2, 10)
    assert surge.after(0) < surge.after(2)
