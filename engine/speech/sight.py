"""What pages show of a call's speech, made afresh for each look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import Side
from engine.views import SpeechView

if TYPE_CHECKING:
    from engine.call import Call

OTHER = {Side.CUSTOMER: Side.AGENT, Side.AGENT: Side.CUSTOMER}


def speech_view(call: Call, side: Side) -> SpeechView | None:
    """As one side sees it; None where nothing is put into words now."""
    speech = call.switch.speech
    talk = speech.talk(call.id)
    if talk is None:
        return None
    legs = {leg.side: number for number, leg in talk.legs.items()}
    mine, theirs = legs[side], legs[OTHER[side]]
    voice, fault = speech.interpreter(call.id, mine)
    feeling = call.switch.feelings.of(call.id, OTHER[side])
    return SpeechView(
        language=talk.languages[mine],
        other=talk.languages[theirs],
        voice=voice,
        fault=fault,
        cannot=tuple(speech.faults[leg] for leg in (mine, theirs) if leg in speech.faults),
        mood=feeling.level,
        score=feeling.score,
        reasons=feeling.reasons,
        urgent=feeling.urgent,
    )
