"""How the sides of calls feel, by what they say and how: moods that turn, and words that are urgent.

A side's mood is followed for as long as its call lasts, through holds and transfers. Turns and alarms go to
the journal and to whoever listens: agents' help, supervisors, escalation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from engine.events import CallEnded, CallRecord, Event
from engine.speech.talk import Talk
from engine.speech_events import MoodTurned, UrgentSaid
from media.speech.io.lexica import shipped
from media.speech.market import market_for
from media.speech.messages import Said, SpeechEvent, Talking, Tone
from media.speech.mood import Alarm, Cause, Moods, Reason, Turn
from media.speech.prosody import Voice
from media.speech.transcript import Line
from media.speech.urgent import Urgent

if TYPE_CHECKING:
    from engine.switch import Switch

SPOKEN = 16  # stretches of speech of a side that are remembered
UTTERANCES = 8  # whose voices are
URGENT = 8  # terms of a side that are shown


class Felt(NamedTuple):
    level: str = "fine"
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()


@dataclass
class Side:
    """spoken: stretches of speech, s; the end of the last is None while it goes on."""

    spoken: deque[tuple[float, float | None]] = field(default_factory=lambda: deque(maxlen=SPOKEN))
    voices: dict[int, Voice] = field(default_factory=dict)
    newest: dict[int, Line] = field(default_factory=dict)
    urgent: deque[str] = field(default_factory=lambda: deque(maxlen=URGENT))

    def talks(self, speaks: bool, at: float) -> None:
        if speaks:
            self.spoken.append((at, None))
        elif self.spoken and self.spoken[-1][1] is None:
            self.spoken[-1] = (self.spoken[-1][0], at)

    def over(self, begin: float, end: float) -> float:
        """Share of that time in which this side spoke."""
        shared = sum(
            max(0.0, min(end, end if last is None else last) - max(begin, first))
            for first, last in self.spoken
        )
        return min(1.0, shared / (end - begin)) if end > begin else 0.0


@dataclass
class Feeling:
    """Of a call. tongues: in which each side's urgent words are looked for."""

    moods: Moods
    tongues: dict[str, str] = field(default_factory=dict)
    sides: dict[str, Side] = field(default_factory=dict)

    def side(self, name: str) -> Side:
        return self.sides.setdefault(name, Side())


class Feelings:
    """Of all calls of a switch. told: whoever wants to know."""

    def __init__(self, switch: Switch) -> None:
        self.told: list[Callable[[Turn | Alarm, float], None]] = []
        self._switch = switch
        self._calls: dict[str, Feeling] = {}
        switch.speech.observers.append(self.notice)
        switch.observers.append(self.forget)

    def of(self, call: str, side: str) -> Felt:
        """How a side feels now."""
        feeling = self._calls.get(call)
        mood = feeling.moods.sides.get(side) if feeling is not None else None
        if feeling is None or mood is None:
            return Felt()
        urgent = tuple(feeling.side(side).urgent)
        return Felt(mood.level.value, round(mood.score, 2), tuple(map(told_of, mood.reasons)), urgent)

    def notice(self, talk: Talk, event: SpeechEvent, now: float) -> None:
        """Something that the ear tells."""
        if not isinstance(event, Said | Talking | Tone) or event.leg not in talk.legs:
            return
        if talk.call.id not in self._switch.calls:
            return  # last words of a call that is forgotten
        feeling = self._calls.get(talk.call.id)
        if feeling is None:
            feeling = self._calls[talk.call.id] = Feeling(Moods(talk.call.id, shipped))
        name = talk.legs[event.leg].side.value
        side = feeling.side(name)
        if isinstance(event, Talking):
            side.talks(event.speaks, event.at)
            return
        if isinstance(event, Tone):
            side.voices[event.utterance] = event.voice
            trim(side.voices)
        else:
            key = talk.number(event.leg, event.utterance)
            if key is None or not event.stands:
                return
            line = Line(
                talk.call.id, name, key, event.begin, event.end, event.language, event.stands, low=event.low
            )
            self._watch(talk, feeling, name, talk.languages[event.leg])
            side.newest[event.utterance] = line
            trim(side.newest)
        known = side.newest.get(event.utterance)
        if known is not None:
            self._hear(talk, feeling, known, side.voices.get(event.utterance), now)

    def forget(self, event: Event | CallRecord) -> None:
        """A call that is over feels nothing."""
        if isinstance(event, CallEnded):
            self._calls.pop(event.call, None)

    def _watch(self, talk: Talk, feeling: Feeling, side: str, language: str) -> None:
        """Urgent words are those of the language that a side speaks by now."""
        if feeling.tongues.get(side) == language:
            return
        feeling.tongues[side] = language
        market = market_for(self._switch.config.markets, talk.call.market, language)
        urgent = Urgent(language, market.urgent) if market is not None and market.urgent else None
        feeling.moods.watch(side, urgent)

    def _hear(self, talk: Talk, feeling: Feeling, line: Line, voice: Voice | None, now: float) -> None:
        others = [side for name, side in feeling.sides.items() if name != line.side]
        over = max((side.over(line.begin, line.end) for side in others), default=0.0)
        for told in feeling.moods.hear(line, voice, over, now=now):
            self._note(talk, told, now)
            for listener in self.told:
                listener(told, now)

    def _note(self, talk: Talk, told: Turn | Alarm, now: float) -> None:
        at = self._switch.wall(now)
        if talk.call.id not in self._switch.calls:
            return
        if isinstance(told, Alarm):
            self._calls[told.call].side(told.side).urgent.append(told.term)
            self._switch.note(UrgentSaid(at=at, call=told.call, side=told.side, term=told.term))
            return
        reasons = tuple(map(told_of, told.reasons))
        self._switch.note(
            MoodTurned(
                at=at,
                call=told.call,
                side=told.side,
                level=told.level.value,
                score=round(told.score, 3),
                worse=told.worse,
                reasons=reasons,
            )
        )


def told_of(reason: Reason) -> str:
    """In words: a term that was said, or how."""
    return reason.term if reason.cause is Cause.WORD else reason.cause.value


def trim(kept: dict[int, Voice] | dict[int, Line]) -> None:
    """The newest alone."""
    while len(kept) > UTTERANCES:
        del kept[next(iter(kept))]
