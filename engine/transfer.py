"""Transfers: blind (REFER to an address), attended (REFER with Replaces), and how they fail.

The engine is between all legs, so a transfer moves no dialog: the transferor's leg is let go and the
customer's goes on as it was. A customer is never lost by a failed transfer: the transferor gets the call
back, and when that one has hung up already the customer goes back to the queue. Whoever comes back by another
leg than the one that was lost takes its place in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import absence, crossed, recording, seat, waiting
from engine.attempt import Outcome, Progress
from engine.bridge import part
from engine.dialling import reach
from engine.events import CallTransferred, EndReason, LegReturned, Side
from engine.leg import Media
from engine.states import WAITING, State, Trigger
from engine.talking import drop
from routing.number import AgentTarget, Destination, LineTarget, QueueTarget, UriTarget

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from sip.events import Referred


@dataclass(frozen=True, slots=True)
class Referral:
    """A transfer that was asked for and found possible: to a destination, or to what another call holds."""

    transferor: Leg
    name: str
    destination: Destination | None = None
    consultation: Leg | None = None


def referred(call: Call, leg: Leg, event: Referred, now: float) -> None:
    """A REFER came from `leg`: check it, answer it, and begin."""
    referral, refusal = read(call, leg, event)
    if referral is None or call.state not in (State.TALKING, State.HELD):
        event.session.refuse_refer(refusal or 491, now=now)
        return
    event.session.accept_refer(now=now)
    call.fire(Trigger.REFERRED, now, referral)


def read(call: Call, leg: Leg, event: Referred) -> tuple[Referral | None, int]:
    """What the REFER asks for, or the status to refuse it with."""
    switch = call.switch
    if (leg is call.customer and not leg.agent) or seat.of(leg) is not None:
        return None, 403
    if event.replaces is not None:
        consultation = switch.sessions.get(event.replaces.id)
        if consultation is None or consultation.call is call or consultation.agent != leg.agent:
            return None, 481
        return Referral(leg, str(event.refer_to), consultation=consultation), 0
    uri = event.refer_to
    if uri.scheme == "tel" or uri.host in switch.own_hosts:  # of this node: a number of our plan
        found = switch.plan.find(uri.user or "")
        if found is None:
            return None, 404
        if not isinstance(found.destination, (QueueTarget, AgentTarget, UriTarget, LineTarget)):
            return None, 403
        return Referral(leg, found.number, destination=found.destination), 0
    return Referral(leg, str(uri), destination=UriTarget(str(uri))), 0


def begin(call: Call, now: float, referral: Referral) -> None:
    call.referral, call.transferor = referral, referral.transferor
    if referral.transferor is call.customer:  # a colleague who called in transfers the one he called
        turn_round(call, now)
    assert call.customer is not None and call.party is not None
    part(call, call.customer, call.party)
    crossed.tell_hold(call, now)
    if referral.consultation is not None:
        _take_over(call, referral.consultation, now)
        return
    call.destination = referral.destination
    call.play(call.customer, ("music",), loop=True)
    if isinstance(referral.destination, QueueTarget):
        call.fire(Trigger.TO_QUEUE, now, referral.destination)
        return
    assert referral.destination is not None
    call.attempt = reach(call, referral.destination, referral.name)
    assert call.attempt is not None
    call.attempt.start(now)


def turn_round(call: Call, now: float) -> None:
    """The one who called is the agent's side from now on."""
    call.customer, call.party = call.party, call.customer
    assert call.customer is not None and call.party is not None
    call.customer.side, call.party.side = Side.CUSTOMER, Side.AGENT
    recording.follow(call, now)


def _take_over(call: Call, consultation: Leg, now: float) -> None:
    """Attended: the far leg of the consultation becomes this call's party, answered or still ringing."""
    other = consultation.call
    if other.queue is not None and other.state in WAITING:
        # The transferor waits in a queue for the customer: the customer takes up the waiting.
        queue = QueueTarget(other.queue.name)
        other.end(Side.AGENT, EndReason.TRANSFERRED, now)
        call.fire(Trigger.TO_QUEUE, now, queue)
        return
    if other.attempt is not None:
        attempt, other.attempt = other.attempt, None
        attempt.move(call)
        call.play(call.customer, ("music",), loop=True)  # type: ignore[arg-type]
        other.end(Side.AGENT, EndReason.TRANSFERRED, now)
        return
    far = other.other(consultation)
    if far is None or not far.connected or far.session is None:
        call.fire(Trigger.FAILED, now, Outcome(481))
        return
    part(other, consultation, far)
    call.adopt(far, Side.AGENT)
    other.party = consultation
    if far.agent:
        call.switch.acd.move(far.agent, other.id, call.id)
    other.end(Side.AGENT, EndReason.TRANSFERRED, now)
    call.fire(Trigger.ANSWERED, now, far)


