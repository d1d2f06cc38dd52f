"""A call's detail record, drawn up when the call is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import recording
from engine.events import CallRecord, EndReason, Side

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg


def record(call: Call, node: str, wall: Callable[[float], float]) -> CallRecord:
    """Times are rounded to the millisecond, shares and scores to what they mean."""
    clocks = call.clocks
    connected, ended = clocks.connected, call.ended_at
    waited_until = connected if connected is not None else ended
    talk = (ended - connected - clocks.hold_s) if connected is not None else 0.0
    customer, agent = Figures(call.customer), Figures(call.party)
    return CallRecord(
        call=call.id,
        contact=call.contact,
        customer=call.caller,
        market=call.market,
        region=call.region,
        node=node,
        number=call.number,
        source=call.source,
        language=call.language,
        queue=call.queue.name if call.queue else "",
        agent=call.agent,
        offered_at=wall(clocks.arrived),
        answered_at=_maybe(wall, clocks.answered),
        connected_at=_maybe(wall, connected),
        ended_at=wall(ended),
        ended_by=call.ended_by or Side.ENGINE,
        reason=call.reason or EndReason.FAULT,
        wait_s=round(waited_until - clocks.queued, 3) if clocks.queued is not None else 0.0,
        talk_s=round(talk, 3),
        hold_s=round(clocks.hold_s, 3),
        post_dial_delay_s=round(clocks.ringing - clocks.arrived, 3) if clocks.ringing is not None else None,
        customer_codec=customer.codec,
        agent_codec=agent.codec,
        customer_encryption=customer.encryption,
        agent_encryption=agent.encryption,
        customer_loss=customer.loss,
        agent_loss=agent.loss,
        customer_jitter_ms=customer.jitter_ms,
        agent_jitter_ms=agent.jitter_ms,
        customer_mos=customer.mos,
        agent_mos=agent.mos,
        customer_concealed_ms=customer.concealed_ms,
        agent_concealed_ms=agent.concealed_ms,
        asr_latency=call.asr_latency.kept,
        mt_latency=call.mt_latency.kept,
        misses=call.misses,
        transfers=call.transfers,
        recording=" ".join(recording.files(call)),
    )


class Figures:
    """What a leg's media came to; None where nothing arrived."""

    def __init__(self, leg: Leg | None) -> None:
        stats = leg.stats if leg else None
        self.codec = leg.codec if leg else ""
        self.encryption = leg.suite if leg else ""
        expected = stats.received + stats.lost if stats else 0
        self.loss = round(stats.lost / expected, 4) if stats and expected else None
        self.jitter_ms = round(stats.jitter_ms, 2) if stats and expected else None
        self.concealed_ms = stats.concealed_ms if stats and expected else None
        self.mos = round(stats.mos, 2) if stats and stats.mos is not None else None


def _maybe(wall: Callable[[float], float], when: float | None) -> float | None:
    return None if when is None else wall(when)
