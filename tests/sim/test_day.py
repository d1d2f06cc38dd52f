"""Whole days on the virtual clock: a seeded sample of what `python -m tests.sim.story` runs at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rings import no_rings
from tests.sim.story import Day

CALLS = 120


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_of_calls_over_a_bad_network_leaves_nothing_behind(seed: int, tmp_path: Path) -> None:
    with no_rings() as rings:
        day = Day(seed, CALLS, tmp_path, loss=0.05)
        outcome = day.live()
        assert not rings()
    assert outcome.calls >= CALLS
    assert outcome.connected > CALLS // 5


def test_a_quiet_network_loses_no_call(tmp_path: Path) -> None:
    outcome = Day(3, CALLS, tmp_path, loss=0.0).live()
    assert not {"signalling_lost", "media_lost", "fault"} & set(outcome.reasons)


def test_media_workers_that_die_take_their_calls_with_them_and_no_others(tmp_path: Path) -> None:
    outcome = Day(4, CALLS, tmp_path, loss=0.05, kill_worker=True).live()
    assert outcome.workers_lost >= 1
    assert outcome.reasons["media_lost"] >= 1
    assert outcome.connected > CALLS // 6


def test_calls_in_three_workers_are_joined_across_them_and_die_with_their_own(tmp_path: Path) -> None:
    with no_rings() as rings:
        day = Day(11, CALLS, tmp_path, loss=0.05, kill_worker=True, workers=3)
        outcome = day.live()
        assert not rings()
    assert outcome.workers_lost >= 1
    assert outcome.reasons["media_lost"] >= 1
    assert outcome.moves >= 1
    assert outcome.connected > CALLS // 5


def test_the_same_seed_is_the_same_day(tmp_path: Path) -> None:
    first, second = (Day(5, 40, tmp_path, loss=0.1).live() for _ in range(2))
    assert first == second
