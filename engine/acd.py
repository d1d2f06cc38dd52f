"""The ACD at work: queues and agents as they are now, moved by routing's pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from engine.events import AgentChanged, Event
from engine.parting import Parting
from engine.places import Places, Tally
from engine.timers import Timer, Timers
from routing import agent as agents
from routing import select
from routing.agent import Agent, AgentEvent, AgentState, Offer
from routing.estimate import Estimate
from routing.queue import Queue, QueueSpec
from routing.select import Assignment


class Acd(Places):
    """Knows callers by their call ids alone; what to do about them is what `assign` returns."""

    def __init__(
        self,
        queues: Iterable[QueueSpec],
        members: Iterable[Agent],
        timers: Timers,
        note: Callable[[Event], None],
        wall: Callable[[float], float],
    ) -> None:
        super().__init__(queues, timers)
        self.agents: dict[str, Agent] = {member.name: member for member in members}
        self._engaged: dict[str, set[str]] = {}
        self._serving: dict[str, tuple[Offer, float]] = {}  # by agent: what was taken, and when
        self._wrap_ups: dict[str, Timer] = {}
        self._note = note
        self.parting = Parting(self)
        self.wall = wall
        self.stretched: Callable[[Agent, float], None] = lambda agent, seconds: None  # a state is over

    def estimated_wait(self, queue: str, position: int, now: float) -> float | None:
        """Seconds until the caller at `position` is answered, None when nobody can say."""
        working = sum(self.staffing(queue))
        return self._estimates[queue].wait_s(position, working, now)

    def staffing(self, queue: str) -> tuple[int, int]:
        """Agents who take calls of the queue now, at all nodes: who are free, and who are not."""
        members = [agent for agent in self.agents.values() if agent.working and queue in agent.queues]
        if self.others is None:
            free, working = sum(agent.free for agent in members), len(members)
        else:
            free, working = self.others.staffing(queue, members)
        return free, working - free

    def states(self) -> Iterator[AgentState]:
        """Of the agents whom no other node has, so that what nodes count adds up."""
        others = self.others
        return (each.state for each in self.agents.values() if others is None or not others.find(each.name))

    # --- agents -----------------------------------------------------------------------------------

    def agent_event(self, name: str, event: AgentEvent, now: float, *, reason: str = "") -> Agent:
        """Move an agent. Raises KeyError for an unknown one, IllegalTransition when the table says no."""
        return self._put(agents.apply(self.agents[name], event, now, reason=reason), now)

    def begin(self, name: str, call: str, now: float) -> None:
        """The agent is in a call that no queue offered. Raises IllegalTransition while an offer rings."""
        if name not in self.agents:
            return
        self._put(agents.apply(self.agents[name], AgentEvent.CALL_BEGAN, now, offer=agents.Offer(call)), now)
        self._engaged.setdefault(name, set()).add(call)

    def resume(self, name: str, call: str, queue: str, now: float) -> None:
        """The agent is in a call that another node carried until now, for `queue` ("" for none)."""
        if name not in self.agents:
            return
        offer = self.queues[queue].spec.offer(call) if queue in self.queues else Offer(call)
        try:
            self._put(agents.apply(self.agents[name], AgentEvent.CALL_BEGAN, now, offer=offer), now)
        except agents.IllegalTransition:  # a phone of hers rings here: that call goes back to its queue
            return
        self._engaged.setdefault(name, set()).add(call)
        if offer.queue:
            self._serving[name] = (offer, now)

    def release(self, name: str, call: str, now: float) -> None:
        """The agent's part in the call is over; safe when it was already."""
        if self._elsewhere(name, call, now):
            return
        engaged = self._engaged.get(name)
        if engaged is None or call not in engaged:
            return
        engaged.discard(call)
        taken = self._serving.get(name)
        if taken is not None and (taken[0].call == call or not engaged):
            offer, since = self._serving.pop(name)
            busy_s = now - since + offer.wrap_up_s
            self._estimates[offer.queue] = self._estimates[offer.queue].served(busy_s, now)
        if engaged:
            return
        del self._engaged[name]
        if self.agents[name].state in (AgentState.OFFERED, AgentState.TALKING):
            self.agent_event(name, AgentEvent.CALL_ENDED, now)
        self.parting.see_off(name, now)

    def missed(self, name: str, call: str, now: float, *, refused: bool) -> None:
        if self._elsewhere(name, call, now):
            return
        engaged = self._engaged.pop(name, set())
        engaged.discard(call)
        if self.agents[name].state is AgentState.OFFERED:
            self.agent_event(name, AgentEvent.REFUSE if refused else AgentEvent.MISS, now)
        self.parting.see_off(name, now)

    def move(self, name: str, old: str, new: str) -> None:
        """The agent's leg went over from one call to another."""
        engaged = self._engaged.get(name)
        if engaged is not None and old in engaged:
            engaged.discard(old)
            engaged.add(new)

    def accepted(self, name: str, call: str, now: float) -> None:
        """The agent took the offered call."""
        if self._elsewhere(name, call, now):
            return
        agent = self.agent_event(name, AgentEvent.ACCEPT, now)
        if agent.offer is not None and agent.offer.queue:
            self._serving[name] = (agent.offer, now)

    def grant(self, name: str, call: str, queue: str, now: float) -> bool:
        """Reserve an agent for a caller of another node, as `assign` does for ours; False when she is not
        free.
        """
        agent, known = self.agents.get(name), self.queues.get(queue)
        if agent is None or not agent.free or known is None:
            return False
        self._offer(agent, call, known.spec, now)
        return True

    def _elsewhere(self, name: str, call: str, now: float) -> bool:
        """Whether the agent is another node's; what becomes of her that node knows."""
        if self.others is None or not self.others.promised(name, call):
            return False
        self.others.done(name, now)
        self._dirty = True
        return True

    def calls_of(self, name: str) -> frozenset[str]:
        return frozenset(self._engaged.get(name, ()))

    def _put(self, agent: Agent, now: float) -> Agent:
        before = self.agents[agent.name]
        self.agents[agent.name] = agent
        if agent.state is not before.state:
            self.stretched(before, now - before.since)
            self._note(
                AgentChanged(
                    at=self.wall(now),
                    call=agent.call,
                    agent=agent.name,
                    state=agent.state,
                    reason=agent.reason,
                )
            )
            self._time_wrap_up(agent)
        if self.others is not None:
            self.others.agent_changed(agent)
        if (agent.free and not before.free) or (before.working and not agent.working):
            self._dirty = True  # the latter: somebody may have been picked who goes
        return agent

    def _time_wrap_up(self, agent: Agent) -> None:
        timer = self._wrap_ups.pop(agent.name, None)
        if timer is not None:
            timer.cancel()
        if agent.state is AgentState.WRAP_UP:
            when = agents.next_timeout(agent)
            assert when is not None
            self._wrap_ups[agent.name] = self.timers.at(
                when, lambda now: void(self.agent_event(agent.name, AgentEvent.WRAP_UP_OVER, now))
            )

    # --- who talks to whom next -------------------------------------------------------------------

    def assign(self, now: float) -> list[Assignment]:
        """Reserve agents for callers until no free agent is left beside a caller whom she could serve."""
        if not self._dirty:
            return []
        self._dirty = False
        waiting = [queue for queue in self.queues.values() if queue.head is not None]
        if not waiting:
            return []
        everybody = self.agents.values()
        others = self.others
        if others is None:
            chosen = select.assign(waiting, everybody, now)
        else:
            chosen = others.assign(waiting, everybody, now)
        for choice in chosen:
            self._set(self.queues[choice.queue].offered(choice.call, choice.agent), choice.call)
            if others is not None and choice.node:
                others.promise(choice.agent, choice.call)
            else:
                self._offer(self.agents[choice.agent], choice.call, self.queues[choice.queue].spec, now)
        return chosen

    def _offer(self, agent: Agent, call: str, spec: QueueSpec, now: float) -> None:
        self._put(agents.apply(agent, AgentEvent.OFFER, now, offer=spec.offer(call)), now)
        self._engaged.setdefault(agent.name, set()).add(call)

    # --- another configuration (engine/parting.py) ------------------------------------------------

    def open(self, spec: QueueSpec) -> None:
        """There is this queue, on these terms; who waits in it waits on."""
        self.queues[spec.name] = replace(self.queues.get(spec.name, Queue(spec)), spec=spec)
        self.tallies.setdefault(spec.name, Tally())
        self._estimates.setdefault(spec.name, Estimate())

    def employ(self, member: Agent, queues: Sequence[str], now: float) -> None:
        """There is this agent, for these queues; one who is known stays in her state."""
        known = self.agents.setdefault(member.name, member)
        self._put(replace(known, queues=tuple(queues), auto_login=member.auto_login), now)

    def dismiss(self, name: str, now: float) -> None:
        """There is no such agent any more."""
        if self.agents[name].state is not AgentState.LOGGED_OUT:
            self.agent_event(name, AgentEvent.LOGOUT, now, reason="removed")
        del self.agents[name]
        if self.others is not None:
            self.others.agent_gone(name)


def void(_: object) -> None:
    """Drop a result, where a callback must return None."""
