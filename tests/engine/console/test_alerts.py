"""What wants a look, the worst first."""

from __future__ import annotations

from dataclasses import replace

from engine.console.alerts import MOST, alerts, level_of
from engine.console.snapshot import Snapshot
from engine.views import QueueView
from tests.engine.console.looks import snapshot


def keys(now: Snapshot) -> list[str]:
    return [each.key for each in alerts(now)]


def test_a_busy_node_has_some_and_those_that_are_bad_come_first() -> None:
    found = alerts(snapshot())
    levels = [each.level for each in found]
    assert levels == sorted(levels, key=["bad", "warn"].index)
    assert {"node_gone", "line_dead", "queue_nobody", "health", "call_trouble"} <= set(keys(snapshot()))


def test_a_node_at_rest_has_none() -> None:
    now = snapshot()
    rest = replace(now, calls=(), queues=(), nodes=(), lines=(), health=replace(now.health, checks=()))
    assert alerts(rest) == []


def queue(level: float | None, answered: int = 10, **more: object) -> QueueView:
    made = QueueView(
        name="q",
        waiting=0,
        agents_available=1,
        agents_busy=0,
        longest_wait_s=0.0,
        answered=answered,
        abandoned=0,
        service_level=level,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_service_levels_have_their_bounds() -> None:
    assert [level_of(queue(each)) for each in (None, 0.8, 0.79, 0.59)] == ["soft", "good", "warn", "bad"]


def test_few_calls_say_nothing_of_a_service_level() -> None:
    now = replace(snapshot(), calls=(), nodes=(), lines=())
    assert "queue_level" in keys(replace(now, queues=(queue(0.5),)))
    assert "queue_level" not in keys(replace(now, queues=(queue(0.5, answered=4),)))


def test_a_queue_that_nobody_serves_is_worse_than_one_that_is_slow() -> None:
    now = replace(snapshot(), calls=(), nodes=(), lines=(), agents=())
    assert keys(replace(now, queues=(queue(None, waiting=2, longest_wait_s=500.0),)))[-1] != "queue_wait"
    assert "queue_nobody" in keys(replace(now, queues=(queue(None, waiting=2),)))


def test_there_is_an_end_to_them() -> None:
    now = snapshot()
    lost = tuple(replace(now.nodes[0], name=f"n{place}", state="gone") for place in range(500))
    assert len(alerts(replace(now, nodes=lost))) == MOST
