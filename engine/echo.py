"""A caller who hears herself: what comes from her goes back to her, relayed as anybody's sound would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.bridge import hear
from engine.events import EndReason, Side

if TYPE_CHECKING:
    from engine.call import Call

LONGEST_S = 300.0  # nobody needs to hear herself for longer, and a forgotten one costs a channel


def loop_back(call: Call, now: float, _: Any) -> None:
    assert call.customer is not None
    call.hush(call.customer)
    hear(call, call.customer, call.customer)
    call.clocks.connected = now
    call.arm_action("too_long", LONGEST_S, lambda at: call.end(Side.ENGINE, EndReason.TOO_LONG, at), now)
