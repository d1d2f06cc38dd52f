"""Who hears whom for the sake of somebody beside the two, as a table."""

from __future__ import annotations

import pytest

from engine.seat import TABLE, Sits, Who, edges

ME, CUSTOMER, AGENT, GUEST, VOICE = 1, 2, 3, 4, 5
ALL = {Who.ME: ME, Who.CUSTOMER: CUSTOMER, Who.AGENT: AGENT, Who.GUEST: GUEST, Who.VOICE: VOICE}
HEARS = {(CUSTOMER, ME), (AGENT, ME), (GUEST, ME), (VOICE, ME)}


@pytest.mark.parametrize(
    ("mode", "heard_by"),
    [
        (Sits.LISTEN, set()),
        (Sits.WHISPER, {(ME, AGENT)}),
        (Sits.BARGE, {(ME, AGENT), (ME, CUSTOMER), (ME, GUEST)}),
    ],
)
def test_a_supervisor_hears_all_and_is_heard_as_her_mode_says(
    mode: Sits, heard_by: set[tuple[int, int]]
) -> None:
    assert edges(mode, ALL) == dict.fromkeys(HEARS | heard_by, 1.0)


def test_a_guest_is_between_the_two() -> None:
    both_ways = {(CUSTOMER, ME), (AGENT, ME), (ME, CUSTOMER), (ME, AGENT)}
    assert edges(Sits.GUEST, ALL) == dict.fromkeys(both_ways, 1.0)


def test_no_mode_touches_what_the_two_hear_of_each_other() -> None:
    for gains in TABLE.values():
        assert all(Who.ME in pair and pair[0] is not pair[1] for pair in gains)


@pytest.mark.parametrize("mode", list(Sits))
def test_who_is_not_there_has_no_edge(mode: Sits) -> None:
    for missing in set(Who) - {Who.ME}:
        there = {who: leg for who, leg in ALL.items() if who is not missing}
        assert edges(mode, there) == {
            pair: gain for pair, gain in edges(mode, ALL).items() if ALL[missing] not in pair
        }
    assert edges(mode, {Who.ME: ME}) == {}


def test_who_hears_music_hears_no_supervisor_but_is_heard() -> None:
    barging = edges(Sits.BARGE, ALL, {Who.CUSTOMER, Who.GUEST})
    assert barging == edges(Sits.WHISPER, ALL)
