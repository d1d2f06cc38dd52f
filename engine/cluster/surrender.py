"""Another node has a call: everything of it here is let go, without a word to its phones or a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine import recording
from engine.events import CallHandedOver, EndReason, Side
from engine.leg import Media
from engine.states import State
from engine.talking import drop

if TYPE_CHECKING:
    from engine.call import Call

log = structlog.get_logger("takeover")


def surrender(call: Call, node: str, now: float) -> None:
    """`node` has told the far ends where it is, or is about to: what we said now would only harm."""
    switch = call.switch
    log.warning("call surrendered", call=call.id, to=node)
    switch.note(CallHandedOver(at=switch.wall(now), call=call.id, node=node))
    call.state, call.ended_by, call.reason = State.ENDED, Side.ENGINE, EndReason.NODE_LOST
    call.disarm()
    if call.attempt is not None:  # a phone that rings here is ours to call off
        call.attempt.cancel(now)
    if call.offered_agent:
        switch.acd.release(call.offered_agent, call.id, now)
    if call.queue is not None:
        switch.acd.surrender(call.queue.name, call.id)
    for leg in tuple(call.legs):
        if leg.session is not None:
            switch.forget_session(leg.session)
            leg.session.surrender(now=now)
            leg.session = None
        drop(call, leg, now)
        if leg.media in (Media.NONE, Media.CLOSED):  # no worker will say that it is closed
            switch.legs.pop(leg.number, None)
    recording.end(call, now)
    del switch.calls[call.id]
