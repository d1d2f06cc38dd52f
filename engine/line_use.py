"""What a call's way over a line came to, told once it is over: the report of lines is made of this.

Two callers: whoever drives the attempts of calls that go out, with each `Tried`, and the end of every call,
for lines that calls came in over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import EndReason, LineUsed
from engine.ledger import Figures
from routing.exchange import destination_of
from routing.failover import Heard
from routing.number import normalise
from routing.response import Blame

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from routing.failover import Tried

# of a call that was talked in: it did not end because somebody hung up
BROKEN = frozenset({EndReason.SIGNALLING_LOST, EndReason.MEDIA_LOST, EndReason.FAULT})


def used(
    call: Call, tried: Tried, now: float, *, leg: Leg | None = None, dropped: bool | None = None
) -> None:
    """An attempt over a line is over. leg: its sound's, once its figures are known; None where it was never
    answered. dropped: whether it broke, where that is not what ended the call (it was rescued).
    """
    answered = tried.heard is Heard.ANSWERED
    talked = now if leg is None or not call.ended_at else call.ended_at
    _note(
        call,
        now,
        leg if answered else None,
        line=tried.line,
        direction="out",
        destination=destination_of(tried.number),
        began=call.switch.wall(tried.began),
        status=tried.status,
        blame=str(tried.blame),
        words=tried.words,
        answered=answered,
        dropped=answered and (call.reason in BROKEN if dropped is None else dropped),
        pdd_s=None if tried.rang_at is None else round(tried.rang_at - tried.began, 3),
        setup_s=round(tried.ended - tried.began, 3) if answered else None,
        talk_s=round(talked - tried.ended, 3) if answered else 0.0,
    )


def came(call: Call, now: float) -> None:
    """A call is over that came in over a line, if it did."""
    clocks, line = call.clocks, call.line
    if line is None or call.customer is None:
        return
    answered = clocks.answered is not None
    _note(
        call,
        now,
        call.customer if answered else None,
        line=line.name,
        direction="in",
        destination=destination_of(normalise(call.number, line.country)),
        began=call.switch.wall(clocks.arrived),
        status=200 if answered else call.refusal or 487,
        blame=str(Blame.WORKED),
        words=str(call.reason or ""),
        answered=answered,
        dropped=answered and call.reason in BROKEN,
        setup_s=None if clocks.answered is None else round(clocks.answered - clocks.arrived, 3),
        talk_s=0.0 if clocks.answered is None else round(call.ended_at - clocks.answered, 3),
    )


def _note(call: Call, now: float, leg: Leg | None, *, line: str, **what: object) -> None:
    figures = Figures(leg)
    rtt = leg.stats.rtt_ms if leg is not None and leg.stats is not None else None
    call.note(
        LineUsed,
        now,
        line=line,
        region=call.region,
        mos=figures.mos,
        loss=figures.loss,
        jitter_ms=figures.jitter_ms,
        rtt_ms=rtt,
        **what,
    )
