"""A queue's order: places are kept through every offer, and limits are told apart from leaving."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.queue import NotWaiting, Queue, QueueFull, QueueSpec


def queue(**terms: object) -> Queue:
    return Queue(QueueSpec("support", **terms))  # type: ignore[arg-type]


def calls(of: Queue) -> list[str]:
    return [place.call for place in of.places]


def three_waiting() -> Queue:
    return queue().enqueue("ann", 10.0).enqueue("ben", 20.0).enqueue("cid", 30.0)


def test_callers_are_served_in_the_order_they_came():
    assert calls(three_waiting()) == ["ann", "ben", "cid"]
    assert [three_waiting().position(call) for call in ("ann", "ben", "cid", "dan")] == [1, 2, 3, 0]


def test_a_caller_of_higher_priority_goes_before_all_of_lower():
    assert calls(three_waiting().enqueue("vip", 40.0, priority=1)) == ["vip", "ann", "ben", "cid"]


def test_callers_have_the_priority_of_their_queue_unless_they_bring_one():
    assert queue(priority=3).enqueue("ann", 0.0).places[0].priority == 3


def test_a_caller_put_at_the_head_is_next_but_not_before_higher_priorities():
    waiting = three_waiting().enqueue("vip", 40.0, priority=1).enqueue("back", 50.0, at_head=True)
    assert calls(waiting) == ["vip", "back", "ann", "ben", "cid"]


def test_the_last_caller_put_at_the_head_is_before_the_earlier_ones():
    waiting = three_waiting().enqueue("first", 50.0, at_head=True).enqueue("second", 51.0, at_head=True)
    assert calls(waiting)[:2] == ["second", "first"]


def test_a_caller_who_began_to_wait_elsewhere_keeps_the_time_waited():
    assert calls(three_waiting().enqueue("moved", 60.0, joined_at=15.0)) == ["ann", "moved", "ben", "cid"]


def test_a_caller_whose_offer_comes_to_nothing_is_exactly_where_she_was():
    waiting = three_waiting()
    assert waiting.offered("ann", "alice").restored("ann") == waiting
    later = waiting.offered("ann", "alice").enqueue("vip", 40.0, priority=1).restored("ann")
    assert calls(later) == ["vip", "ann", "ben", "cid"]


def test_a_caller_for_whom_a_phone_rings_keeps_her_position_but_is_not_chosen_again():
    ringing = three_waiting().offered("ann", "alice")
    assert ringing.position("ann") == 1
    assert ringing.head is not None
    assert ringing.head.call == "ben"
    assert [place.call for place in ringing.waiting] == ["ben", "cid"]


def test_a_caller_may_leave_at_any_time_and_more_than_once():
    waiting = three_waiting().offered("ben", "alice").leave("ben").leave("ben")
    assert calls(waiting) == ["ann", "cid"]


def test_joining_twice_is_joining_once():
    assert three_waiting().enqueue("ann", 99.0) == three_waiting()


def test_a_full_queue_refuses_newcomers_and_says_how_full_it_is():
    full = queue(max_length=2).enqueue("ann", 1.0).enqueue("ben", 2.0)
    with pytest.raises(QueueFull, match="2 callers wait"):
        full.enqueue("cid", 3.0)


def test_a_full_queue_takes_back_a_caller_who_belongs_at_its_head():
    full = queue(max_length=1).enqueue("ann", 1.0)
    assert calls(full.enqueue("back", 2.0, at_head=True)) == ["back", "ann"]


def test_marking_a_caller_who_does_not_wait_is_a_mistake():
    with pytest.raises(NotWaiting, match="call dan does not wait in queue support"):
        three_waiting().offered("dan", "alice")


def test_callers_over_the_maximum_wait_are_overdue_unless_a_phone_rings_for_them():
    waiting = queue(max_wait_s=60.0).enqueue("ann", 0.0).enqueue("ben", 1.0).enqueue("cid", 30.0)
    assert waiting.next_timeout() == 60.0
    assert [place.call for place in waiting.overdue(61.0)] == ["ann", "ben"]
    assert [place.call for place in waiting.offered("ann", "alice").overdue(61.0)] == ["ben"]


def test_a_queue_without_maximum_wait_has_no_timeout():
    assert three_waiting().next_timeout() is None
    assert three_waiting().overdue(1e9) == ()


def test_a_queues_terms_go_with_every_offer():
    spec = QueueSpec("support", ring_timeout_s=15.0, wrap_up_s=5.0, max_misses=2)
    offer = spec.offer("ann")
    assert (offer.call, offer.queue) == ("ann", "support")
    assert (offer.ring_timeout_s, offer.wrap_up_s, offer.max_misses) == (15.0, 5.0, 2)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("jhor-"), st.integers(0, 2)), max_size=60))
def test_whatever_happens_places_stay_sorted_and_nobody_is_lost_or_doubled(steps):
    waiting, known = queue(), set[str]()
    for now, (caller, what, priority) in enumerate(steps):
        call = str(caller)
        if what in "jh":
            waiting = waiting.enqueue(call, float(now), priority=priority, at_head=what == "h")
            known.add(call)
        elif what == "-":
            waiting = waiting.leave(call)
            known.discard(call)
        elif call in known:
            waiting = waiting.offered(call, "alice") if what == "o" else waiting.restored(call)
        orders = [place.order for place in waiting.places]
        assert orders == sorted(orders)
        assert sorted(calls(waiting)) == sorted(known)
