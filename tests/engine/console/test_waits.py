"""Why somebody waits is told from who is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.console.snapshot import Snapshot
from engine.console.waits import waiting, whys
from engine.views import AgentView, CallView
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import snapshot


def now(
    *states: str, call: CallView, registered: bool = True, there: tuple[int, int] = (0, 0), nodes: int = 1
) -> Snapshot:
    """The queue as its node tells of it. there: agents of other nodes, who are logged out at this one: how
    many are free, and how many busy.
    """
    team = tuple(
        AgentView(
            name=f"a{place}",
            state=state,
            since=0.0,
            reason="",
            registered=registered,
            queues=("support",),
            misses=0,
        )
        for place, state in enumerate((*states, *["logged_out"] * sum(there)))
    )
    seen = snapshot()
    free = sum(state == "available" for state in states) if registered else 0
    busy = sum(state in ("offered", "talking", "wrap_up") for state in states) if registered else 0
    queue = replace(
        next(each for each in seen.queues if each.name == "support"),
        agents_available=free + there[0],
        agents_busy=busy + there[1],
    )
    return replace(seen, agents=team, calls=(call,), queues=(queue,), nodes=seen.nodes[:nodes])


@pytest.fixture
def call() -> CallView:
    return replace(BusyNode().live["w0"], queue="support", waiting_position=1)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((), ["no_team"]),
        (("logged_out", "logged_out"), ["nobody"]),
        (("paused", "logged_out"), ["paused"]),
        (("wrap_up", "paused"), ["wrap_up", "also_paused"]),
        (("talking", "offered", "paused"), ["busy", "also_paused"]),
        (("available", "talking"), ["next"]),
    ],
)
def test_the_reason_follows_from_the_team(call: CallView, states: tuple[str, ...], told: list[str]) -> None:
    assert [each.key for each in whys(call, now(*states, call=call))] == told


def test_a_free_agent_without_a_phone_is_no_help(call: CallView) -> None:
    assert whys(call, now("available", call=call, registered=False))[0].key == "no_phone"


@pytest.mark.parametrize(
    ("states", "there", "told"),
    [
        ((), (1, 0), [("next", {})]),
        ((), (0, 3), [("busy", {"n": 3})]),
        (("talking", "paused"), (0, 3), [("busy", {"n": 4}), ("also_paused", {"n": 1})]),
        (("wrap_up",), (0, 2), [("busy", {"n": 2})]),
        (("paused",), (1, 1), [("next", {}), ("also_paused", {"n": 1})]),
        (("logged_out",), (0, 0), [("nobody_anywhere", {})]),
        (("paused",), (0, 0), [("nobody_anywhere", {}), ("also_paused", {"n": 1})]),
    ],
)
def test_agents_of_other_nodes_count_as_much(
    call: CallView, states: tuple[str, ...], there: tuple[int, int], told: list[object]
) -> None:
    found = whys(call, now(*states, call=call, there=there, nodes=2))
    assert [(each.key, dict(each.values)) for each in found] == told


def test_who_is_ahead_is_counted(call: CallView) -> None:
    third = replace(call, waiting_position=3)
    told = whys(third, now("talking", call=third))
    assert [(each.key, dict(each.values)) for each in told] == [("busy", {"n": 1}), ("ahead", {"n": 2})]
    assert [each.key for each in whys(third, now("available", call=third))] == ["ahead"]


@pytest.mark.parametrize(("state", "key"), [("offered", "ringing"), ("greeting", "greeting")])
def test_some_do_not_wait_for_an_agent(call: CallView, state: str, key: str) -> None:
    other = replace(call, state=state, agent="a0")
    assert [each.key for each in whys(other, now("talking", call=other))] == [key]


def test_who_waits_longest_is_first() -> None:
    found = waiting(snapshot())
    assert [each.since for each in found] == sorted(each.since for each in found) and len(found) == 7
