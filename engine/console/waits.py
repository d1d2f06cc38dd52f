"""Why somebody waits: from a snapshot, in words that a supervisor can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.console.snapshot import Snapshot
from engine.states import WAITING, State
from engine.views import AgentView, CallView, QueueView
from routing.agent import AgentState


@dataclass(frozen=True, slots=True)
class Why:
    """key, values: its words (words: "why.KEY"). level: warn where nobody will come by herself."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    level: str = "soft"


def waiting(now: Snapshot) -> list[CallView]:
    """Who waits, the longest first."""
    return sorted((call for call in now.calls if call.state in WAITING), key=lambda call: call.since)


def whys(call: CallView, now: Snapshot) -> list[Why]:
    """What keeps a waiting call from an agent; what weighs most is first."""
    if call.state == State.OFFERED:
        return [Why("ringing", {"name": call.agent})]
    if call.state == State.GREETING:
        return [Why("greeting")]
    team = now.teams.get(call.queue, ())
    states = Counter(agent.state for agent in team)
    ahead = (call.waiting_position or 1) - 1
    found = [_staffing(now.by_queue.get(call.queue), team, states, alone=not now.others)]
    if ahead and found[0].key == "next":
        return [Why("ahead", {"n": ahead})]
    if ahead:
        found.append(Why("ahead", {"n": ahead}))
    paused = states[AgentState.PAUSED]
    if paused and found[0].key != "paused":
        found.append(Why("also_paused", {"n": paused}))
    return found


def _staffing(
    queue: QueueView | None, team: tuple[AgentView, ...], states: Counter[str], *, alone: bool
) -> Why:
    """team, states: as this node knows them, which says nothing of agents of others; the queue does. alone:
    there are no other nodes.
    """
    available, working = (queue.agents_available, queue.agents_busy) if queue is not None else (0, 0)
    if available:
        return Why("next")
    if not team and not working:
        return Why("no_team", level="warn")
    wrapping = sum(agent.state == AgentState.WRAP_UP and agent.registered for agent in team)
    busy = working - wrapping
    free = states[AgentState.AVAILABLE]  # none of whom can be rung
    if free and (alone or not busy):  # beside other nodes, she may be at work at one of those
        return Why("no_phone", {"n": free}, "warn")
    if busy > 0:
        return Why("busy", {"n": busy})
    if wrapping:
        return Why("wrap_up", {"n": wrapping})
    if not alone:
        return Why("nobody_anywhere", level="warn")
    if states[AgentState.PAUSED]:
        return Why("paused", {"n": states[AgentState.PAUSED]}, "warn")
    return Why("nobody", level="warn")
