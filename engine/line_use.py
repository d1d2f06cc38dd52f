"""What a call's way over a line came to, told once it is over: the report of lines is made of this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ledger import Figures
from engine.line_events import LineUsed
from routing.exchange import destination_of
from routing.response import Blame

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from routing.failover import Tried


def failed(call: Call, tried: Tried, now: float) -> None:
    """An attempt over a line is over and was not answered."""
    _note_tried(call, tried, None, now)


def carried(leg: Leg, tried: Tried, now: float) -> None:
    """A leg is over that came of an attempt, and its figures are in, as far as there will be any."""
    _note_tried(leg.call, tried, leg, now)


def came(call: Call, now: float) -> None:
    """A call is over that came in over a line, if it did."""
    clocks, line = call.clocks, call.line
    if line is None or call.customer is None:
        return
    answered = clocks.answered
    _note(
        call,
        now,
        None if answered is None else call.customer,
        line=line.name,
        direction="in",
        destination=destination_of(call.number),
        began=call.switch.wall(clocks.arrived),
        status=call.refusal or 487 if answered is None else 200,
        blame=str(Blame.WORKED),
        words=str(call.reason or ""),
        setup_s=None if answered is None else round(answered - clocks.arrived, 3),
        talk_s=0.0 if answered is None else round(call.ended_at - answered, 3),
    )


def _note_tried(call: Call, tried: Tried, leg: Leg | None, now: float) -> None:
    talked_until = call.ended_at or now
    _note(
        call,
        now,
        leg,
        line=tried.line,
        direction="out",
        destination=destination_of(tried.number),
        began=call.switch.wall(tried.began),
        status=tried.status,
        blame=str(tried.blame),
        words=tried.words,
        pdd_s=None if tried.rang_at is None else round(tried.rang_at - tried.began, 3),
        setup_s=None if leg is None else round(tried.ended - tried.began, 3),
        talk_s=0.0 if leg is None else round(talked_until - tried.ended, 3),
    )


def _note(call: Call, now: float, leg: Leg | None, **what: object) -> None:
    """leg: whose sound went over the line; None where the call was never answered."""
    figures = Figures(leg)
    call.note(
        LineUsed,
        now,
        region=call.region,
        answered=leg is not None,
        dropped=leg is not None and (leg.broke or leg.call.lost is leg),
        mos=figures.mos,
        loss=figures.loss,
        jitter_ms=figures.jitter_ms,
        rtt_ms=leg.stats.rtt_ms if leg is not None and leg.stats is not None else None,
        **what,
    )
