"""Two people talk: answering, connecting, hold, and the winding up of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import absence, halves, housing, recording, seat, silence
from engine.bridge import part
from engine.events import CallAnswered, CallConnected, CallHeld, CallResumed, EndReason, Side
from engine.states import Trigger
from engine.trunk import rescue
from sip.reason import NORMAL_CLEARING, Reason

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg

# how the end of a session reads in the record when its call had not ended by itself
SIGNALLING_FAULTS = frozenset({"timer", "no_ack", "no_prack", "transport", "gone"})


def answer_customer(call: Call, now: float, _: Any) -> None:
    """Say that we are through, by our answer, or by our offer where there was none; once."""
    leg = call.customer
    assert leg is not None and leg.session is not None
    if leg.connected:
        return
    leg.session.answer(_description(leg), now=now)
    leg.connected = True
    silence.reconsider(leg, now)
    call.clocks.answered = now
    call.clocks.ringing = call.clocks.ringing or now
    recording.begin(call, now)
    call.note(CallAnswered, now, codec=leg.codec, encryption=leg.suite)


def _description(leg: Leg) -> bytes | None:
    """None where it was offered with a reliable ringing, and is answered in the PRACK."""
    if leg.has_offer:
        return leg.answer()
    return None if leg.preview.described else leg.offer()


def connect(call: Call, now: float, party: Leg) -> None:
    """`party` and the customer can talk from now on."""
    assert call.customer is not None
    call.attempt = None
    call.party = party
    call.agent = party.agent or call.agent
    answer_customer(call, now, None)
    if call.clocks.connected is None:
        call.clocks.connected = now
        longest = call.switch.config.node.limits.max_call_s
        call.arm_action("too_long", longest, lambda at: call.end(Side.ENGINE, EndReason.TOO_LONG, at), now)
    end_hold(call, now)
    housing.gather(call, party, now)
    for leg in (call.customer, party):
        silence.reconsider(leg, now)
        rescue.begin(leg, now)
    call.held_by = {leg.side for leg in (call.customer, party) if leg.held}
    _tell_hold(call, now)
    absence.reunite(call)
    recording.follow(call, now)
    call.note(
        CallConnected,
        now,
        party=party.name,
        agent=party.agent,
        codec=party.codec,
        encryption=party.suite,
        node=party.node,
    )
    if call.held_by:
        call.fire(Trigger.HOLD, now, next(iter(call.held_by)))


def hold(call: Call, now: float, by: Side) -> None:
    """The other side hears music; when both hold, both do."""
    assert call.customer is not None and call.party is not None
    part(call, call.customer, call.party)
    entertain(call, by)
    _tell_hold(call, now)
    call.clocks.held = call.clocks.held or now
    call.note(CallHeld, now, by=by)


def entertain(call: Call, by: Side) -> None:
    """Who is held `by` the other side hears music."""
    waiting = call.party if by is Side.CUSTOMER else call.customer
    if waiting is not None:
        call.play(waiting, ("music",), loop=True)


def resume(call: Call, now: float, by: Side | None) -> None:
    assert call.customer is not None and call.party is not None
    end_hold(call, now)
    _tell_hold(call, now)
    absence.reunite(call)
    if by is not None:
        call.note(CallResumed, now, by=by)


def _tell_hold(call: Call, now: float) -> None:
    from engine import crossed

    crossed.tell_hold(call, now)


def end_hold(call: Call, now: float) -> None:
    if call.clocks.held is not None:
        call.clocks.hold_s += now - call.clocks.held
        call.clocks.held = None


def held_changed(call: Call, leg: Leg, now: float) -> None:
    """After an offer/answer of an established leg: has its far end put us on hold, or taken us back?"""
    silence.reconsider(leg, now)
    rescue.reconsider(leg, now)
    if seat.of(leg) is not None:
        return  # the two talk on
    before = leg.side in call.held_by
    if leg.held and not before:
        call.held_by.add(leg.side)
        call.fire(Trigger.HOLD, now, leg.side)
    elif before and not leg.held:
        call.held_by.discard(leg.side)
        if not call.held_by:
            call.fire(Trigger.RESUME, now, leg.side)


def left(call: Call, leg: Leg, cause: str, now: float) -> None:
    """A phone's session is over, and our side did not end it."""
    fault = leg.broke = cause in SIGNALLING_FAULTS
    if fault and (rescue.gone(leg, now) or halves.bereave(leg, now)):
        return
    if seat.gone(leg, now):
        return
    if leg is call.customer:
        never = call.clocks.connected is None
        reason = EndReason.ABANDONED if never else EndReason.COMPLETED
        by, why = (Side.ENGINE, EndReason.SIGNALLING_LOST) if fault else (Side.CUSTOMER, reason)
        call.end(by, why, now)
    elif leg is call.party or leg is call.transferor:
        call.fire(Trigger.PARTY_LEFT, now, EndReason.SIGNALLING_LOST if fault else EndReason.COMPLETED)


