"""A phone that is not heard: when no sound came from a connected phone for too long, its call ends.

A media worker says RtpStopped after five seconds without a packet on a leg that should receive some, and
RtpStarted with the next one. The rest of `media.rtp_timeout_s` is waited here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import EndReason, Side
from media.messages import RtpStarted, RtpStopped

if TYPE_CHECKING:
    from engine.leg import Leg

NOTICED_S = 5.0  # silence that has passed when a worker says RtpStopped


def told(leg: Leg, event: RtpStarted | RtpStopped, now: float) -> None:
    """A worker hears the phone, or hears it no more."""
    leg.silent = isinstance(event, RtpStopped)
    _wait(leg, NOTICED_S, now)


def reconsider(leg: Leg, now: float) -> None:
    """The phone was connected, put us on hold or took us back: it may be silent now, or no longer."""
    _wait(leg, 0.0, now)


def leave(leg: Leg) -> None:
    """The leg goes over to another call, where `reconsider` begins anew."""
    leg.call.disarm(_timer(leg))


def _wait(leg: Leg, passed: float, now: float) -> None:
    """Count on, or from `passed` seconds ago, or no more."""
    call, timer = leg.call, _timer(leg)
    limit = call.switch.config.media.rtp_timeout_s
    if not (leg.silent and leg.should_speak and limit > 0):
        call.disarm(timer)
    elif not call.armed(timer):
        delay = max(0.0, limit - passed)
        call.arm_action(timer, delay, lambda at: call.end(Side.ENGINE, EndReason.NO_MEDIA, at), now)


def _timer(leg: Leg) -> str:
    return f"silence {leg.number}"
