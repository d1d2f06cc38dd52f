"""Who talks to whom next: pure assignment, and the reasons for it.

All agents prefer callers in the same order (`Place.order`) and all callers prefer agents in the same order
(longest idle), so there is exactly one stable matching, and serving the longest-idle agent first finds it:
serving the first caller first would find the same one. No free agent is left beside a caller she could serve,
and nobody who waited longer is passed over by an agent who could have taken her.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from routing.agent import Agent
from routing.pick import picks
from routing.queue import Order, Place, Queue


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why this agent and this caller, as numbers a supervisor can check. Durations in seconds. picked: by
    hand, for this agent.
    """

    idle_s: float
    free_agents: int
    wait_s: float
    waiting: int
    priority: int = 0
    other_queues: tuple[str, ...] = ()
    node: str = ""
    rtt_ms: float = 0.0
    picked: bool = False

    def __str__(self) -> str:
        longest = f", longest of {self.free_agents}" if self.free_agents > 1 else ", the only one free"
        first = f"first of {self.waiting}" if self.waiting > 1 else "the only one waiting"
        said = f"idle {self.idle_s:.0f} s{longest}; caller {first}, waited {self.wait_s:.0f} s"
        if self.priority:
            said += f", priority {self.priority}"
        if self.other_queues:
            said += f"; ahead of {', '.join(self.other_queues)}"
        if self.picked:
            said += "; the agent was picked by hand"
        if self.node:
            said += f"; at node {self.node}, {self.rtt_ms:.0f} ms away"
        return said


@dataclass(frozen=True, slots=True)
class Assignment:
    """An offer to make. node: the other node where the agent is, "" for this one."""

    call: str
    queue: str
    agent: str
    reasons: Reasons
    node: str = ""


def assign(queues: Iterable[Queue], agents: Iterable[Agent], now: float) -> list[Assignment]:
    """Every offer to make now. Each agent and each call at most once."""
    queues, agents = list(queues), list(agents)
    members = {agent.name: agent for agent in agents if agent.free}
    by_hand = picks(queues, members.values(), lambda: {each.name for each in agents if each.working})
    heads = _Heads(queues, by_hand.apart)
    chosen: list[Assignment] = []
    for place, name, agent in by_hand.now:
        del members[agent.name]
        chosen.append(Assignment(place.call, name, agent.name, _picked(place, name, agent, queues, now)))
    free = sorted(members.values(), key=idle_order)
    spare = Counter(name for agent in free for name in agent.queues)
    for agent in free:
        if not heads.left:
            break
        queue = heads.best(agent.queues)
        if queue:
            chosen.append(heads.take(queue, agent, spare[queue], now))
        for name in agent.queues:
            spare[name] -= 1
    return chosen


def assign_agent(
    agent: Agent, queues: Iterable[Queue], agents: Iterable[Agent], now: float
) -> Assignment | None:
    """The offer for one agent who just became free; `agents` only counts who else is, for the reasons."""
    if not agent.free:
        return None
    heads = _Heads(queue for queue in queues if queue.name in agent.queues)
    best = heads.best(agent.queues)
    if not best:
        return None
    others = sum(1 for each in agents if each.free and each.name != agent.name and best in each.queues)
    return heads.take(best, agent, others + 1, now)


def assign_call(queue: Queue, agents: Iterable[Agent], now: float) -> Assignment | None:
    """The offer for the head of one queue, for instance when a caller just joined it."""
    members = [agent for agent in agents if agent.free and queue.name in agent.queues]
    heads = _Heads([queue])
    if not members or not heads.left:
        return None
    return heads.take(queue.name, min(members, key=idle_order), len(members), now)


def _picked(place: Place, name: str, agent: Agent, queues: Iterable[Queue], now: float) -> Reasons:
    waiting = next(len(queue.waiting) for queue in queues if queue.name == name)
    return Reasons(agent.idle_s(now), 1, place.wait_s(now), waiting, place.priority, picked=True)


def idle_order(agent: Agent) -> tuple[float, str]:
    """What agents are sorted by: longest idle first, then by name so that a choice can be repeated."""
    return (agent.idle_since, agent.name)


class _Heads:
    """The callers of each queue from its head on, taken one by one. apart: those who are left out."""

    def __init__(self, queues: Iterable[Queue], apart: frozenset[str] = frozenset()) -> None:
        self._rest: dict[str, list[Place]] = {}  # the head is last
        self._order: dict[str, Order] = {}  # of the head
        self._taken: set[str] = set()
        calls: Counter[str] = Counter()
        for queue in queues:
            waiting = queue.waiting[::-1]
            self._rest[queue.name] = [p for p in waiting if p.call not in apart] if apart else list(waiting)
            self._settle(queue.name)
            calls.update(place.call for place in self._rest[queue.name])
        self._twice = {call for call, queues_of in calls.items() if queues_of > 1}

    @property
    def left(self) -> bool:
        return bool(self._order)

    def best(self, names: tuple[str, ...]) -> str:
        """The queue, of those named, whose head is served first; empty when nobody waits in any."""
        best, soonest = "", None
        for name in names:
            order = self._order.get(name)
            if order is not None and (soonest is None or order < soonest):
                best, soonest = name, order
        return best

    def take(self, queue: str, agent: Agent, free_agents: int, now: float) -> Assignment:
        """Give the head of `queue` to `agent`, who is the longest idle of `free_agents`."""
        rest, order = self._rest[queue], self._order
        place, waiting = rest.pop(), len(rest) + 1
        reasons = Reasons(
            idle_s=agent.idle_s(now),
            free_agents=free_agents,
            wait_s=place.wait_s(now),
            waiting=waiting,
            priority=place.priority,
            other_queues=tuple([name for name in agent.queues if name in order and name != queue]),
        )
        self._taken.add(place.call)
        for name in self._rest if place.call in self._twice else (queue,):
            self._settle(name)
        return Assignment(place.call, queue, agent.name, reasons)

    def _settle(self, queue: str) -> None:
        """Note the new head; a call that waits in two queues is passed over once it is taken in one."""
        rest = self._rest[queue]
        while rest and rest[-1].call in self._taken:
            rest.pop()
        if rest:
            self._order[queue] = rest[-1].order
        else:
            self._order.pop(queue, None)
