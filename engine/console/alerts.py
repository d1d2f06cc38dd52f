"""What wants a look now, the worst first: from a snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.console.look import address
from engine.console.snapshot import Snapshot
from engine.line_views import Standing
from engine.states import WAITING
from engine.views import Health, QueueView
from routing.agent import AgentState

MOST = 40
LONG_WAITS = 3.0  # so many times the threshold of its service level is a long wait
LOW, LOWEST = 0.8, 0.6  # service level
ENOUGH = 5  # calls before a service level says anything
FULL = 0.9  # of a node's calls

LINES: Mapping[Standing, str] = {
    Standing.DEAD: "bad",
    Standing.RESTING: "bad",
    Standing.UNREGISTERED: "bad",
    Standing.RETURNING: "warn",
    Standing.DOUBTED: "warn",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """level: bad or warn. key, values: its words (words: "alert.KEY"). detail: the engine's own, in English.
    to: where more is told.
    """

    level: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""
    to: str = ""


def alerts(now: Snapshot) -> list[Alert]:
    found = [*_health(now), *_nodes(now), *_lines(now), *_queues(now), *_calls(now)]
    found.sort(key=lambda each: each.level != "bad")
    return found[:MOST]


def _health(now: Snapshot) -> Iterator[Alert]:
    for check in now.health.checks:
        if check.status is not Health.OK:
            level = "bad" if check.status is Health.FAILING else "warn"
            yield Alert(level, "health", {"name": check.name}, check.detail, address("nodes"))


def _nodes(now: Snapshot) -> Iterator[Alert]:
    for node in now.nodes:
        to = address("nodes")
        if node.state == "gone":
            yield Alert("bad", "node_gone", {"name": node.name}, to=to)
        elif node.state == "draining":
            yield Alert("warn", "node_draining", {"name": node.name}, to=to)
        elif node.load >= FULL:
            yield Alert("warn", "node_full", {"name": node.name, "n": round(node.load * 100)}, to=to)


def _lines(now: Snapshot) -> Iterator[Alert]:
    for line in now.lines:
        if line.state in LINES:
            to = address("lines", line.name)
            yield Alert(LINES[line.state], f"line_{line.state}", {"name": line.name}, to=to)


def _queues(now: Snapshot) -> Iterator[Alert]:
    for queue in now.queues:
        to = address("queues", queue.name)
        team = now.teams.get(queue.name, ())
        there = any(agent.state not in (AgentState.LOGGED_OUT, AgentState.PAUSED) for agent in team)
        if queue.waiting and not there:
            yield Alert("bad", "queue_nobody", {"name": queue.name, "n": queue.waiting}, to=to)
        elif queue.waiting and queue.longest_wait_s >= LONG_WAITS * queue.service_threshold_s:
            yield Alert(
                "warn", "queue_wait", {"name": queue.name, "n": round(queue.longest_wait_s / 60)}, to=to
            )
        level = level_of(queue)
        if level in ("warn", "bad") and queue.answered + queue.abandoned >= ENOUGH:
            share = round((queue.service_level or 0.0) * 100)
            yield Alert(level, "queue_level", {"name": queue.name, "n": share}, to=to)


def level_of(queue: QueueView) -> str:
    """How good its service level is."""
    return level_of_share(queue.service_level)


def level_of_share(level: float | None) -> str:
    """How good a service level is."""
    if level is None:
        return "soft"
    return "good" if level >= LOW else "warn" if level >= LOWEST else "bad"


def _calls(now: Snapshot) -> Iterator[Alert]:
    for call in now.calls:
        for leg in call.legs:
            if leg.troubles and call.state not in WAITING:
                kind = leg.troubles[-1].kind
                values = {"who": call.agent if leg.side == "agent" else call.customer, "kind": kind}
                yield Alert("warn", "call_trouble", values, leg.troubles[-1].cause, address("calls", call.id))
                break
