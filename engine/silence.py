"""A phone that is not heard: when no sound came from a connected phone for long, it is asked if it is there.

A media worker says RtpStopped after seconds without a packet on a leg that should receive some, and
RtpStarted with the next one. The rest of `media.rtp_timeout_s` is waited here. Silence alone ends no call:
a muted phone that suppresses silence sends nothing for as long as it likes. The question is a re-INVITE that
repeats what stands: a phone that answers, be it by a refusal, is there and has the same time again. When no
answer comes, or the phone knows no such call, the user agent ends the session (RFC 3261 section 12.2.1.2).
Where nothing can be asked so, the gate's checks tell (engine/absence.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.messages import RtpStarted, RtpStopped

if TYPE_CHECKING:
    from engine.leg import Leg


def told(leg: Leg, event: RtpStarted | RtpStopped, now: float) -> None:
    """A worker hears the phone, or hears it no more."""
    leg.silent = isinstance(event, RtpStopped)
    _wait(leg, leg.patience_s, now)


def reconsider(leg: Leg, now: float) -> None:
    """The phone was connected, put us on hold or took us back: it may be silent now, or no longer."""
    _wait(leg, 0.0, now)


def leave(leg: Leg) -> None:
    """The leg goes over to another call, where `reconsider` begins anew."""
    leg.call.disarm(_timer(leg))


def answered(leg: Leg, now: float) -> None:
    """The phone answered our offer, or refused it: it is there."""
    leg.asked = False
    _wait(leg, 0.0, now)


def restate(leg: Leg, now: float) -> None:
    """What we say is about to change: a question that waits its turn must not take that back."""
    if leg.asked:
        _send(leg, now)


def _wait(leg: Leg, passed: float, now: float) -> None:
    """Count on, or from `passed` seconds ago, or no more."""
    call, timer = leg.call, _timer(leg)
    limit = call.switch.config.media.rtp_timeout_s
    if not (leg.silent and leg.should_speak and leg.manner.renegotiates and limit > 0):
        call.disarm(timer)
    elif not call.armed(timer):
        call.arm_action(timer, max(0.0, limit - passed), lambda at: _ask(leg, at), now)


def _ask(leg: Leg, now: float) -> None:
    """One question at a time: `answered` counts on, unless the session ends first."""
    if not leg.asked:
        leg.asked = True
        _send(leg, now)


def _send(leg: Leg, now: float) -> None:
    leg.when_describable(lambda at: _restate(leg, at), now)


def _restate(leg: Leg, now: float) -> None:
    if leg.session is not None:
        leg.session.reoffer(leg.standing(), now=now)


def _timer(leg: Leg) -> str:
    return f"silence {leg.number}"
