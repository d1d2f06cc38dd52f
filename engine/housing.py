"""Which media worker a leg lives in: sound passes within a worker alone, so that a call's legs live together.

A new call goes to the worker with most room, or to that of the caller's other call while there is room, and
whoever is rung for a call to its customer's. Where two calls of different workers are joined all the same,
the party's leg is opened anew in the customer's worker. It sends from there at once, and its phone is told
the new port by a re-INVITE: both are heard as soon as that is answered. A phone that has an offer of its own
under way, to a node that is gone perhaps, takes none before that has run out (RFC 3261 sections 14.2 and
17.1.1.2): it is asked for as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine import absence, seat, silence
from engine.events import EndReason, Side
from engine.leg import Media
from sip.events import Reanswered, ReofferFailed

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch

log = structlog.get_logger("housing")

PENDING_S = 40.0  # a phone's own offer that nobody answers is over after 32 s (timers B and F)
AGAIN_S = 1.0
NOWHERE = -1  # no worker is up: what is sent there is forgotten


def place(switch: Switch, call: Call) -> int:
    """The worker of a call's next leg."""
    home = call.customer or next(iter(call.legs), None)
    if home is not None:
        return home.worker
    others = (switch.calls[other] for other in switch.acd.calls_of(call.caller) if other in switch.calls)
    near = next((leg.worker for other in others for leg in other.legs), None)
    found = switch.media.place(near)
    return NOWHERE if found is None else found


def gather(call: Call, leg: Leg, now: float) -> None:
    """Bring a connected leg to the customer's worker, if it is not there; or the customer to it, if that is
    a browser: one port is all that its door leads to.
    """
    home = call.customer
    assert home is not None
    if leg.worker == home.worker:
        return
    if leg.door is not None:
        leg, home = home, leg
    if leg.door is not None:
        log.warning("two browsers in two workers cannot be joined", call=call.id)
        call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now)
        return
    move(leg, home.worker)


def move(leg: Leg, worker: int) -> None:
    """Open the leg anew in another worker."""
    log.info("leg moves to another worker", call=leg.call.id, leg=leg.number, worker=worker)
    silence.leave(leg)
    leg.close()
    leg.call.switch.renumber(leg)
    leg.worker, leg.silent, leg.stats, leg.moving = worker, False, None, True
    leg.open()


def opened(leg: Leg, now: float) -> None:
    """The leg has its new port: tell the phone."""
    leg.moving_until = leg.moving_until or now + PENDING_S
    if leg.session is not None:
        other = leg.call.other(leg)
        offer = leg.offer(other.codec, other.pauses) if other else leg.offer()
        leg.session.reoffer(offer, now=now)


def answered(leg: Leg, now: float) -> None:
    """The phone knows the new port."""
    if leg.media is Media.OPEN:
        leg.moving, leg.moving_until = False, 0.0
        other = leg.call.other(leg)
        if other is not None and other.lulled:
            absence.reunite(leg.call)


def refused(leg: Leg, event: Reanswered | ReofferFailed, now: float) -> None:
    """The phone goes on talking to a port that is no more, and to nobody where it was at another node."""
    if isinstance(event, ReofferFailed) and event.status == 491 and now < leg.moving_until:
        other = leg.call.other(leg)
        if other is not None:
            absence.comfort(leg.call, other)
        leg.call.arm_action(f"move {leg.number}", AGAIN_S, lambda at: opened(leg, at), now)
        return
    log.warning("phone refused its new port", call=leg.call.id, leg=leg.number)
    if not seat.gone(leg, now):
        leg.call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now)
