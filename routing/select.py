"""Who talks to whom next: pure assignment, and the reasons for it.

All agents prefer callers in the same order (`Place.order`) and all callers prefer agents in the same order
(longest idle), so there is exactly one stable matching, and serving the longest-idle agent first finds it:
serving the first caller first would find the same one. No free agent is left beside a caller she could serve,
and nobody who waited longer is passed over by an agent who could have taken her.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routing.agent import Agent
from routing.queue import Place, Queue


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why this agent and this caller, as numbers a supervisor can check. Durations in seconds."""

    idle_s: float
    free_agents: int
    wait_s: float
    waiting: int
    priority: int = 0
    other_queues: tuple[str, ...] = ()

    def __str__(self) -> str:
        longest = f", longest of {self.free_agents}" if self.free_agents > 1 else ", the only one free"
        first = f"first of {self.waiting}" if self.waiting > 1 else "the only one waiting"
        said = f"idle {self.idle_s:.0f} s{longest}; caller {first}, waited {self.wait_s:.0f} s"
        if self.priority:
            said += f", priority {self.priority}"
        if self.other_queues:
            said += f"; ahead of {', '.join(self.other_queues)}"
        return said


@dataclass(frozen=True, slots=True)
class Assignment:
    call: str
    queue: str
    agent: str
    reasons: Reasons


def assign(queues: Iterable[Queue], agents: Iterable[Agent], now: float) -> list[Assignment]:
    """Every offer to make now. Each agent and each call at most once."""
    heads = _Heads(queues)
    free = sorted({agent.name: agent for agent in agents if agent.free}.values(), key=idle_order)
    spare = Counter(name for agent in free for name in agent.queues)
    chosen: list[Assignment] = []
    for agent in free:
        if not heads.left:
            break
        taken = heads.take(agent.queues)
        if taken is not None:
            chosen.append(_assignment(agent, taken, spare[taken.queue], now))
        spare.subtract(agent.queues)
    return chosen


def assign_agent(
    agent: Agent, queues: Iterable[Queue], agents: Iterable[Agent], now: float
) -> Assignment | None:
    """The offer for one agent who just became free; `agents` only counts who else is (for the reasons)."""
    if not agent.free:
        return None
    taken = _Heads(queue for queue in queues if queue.name in agent.queues).take(agent.queues)
    if taken is None:
        return None
    others = sum(
        1 for other in agents if other.free and other.name != agent.name and taken.queue in other.queues
    )
    return _assignment(agent, taken, others + 1, now)


def assign_call(queue: Queue, agents: Iterable[Agent], now: float) -> Assignment | None:
    """The offer for the head of one queue, for instance when a caller just joined it."""
    members = [agent for agent in agents if agent.free and queue.name in agent.queues]
    if not members:
        return None
    taken = _Heads([queue]).take((queue.name,))
    return None if taken is None else _assignment(min(members, key=idle_order), taken, len(members), now)


def idle_order(agent: Agent) -> tuple[float, str]:
    """What agents are sorted by: longest idle first, then by name so that a choice can be repeated."""
    return (agent.idle_since, agent.name)


@dataclass(frozen=True, slots=True)
class _Taken:
    place: Place
    queue: str
    waiting: int
    others: tuple[str, ...]


class _Heads:
    """The next caller of each queue, taken one by one."""

    def __init__(self, queues: Iterable[Queue]) -> None:
        self._rest: dict[str, Iterator[Place]] = {}
        self._head: dict[str, Place] = {}
        self._waiting: dict[str, int] = {}
        self._taken: set[str] = set()
        for queue in queues:
            waiting = queue.waiting
            self._rest[queue.name] = iter(waiting)
            self._waiting[queue.name] = len(waiting)
            self._advance(queue.name)

    @property
    def left(self) -> bool:
        return bool(self._head)

    def take(self, names: tuple[str, ...]) -> _Taken | None:
        """The caller served first among the named queues."""
        candidates = [name for name in names if name in self._head]
        if not candidates:
            return None
        best = min(candidates, key=lambda name: self._head[name].order)
        place = self._head[best]
        others = tuple(name for name in candidates if name != best)
        taken = _Taken(place, best, self._waiting[best], others)
        self._taken.add(place.call)
        self._waiting[best] -= 1
        self._advance(best)
        return taken

    def _advance(self, name: str) -> None:
        place = next((place for place in self._rest[name] if place.call not in self._taken), None)
        if place is None:
            self._head.pop(name, None)
        else:
            self._head[name] = place


def _assignment(agent: Agent, taken: _Taken, free_agents: int, now: float) -> Assignment:
    reasons = Reasons(
        idle_s=agent.idle_s(now),
        free_agents=free_agents,
        wait_s=taken.place.wait_s(now),
        waiting=taken.waiting,
        priority=taken.place.priority,
        other_queues=taken.others,
    )
    return Assignment(taken.place.call, taken.queue, agent.name, reasons)
