"""What pages show of a call's speech, made afresh for each look."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from engine.events import Side
from engine.speech_views import CannotView, NodeSpeechView, SpeechPairView, SpeechView, SpeechWorkerView
from media.speech.shedding import Level

if TYPE_CHECKING:
    from engine.call import Call
    from engine.switch import Switch

OTHER = {Side.CUSTOMER: Side.AGENT, Side.AGENT: Side.CUSTOMER}


LEVELS = {
    Level.NOTHING: "all",
    Level.PARTIALS: "no_partials",
    Level.VOICES: "no_voices",
    Level.CAPTIONS: "some_captions",
}


def node_speech(switch: Switch) -> NodeSpeechView:
    """Of a whole node."""
    speech = switch.speech
    translating = [each for each in speech.offers if each.craft == "translate"]
    pairs = {(source, target): gist for each in translating for source, target, gist in each.pairs}
    return NodeSpeechView(
        wanted=any(queue.speech.wanted for queue in switch.config.queues.values()),
        workers=tuple(
            SpeechWorkerView(
                craft=each.craft,
                name=each.name,
                languages=each.languages,
                closed=each.closed,
                low_accuracy=each.low,
                why=each.why,
            )
            for each in speech.offers
        ),
        pairs=tuple(
            SpeechPairView(source=source, target=target, gist=gist)
            for (source, target), gist in sorted(pairs.items())
        ),
        any_pair=any(each.languages or not each.pairs for each in translating),
        level=LEVELS[speech.level],
        says=speech.strained,
        talks=speech.talks,
    )


def speech_view(call: Call, side: Side) -> SpeechView | None:
    """As one side sees it; None where nothing is put into words now."""
    speech = call.switch.speech
    talk = speech.talk(call.id)
    if talk is None:
        return None
    legs = {leg.side: number for number, leg in talk.legs.items()}
    mine, theirs = legs[side], legs[OTHER[side]]
    voice, fault = _heard(call, mine)
    voice_there, fault_there = _heard(call, theirs)
    feeling = call.switch.feelings.of(call.id, OTHER[side])
    return SpeechView(
        language=talk.languages[mine],
        other=talk.languages[theirs],
        voice=voice,
        fault=fault,
        voice_there=voice_there,
        fault_there=fault_there,
        cannot=_cannot(call, (mine, theirs)),
        mood=feeling.level,
        score=feeling.score,
        reasons=feeling.reasons,
        urgent=feeling.urgent,
    )


def _cannot(call: Call, legs: Collection[int]) -> tuple[CannotView, ...]:
    """Each once, whichever side it is of."""
    faults = call.switch.speech.faults.items()
    return tuple(dict.fromkeys(CannotView(what=what, why=why) for (leg, what), why in faults if leg in legs))


def _heard(call: Call, listener: int) -> tuple[str, str]:
    """How a leg hears the other, and what keeps it from hearing the interpreter that it is to hear."""
    voice, fault = call.switch.speech.interpreter(call.id, listener)
    return voice, fault if voice != "off" else ""
