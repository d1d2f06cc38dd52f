"""A leg that dies over its line in the middle of a call is called again over another (`routing.rescue`).

What is heard of it: its worker misses its packets (RtpStopped, after `leg.patience_s`) or has them again, it
answers a question, or its session ends because nothing reaches it any more. The other party hears comfort
noise meanwhile. A customer who came over the line is called back at the number she called from, where the
operator wants that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from engine.absence import NOISE
from engine.bridge import join, part
from engine.events import EndReason, LegGone, LegReturned, Side
from engine.states import State
from engine.trunk.attempt import LineAttempt
from media.messages import RtpStarted, RtpStopped
from routing import rescue
from routing.identity import Caller
from routing.rescue import Do, Event, Rescue

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg

log = structlog.get_logger("rescue")


def terms(leg: Leg) -> rescue.Terms:
    return leg.call.switch.trunks.exchange.rules.rescue


def begin(leg: Leg, now: float) -> None:
    """The leg is connected: it is watched from now on, if it is over a line and another could take it."""
    if not leg.line or leg.rescue is not None:
        return
    if leg.call.switch.trunks.beside(leg.line, back=leg.carried is None):
        leg.rescue = Rescue(since=now, media_at=now, signalling_at=now)
        reconsider(leg, now)


def told(leg: Leg, event: RtpStarted | RtpStopped, now: float) -> None:
    """Its worker misses its packets, or has them again."""
    if leg.rescue is None:
        return
    if isinstance(event, RtpStarted):
        _feed(leg, Event.MEDIA, now)
    else:
        leg.rescue = replace(leg.rescue, media_at=now - leg.patience_s)
        _arm(leg, now)


def answered(leg: Leg, now: float) -> None:
    """Its signalling is there."""
    if leg.rescue is not None:
        _feed(leg, Event.SIGNALLING, now)


def gone(leg: Leg, now: float) -> bool:
    """Its session is over because nothing reaches it; False where that is not for us to mend."""
    call = leg.call
    talks = call.state in (State.TALKING, State.HELD) and leg in (call.customer, call.party)
    if leg.rescue is None or not talks or call.lost is not None:
        return False
    _feed(leg, Event.GONE, now)
    return call.lost is leg


def reconsider(leg: Leg, now: float) -> None:
    """It may be silent now, or has to speak again."""
    if leg.rescue is not None:
        leg.rescue = replace(leg.rescue, held=not leg.should_speak)
        _arm(leg, now)


def leave(leg: Leg) -> None:
    """Nobody waits for it any more."""
    leg.rescue = None
    leg.call.disarm(_timer(leg))


# --- the table at work ----------------------------------------------------------------------------------


def _feed(leg: Leg, event: Event, now: float) -> None:
    assert leg.rescue is not None
    leg.rescue, doing = rescue.apply(leg.rescue, event, now)
    for what in doing:
        ACTIONS[what](leg, now)
    if leg.rescue is not None:
        _arm(leg, now)


def _arm(leg: Leg, now: float) -> None:
    """Wake when time has something to say: of one that is heard, never."""
    call, value = leg.call, leg.rescue
    assert value is not None
    when = rescue.next_timeout(value, terms(leg))
    if when is None or (value.state is rescue.State.WELL and not leg.silent):
        call.disarm(_timer(leg))
    else:
        call.arm_action(_timer(leg), max(0.0, when - now), lambda at: _due(leg, at), now)


def _due(leg: Leg, now: float) -> None:
    event = rescue.due(leg.rescue, now, terms(leg)) if leg.rescue is not None else None
    if event is not None:
        _feed(leg, event, now)


def _ask(leg: Leg, now: float) -> None:
    if leg.session is not None:
        leg.session.ask(now=now)


def _comfort(leg: Leg, now: float) -> None:
    call, other = leg.call, leg.call.other(leg)
    call.lost = leg
    log.warning("leg died over its line", call=call.id, leg=leg.number, line=leg.line)
    call.note(LegGone, now, leg=leg.number, side=leg.side)
    if other is not None:
        part(call, leg, other)
        call.play(other, (NOISE,), loop=True)


def _redial(leg: Leg, now: float) -> None:
    call = leg.call
    number = leg.carried.number if leg.carried is not None else call.caller
    back = leg is call.customer
    if not number.lstrip("+").isdecimal():
        _feed(leg, Event.NO_LINE, now)
        return
    attempt = LineAttempt(
        call, number, leg.lines, avoid=frozenset({leg.line}), caller=Caller() if back else None
    )
    call.attempt = attempt
    attempt.start(now)


def _join(leg: Leg, now: float) -> None:
    """It was only away."""
    call, other = leg.call, leg.call.other(leg)
    call.lost = None
    call.note(LegReturned, now, leg=leg.number, side=leg.side)
    if other is not None and call.state is State.TALKING:
        join(call, leg, other)


def _stop_dialling(leg: Leg, now: float) -> None:
    attempt, leg.call.attempt = leg.call.attempt, None
    if attempt is not None:
        attempt.cancel(now)


def _end(leg: Leg, now: float) -> None:
    leg.call.end(Side.ENGINE, EndReason.NOT_RESCUED, now)


ACTIONS: Mapping[Do, Callable[[Leg, float], None]] = {
    Do.ASK: _ask,
    Do.COMFORT: _comfort,
    Do.REDIAL: _redial,
    Do.JOIN: _join,
    Do.STOP_DIALLING: _stop_dialling,
    Do.END: _end,
}


# --- what becomes of the new call: actions of the call's table ------------------------------------------


def taken(call: Call, now: float, new: Leg) -> None:
    """The new leg is through: it takes the place of the one that died."""
    from engine.talking import connect, drop

    old, call.lost = call.lost, None
    assert old is not None and old.rescue is not None
    other = call.other(old)
    rescued, _ = rescue.apply(old.rescue, Event.TAKEN, now)
    new.side, new.rescue = old.side, rescued
    new.agent, old.agent = old.agent, ""
    new.name = new.name or old.name
    if old is call.customer:
        call.customer = new
    if other is not None:
        part(call, old, other)
    drop(call, old, now)
    call.held_by.discard(new.side)
    call.note(LegReturned, now, leg=new.number, side=new.side)
    assert other is not None
    connect(call, now, other if new is call.customer else new)


def not_taken(call: Call, now: float, _: Any) -> None:
    """No line took it."""
    call.attempt = None
    if call.lost is not None:
        _feed(call.lost, Event.NO_LINE, now)


def _timer(leg: Leg) -> str:
    return f"rescue {leg.number}"
