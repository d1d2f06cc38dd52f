"""Who talks to whom next where several nodes share queues: the nearest agents are preferred.

All agents prefer callers in the same order (`Place.order`), callers prefer agents by how long they were idle
and how far they are. So there is exactly one stable matching, and serving the first caller first finds it:
nobody who waited longer is passed over by an agent whom she could have had. Every node finds the same from
the same, and makes the offers of its own callers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from routing.agent import Agent
from routing.pick import picks
from routing.queue import Place, Queue
from routing.select import Assignment, Reasons

IDLE_S_PER_MS = 3.0  # a millisecond of round trip weighs as much as this long a rest


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways between nodes, as (a caller's node, an agent's node). unknown_ms: of a way that was not
    measured. cut: those that do not lead there at present. here: this node, which places and agents call "".
    """

    here: str
    rtt_ms: Mapping[tuple[str, str], float] = field(default_factory=dict)
    cut: frozenset[tuple[str, str]] = frozenset()
    idle_s_per_ms: float = IDLE_S_PER_MS
    unknown_ms: float = 50.0

    def way(self, place: Place, agent: Agent) -> tuple[str, str]:
        return place.node or self.here, agent.node or self.here

    def leads(self, place: Place, agent: Agent) -> bool:
        return self.way(place, agent) not in self.cut

    def rtt(self, place: Place, agent: Agent) -> float:
        way = self.way(place, agent)
        return 0.0 if way[0] == way[1] else self.rtt_ms.get(way, self.unknown_ms)

    def rank(self, place: Place, agent: Agent) -> tuple[float, str]:
        """What a caller sorts agents by: the least first."""
        return (agent.idle_since + self.idle_s_per_ms * self.rtt(place, agent), agent.name)


def assign_across(
    queues: Iterable[Queue],
    agents: Iterable[Agent],
    now: float,
    ways: Ways,
    passed: frozenset[tuple[str, str]] = frozenset(),
    working: Callable[[], Collection[str]] = frozenset,
) -> list[Assignment]:
    """Every offer to be made now, by whichever node has the caller; each agent and each call at most once.

    passed: (call, agent) that are not to be tried. working: agents of all nodes who do, where anybody was
    picked by hand.
    """
    by_name = {queue.name: queue for queue in queues}
    free = {agent.name: agent for agent in agents if agent.free}
    by_hand = picks(by_name.values(), free.values(), working)
    taken: set[str] = set(by_hand.apart)
    chosen: list[Assignment] = []
    for place, name, agent in by_hand.now:
        if (place.call, agent.name) not in passed and ways.leads(place, agent):
            del free[agent.name]
            why = replace(_reasons(place, agent, 1, len(by_name[name].waiting), now, ways), picked=True)
            chosen.append(Assignment(place.call, name, agent.name, why, agent.node))
    wanted = {name for agent in free.values() for name in agent.queues}
    waiting = [(place, name) for name in wanted & by_name.keys() for place in by_name[name].waiting]
    for place, name in sorted(waiting, key=lambda each: (each[0].order, each[1])):
        if not free:
            break
        fit = [
            agent
            for agent in free.values()
            if name in agent.queues and (place.call, agent.name) not in passed and ways.leads(place, agent)
        ]
        if fit and place.call not in taken:
            agent = min(fit, key=lambda each: ways.rank(place, each))
            taken.add(place.call)
            del free[agent.name]
            waits = len(by_name[name].waiting)
            why = _reasons(place, agent, len(fit), waits, now, ways)
            chosen.append(Assignment(place.call, name, agent.name, why, agent.node))
    return chosen


def _reasons(place: Place, agent: Agent, free: int, waiting: int, now: float, ways: Ways) -> Reasons:
    return Reasons(
        idle_s=agent.idle_s(now),
        free_agents=free,
        wait_s=place.wait_s(now),
        waiting=waiting,
        priority=place.priority,
        node=agent.node,
        rtt_ms=ways.rtt(place, agent),
    )