def hand_over(call: Call, now: float, _: Any) -> None:
    """The target has the customer: tell the transferor and let that leg go."""
    leg, call.transferor = call.transferor, None
    referral = call.referral
    assert referral is not None
    call.transfers += 1
    attended = referral.consultation is not None
    call.note(CallTransferred, now, by=referral.transferor.name, target=referral.name, attended=attended)
    call.party = None
    call.agent = ""
    call.held_by.discard(Side.AGENT)
    if leg is not None and leg.session is not None:
        leg.session.notify_refer(200, now=now)
        drop(call, leg, now)


def tell_progress(call: Call, now: float, progress: Progress) -> None:
    leg = call.transferor
    if leg is not None and leg.session is not None:
        leg.session.notify_refer(progress.status, now=now)


def fall_back(call: Call, now: float, outcome: Outcome) -> None:
    """The target did not take it: back to the transferor, else to the queue, else say so."""
    call.attempt = None
    leg, call.transferor = call.transferor, None
    if leg is not None and leg.session is not None:
        leg.session.notify_refer(outcome.status, now=now)
        call.fire(Trigger.RECALL, now)
        if call.held_by:
            call.fire(Trigger.HOLD, now, next(iter(call.held_by)))
    elif call.queue is not None:
        call.fire(Trigger.TO_QUEUE, now, QueueTarget(call.queue.name))
    else:
        call.leave("unreachable", Side.ENGINE, EndReason.UNREACHABLE, now)


def forget_transferor(call: Call, now: float, _: Any) -> None:
    """The transferor hung up without waiting for the outcome, as most phones do."""
    leg = call.transferor
    if leg is not None:
        drop(call, leg, now)
        call.transferor = None
        call.party = None
        call.held_by.discard(Side.AGENT)


# What a customer hears who comes back, by another leg, while nobody is talked to.
HEARD: dict[State, Callable[[Call, float, Any], None]] = {
    State.GREETING: waiting.welcome,
    State.QUEUED: waiting.play_music,
    State.OFFERED: waiting.play_music,
    State.DIALLING: waiting.play_music,
    State.TRANSFERRING: waiting.play_music,
}


def replace_leg(call: Call, new: Leg, old: Leg, now: float) -> None:
    """`new` takes the place of `old`, whose far end came back by another session: by the token of its call
    (engine/whip.py), or by INVITE with Replaces (RFC 3891) and the account of the former one.
    """
    talks = call.state in (State.TALKING, State.HELD) and old in (call.customer, call.party)
    waits = call.state in HEARD and old is call.customer and old.connected
    gives = call.state is State.TRANSFERRING and old is call.transferor
    other, new.replaces = call.other(old), None
    if new.session is None or not (waits or gives or (talks and other is not None)):
        refuse_leg(call, new, 481, now)
        return
    new.session.answer(new.answer() if new.has_offer else new.offer(), now=now)
    new.connected, new.side = True, old.side
    new.agent, old.agent = old.agent, ""  # she was in this call all the time
    if old is call.customer:
        call.customer = new
    absence.hand_on(old, new, now)
    if not new.away:
        call.note(LegReturned, now, leg=new.number, side=new.side)
    if talks and other is not None:
        part(call, old, other)
        drop(call, old, now)
        call.held_by.discard(new.side)
        call.fire(Trigger.TAKEN, now, other if new is call.customer else new)
        return
    drop(call, old, now)
    if gives:
        call.party = call.transferor = new
        return
    recording.follow(call, now)
    HEARD[call.state](call, now, None)
    absence.pass_over(call)


def refuse_leg(call: Call, new: Leg, status: int, now: float) -> None:
    """It takes nobody's place, and the call goes on as it was."""
    if new.session is not None:
        new.session.reject(status, now=now)
        new.session = None
    drop(call, new, now)
    if new.media in (Media.NONE, Media.CLOSED):
        call.discard(new)
