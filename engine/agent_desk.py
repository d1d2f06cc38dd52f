"""Agents' desks: what an agent's page shows, made afresh from the switch, and who is told when it changes.

A page is told all of a desk at a time, never a difference, so that one that was away or slow is right again
with the next look. What is said to an agent in writing (captions, help, a supervisor's words) cannot be
looked up again and waits in its watch, the oldest giving way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine import guest, supervision
from engine.assist_views import Help
from engine.call import Call
from engine.events import CallConnected, CallRecord, CallWrappedUp, Event, Side
from engine.sight import leg_view
from engine.speech.sight import speech_view
from engine.views import Caption, DeskCall, DeskQueue, DeskView, IllegalState, Note, Served, UnknownCall
from routing import agent as agents
from routing.agent import AgentState

if TYPE_CHECKING:
    from engine.switch import Switch

NOTES = 64  # written words that wait for a page that is slow
SERVED = 8  # calls of an agent that she may still write about
WATCHES = 5  # pages that may look at one desk at a time


class Watch:
    """One page that looks at a desk. wake: called when there is something new; it may look a little later."""

    def __init__(self, agent: str, wake: Callable[[], None]) -> None:
        self.agent = agent
        self.wake = wake
        self.notes: deque[Note | Caption | Help] = deque(maxlen=NOTES)


class TooManyPages(IllegalState):
    """So many pages show this agent's desk already."""


class Desks:
    """Every page that looks at a desk, and what each agent has served."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._watches: dict[str, list[Watch]] = {}
        self._served: dict[str, deque[Served]] = {}
        switch.observers.append(self.notice)

    def open(self, agent: str, wake: Callable[[], None]) -> Watch:
        """Begin to look. Raises TooManyPages."""
        looking = self._watches.setdefault(agent, [])
        if len(looking) >= WATCHES:
            raise TooManyPages(f"{len(looking)} pages are signed in as {agent}; close one")
        watch = Watch(agent, wake)
        looking.append(watch)
        return watch

    def close(self, watch: Watch) -> None:
        looking = self._watches.get(watch.agent, [])
        if watch in looking:
            looking.remove(watch)
        if not looking:
            self._watches.pop(watch.agent, None)

    def say(self, agent: str, what: Note | Caption | Help) -> int:
        """Tell it to every page of the agent; how many there are."""
        looking = self._watches.get(agent, ())
        for watch in looking:
            if isinstance(what, Caption):
                what.wait(watch.notes)
            else:
                watch.notes.append(what)
            watch.wake()
        return len(looking)

    def notice(self, event: Event | CallRecord) -> None:
        """Something happened: wake the pages that it may show on."""
        if isinstance(event, CallConnected) and event.agent:
            self._remember(event)
        if not self._watches or isinstance(event, CallRecord):
            return
        for name in {getattr(event, "agent", ""), *self._in(event.call)}:
            for watch in self._watches.get(name, ()):
                watch.wake()

    def _in(self, call: str) -> list[str]:
        """Agents who are in a call, or rung by it."""
        found = self._switch.calls.get(call)
        return [] if found is None else [found.offered_agent, *(leg.agent for leg in found.legs)]

    def _remember(self, event: CallConnected) -> None:
        call = self._switch.calls.get(event.call)
        if call is None:
            return
        kept = self._served.setdefault(event.agent, deque(maxlen=SERVED))
        if not any(each.call == call.id for each in kept):
            title = call.queue.title or call.queue.name if call.queue else ""
            kept.append(Served(call=call.id, who=call.caller, name=call.display, title=title))

    # --- what pages show and do -------------------------------------------------------------------

    def look(self, name: str, now: float) -> DeskView:
        """All of an agent's desk. Raises KeyError for an unknown agent."""
        switch = self._switch
        agent = switch.acd.agents[name]
        ids = dict.fromkeys([agent.call, *sorted(switch.acd.calls_of(name))])
        calls = [switch.calls[id] for id in ids if id in switch.calls]
        until = agents.next_timeout(agent)
        wrapping = agent.state is AgentState.WRAP_UP and agent.offer is not None
        return DeskView(
            agent=name,
            name=_display(switch, name),
            state=agent.state,
            since=switch.wall(agent.since),
            until=switch.wall(until) if until is not None else None,
            reason=agent.reason,
            pending=str(agent.pending or ""),
            registered=agent.registered,
            misses=agent.misses,
            calls=tuple(_call(call, name, now) for call in calls),
            last=self._last(name, agent.offer.call) if wrapping and agent.offer else None,
            queues=tuple(self._queue(queue) for queue in agent.queues),
        )

    def _last(self, name: str, call: str) -> Served | None:
        return next((each for each in self._served.get(name, ()) if each.call == call), None)

    def _queue(self, name: str) -> DeskQueue:
        queue = self._switch.acd.queues[name]
        joined = min((place.joined_at for place in queue.places), default=None)
        oldest = self._switch.wall(joined) if joined is not None else None
        return DeskQueue(name=name, title=queue.spec.title or name, waiting=len(queue), oldest=oldest)

    def wrap_up(self, name: str, call: str, outcome: str, notes: str, now: float) -> None:
        """Keep what an agent wrote about a call that she talked in. Raises UnknownCall."""
        if self._last(name, call) is None:
            raise UnknownCall(f"{name} has not talked in a call {call} lately")
        at = self._switch.wall(now)
        self._switch.note(CallWrappedUp(at=at, call=call, agent=name, outcome=outcome, notes=notes))


