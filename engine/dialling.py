"""A direct call: one phone rings another, with the far end's progress passed on to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import early_sound
from engine.attempt import Attempt, Outcome, Progress
from engine.crossing import dialled
from engine.events import EndReason, Side
from engine.trunk.attempt import LineAttempt
from routing.number import AgentTarget, Destination, LineTarget, UriTarget

if TYPE_CHECKING:
    from engine.call import Call

# SIP status of a failed attempt -> what the record says; anything else is `unreachable`
REASONS = {
    403: EndReason.REFUSED,
    408: EndReason.NO_ANSWER,
    480: EndReason.NO_ANSWER,
    486: EndReason.BUSY,
    487: EndReason.NO_ANSWER,
    488: EndReason.NOT_ACCEPTABLE,
    600: EndReason.BUSY,
    603: EndReason.REFUSED,
    606: EndReason.NOT_ACCEPTABLE,
}


def reach(call: Call, target: Destination, number: str) -> Attempt | LineAttempt | None:
    """A way to `target`; None when it is not somebody who can be rung. number: as dialled."""
    crossing = dialled(call, target) if isinstance(target, AgentTarget) else None
    if crossing is not None:
        return crossing
    if isinstance(target, AgentTarget | UriTarget):
        return Attempt.direct(call, target, number)
    if isinstance(target, LineTarget):
        return LineAttempt(call, number, target.names)
    return None


def dial(call: Call, now: float, _: Any) -> None:
    """Ring the call's destination; a caller who was answered already hears music meanwhile."""
    assert call.destination is not None and call.customer is not None
    attempt = reach(call, call.destination, call.number)
    if attempt is None:
        failed = Outcome(480)
        dial_failed(call, now, failed)
        return
    if call.customer.connected:
        call.play(call.customer, ("music",), loop=True)
    call.attempt = attempt
    attempt.start(now)


def pass_progress(call: Call, now: float, progress: Progress) -> None:
    """Ring tone or early media, as the far end has it."""
    caller = call.customer
    assert caller is not None and caller.session is not None
    call.clocks.ringing = call.clocks.ringing or now
    if not caller.connected:
        early_sound.pass_on(call, caller, progress, now)


def dial_failed(call: Call, now: float, outcome: Outcome) -> None:
    call.attempt = None
    assert call.customer is not None
    reason = REASONS.get(outcome.status, EndReason.UNREACHABLE)
    if call.customer.connected:
        call.leave("unreachable", Side.ENGINE, reason, now)
    else:
        call.retry_after_s = outcome.retry_after_s
        call.end(Side.ENGINE, reason, now, refusal=outcome.status)
