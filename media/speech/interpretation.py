"""Interpretation of one call: what each side hears of the other, and of the interpreter.

Each of the two ways is a state machine: the original is lowered while it works, lowered more while a clip of
the interpreter's plays, and as loud as ever when anything keeps clips from coming in time. Both sides are
told whenever that changes, and of each clip that is not spoken; what was said stays in the captions.

    given                                                       answered by a list of
    choose(listener, mode)   how a side wants to hear           Original(speaker, listener, gain)
    clip(listener, clip)     the interpreter's voice is ready   PlayClip(listener, clip, lag_s)
    ended(listener, number)  it was played                      StopClip(listener, clip)
    talking(leg, speaks, at) somebody speaks, or pauses         DropClip(listener, clip, why)
    settled(speaker)         nothing follows that was not given TellOf(leg, word, facts)
    fails(speaker, fault), works(speaker, fault)
    tick(now), by next_timeout(); end(now)

Legs are numbers, times s of the clock that clips are dated by. Clips' numbers grow with each that comes for a
listener; one that came before is left out. None is forgotten: each was played to its end, or there is a
DropClip, after which its sound is nobody's any more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from media.speech import turns
from media.speech.turns import Clip, Dropped, Turns, Why


class Mode(StrEnum):
    """What a side hears: CAPTIONS, the original alone. VOICE: an interpreter over the lowered original.
    VOICE_ONLY: the interpreter alone.
    """

    CAPTIONS = "captions"
    VOICE = "voice"
    VOICE_ONLY = "voice_only"


class Fault(StrEnum):
    """What keeps clips from coming. LATE: they come too late; SHED: there is no time for them; LOST: who
    makes them is gone; HEAR, TRANSLATE, SPEAK: as messages.Unable names it.
    """

    HEAR = "hear"
    TRANSLATE = "translate"
    SPEAK = "speak"
    LATE = "late"
    SHED = "shed"
    LOST = "lost"


DISPROVED = frozenset({Fault.HEAR, Fault.TRANSLATE, Fault.SPEAK, Fault.LATE})  # by a clip that comes in time


class State(StrEnum):
    """Of one way. OFF: captions alone; READY: nothing is being said; SPEAKING: a clip plays; ENDING: the
    same, and it is the last for now; BROKEN: clips do not come.
    """

    OFF = "off"
    READY = "ready"
    SPEAKING = "speaking"
    ENDING = "ending"
    BROKEN = "broken"


class Event(StrEnum):
    CHOSEN = "chosen"
    LEFT = "left"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    WORKS = "works"


class Do(StrEnum):
    """TELL_…: both sides. CLEAR: drop what waits; SILENCE: also what plays."""

    TELL_ON = "on"
    TELL_OFF = "off"
    TELL_FAULT = "fault"
    TELL_BACK = "back"
    CLEAR = "clear"
    SILENCE = "silence"


TABLE: Mapping[tuple[State, Event], tuple[State, tuple[Do, ...]]] = {
    (State.OFF, Event.CHOSEN): (State.READY, (Do.TELL_ON,)),
    (State.OFF, Event.FAILED): (State.OFF, ()),
    (State.OFF, Event.WORKS): (State.OFF, ()),
    (State.READY, Event.BEGUN): (State.SPEAKING, ()),
    (State.READY, Event.FAILED): (State.BROKEN, (Do.TELL_FAULT, Do.CLEAR)),
    (State.READY, Event.LEFT): (State.OFF, (Do.SILENCE, Do.TELL_OFF)),
    (State.SPEAKING, Event.DONE): (State.READY, ()),
    (State.SPEAKING, Event.FAILED): (State.ENDING, (Do.TELL_FAULT, Do.CLEAR)),
    (State.SPEAKING, Event.LEFT): (State.OFF, (Do.SILENCE, Do.TELL_OFF)),
    (State.ENDING, Event.DONE): (State.BROKEN, ()),
    (State.ENDING, Event.WORKS): (State.SPEAKING, (Do.TELL_BACK,)),
    (State.ENDING, Event.LEFT): (State.OFF, (Do.SILENCE, Do.TELL_OFF)),
    (State.BROKEN, Event.WORKS): (State.READY, (Do.TELL_BACK,)),
    (State.BROKEN, Event.LEFT): (State.OFF, (Do.SILENCE, Do.TELL_OFF)),
}

FULL = 1.0
RESTING, DUCKED = 10 ** (-6 / 20), 10 ** (-18 / 20)
GAINS: Mapping[tuple[Mode, State], float] = {  # of the original; where nothing is said, it is full
    (Mode.VOICE, State.READY): RESTING,
    (Mode.VOICE, State.SPEAKING): DUCKED,
    (Mode.VOICE, State.ENDING): DUCKED,
    (Mode.VOICE_ONLY, State.READY): 0.0,
    (Mode.VOICE_ONLY, State.SPEAKING): 0.0,
    (Mode.VOICE_ONLY, State.ENDING): 0.0,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """late_s: from the end of speech, after which a clip is late; back_s: within which one proves that they
    are not any more. long_s: of speech, within which some of it has to be spoken. tail_s: of speech that may
    be without words. end_s: after a failure, for which the clip that plays may go on.
    """

    late_s: float = 6.0
    back_s: float = 4.0
    long_s: float = 16.0
    tail_s: float = 2.0
    end_s: float = 1.0
    turns: turns.Terms = field(default_factory=turns.Terms)


@dataclass(frozen=True, slots=True)
class Original:
    """`listener` hears `speaker` at this gain from now on."""

    speaker: int
    listener: int
    gain: float


@dataclass(frozen=True, slots=True)
class PlayClip:
    """lag_s: from its last word until now."""

    listener: int
    clip: Clip
    lag_s: float


@dataclass(frozen=True, slots=True)
class StopClip:
    listener: int
    clip: Clip


@dataclass(frozen=True, slots=True)
class DropClip:
    """It was not spoken, or not to its end; both are told by TellOf, where they still talk."""

    listener: int
    clip: Clip
    why: Why


@dataclass(frozen=True, slots=True)
class TellOf:
    """To be shown to `leg`, in its words for `word`: "on", "off", "back", "dropped" (facts: why, text), or a
    fault's name ("late" may have a fact, stage: which took longest). speaker, listener: the way it is about.
    """

    leg: int
    word: str
    speaker: int
    listener: int
    facts: Mapping[str, str] = field(default_factory=dict)


Act = Original | PlayClip | StopClip | DropClip | TellOf


class Way:
    """From one side to the other."""

    def __init__(self, speaker: int, listener: int, terms: Terms) -> None:
        self.speaker, self.listener = speaker, listener
        self.terms = terms
        self.mode = Mode.CAPTIONS
        self.state = State.OFF
        self.faults: set[Fault] = set()
        self.turns = Turns(terms.turns)
        self._gain = FULL
        self._stop_at = math.inf  # in ENDING
        self._owed_by = math.inf  # something of what was said has to come by then
        self._speaks = False
        self._spoken = -math.inf  # until when the speaker spoke

    def choose(self, mode: Mode, now: float) -> list[Act]:
        acts: list[Act] = []
        before, self.mode = self.mode, mode
        if mode is Mode.CAPTIONS:
            acts += self._fire(Event.LEFT, now) if before is not Mode.CAPTIONS else []
        elif before is Mode.CAPTIONS:
            self.faults.discard(Fault.LATE)
            self._owed_by = math.inf
            acts += self._fire(Event.CHOSEN, now)
            acts += self._fire(Event.FAILED, now) if self.faults else []
        return acts + self._level()

    def clip(self, clip: Clip, now: float) -> list[Act]:
        if self.turns.knows(clip):
            return []
        lag = now - clip.at
        self._owe(clip.at, now)
        acts: list[Act] = []
        if self.state is State.OFF:
            return [DropClip(self.listener, clip, Why.ENDED)]
        if lag > self.terms.late_s:
            acts += self.fails(Fault.LATE, now, stage=clip.slowest or "")
        elif lag <= self.terms.back_s:
            acts += self._works(DISPROVED, now)
        if self.faults:
            return acts + self._dropped([Dropped(clip, Why.OLD if Fault.LATE in self.faults else Why.ENDED)])
        acts += self._dropped(self.turns.offer(clip, now))
        return acts + self.tick(now)

    def ended(self, number: int, now: float) -> list[Act]:
        if not self.turns.ended(number):
            return []
        return self._fire(Event.DONE, now) + self.tick(now)

    def speaker_talks(self, speaks: bool, at: float, now: float) -> list[Act]:
        self._speaks = speaks
        if speaks:
            self._owed_by = min(self._owed_by, at + self.terms.long_s)
        else:
            self._spoken = max(self._spoken, at)
            if self._owed_by < math.inf:
                self._owed_by = max(now, min(self._owed_by, at + self.terms.late_s))
        return self.tick(now)

    def listener_talks(self, speaks: bool, at: float, now: float) -> list[Act]:
        self.turns.speaks(speaks, min(at, now))
        return self.tick(now)

    def settled(self, now: float) -> list[Act]:
        self._owe(now, now)
        return self.tick(now)

    def fails(self, fault: Fault, now: float, **facts: str) -> list[Act]:
        if fault in self.faults:
            return []
        first = not self.faults
        self.faults.add(fault)
        return (self._fire(Event.FAILED, now, **facts) if first else []) + self._level()

    def works(self, fault: Fault, now: float) -> list[Act]:
        return self._works({fault}, now) + self.tick(now)

    def tick(self, now: float) -> list[Act]:
        acts: list[Act] = []
        if now >= self._owed_by:
            self._owed_by = math.inf
            acts += self.fails(Fault.LATE, now) if self.state is not State.OFF and not self.faults else []
        over = self.turns.overdue(now)
        if self.state is State.ENDING and now >= self._stop_at:
            over += self.turns.clear()
        acts += self._dropped(over)
        if any(each.playing for each in over):
            acts += self._fire(Event.DONE, now)
        clip = self.turns.next(now) if self.state is State.READY else None
        if clip is not None:
            acts += [*self._fire(Event.BEGUN, now), PlayClip(self.listener, clip, now - clip.at)]
        return acts + self._level()

    def next_timeout(self) -> float | None:
        stop = self._stop_at if self.state is State.ENDING else math.inf
        owed = self._owed_by if self.state is not State.OFF else math.inf
        turn = self.turns.next_timeout()
        at = min(stop, owed, math.inf if turn is None else turn)
        return at if at < math.inf else None

    # --- what follows from it

    def _owe(self, until: float, now: float) -> None:
        """What was said up to then is dealt with."""
        if self._speaks:
            self._owed_by = now + self.terms.long_s
        elif until >= self._spoken - self.terms.tail_s:
            self._owed_by = math.inf

    def _works(self, faults: set[Fault] | frozenset[Fault], now: float) -> list[Act]:
        if not self.faults & faults:
            return []
        self.faults -= faults
        return [] if self.faults else self._fire(Event.WORKS, now)

    def _fire(self, event: Event, now: float, **facts: str) -> list[Act]:
        entry = TABLE.get((self.state, event))
        if entry is None:
            return []
        self.state, todo = entry
        if self.state is State.ENDING:
            self._stop_at = now + self.terms.end_s
        acts: list[Act] = []
        for do in todo:
            if do in (Do.CLEAR, Do.SILENCE):
                acts += self._dropped(self.turns.clear(playing=do is Do.SILENCE))
            else:
                acts += self._tell(min(self.faults) if do is Do.TELL_FAULT else do.value, **facts)
        return acts

    def _dropped(self, dropped: list[Dropped]) -> list[Act]:
        acts: list[Act] = []
        for each in dropped:
            if each.playing:
                acts.append(StopClip(self.listener, each.clip))
            acts.append(DropClip(self.listener, each.clip, each.why))
            if each.why is not Why.NEVER and self.mode is not Mode.CAPTIONS:
                acts += self._tell("dropped", why=each.why.value, text=each.clip.text)
        return acts

    def _tell(self, word: str, **facts: str) -> list[Act]:
        legs = (self.speaker, self.listener)
        return [TellOf(leg, word, self.speaker, self.listener, facts) for leg in legs]

    def _level(self) -> list[Act]:
        gain = GAINS.get((self.mode, self.state), FULL)
        if gain == self._gain:
            return []
        self._gain = gain
        return [Original(self.speaker, self.listener, gain)]


class Interpretation:
    """Both ways of a call between two legs; what is given of another leg is left out."""

    def __init__(self, one: int, other: int, terms: Terms | None = None) -> None:
        terms = terms or Terms()
        self._to = {one: Way(other, one, terms), other: Way(one, other, terms)}  # by listener
        self._from = {one: self._to[other], other: self._to[one]}

    def mode(self, listener: int) -> Mode:
        return self._to[listener].mode

    def faults(self, listener: int) -> frozenset[Fault]:
        """What keeps it from hearing the other's interpreter."""
        return frozenset(self._to[listener].faults)

    def choose(self, listener: int, mode: Mode, now: float) -> list[Act]:
        way = self._to.get(listener)
        return way.choose(mode, now) if way else []

    def clip(self, listener: int, clip: Clip, now: float) -> list[Act]:
        """One is ready. Of a leg that is not there any more, it is nobody's."""
        way = self._to.get(listener)
        return way.clip(clip, now) if way else [DropClip(listener, clip, Why.ENDED)]

    def ended(self, listener: int, number: int, now: float) -> list[Act]:
        """It has played, or could not be."""
        way = self._to.get(listener)
        return way.ended(number, now) if way else []

    def talking(self, leg: int, speaks: bool, at: float, now: float) -> list[Act]:
        """VAD heard speech begin or end at `at`."""
        if leg not in self._to:
            return []
        return self._to[leg].listener_talks(speaks, at, now) + self._from[leg].speaker_talks(speaks, at, now)

    def settled(self, speaker: int, now: float) -> list[Act]:
        """No clip follows of what the leg has said so far: it was given, or there were no words in it."""
        way = self._from.get(speaker)
        return way.settled(now) if way else []

    def fails(self, speaker: int, fault: Fault, now: float) -> list[Act]:
        """What the leg says is not interpreted from now on."""
        way = self._from.get(speaker)
        return way.fails(fault, now) if way else []

    def works(self, speaker: int, fault: Fault, now: float) -> list[Act]:
        """That does not keep it from being any more."""
        way = self._from.get(speaker)
        return way.works(fault, now) if way else []

    def tick(self, now: float) -> list[Act]:
        return [act for way in self._to.values() for act in way.tick(now)]

    def next_timeout(self) -> float | None:
        """When `tick` has something to do next."""
        times = [each for each in (way.next_timeout() for way in self._to.values()) if each is not None]
        return min(times, default=None)

    def end(self, now: float) -> list[Act]:
        """The two part: all clips are dropped, and each hears the other as before."""
        return [act for way in self._to.values() for act in way.choose(Mode.CAPTIONS, now)]
