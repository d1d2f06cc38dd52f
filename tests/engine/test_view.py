"""A list of calls is looked at as far as it is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from engine.access.principal import Reach
from engine.view import View
from engine.views import CallFilter


class Hasty(View):
    """Of as many calls as wanted, of which it tells the id alone; seen: which were looked at."""

    def __init__(self, count: int) -> None:
        calls = {f"c{number:03}": _call(number) for number in reversed(range(count))}
        self._engine = SimpleNamespace(switch=SimpleNamespace(calls=calls))  # type: ignore[assignment]
        self.seen: list[str] = []

    def _call(self, call: Any) -> Any:
        self.seen.append(call.id)
        return call.id


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


def test_of_a_page_nothing_else_is_looked_at() -> None:
    view = Hasty(500)
    assert view.calls(limit=3) == ["c000", "c001", "c002"]
    assert view.calls(CallFilter(queue="sales"), after="c002", limit=2) == ["c003", "c005"]
    assert view.seen == ["c000", "c001", "c002", "c003", "c005"]
    assert len(view.calls()) == 500 and sorted(view.call_states()).count("queued") == 499


@pytest.mark.parametrize(
    ("wanted", "found"),
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
def test_calls_are_found_by_what_is_asked_and_within_reach(wanted: CallFilter, found: list[str]) -> None:
    assert Hasty(10).calls(wanted) == found
