"""Whether anything is heard of the calls that lines carry: a line may answer every call and stay mute.

An answered leg of which no packet came for `MUTE_S` was not carried, whatever the signalling says. It is told
to the exchange at once, while the call goes on: the next calls leave over another line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.leg import Media
from routing.exchange import destination_of
from routing.measure import Measure

if TYPE_CHECKING:
    from engine.leg import Leg
    from routing.failover import Tried

MUTE_S = (
    5.0  # gateways send from the answer on, be it noise; phones behind them begin to speak within seconds
)


def begin(leg: Leg, now: float) -> None:
    """A line's far end answered."""
    assert leg.carried is not None
    if leg.heard:
        leg.call.switch.trunks.exchange.sounded(leg.carried, now)
    else:
        leg.call.switch.timers.at(now + MUTE_S, lambda at: _late(leg, at))


def started(leg: Leg, now: float) -> None:
    """The worker hears the far end."""
    if not leg.heard:
        leg.heard = True
        if leg.carried is not None:
            leg.call.switch.trunks.exchange.sounded(leg.carried, now)


def _late(leg: Leg, now: float) -> None:
    if leg.carried is not None and not leg.heard and leg.media is Media.OPEN and leg.should_speak:
        leg.mute = True
        leg.call.switch.trunks.exchange.mute(leg.carried, now)


def over(leg: Leg, tried: Tried, now: float) -> None:
    """The leg is closed, and its figures are in as far as there will be any."""
    exchange, stats = leg.call.switch.trunks.exchange, leg.stats
    if stats is not None:
        destination, sent = destination_of(tried.number), stats.received + stats.lost
        if stats.mos is not None:
            exchange.measured(tried.line, destination, Measure.MOS, stats.mos, now)
        if sent:
            exchange.measured(tried.line, destination, Measure.LOSS, stats.lost / sent, now)
    if not leg.heard and not leg.mute:
        exchange.unknown(tried, now)
