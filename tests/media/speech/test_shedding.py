"""More speech than the machine can do: what is given up, in which order, and when it comes back."""

from __future__ import annotations

from random import Random

import pytest

from media.speech.shedding import Change, Kind, Level, Shedding

COSTS = {Kind.PARTIAL: 0.10, Kind.VOICE: 0.03, Kind.FINAL: 0.05}  # s a second of speech of a leg


def run(shedding: Shedding, legs: int, begin: float, end: float, rng: Random | None = None) -> list[Change]:
    """So many legs speak all the time."""
    found, now = [], begin
    while now < end:
        for kind, cost in COSTS.items():
            noise = rng.uniform(0.5, 1.5) if rng else 1.0
            shedding.wanted(kind, legs * cost * 0.1 * noise, now)
        change = shedding.tick(now)
        found += [change] if change else []
        now += 0.1
    return found


@pytest.mark.parametrize(
    ("legs", "level"), [(4, Level.NOTHING), (8, Level.PARTIALS), (14, Level.VOICES), (40, Level.CAPTIONS)]
)
def test_only_as_much_is_given_up_as_is_needed(legs: int, level: Level):
    shedding = Shedding()
    run(shedding, legs, 0.0, 30.0)
    assert shedding.level is level


def test_it_is_given_up_in_order_and_within_seconds():
    changes = run(Shedding(), 40, 0.0, 5.0)
    assert [each.level for each in changes] == [Level.PARTIALS, Level.VOICES, Level.CAPTIONS]


def test_at_four_times_the_load_as_many_legs_keep_their_captions_as_there_is_room_for():
    shedding = Shedding()
    run(shedding, 68, 0.0, 10.0)
    kept = [leg for leg in range(1000) if shedding.does(Kind.FINAL, leg)]
    assert 0.2 < len(kept) / 1000 < 0.3
    assert not any(shedding.does(kind, leg) for kind in (Kind.PARTIAL, Kind.VOICE) for leg in kept)


def test_a_leg_with_captions_keeps_them_while_no_more_is_asked():
    shedding = Shedding()
    run(shedding, 60, 0.0, 10.0)
    before = {leg for leg in range(200) if shedding.does(Kind.FINAL, leg)}
    run(shedding, 40, 10.0, 20.0)
    assert before <= {leg for leg in range(200) if shedding.does(Kind.FINAL, leg)}


def test_all_comes_back_step_by_step_when_the_load_is_gone():
    shedding = Shedding()
    run(shedding, 40, 0.0, 10.0)
    changes = run(shedding, 2, 10.0, 60.0)
    assert [each.level for each in changes] == [Level.VOICES, Level.PARTIALS, Level.NOTHING]
    assert shedding.share == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_a_load_that_swings_does_not_make_captions_flicker(seed: int):
    changes = run(Shedding(), 5, 0.0, 120.0, Random(seed))
    assert len(changes) <= 4


def test_a_change_is_said_in_words():
    assert str(Change(Level.PARTIALS, 1.2)) == (
        "speech takes 120% of what it may: captions come when a sentence is over"
    )
