"""A list of calls is looked at as far as it is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from engine.access.principal import Reach
from engine.call_filter import ALL_CALLS, CallFilter
from engine.call_sight import found


def names(count: int, wanted: CallFilter = ALL_CALLS, after: str = "", limit: int | None = None) -> list[str]:
    calls = {f"c{number:03}": _call(number) for number in reversed(range(count))}
    return [call.id for call in found(calls, wanted, after, limit)]


def _call(number: int) -> Any:
    queue = SimpleNamespace(name="sales") if number % 2 else None
    return SimpleNamespace(
        id=f"c{number:03}",
        market="de" if number % 3 else "us",
        queue=queue,
        agent="alice" if number == 5 else "",
        offered_agent="bob" if number == 7 else "",
        state="talking" if number == 5 else "queued",
    )


def test_calls_come_by_id_as_many_as_are_asked_for() -> None:
    assert names(500, limit=3) == ["c000", "c001", "c002"]
    assert names(500, CallFilter(queue="sales"), "c002", 2) == ["c003", "c005"]
    assert names(500, after="c499") == [] and len(names(500)) == 500


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        (CallFilter(agent="alice"), ["c005"]),
        (CallFilter(agent="bob", queue="sales"), ["c007"]),
        (CallFilter(state="talking"), ["c005"]),
        (CallFilter(market="us"), ["c000", "c003", "c006", "c009"]),
        (CallFilter(market="us", queue=""), ["c000", "c006"]),
        (CallFilter(market="fr"), []),
        (CallFilter(reach=Reach(markets=frozenset({"us"})), queue="sales"), ["c003", "c009"]),
        (CallFilter(reach=Reach(markets=frozenset({"us"})), market="de"), []),
    ],
)
def test_calls_are_found_by_what_is_asked_and_within_reach(wanted: CallFilter, calls: list[str]) -> None:
    assert names(10, wanted) == calls
