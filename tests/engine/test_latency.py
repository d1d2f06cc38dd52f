"""How late something is, kept in few numbers: what adds up, and what share of the whole is told from it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from engine.latency import BOUNDS_S, BUCKETS, Latency, p95_ms, quantile


def of(*seconds: float) -> Latency:
    made = Latency()
    for each in seconds:
        made.add(each)
    return made


def mean(latency: Latency) -> float | None:
    return latency.kept.mean_ms if latency.kept is not None else None


def test_nothing_has_no_mean_and_no_share() -> None:
    assert (Latency().n, Latency().kept, p95_ms(())) == (0, None, None)


def test_a_bound_is_of_its_bucket_and_what_is_above_the_last_has_one_too() -> None:
    made = of(0.0, 0.025, 0.0251, 8.0, 9.0)
    assert (made.counts[:2], made.counts[-2:]) == ([2, 1], [1, 1])
    assert made.n == 5 and len(made.counts) == BUCKETS == len(BOUNDS_S) + 1


def test_two_clocks_that_differ_make_no_time_that_runs_back() -> None:
    assert mean(of(-0.004, 0.1)) == 50.0


@pytest.mark.parametrize(
    ("counts", "share", "seconds"),
    [
        ([0, 0, 10], 0.95, 0.05 + 0.95 * 0.05),  # evenly within its bucket
        ([95, 5], 0.95, 0.025),
        ([0] * 13 + [1], 0.95, 8.0),  # at least so much
        ([1] * 14, 0.5, 0.75),
    ],
)
def test_a_share_is_found_as_prometheus_finds_it(counts: list[float], share: float, seconds: float) -> None:
    assert quantile(counts, share) == pytest.approx(seconds)


def test_what_is_told_lies_in_the_bucket_of_what_was() -> None:
    rng = Random(3)
    seconds = [rng.lognormvariate(-0.5, 0.7) for _ in range(2_000)]
    exact = float(np.quantile(seconds, 0.95))
    low = max(each for each in BOUNDS_S if each < exact)
    high = min(each for each in BOUNDS_S if each >= exact)
    kept = of(*seconds).kept
    assert kept is not None and low <= kept.p95_ms / 1000.0 <= high
    assert mean(of(*seconds)) == pytest.approx(1000 * float(np.mean(seconds)), abs=0.1)
