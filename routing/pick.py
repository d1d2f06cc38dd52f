"""Callers for whom somebody has picked the agent by hand.

Such a caller is offered to that agent alone, before all others whom she could serve, whatever her queues are;
of two who have the same pick the first in order comes first. A pick counts while the agent works
(routing.agent): else its caller is offered to anybody, as if nobody had picked. It is good for one offer
(routing.queue).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from routing.agent import Agent
from routing.queue import Place, Queue


class Picked(NamedTuple):
    """One who can be offered now to whom she was picked for."""

    place: Place
    queue: str
    agent: Agent


class Picks(NamedTuple):
    """now: offers to be made. apart: calls that anybody else's offers have to leave alone, those of `now`
    too.
    """

    now: tuple[Picked, ...] = ()
    apart: frozenset[str] = frozenset()


NONE = Picks()


def picks(queues: Iterable[Queue], free: Iterable[Agent], working: Callable[[], Collection[str]]) -> Picks:
    """What was picked by hand comes to now. working: names of the agents who do, at whatever node; asked only
    where anybody was picked.
    """
    picked = [(place, queue.name) for queue in queues for place in queue.places if place.picked]
    if not picked:
        return NONE
    there = working()
    waiting = [(place, queue) for place, queue in picked if place.waits and place.picked in there]
    agents = {agent.name: agent for agent in free}
    now: list[Picked] = []
    for place, queue in sorted(waiting, key=lambda each: (each[0].order, each[1])):
        agent = agents.pop(place.picked, None)
        if agent is not None:
            now.append(Picked(place, queue, agent))
    return Picks(tuple(now), frozenset(place.call for place, _ in waiting))
