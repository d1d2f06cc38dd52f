"""What was measured of lines: it fades, leans on what is known, and makes one number."""

from __future__ import annotations

import numpy as np
import pytest

from routing.measure import EVERYWHERE, EXPECTED, Measure, Measurements


@pytest.fixture
def measured() -> Measurements:
    return Measurements(3, half_life_s=100.0, fresh_s=0.0)


def test_a_line_that_was_never_tried_is_as_good_as_expected(measured):
    assert np.allclose(measured.estimate("44", 0.0), np.broadcast_to(EXPECTED, (4, 3)))
    assert len(set(measured.deficit("44", 0.0))) == 1


def test_one_bad_call_condemns_nobody_and_fifty_do(measured):
    measured.add(Measure.ASR, 0, "44", 0.0, 0.0)
    bad, other, _ = measured.deficit("44", 0.0)
    assert 0 < bad - other < 0.1
    for _ in range(50):
        measured.add(Measure.ASR, 0, "44", 0.0, 0.0)
    assert measured.estimate("44", 0.0)[Measure.ASR, 0] < 0.1
    bad, other, another = measured.deficit("44", 0.0)
    assert bad > other + 0.3
    assert other == another


def test_what_was_bad_long_ago_is_forgiven(measured):
    for _ in range(50):
        measured.add(Measure.MOS, 0, "44", 1.0, 0.0)
    later = [measured.estimate("44", now)[Measure.MOS, 0] for now in (0.0, 200.0, 500.0, 2000.0)]
    assert later == sorted(later)
    assert later[-1] == pytest.approx(4.0, abs=0.1)


def test_a_line_that_is_bad_for_one_destination_is_not_so_for_another_that_knows_better(measured):
    for _ in range(50):
        measured.add(Measure.MOS, 0, "44", 1.0, 0.0)
        measured.add(Measure.MOS, 0, "34", 4.4, 0.0)
    there, here = (measured.estimate(to, 0.0)[Measure.MOS, 0] for to in ("44", "34"))
    assert there < 2.0 and here > 4.0
    assert there < measured.estimate("86", 0.0)[Measure.MOS, 0] < here


def test_a_destination_where_nobody_answers_is_no_lines_fault(measured):
    for line in range(3):
        for _ in range(100):
            measured.add(Measure.ASR, line, "900", 0.0, 0.0)
    assert np.allclose(measured.deficit("900", 0.0), measured.deficit("900", 0.0)[0])
    assert measured.deficit("900", 0.0).max() < 0.1


def test_values_that_cannot_be_are_bounded(measured):
    for value in (-1e9, 1e9, float("inf")):
        measured.add(Measure.PDD, 1, "44", value, 0.0)
    assert np.isfinite(measured.estimate("44", 0.0)).all()
    assert ((measured.deficit("44", 0.0) >= 0) & (measured.deficit("44", 0.0) <= 1)).all()


def test_destinations_are_not_remembered_without_bound(measured):
    measured.most = 10
    for number in range(100):
        measured.add(Measure.ASR, 0, str(number), 1.0, 0.0)
        measured.deficit(str(number), 0.0)
    assert len(measured._tables) <= 10
    assert EVERYWHERE in measured._tables
