"""Days and hours of a week, on the wall of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.window import DAY, UnknownZone, Window, schedule

WORKDAYS = frozenset(range(5))


def wall(day: int, hour: int, minute: int = 0, month: int = 6) -> float:
    """2026-06-01 was a Monday; so was 2026-12-07."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp()


def test_a_window_holds_from_its_first_minute_to_before_its_last():
    office = schedule([Window(WORKDAYS, 9 * 60, 17 * 60)])
    assert not office.holds(wall(1, 8, 59))
    assert office.holds(wall(1, 9))
    assert office.holds(wall(5, 16, 59))
    assert not office.holds(wall(5, 17))
    assert not office.holds(wall(6, 12))


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_starts():
    night = schedule([Window(frozenset({6}), 22 * 60, 6 * 60)])
    assert night.holds(wall(7, 23))
    assert night.holds(wall(8, 5, 59))
    assert not night.holds(wall(7, 5))
    assert not night.holds(wall(8, 6))


def test_the_hours_are_those_on_the_wall_in_summer_and_in_winter():
    madrid = schedule([Window(WORKDAYS, 9 * 60, 17 * 60)], "Europe/Madrid")
    assert madrid.holds(wall(1, 7))
    assert not madrid.holds(wall(7, 7, month=12))
    assert madrid.holds(wall(7, 8, month=12))


def test_a_zone_that_nobody_knows_is_refused():
    for zone in ("Europe/Atlantis", "", "../etc/passwd"):
        with pytest.raises(UnknownZone):
            schedule([], zone)


@settings(max_examples=40)
@given(st.sets(st.integers(0, 6)), st.integers(0, DAY - 1), st.integers(0, DAY), st.integers(0, 7 * DAY - 1))
def test_the_bits_say_what_the_window_says(days, start, end, minute):
    day, at = divmod(minute, DAY)
    same = day in days and start <= at < (end if end > start else DAY)
    before = (day - 1) % 7 in days and end <= start and at < end
    found = schedule([Window(frozenset(days), start, end)]).holds(wall(1, 0) + minute * 60)
    assert found == (same or before)
