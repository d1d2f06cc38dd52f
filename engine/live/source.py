"""A node's state as items of the tree, made from what the API sees of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.api.deps import EngineView
from engine.line_views import Standing
from engine.live.tree import Item
from engine.views import CallView, Caption, Health

POOR_LINES = {
    Standing.DEAD: Health.FAILING,
    Standing.RESTING: Health.FAILING,
    Standing.UNREGISTERED: Health.FAILING,
    Standing.RETURNING: Health.DEGRADED,
    Standing.DOUBTED: Health.DEGRADED,
}


@dataclass(frozen=True, slots=True)
class Belonging:
    """Where things belong, as the configuration says: teams of agents, markets of queues and of lines."""

    teams: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)


class Configured(Protocol):
    """The part of config.schema.Config that says where things belong."""

    @property
    def agents(self) -> Mapping[str, Any]: ...
    @property
    def queues(self) -> Mapping[str, Any]: ...
    @property
    def node(self) -> Any: ...
    @property
    def lines(self) -> Mapping[str, Any]: ...


def belonging(config: Configured) -> Belonging:
    return Belonging(
        teams={name: each.team or "" for name, each in config.agents.items()},
        queues={name: each.market for name, each in config.queues.items()},
        lines={name: each.market or config.node.market for name, each in config.lines.items()},
    )


class Source:
    """On the event loop. where: looked up at each use, since another configuration may count by then."""

    def __init__(self, view: EngineView, where: Callable[[], Belonging], wall: Callable[[], float]) -> None:
        self._view = view
        self._where = where
        self._wall = wall

    def call(self, id: str) -> Item | None:
        """None for one that is over."""
        found = self._view.call(id)
        return None if found is None else self._call(found, self._where())

    def calls(self) -> dict[str, Item]:
        where = self._where()
        return {call.id: self._call(call, where) for call in self._view.calls()}

    def _call(self, call: CallView, where: Belonging) -> Item:
        heard = [leg.mos_now if leg.mos_now is not None else leg.mos for leg in call.legs]
        known = [mos for mos in heard if mos is not None]
        return {
            "id": call.id,
            "contact": call.contact,
            "customer": call.customer,
            "number": call.number,
            "market": call.market,
            "region": call.region,
            "language": call.language,
            "state": call.state,
            "queue": call.queue,
            "agent": call.agent,
            "team": where.teams.get(call.agent, ""),
            "since": round(call.since, 3),
            "position": call.waiting_position,
            "mos": round(min(known), 1) if known else None,
            "troubles": sorted({f"{leg.side}:{each.kind}" for leg in call.legs for each in leg.troubles}),
        }

    def queues(self) -> dict[str, Item]:
        where, now = self._where(), self._wall()
        return {
            queue.name: {
                "name": queue.name,
                "market": where.queues.get(queue.name, ""),
                "waiting": queue.waiting,
                # When the one who waits longest came, by whole seconds: it stays as it is while she waits.
                "oldest": round(now - queue.longest_wait_s) if queue.waiting else None,
                "agents_available": queue.agents_available,
                "agents_busy": queue.agents_busy,
                "answered": queue.answered,
                "abandoned": queue.abandoned,
                "service_level": None if queue.service_level is None else round(queue.service_level, 4),
            }
            for queue in self._view.queues()
        }

    def agents(self) -> dict[str, Item]:
        where = self._where()
        return {
            agent.name: {
                "name": agent.name,
                "team": where.teams.get(agent.name, ""),
                "state": agent.state,
                "since": round(agent.since, 3),
                "reason": agent.reason,
                "registered": agent.registered,
                "queues": list(agent.queues),
                "misses": agent.misses,
                "call": agent.call,
            }
            for agent in self._view.agents()
        }

    def lines(self) -> dict[str, Item]:
        where = self._where()
        return {
            line.name: {
                "name": line.name,
                "market": where.lines.get(line.name, ""),
                "kind": line.kind,
                "country": line.country,
                "region": line.region,
                "state": str(line.state),
                "share": line.share,
                "active": line.active,
                "channels": line.channels,
            }
            for line in self._view.trunks.stands()
        }

    def nodes(self) -> dict[str, Item]:
        return {
            node.name: {
                "name": node.name,
                "region": node.region,
                "state": node.state,
                "here": node.here,
                "calls": node.calls,
                "capacity": node.capacity,
                "load": round(node.load, 2),
                "well": node.well,
                "rtt_ms": None if node.rtt_ms is None else round(node.rtt_ms),
            }
            for node in self._view.cluster.nodes().nodes
        }

    def alerts(self) -> dict[str, Item]:
        """What wants a look now: parts that are not well, lines that are not fit."""
        found = {
            f"health/{check.name}": _alert("health", check.name, check.status, check.detail)
            for check in self._view.health().checks
            if check.status is not Health.OK
        }
        for line in self._view.trunks.stands():
            if line.state in POOR_LINES:
                level = POOR_LINES[line.state]
                found[f"line/{line.name}"] = _alert("line", line.name, level, f"the line is {line.state}")
        return found

    def caption(self, caption: Caption) -> Item | None:
        """None for a call that is over."""
        call = self._view.call(caption.call)
        if call is None:
            return None
        return {
            "call": caption.call,
            "queue": call.queue,
            "agent": call.agent,
            "team": self._where().teams.get(call.agent, ""),
            "market": call.market,
            "side": str(caption.side),
            "line": caption.line,
            "at": round(caption.at, 3),
            "text": caption.text,
            "language": caption.language,
            "translation": caption.translation,
            "to": caption.to,
            "final": caption.final,
        }


def _alert(kind: str, name: str, level: Health, detail: str) -> Item:
    return {"kind": kind, "name": name, "level": str(level), "detail": detail}
