"""What wants a look now, the worst first: from a snapshot alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.console.look import address
from engine.console.snapshot import Snapshot
from engine.line_views import Standing
from engine.states import WAITING
from engine.views import CallView, Health, LegView, QueueView

MOST = 40
LONG_WAITS = 3.0  # so many times the threshold of its service level is a long wait
LOW, LOWEST = 0.8, 0.6  # service level
ENOUGH = 5  # calls before a service level says anything
FULL = 0.9  # of a node's calls
RECENT = 10  # calls of a quarter of an hour before a share of them says anything
DROPPED, POOR, FAILED = 0.05, 0.2, 0.6  # shares of them from which on somebody is told
WAVE = 20  # sources that are turned away at once
ALIKE = 3  # calls with one kind of trouble; more are told of together
# What is degraded because of something else is not told of beside it.
FOLLOWS: Mapping[str, str] = {"audit": "journal", "reviews": "journal", "hooks": "journal"}

# Parts of the node of which it is known what to do.
PARTS = frozenset({"journal", "audit", "disk", "certificates", "hooks", "speech", "cluster", "media"})

LINES: Mapping[Standing, str] = {
    Standing.DEAD: "bad",
    Standing.RESTING: "bad",
    Standing.UNREGISTERED: "bad",
    Standing.RETURNING: "warn",
    Standing.DOUBTED: "warn",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """level: bad or warn. key, values: its words (words: "alert.KEY", and what to do: "alert.KEY.do"; of a
    part of the node "alert.health.NAME.do"). detail: the engine's own, in English. to: where more is told.
    """

    level: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""
    to: str = ""

    @property
    def remedy(self) -> str:
        """The key of what to do."""
        part = self.values.get("name") if self.key == "health" else None
        return f"alert.health.{part}.do" if part in PARTS else f"alert.{self.key}.do"


def alerts(now: Snapshot) -> list[Alert]:
    found = [*_health(now), *_nodes(now), *_lines(now), *_queues(now), *_recent(now), *_calls(now)]
    if now.sources >= WAVE:
        found.append(Alert("warn", "sources", {"n": now.sources}, to=address("nodes")))
    found.sort(key=lambda each: each.level != "bad")
    return found[:MOST]


def _health(now: Snapshot) -> Iterator[Alert]:
    unwell = {check.name for check in now.health.checks if check.status is not Health.OK}
    for check in now.health.checks:
        follows = check.status is Health.DEGRADED and FOLLOWS.get(check.name) in unwell
        if check.name in unwell and not follows:
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
        if queue.waiting and not queue.agents_available + queue.agents_busy:
            yield Alert("bad", "queue_nobody", {"name": queue.name, "n": queue.waiting}, to=to)
            continue
        if queue.waiting and queue.longest_wait_s >= LONG_WAITS * queue.service_threshold_s:
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


def _recent(now: Snapshot) -> Iterator[Alert]:
    """Of queues and lines; what is wrong with a line is not told once more of the queues it leads to."""
    down = {line.name for line in now.lines if line.state in LINES}
    told: set[str] = set()
    for each in sorted(now.recent, key=lambda each: each.kind != "line"):
        if each.kind == "line" and each.name in down:
            continue
        for what, level, part, whole, most in (
            ("fails", "bad", each.calls - each.answered, each.calls if each.kind == "line" else 0, FAILED),
            ("drops", "bad", each.dropped, each.answered, DROPPED),
            ("sound", "warn", each.poor, each.heard, POOR),
        ):
            if whole >= RECENT and part > most * whole and (each.kind == "line" or what not in told):
                told.add(what if each.kind == "line" else "")
                values = {"name": each.name, "n": round(100 * part / whole), "of": whole}
                yield Alert(level, f"{each.kind}_{what}", values, to=address(f"{each.kind}s", each.name))


def _calls(now: Snapshot) -> Iterator[Alert]:
    """Many calls with one kind of trouble have one cause, likely: they are one alert."""
    found: dict[str, list[tuple[CallView, LegView]]] = {}
    for call in now.calls:
        leg = next((leg for leg in call.legs if leg.troubles and call.state not in WAITING), None)
        if leg is not None:
            found.setdefault(leg.troubles[-1].kind, []).append((call, leg))
    for kind, those in found.items():
        if len(those) > ALIKE:
            yield Alert("warn", "calls_trouble", {"n": len(those), "kind": kind}, to=address("calls"))
            continue
        for call, leg in those:
            values = {"who": call.agent if leg.side == "agent" else call.customer, "kind": kind}
            yield Alert("warn", "call_trouble", values, leg.troubles[-1].cause, address("calls", call.id))
