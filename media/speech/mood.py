"""How each side of a call feels: smoothed over what they say, with the reasons, and told when it turns.

What is heard of an utterance is its words' score (`sentiment`), made worse by a strained voice and by talking
over the other. It moves the mood by its length; plain words move it little, so that a number that is spelt
out does not make up for anything; and time lets it fade. An utterance that is heard again with more words
counts anew, from the mood that it began in.

A mood has three levels. Each turns at one score and back at another, so that nothing flickers.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from media.speech.lexicon import Lexicon
from media.speech.prosody import Voice
from media.speech.sentiment import NOTHING, Sentiment, sentiment
from media.speech.transcript import Line
from media.speech.urgent import Urgent

REASONS = 5  # that are told
RECENT = 12  # that are kept
WORDS = 3  # of an utterance that are told


class Level(StrEnum):
    FINE = "fine"
    UNEASY = "uneasy"
    UPSET = "upset"


class Cause(StrEnum):
    """WORD: a term that was said; the others: how."""

    WORD = "word"
    LOUDER = "louder"
    HIGHER = "higher"
    FASTER = "faster"
    OVER = "over"  # they talked while the other did


class Reason(NamedTuple):
    """value: what it did to the mood, below 0 for worse. at: s on the call's clock."""

    cause: Cause
    term: str
    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Terms:
    """fade_s: in which half of a mood is gone. whole_s: of speech that moves a mood most of the way; least:
    how far even a word does; plain: how far words without a feeling do, of that. strain, over: by what a
    strained voice and talking over the other make it worse.
    """

    fade_s: float = 120.0
    whole_s: float = 3.0
    least: float = 0.6
    plain: float = 0.25
    strain: float = 0.4
    over: float = 0.2


# Score at which a level begins, coming from a better one, and at which it ends.
BOUNDS = {Level.UPSET: (-0.50, -0.30), Level.UNEASY: (-0.25, -0.10)}


class Turn(NamedTuple):
    """A side's mood is another now. worse: than before. reasons: what weighs most first."""

    call: str
    side: str
    level: Level
    score: float
    worse: bool
    reasons: tuple[Reason, ...]
    at: float


class Alarm(NamedTuple):
    """An urgent word of the market's was said."""

    call: str
    side: str
    utterance: int
    term: str
    at: float


class Mood:
    """Of one side."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.level = Level.FINE
        self.score = 0.0
        self._reasons: deque[Reason] = deque(maxlen=RECENT)
        self._at = 0.0
        self._utterance = -1
        self._before = 0.0

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The latest that weigh most."""
        return tuple(sorted(self._reasons, key=lambda each: -abs(each.value))[:REASONS])

    def hear(
        self, line: Line, said: Sentiment, voice: Voice | None = None, over: float = 0.0, *, now: float
    ) -> bool:
        """Take an utterance, or more of it. over: share of it that the other side spoke in as well. Whether
        the level is another now.
        """
        if line.utterance != self._utterance:
            self._fade(now)
            self._utterance, self._before = line.utterance, self.score
        found = self._reasons_of(line, said, voice, over)
        self._reasons = deque((each for each in self._reasons if each.at != line.begin), maxlen=RECENT)
        self._reasons.extend(found)
        heard = max(
            -1.0, min(1.0, said.score + sum(each.value for each in found if each.cause != Cause.WORD))
        )
        share = max(self.terms.least, 1.0 - math.exp(-line.seconds / self.terms.whole_s))
        if abs(heard) < 0.1:
            share *= self.terms.plain
        self.score = self._before + share * (heard - self._before)
        return self._turned()

    def tick(self, now: float) -> bool:
        """What time does to it; whether the level is another now."""
        self._fade(now)
        return self._turned()

    def _reasons_of(self, line: Line, said: Sentiment, voice: Voice | None, over: float) -> list[Reason]:
        words = said.reasons[:WORDS]
        total = sum(abs(each.value) for each in said.reasons) or 1.0
        found = [
            Reason(Cause.WORD, each.term, each.value / total * abs(said.score), line.begin) for each in words
        ]
        if said.score > 0.1:
            return found  # whoever is glad may be loud
        if voice is not None and voice.strain > 0.1:
            ways = {Cause.LOUDER: voice.louder, Cause.HIGHER: voice.higher, Cause.FASTER: voice.faster}
            above = sum(max(0.0, each) for each in ways.values()) or 1.0
            worth = self.terms.strain * voice.strain
            found += [
                Reason(cause, "", -worth * value / above, line.begin)
                for cause, value in ways.items()
                if value > 0.5
            ]
        if over > 0.2:
            found.append(Reason(Cause.OVER, "", -self.terms.over * min(1.0, over), line.begin))
        return found

    def _fade(self, now: float) -> None:
        left = 0.5 ** (max(0.0, now - self._at) / self.terms.fade_s)
        self.score *= left
        self._before *= left
        self._at = max(self._at, now)

    def _turned(self) -> bool:
        before = self.level
        held = [level for level, bounds in BOUNDS.items() if self.score <= self._bound(level, *bounds)]
        self.level = held[0] if held else Level.FINE
        return self.level is not before

    def _bound(self, level: Level, begins: float, ends: float) -> float:
        worse = list(Level).index(self.level) >= list(Level).index(level)
        return ends if worse else begins


