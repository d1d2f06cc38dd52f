"""The call's table, and the picture of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.states import State, Trigger
from engine.transitions import TABLE, as_markdown

DRAWN = Path(__file__).resolve().parents[2] / "docs" / "call-states.md"


def test_the_drawn_states_are_those_of_the_table() -> None:
    assert DRAWN.read_text() == as_markdown(), "draw it anew: python -m engine.transitions"


@pytest.mark.parametrize("state", [s for s in State if s not in (State.ENDING, State.ENDED)])
def test_a_call_can_be_ended_in_every_state(state: State) -> None:
    assert TABLE[state, Trigger.END][0] is State.ENDING


def test_every_state_is_reached_and_only_the_last_is_never_left() -> None:
    left = {state for state, _ in TABLE}
    reached = {after for after, _ in TABLE.values()} | {State.ARRIVED}
    assert reached == set(State)
    assert left == set(State) - {State.ENDED}


def test_every_trigger_means_something_somewhere() -> None:
    assert {trigger for _, trigger in TABLE} == set(Trigger)
