"""Sums of what lines did, and what is said of them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from routing.report import AT, COLUMNS, F64, PDD_S, Cell, Kind, Level, added, badness, figures, level, reasons


def sums(**values: float) -> F64:
    row = np.zeros(len(COLUMNS))
    for name, value in values.items():
        row[AT[name]] = value
    return row


def mean(name: str, value: float, count: float = 10) -> dict[str, float]:
    return {f"{name}_n": count, f"{name}_sum": value * count}


def delays(*seconds: float) -> F64:
    row = sums(calls=len(seconds), pdd_s_n=len(seconds), pdd_s_sum=sum(seconds))
    for bound in PDD_S:
        row[AT[f"pdd_under_{bound:g}"]] = sum(each <= bound for each in seconds)
    return row


def good(calls: int = 100) -> F64:
    return sums(
        calls=calls,
        decided=calls,
        answered=0.7 * calls,
        carried=0.7 * calls,
        **mean("mos", 4.3),
        **mean("pdd_s", 1.2),
    )


def test_rates_are_of_what_they_are_of() -> None:
    found = figures(sums(calls=20, decided=16, answered=8, carried=10, dropped=1))
    assert (found.calls, found.connect_rate, found.drop_rate) == (20, 0.5, 0.1)


def test_what_nobody_measured_is_not_zero() -> None:
    found = figures(sums(calls=3))
    assert found.mos is found.loss is found.connect_rate is found.pdd_p95_s is found.delay_ms is None


def test_cells_may_be_added_in_any_order_and_by_anything() -> None:
    rng = Random(3)
    cells = [
        Cell(
            rng.choice("ab"),
            rng.choice(("eu", "us")),
            rng.randrange(3),
            np.array([rng.randrange(9) for _ in COLUMNS], float),
        )
        for _ in range(60)
    ]
    whole = added(cells, ())[()]
    assert whole.tolist() == sum(cell.sums for cell in cells).tolist()  # type: ignore[union-attr]
    for by in (("line",), ("region",), ("line", "hour"), ("line", "region", "hour")):
        shuffled = rng.sample(cells, len(cells))
        parts = added(shuffled, by)
        assert sum(parts.values()).tolist() == whole.tolist()  # type: ignore[union-attr]
        assert {key: row.tolist() for key, row in parts.items()} == {
            key: row.tolist() for key, row in added(cells, by).items()
        }


def test_the_post_dial_delay_of_the_slowest_is_within_its_bounds() -> None:
    rng = Random(5)
    seconds = sorted(rng.expovariate(1 / 1.5) for _ in range(1000))
    found = figures(delays(*seconds)).pdd_p95_s
    assert found is not None
    true = seconds[949]
    low, high = max(b for b in PDD_S if b < true), min(b for b in PDD_S if b >= true)
    assert low <= found <= high and found == pytest.approx(true, rel=0.15)


def test_a_delay_beyond_all_bounds_is_the_last_of_them() -> None:
    assert figures(delays(30.0, 40.0)).pdd_p95_s == PDD_S[-1]


def test_a_line_that_does_well_has_nothing_said_of_it() -> None:
    assert reasons(good()) == ()
    assert level(good()) is Level.GOOD
    assert level(sums()) is Level.NONE


@pytest.mark.parametrize(
    ("what", "kind", "expected"),
    [
        (mean("mos", 3.7), Kind.MOS, Level.FAIR),
        (mean("mos", 2.9), Kind.MOS, Level.BAD),
        (mean("probe_mos", 2.5), Kind.MOS, Level.BAD),
        (mean("loss", 0.02), Kind.LOSS, Level.FAIR),
        (mean("pdd_s", 9.0), Kind.PDD, Level.BAD),
        (mean("delay_ms", 500.0), Kind.DELAY, Level.FAIR),
        (mean("jitter_ms", 70.0), Kind.JITTER, Level.BAD),
        ({"probes": 4, "passed": 1}, Kind.UNPROVEN, Level.BAD),
        ({"decided": 100, "answered": 20}, Kind.CONNECT, Level.BAD),
        ({"carried": 100, "dropped": 3}, Kind.DROP, Level.FAIR),
    ],
)
def test_what_is_bad_is_named(what: dict[str, float], kind: Kind, expected: Level) -> None:
    row = sums(calls=100, **what)
    assert [reason.kind for reason in reasons(row)] == [kind]
    assert level(row) is expected


def test_two_calls_that_nobody_answered_condemn_no_line() -> None:
    assert level(sums(calls=2, decided=2, answered=0)) is not Level.BAD
    assert level(sums(calls=60, decided=60, answered=0)) is Level.BAD


def test_the_worst_reason_comes_first_and_the_worst_line_too() -> None:
    row = sums(calls=10, **mean("loss", 0.02), **mean("mos", 2.0))
    assert [reason.kind for reason in reasons(row)] == [Kind.MOS, Kind.LOSS]
    assert badness(row) > badness(sums(calls=10, **mean("mos", 2.0))) > badness(good()) == 0.0