class Moods:
    """Of both sides of a call. lexicon: a language's, None where there is none. urgent: of each side's
    market, by side; moods work without.
    """

    def __init__(
        self,
        call: str,
        lexicon: Callable[[str], Lexicon | None],
        urgent: dict[str, Urgent] | None = None,
        terms: Terms | None = None,
    ) -> None:
        self.call = call
        self.sides: dict[str, Mood] = {}
        self._lexicon = lexicon
        self._urgent = dict(urgent or {})
        self._terms = terms or Terms()
        self._told: dict[str, tuple[int, set[str]]] = {}  # of each side's newest utterance: its alarms

    def hear(
        self, line: Line, voice: Voice | None = None, over: float = 0.0, *, now: float
    ) -> list[Turn | Alarm]:
        """An utterance as its words stand, as often as it grows; what there is to tell of it."""
        mood = self.sides.setdefault(line.side, Mood(self._terms))
        lexicon = self._lexicon(line.language)
        said = sentiment(line.text, lexicon) if lexicon is not None else NOTHING
        told: list[Turn | Alarm] = list(self._alarms(line, now))
        before = mood.level
        if mood.hear(line, said, voice, over, now=now):
            told.append(self._turn(line.side, before, now))
        return told

    def watch(self, side: str, urgent: Urgent | None) -> None:
        """From now on a side's alarms are these; None for none."""
        if urgent is None:
            self._urgent.pop(side, None)
        else:
            self._urgent[side] = urgent

    def tick(self, now: float) -> list[Turn]:
        """To be called every few seconds."""
        levels = {side: mood.level for side, mood in self.sides.items()}
        return [self._turn(side, levels[side], now) for side, mood in self.sides.items() if mood.tick(now)]

    def _turn(self, side: str, before: Level, now: float) -> Turn:
        mood, order = self.sides[side], list(Level)
        worse = order.index(mood.level) > order.index(before)
        return Turn(self.call, side, mood.level, mood.score, worse, mood.reasons, now)

    def _alarms(self, line: Line, now: float) -> Iterable[Alarm]:
        urgent = self._urgent.get(line.side)
        if urgent is None:
            return
        utterance, told = self._told.get(line.side, (-1, set()))
        if utterance != line.utterance:
            told = set()
        for found in urgent.find(line.text):
            if found.folded not in told:
                told.add(found.folded)
                yield Alarm(self.call, line.side, line.utterance, found.term, now)
        self._told[line.side] = (line.utterance, told)