def _display(switch: Switch, name: str) -> str:
    """What she is called; her own name where the configuration has lost her in the middle of a call."""
    known = switch.config.agents.get(name)
    return known.display or name if known is not None else name


def popped(call: Call, template: str) -> str:
    """The page about a call; whatever a caller's phone says of itself stays within one value of the URL."""
    queue = call.queue.name if call.queue else ""
    values = {"number": call.caller, "name": call.display, "call": call.id, "queue": queue}
    values |= {"language": call.language, "market": call.market, "called": call.number}
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


def _call(call: Call, name: str, now: float) -> DeskCall:
    """A call as `name` sees it: the other one is who she called, else who called."""
    clocks, wall = call.clocks, call.switch.wall
    outgoing = call.customer is not None and call.customer.agent == name
    ringing = call.attempt.leg if call.attempt is not None else None
    far = (call.party or ringing) if outgoing else None
    recording = call.recording
    recorded = recording is not None and not recording.done and bool(recording.files)
    queue, queued = call.queue, clocks.queued
    waited = None if queued is None else (now if clocks.connected is None else clocks.connected) - queued
    return DeskCall(
        id=call.id,
        state=call.state,
        outgoing=outgoing,
        who=(far.name if far is not None and far.name else call.number) if outgoing else call.caller,
        name="" if outgoing else call.display,
        number=call.number,
        queue=queue.name if queue else "",
        title=(queue.title or queue.name) if queue else "",
        language=call.language,
        market=call.market,
        since=wall(clocks.arrived),
        connected=wall(clocks.connected) if clocks.connected is not None else None,
        waited_s=round(waited, 1) if waited is not None else None,
        why=call.chosen.reasons if call.chosen is not None and call.chosen.agent == name else None,
        misses=call.misses,
        held_by=tuple(sorted(call.held_by)),
        recording="" if not recorded else "paused" if recording and recording.paused else "on",
        legs=tuple(leg_view(leg) for leg in call.legs if leg is call.customer or leg is call.party),
        speech=speech_view(call, Side.CUSTOMER if outgoing else Side.AGENT),
        guest=guest.view(call.guest) if call.guest is not None else None,
        person=queue is not None and bool(queue.speech.interpreter),
        pop=popped(call, queue.screen_pop) if queue is not None and not outgoing else "",
        supervisors=tuple(
            each
            for each in supervision.views(call)
            if each.announced and each.standing == supervision.Standing.IN
        ),
    )
