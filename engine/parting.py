"""Queues and agents that another configuration has no more, while somebody still needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.acd import Acd
    from routing.agent import Agent
    from routing.queue import QueueSpec


class Parting:
    """closing: queues that are gone, each with the calls that may yet need it. leaving: agents who go when
    their call is over.
    """

    def __init__(self, acd: Acd) -> None:
        self._acd = acd
        self.closing: dict[str, set[str]] = {}
        self.leaving: set[str] = set()

    def reconfigure(
        self, queues: Iterable[QueueSpec], members: Iterable[Agent], begun: Iterable[str], now: float
    ) -> None:
        """Other terms, queues and people. Places stay, and states; nobody is taken out of a call.

        begun: calls that may have been sent to a queue that is gone: it stays, with its agents, until the
        last of them has been through (`settle`). An agent who is gone is gone after her call.
        """
        acd = self._acd
        specs = {spec.name: spec for spec in queues}
        for name in acd.queues.keys() - specs.keys() - self.closing.keys():
            self.closing[name] = set(begun)
        for name, spec in specs.items():
            self.closing.pop(name, None)
            acd.open(spec)
        people = {member.name: member for member in members}
        for name, member in people.items():
            known = acd.agents.get(name, member)
            kept = [each for each in known.queues if each in self.closing]
            acd.employ(member, [*member.queues, *kept], now)
        self.leaving = acd.agents.keys() - people.keys()
        for name in tuple(self.leaving):
            self.see_off(name, now)
        acd.look_again()
        if acd.others is not None:
            acd.others.telling.whole = True

    def settle(self, waiting: Callable[[str], bool], now: float) -> None:
        """Let queues go that nobody can come to any more. waiting: whether a call may yet need a queue."""
        acd = self._acd
        for name, calls in tuple(self.closing.items()):
            calls.intersection_update([call for call in calls if waiting(call)])
            if calls:
                continue
            del self.closing[name], acd.queues[name]
            for agent in tuple(acd.agents.values()):
                if name in agent.queues:
                    acd.employ(agent, [each for each in agent.queues if each != name], now)

    def see_off(self, name: str, now: float) -> None:
        """An agent who is gone from the configuration goes as soon as she is in no call."""
        if name in self.leaving and not self._acd.calls_of(name):
            self.leaving.discard(name)
            self._acd.dismiss(name, now)
