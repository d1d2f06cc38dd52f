"""What somebody changed by hand of callers who wait and of agents, as values (engine/events.py). by: a user
or token of the API.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerMoved(Event):
    """She waits in another queue from now on, and keeps her time of waiting."""

    kind = "call.queue_moved"
    before: str
    queue: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityChanged(Event):
    kind = "call.priority_changed"
    queue: str
    before: int
    priority: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPicked(Event):
    """She is offered to that agent and nobody else; "": to whoever is next."""

    kind = "call.agent_picked"
    agent: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOrdered(Event):
    """Somebody else asked a state of the agent: available, paused, logged_out or wrap_up_over. In the middle
    of a call it comes after that.
    """

    kind = "agent.ordered"
    agent: str
    asked: str
    reason: str
    by: str
