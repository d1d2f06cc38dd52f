"""How long a caller still has to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.estimate import LONGEST_SAMPLE_S, Average, Estimate


def test_the_wait_is_the_position_times_the_time_a_call_takes_shared_by_the_agents():
    busy = Estimate().served(120.0, 0.0)
    assert busy.wait_s(1, 1, 0.0) == 120.0
    assert busy.wait_s(3, 1, 0.0) == 360.0
    assert busy.wait_s(3, 4, 0.0) == 90.0


def test_an_agent_who_works_for_others_as_well_may_count_by_her_share():
    assert Estimate().served(120.0, 0.0).wait_s(1, 0.5, 0.0) == 240.0


def test_nothing_is_estimated_before_anything_was_seen():
    assert Estimate().wait_s(1, 3, 0.0) is None


def test_nothing_is_estimated_while_nobody_works():
    assert Estimate().served(120.0, 0.0).wait_s(1, 0, 0.0) is None


def test_a_caller_who_does_not_wait_has_no_estimate():
    assert Estimate().served(120.0, 0.0).wait_s(0, 2, 0.0) is None


def test_recent_waits_stand_in_until_the_first_call_is_over():
    young = Estimate().answered(30.0, 0.0).answered(50.0, 0.0)
    assert young.wait_s(5, 1, 0.0) == 40.0
    assert young.served(100.0, 0.0).wait_s(5, 1, 0.0) == 500.0


def test_what_happened_a_half_life_ago_counts_half():
    average = Average(half_life_s=100.0).with_sample(10.0, 0.0).with_sample(40.0, 100.0)
    assert average.mean == pytest.approx((0.5 * 10 + 40) / 1.5)


def test_an_old_average_is_soon_outweighed():
    night = Estimate()
    for _ in range(100):
        night = night.served(1000.0, 0.0)
    morning = night.served(60.0, 36_000.0)
    assert morning.wait_s(1, 1, 36_000.0) == pytest.approx(60.0, rel=0.01)


def test_a_forgotten_call_does_not_spoil_the_average():
    assert Estimate().served(1e12, 0.0).wait_s(1, 1, 0.0) == LONGEST_SAMPLE_S


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), min_size=1, max_size=40))
def test_an_average_stays_between_its_samples(samples):
    average, now = Average(), 0.0
    for value, pause in samples:
        now += pause
        average = average.with_sample(value, now)
    values = [value for value, _ in samples]
    assert min(values) - 1e-6 <= average.mean <= max(values) + 1e-6
