"""A supervisor's hand as the console has it: beside a call, and on the place of a caller who waits."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Act, Place, Told, whole
from engine.hand import PAGE
from engine.steering import Order
from engine.supervision import Mode
from engine.supervision_views import SupervisorView
from engine.views import CallView, IllegalState, UnknownAgent, UnknownCall

Fields = Mapping[str, str]
HIGHEST = 100  # priority
# why a page cannot be her phone, as it tells by itself (web/hand.js)
UNHEARD = ("denied", "missing", "busy", "insecure", "away", "full", "failed")

log = structlog.get_logger("console")


def mine(call: CallView, who: str) -> SupervisorView | None:
    """Where somebody sits beside a call, by whichever phone she asked for."""
    return next((each for each in call.supervisors if each.by == who), None)


def sit(mode: Mode) -> Act:
    """What has somebody sit beside the call in this mode, whether she is there already or is to be rung."""

    async def act(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
        call = desk.view.call(place.id)
        if call is None:
            return Told("call.over", bad=True)
        hand, there = desk.view.hand, mine(call, who.name)
        try:
            if there is not None:
                hand.change_mode(call.id, there.at, mode, who.name)
            else:
                at = given.get("at", "").strip().lower()[:64] or PAGE
                hand.supervise(call.id, at, mode, who.name, auto_answer=True)
        except UnknownCall:
            return Told("call.over", bad=True)
        except IllegalState as fault:
            return Told("beside.refused", {"why": str(fault)}, bad=True)
        log.info("a call is supervised by hand", call=call.id, mode=mode, by=who.name)
        return Told()

    return act


async def leave(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Of the call that is named, for one may leave from any page; of the one that is looked at, without a
    name.
    """
    call = desk.view.call(given.get("call", "")[:200] or place.id)
    there = mine(call, who.name) if call is not None else None
    if call is None or there is None:
        return Told("call.over", bad=True)
    try:
        desk.view.hand.send_off(call.id, there.at, who.name)
    except (UnknownCall, IllegalState):
        return Told("call.over", bad=True)
    return Told()


async def unheard(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Her page cannot be a phone, and says why."""
    why = given.get("why", "")
    return Told(f"unheard.{why if why in UNHEARD else 'failed'}", bad=True)


async def steer(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """What is left as it was changes nothing."""
    try:
        at = desk.view.hand.place(place.id)
        if at is None:
            return Told("place.gone", bad=True)
        queue, priority, agent = (given.get(name, "") for name in ("queue", "priority", "agent"))
        raised = whole(priority, HIGHEST)
        if priority and raised is None:
            return Told("place.bad_priority", bad=True)
        order = Order(
            who.name,
            queue=queue if queue and queue != at.queue else None,
            priority=raised if raised != at.priority else None,
            agent=agent if agent != at.agent else None,
        )
        desk.view.hand.steer(place.id, order)
    except UnknownCall:
        return Told("call.over", bad=True)
    except (IllegalState, UnknownAgent) as fault:
        return Told("beside.refused", {"why": str(fault)}, bad=True)
    log.info("a place was changed by hand", call=place.id, by=who.name)
    return Told("place.done")
