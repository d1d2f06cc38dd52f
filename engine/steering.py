"""A hand on a caller who waits: another queue, another priority, an agent who is picked for her.

Her time of waiting stays with her wherever she goes. The longest wait of a queue that she is moved to counts
from then: who moves her wants her served there, not sent on at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine import sound, waiting
from engine.hand_events import AgentPicked, CallerMoved, PriorityChanged
from engine.states import WAITING, State, Trigger
from engine.views import IllegalState, PlaceView, UnknownAgent, UnknownCall
from routing.queue import Place

if TYPE_CHECKING:
    from engine.call import Call
    from engine.switch import Switch
    from routing.queue import QueueSpec


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be changed; None leaves it as it is. agent: "" for whoever is next."""

    by: str
    queue: str | None = None
    priority: int | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    queue: QueueSpec
    by: str


def steer(switch: Switch, call_id: str, order: Order, now: float) -> None:
    """Do all of it, or nothing. Raises UnknownCall, UnknownAgent, and IllegalState with the remedy."""
    call = _call(switch, call_id)
    if call.state not in WAITING or call.queue is None:
        raise IllegalState("she does not wait, or not at this node: nothing of a place is to be changed")
    if order.queue is not None and order.queue not in switch.acd.queues:
        raise IllegalState(f"there is no queue {order.queue}")
    if (order.priority is not None or order.agent) and call.state is State.GREETING:
        raise IllegalState("she is being greeted and has no place yet; ask again in some seconds")
    if order.agent:
        _check_agent(switch, order.agent)
    if order.queue is not None and order.queue != call.queue.name:
        call.fire(Trigger.MOVED, now, Move(switch.acd.queues[order.queue].spec, order.by))
    if order.priority is not None:
        _prioritise(call, order.priority, order.by, now)
    if order.agent is not None:
        _pick(call, order.agent, order.by, now)
    switch.touched(call, now)
    switch.assign(now)


def look(switch: Switch, call_id: str, now: float) -> PlaceView | None:
    """None where she has no place. Raises UnknownCall."""
    call = _call(switch, call_id)
    place = _place(call)
    if call.state is State.GREETING and call.queue is not None:
        place = Place(call.id, now, call.queue.priority)
    if place is None or call.queue is None:
        return None
    return PlaceView(
        queue=call.queue.name,
        position=switch.acd.queues[call.queue.name].position(call.id),
        waited_s=place.wait_s(now),
        priority=place.priority,
        agent=place.picked,
        offered_to=call.offered_agent,
    )


def moved(call: Call, now: float, move: Move) -> None:
    """Take her out of one queue and into another; a phone that rings for her rings no more. Who is being
    greeted hears that to its end, and takes her place there.
    """
    before, place = call.queue, _place(call)
    assert before is not None
    acd = call.switch.acd
    call.note(CallerMoved, now, before=before.name, queue=move.queue.name, by=move.by)
    call.queue = move.queue
    if place is None:
        return
    waiting.call_off(call, now)
    acd.surrender(before.name, call.id)
    raised = place.priority != before.priority
    priority = place.priority if raised else move.queue.priority
    call.clocks.moved = now
    if call.customer is not None:
        sound.treat(call.customer)
    waiting.return_to_place(call, now, replace(place, priority=priority, rank=0, offered_to="", picked=""))


def _call(switch: Switch, call_id: str) -> Call:
    call = switch.calls.get(call_id)
    if call is None:
        raise UnknownCall(f"no call {call_id} is in progress")
    return call


def _place(call: Call) -> Place | None:
    queue = call.switch.acd.queues.get(call.queue.name) if call.queue is not None else None
    return queue.place(call.id) if queue is not None else None


def _check_agent(switch: Switch, name: str) -> None:
    agent = switch.acd.agents.get(name)
    if agent is None:
        raise UnknownAgent(f"no agent is called {name}")
    others = switch.acd.others
    if not (name in others.working() if others is not None else agent.working):
        raise IllegalState(f"{name} takes no calls now: she is logged out, has a break, or has no phone")


def _prioritise(call: Call, priority: int, by: str, now: float) -> None:
    place, queue = _place(call), call.queue
    if place is None or queue is None or place.priority == priority:
        return
    call.switch.acd.order(queue.name, call.id, priority=priority)
    call.note(PriorityChanged, now, queue=queue.name, before=place.priority, priority=priority, by=by)


def _pick(call: Call, agent: str, by: str, now: float) -> None:
    place, queue = _place(call), call.queue
    if place is None or queue is None or place.picked == agent:
        return
    call.switch.acd.order(queue.name, call.id, picked=agent)
    call.note(AgentPicked, now, agent=agent, by=by)
