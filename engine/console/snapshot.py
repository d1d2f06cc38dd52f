"""A node at one moment, as all consoles share it: frozen, made once a second while anybody looks.

Calls, agents, lines and what the day came to are this node's. Who waits in a queue, and how many serve it, is
of all nodes: an agent of another one is logged out here, so nothing follows from this node's agents alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engine.api.deps import EngineView
from engine.cluster.sight import NodeView
from engine.line_views import LineStandView
from engine.recent_views import RecentView
from engine.views import AgentView, CallView, HealthView, QueueView


@dataclass(frozen=True)
class Snapshot:
    """at: epoch seconds. serial: counts the pulses. sources: of SIP that are answered no more now."""

    at: float
    serial: int
    health: HealthView
    calls: tuple[CallView, ...]
    queues: tuple[QueueView, ...]
    agents: tuple[AgentView, ...]
    nodes: tuple[NodeView, ...]
    lines: tuple[LineStandView, ...]
    recent: tuple[RecentView, ...] = ()
    sources: int = 0

    @cached_property
    def by_call(self) -> dict[str, CallView]:
        return {call.id: call for call in self.calls}

    @cached_property
    def by_queue(self) -> dict[str, QueueView]:
        return {queue.name: queue for queue in self.queues}

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Nodes that share the queues with this one now."""
        return tuple(node.name for node in self.nodes if not node.here and node.state != "gone")

    @cached_property
    def here(self) -> str:
        """This node."""
        return next((node.name for node in self.nodes if node.here), self.health.node)

    @cached_property
    def teams(self) -> dict[str, tuple[AgentView, ...]]:
        """The agents of each queue, as this node knows them."""
        found: dict[str, list[AgentView]] = {queue.name: [] for queue in self.queues}
        for agent in self.agents:
            for queue in agent.queues:
                found.setdefault(queue, []).append(agent)
        return {queue: tuple(agents) for queue, agents in found.items()}


def taken(view: EngineView, at: float, serial: int) -> Snapshot:
    """On the event loop."""
    load = view.load()
    return Snapshot(
        at=at,
        serial=serial,
        health=view.health(),
        calls=tuple(view.calls()),
        queues=tuple(view.queues()),
        agents=tuple(view.agents()),
        nodes=view.cluster.nodes().nodes,
        lines=tuple(view.trunks.stands()),
        recent=load.recent,
        sources=sum(load.turned_away.values()),
    )