def party_left(call: Call, now: float, reason: EndReason) -> None:
    by = Side.AGENT if reason is EndReason.COMPLETED else Side.ENGINE
    call.end(by, reason, now)


# what ended a call -> what its phones are told (Q.850 causes, RFC 3326)
CAUSES = {
    EndReason.BUSY: Reason("Q.850", 17, "User busy"),
    EndReason.NO_ANSWER: Reason("Q.850", 19, "No answer"),
    EndReason.REFUSED: Reason("Q.850", 21, "Call rejected"),
    EndReason.UNREACHABLE: Reason("Q.850", 3, "No route to destination"),
    EndReason.SIGNALLING_LOST: Reason("Q.850", 102, "Recovery on timer expiry"),
    EndReason.MEDIA_LOST: Reason("Q.850", 41, "Media lost"),
    EndReason.NOT_RESCUED: Reason("Q.850", 38, "Network out of order"),
    EndReason.NOT_RESUMED: Reason("Q.850", 27, "Destination out of order"),
    EndReason.SHUTDOWN: Reason("Q.850", 41, "Node stopped"),
    EndReason.OVERLOAD: Reason("Q.850", 42, "Overload"),
    EndReason.FAULT: Reason("Q.850", 41, "Fault"),
}


def hangup_reason(call: Call) -> Reason:
    return CAUSES.get(call.reason, NORMAL_CLEARING) if call.reason else NORMAL_CLEARING


def drop(call: Call, leg: Leg, now: float) -> None:
    """Hang up one leg, close its sound and let its agent go; safe in every state of the leg."""
    if leg.attempt is not None:
        leg.attempt.cancel(now)
    if leg.session is not None:
        leg.session.hangup(hangup_reason(call), now=now)
        leg.session = None
    leg.close()
    silence.leave(leg)
    absence.leave(leg)
    rescue.leave(leg)
    if leg.agent:
        call.switch.acd.release(leg.agent, call.id, now)
        leg.agent = ""


def wind_up(call: Call, now: float, _: Any) -> None:
    """Leave nothing behind: timers, place, ringing phones, agents, sessions, media legs."""
    from engine.call import MEDIA_CLOSE_S
    from engine.waiting import leave_queue

    call.disarm()
    end_hold(call, now)
    leave_queue(call, now, None)
    call.ended_at = now
    customer = call.customer
    if customer is not None and customer.session is not None and not customer.connected and call.refusal:
        later = call.retry_after_s
        told = [("Retry-After", str(max(1, round(later))))] if later is not None else []
        customer.session.reject(call.refusal, headers=told, now=now)
        customer.session = None
    for leg in call.legs:
        drop(call, leg, now)
    recording.end(call, now)
    if call.open_media():
        call.arm("close", MEDIA_CLOSE_S, Trigger.CLOSED, now)
    else:
        call.fire(Trigger.CLOSED, now)


def write_record(call: Call, now: float, _: Any) -> None:
    call.disarm()
    call.switch.finish(call, now)
