"""What wants a look, the worst first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.console.alerts import ALIKE, LINES, MOST, PARTS, WAVE, alerts, level_of
from engine.console.language import table
from engine.console.snapshot import Snapshot
from engine.languages import NAMES
from engine.line_views import Standing
from engine.recent_views import RecentView
from engine.views import CallView, Check, Health, QueueView, TroubleView
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
    now = replace(snapshot(), calls=(), nodes=(), lines=())
    nobody = queue(None, waiting=2, longest_wait_s=500.0, agents_available=0)
    assert keys(replace(now, queues=(nobody,)))[-1] != "queue_wait"
    assert "queue_nobody" in keys(replace(now, queues=(nobody,)))


def test_a_queue_is_served_by_agents_of_other_nodes_too() -> None:
    """Agents of this node are those whom it lists; the queue's own figures are of all nodes."""
    out = tuple(replace(each, state="logged_out") for each in snapshot().agents)
    now = replace(at_rest(), agents=out, queues=(queue(None, waiting=1, agents_available=0, agents_busy=3),))
    assert keys(now) == []
    assert keys(replace(now, queues=(queue(None, waiting=1, agents_available=0),))) == ["queue_nobody"]


def test_there_is_an_end_to_them() -> None:
    now = snapshot()
    lost = tuple(replace(now.nodes[0], name=f"n{place}", state="gone") for place in range(500))
    assert len(alerts(replace(now, nodes=lost))) == MOST


def at_rest() -> Snapshot:
    now = snapshot()
    return replace(now, calls=(), queues=(), nodes=(), lines=(), health=replace(now.health, checks=()))


def unwell(*checks: Check) -> list[str]:
    now = at_rest()
    found = alerts(replace(now, health=replace(now.health, checks=checks)))
    return [str(each.values["name"]) for each in found]


def check(name: str, status: Health = Health.DEGRADED) -> Check:
    return Check(name=name, status=status, detail="why")


def test_what_fails_because_the_store_does_is_told_once() -> None:
    assert unwell(check("journal"), check("audit"), check("reviews"), check("disk")) == ["journal", "disk"]
    assert unwell(check("journal"), check("audit", Health.FAILING)) == ["audit", "journal"]
    assert unwell(check("journal", Health.OK), check("audit")) == ["audit"]


def line(**counts: int) -> RecentView:
    return RecentView(kind="line", name="carrier", **counts)


def served(**counts: int) -> RecentView:
    return RecentView(kind="queue", name="support", **counts)


@pytest.mark.parametrize(
    ("recent", "wanted"),
    [
        ((line(calls=10, answered=3),), ["line_fails"]),
        ((line(calls=9, answered=0),), []),  # too few to say so
        ((line(calls=10, answered=5),), []),
        ((line(calls=20, answered=20, dropped=2),), ["line_drops"]),
        ((line(calls=20, answered=20, dropped=1),), []),
        ((line(calls=20, answered=20, heard=20, poor=5),), ["line_sound"]),
        ((served(calls=20, answered=2),), []),  # callers give up: that is the service level's to say
        ((served(calls=20, answered=20, dropped=2, heard=20, poor=5),), ["queue_drops", "queue_sound"]),
        ((served(calls=20, answered=20, dropped=2), line(calls=20, answered=20, dropped=2)), ["line_drops"]),
    ],
)
def test_shares_of_a_quarter_of_an_hour_are_told_and_a_lines_before_its_queues(
    recent: tuple[RecentView, ...], wanted: list[str]
) -> None:
    assert keys(replace(at_rest(), recent=recent)) == wanted


def test_a_line_that_is_down_is_that_alone() -> None:
    (dead, *_) = [each for each in snapshot().lines if each.state is Standing.DEAD]
    recent = RecentView(kind="line", name=dead.name, calls=20)
    assert keys(replace(at_rest(), lines=(dead,), recent=(recent,))) == ["line_dead"]


def test_a_wave_of_sources_is_told_and_a_few_are_not() -> None:
    assert keys(replace(at_rest(), sources=WAVE)) == ["sources"]
    assert keys(replace(at_rest(), sources=WAVE - 1)) == []


def test_many_calls_with_one_kind_of_trouble_are_one_alert() -> None:
    troubled = next(call for call in snapshot().calls if any(leg.troubles for leg in call.legs))

    def many(count: int) -> tuple[CallView, ...]:
        return tuple(replace(troubled, id=f"c{number}") for number in range(count))

    assert keys(replace(at_rest(), calls=many(ALIKE))) == ["call_trouble"] * ALIKE
    (one,) = alerts(replace(at_rest(), calls=many(ALIKE + 1)))
    assert (one.key, one.values["n"]) == ("calls_trouble", ALIKE + 1)
    other = TroubleView(kind="silent", since=0.0, cause="")
    legs = tuple(replace(leg, troubles=(other,)) for leg in troubled.legs)
    both = (*many(ALIKE + 1), replace(troubled, id="x", legs=legs))
    assert sorted(keys(replace(at_rest(), calls=both))) == ["call_trouble", "calls_trouble"]


@pytest.mark.parametrize("code", NAMES)
def test_every_alert_says_what_to_do(code: str) -> None:
    words = table(code)
    said = [key for key in words if key.startswith("alert.") and not key.endswith(".do")]
    assert len(said) > 15 and [key for key in said if f"{key}.do" not in words] == []
    assert {f"alert.line_{state}" for state in LINES} <= set(said)
    assert [part for part in PARTS if f"alert.health.{part}.do" not in words] == []
