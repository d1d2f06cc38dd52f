"""A browser that is out of reach: its place in the call is kept for a while, and the other side is told.

Its radio or its page is gone when it neither sends sound (RtpStopped) nor answers the gate's checks
(DoorQuiet), when the gate has given it up, or when it said good-bye to the sound alone and may come back. It
is there again when either sound or an answer comes, from wherever; or as another leg that takes this one's
place (engine/transfer.py). After `webrtc.resume_s` the call ends as `not_resumed`. A leg to another node that
died is out of reach in the same way: engine/halves.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.bridge import join, part
from engine.events import EndReason, LegGone, LegReturned, Side
from engine.states import State, Trigger

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg

NOISE = "comfort-noise"
TOLD = "connection-interrupted"

log = structlog.get_logger("absence")


def reconsider(leg: Leg, now: float) -> None:
    """Its sound or its answers stopped, or came again."""
    if leg.door is None:
        return
    if leg.silent and leg.door.quiet:
        gone(leg, now)
    else:
        found(leg, now)


def gone(leg: Leg, now: float) -> bool:
    """Keep the leg's place; False where none is kept."""
    call = leg.call
    limit = call.switch.config.media.webrtc.resume_s
    if leg.away:
        return True
    if not (limit or leg.bereft) or not leg.connected:
        return False
    if call.ending or leg not in (call.customer, call.party):
        return False
    log.info("out of reach", call=call.id, leg=leg.number, node=leg.node)
    call.note(LegGone, now, leg=leg.number, side=leg.side)
    if leg.bereft:
        leg.away = True  # engine/halves.py sees to how long
    else:
        _wait(leg, now + limit, now)
    pass_over(call)
    reunite(call)
    return True


def hand_on(old: Leg, new: Leg, now: float) -> None:
    """`new` comes in the place of one that was away: it is there once it is reached, and has as long as that
    one had left.
    """
    if old.away and new.door is not None and new.door.keys is None:
        _wait(new, old.away_until, now)


def _wait(leg: Leg, until: float, now: float) -> None:
    leg.away, leg.away_until = True, until
    leg.call.arm_action(_timer(leg), max(0.0, until - now), lambda at: _expired(leg, at), now)


def found(leg: Leg, now: float) -> None:
    """It is there again."""
    if leg.away:
        leave(leg)
        leg.call.note(LegReturned, now, leg=leg.number, side=leg.side)
        reunite(leg.call)


def leave(leg: Leg) -> None:
    """Nobody waits for the leg any more: it is there, has been replaced, or goes over to another call."""
    call, was, leg.away = leg.call, leg.away, False
    call.disarm(_timer(leg))
    if was and leg is call.customer and call.state is State.QUEUED and call.queue is not None:
        call.switch.acd.restore(call.queue.name, call.id)


def pass_over(call: Call) -> None:
    """A caller who waits in a queue and is out of reach keeps her place, and no phone rings for her."""
    customer = call.customer
    if call.state is State.QUEUED and call.queue is not None and customer is not None and customer.away:
        call.switch.acd.pass_over(call.queue.name, call.id)


def reunite(call: Call) -> None:
    """Both sides hear each other; while one is out of reach the other hears that."""
    customer, party = call.customer, call.party
    if call.state is not State.TALKING or customer is None or party is None:
        return
    if not (customer.away or party.away):
        join(call, customer, party)
        return
    part(call, customer, party)
    for leg in (customer, party):
        if leg.away:
            call.hush(leg)
        else:
            comfort(call, leg)


def comfort(call: Call, leg: Leg) -> None:
    """It hears that the other side is out of reach, and noise, so that it does not take the line for dead."""
    if call.state is State.TALKING and not leg.lulled:
        call.play(leg, (NOISE,), loop=True)
        call.play(leg, (TOLD,), over=True)
        leg.lulled = True


def _expired(leg: Leg, now: float) -> None:
    call = leg.call
    if leg is call.customer:
        call.end(Side.ENGINE, EndReason.NOT_RESUMED, now)
    else:
        call.fire(Trigger.PARTY_LEFT, now, EndReason.NOT_RESUMED)


def _timer(leg: Leg) -> str:
    return f"absence {leg.number}"
