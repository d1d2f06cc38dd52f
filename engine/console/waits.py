"""Why somebody waits: from a snapshot, in words that a supervisor can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.console.snapshot import Snapshot
from engine.states import WAITING, State
from engine.views import AgentView, CallView
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
    found = [_staffing(team, states)]
    if ahead and found[0].key == "next":
        return [Why("ahead", {"n": ahead})]
    if ahead:
        found.append(Why("ahead", {"n": ahead}))
    paused = states[AgentState.PAUSED]
    if paused and found[0].key != "paused":
        found.append(Why("also_paused", {"n": paused}))
    return found


def _staffing(team: tuple[AgentView, ...], states: Counter[str]) -> Why:
    if not team:
        return Why("no_team", level="warn")
    free = [agent for agent in team if agent.state == AgentState.AVAILABLE]
    if any(agent.registered for agent in free):
        return Why("next")
    if free:
        return Why("no_phone", {"n": len(free)}, "warn")
    busy = states[AgentState.TALKING] + states[AgentState.OFFERED]
    if busy:
        return Why("busy", {"n": busy})
    if states[AgentState.WRAP_UP]:
        return Why("wrap_up", {"n": states[AgentState.WRAP_UP]})
    if states[AgentState.PAUSED]:
        return Why("paused", {"n": states[AgentState.PAUSED]}, "warn")
    return Why("nobody", level="warn")
