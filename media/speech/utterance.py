"""An utterance from its first sound to its last word: what a page shows of it, and how late that is.

`Utterance` is told what VAD and a recogniser say, and gives `Revision`s. A page keeps the newest revision of
each utterance: what stands in one stands at the beginning of all later ones. What stands is also given in
clauses, each once and for good, to be translated and spoken (`Clause`).

Every step of the way is timed on the call's clock (`Lags`): a caption that comes late says where the time
went.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from media.speech import agreement, clause, doubt
from media.speech.agreement import Agreement
from media.speech.clause import Clause, clauses
from media.speech.doubt import Doubt, unlooped
from media.speech.word import Guess

FINAL_S = 4.0  # after the end of speech, how long the recogniser's last word is waited for


class Stage(StrEnum):
    """What there is to wait for, in this order. SPOKEN: the end of speech; NOTICED: VAD was sure of it."""

    SPOKEN = "spoken"
    NOTICED = "noticed"
    WRITTEN = "written"
    TRANSLATED = "translated"
    VOICED = "voiced"


@dataclass(frozen=True, slots=True)
class Revision:
    """The text of an utterance now. serial: grows with each. stands: text that will not change but grow;
    guess: what may be said after it, for now. over: there is no more. lag_s: from the end of the last word
    that stands until now; 0 where none does.
    """

    utterance: int
    serial: int
    stands: str
    guess: str
    begin: float
    over: bool
    lag_s: float


@dataclass(frozen=True, slots=True)
class Terms:
    agreement: agreement.Terms = field(default_factory=agreement.Terms)
    clause: clause.Terms = field(default_factory=clause.Terms)
    doubt: doubt.Terms = field(default_factory=doubt.Terms)
    final_s: float = FINAL_S


@dataclass(slots=True)
class Lags:
    """When each stage was reached, s on the call's clock."""

    at: dict[Stage, float] = field(default_factory=dict)

    def reach(self, stage: Stage, now: float) -> None:
        """The first time counts."""
        self.at.setdefault(stage, now)

    def since(self, stage: Stage, start: Stage = Stage.SPOKEN) -> float | None:
        """Seconds from one stage to another; None where either was not reached."""
        if stage not in self.at or start not in self.at:
            return None
        return self.at[stage] - self.at[start]


class Utterance:
    """number: among all of an ear's. begin: where its sound begins. All times are s on the call's clock."""

    def __init__(self, number: int, begin: float, terms: Terms | None = None) -> None:
        self.number = number
        self.begin = begin
        self.terms = terms or Terms()
        self.lags = Lags()
        self.doubted: list[Doubt] = []  # guesses that were not believed, and why
        self._agreement = Agreement(self.terms.agreement)
        self._serial = 0
        self._told = 0  # words that clauses were given of
        self._until: float | None = None

    @property
    def over(self) -> bool:
        return self._agreement.final

    @property
    def text(self) -> str:
        return self._agreement.text.stands

    def hear(
        self, guess: Guess, voiced_s: float, level_db: float, now: float, hold_s: float = 0.0
    ) -> Revision | None:
        """What the recogniser takes it for now. voiced_s, level_db: of the speech that it had heard. hold_s:
        for how long it may change its mind about a word. None where that changes nothing. A last guess that
        is not to be believed ends it with what stands.
        """
        believed = guess._replace(words=unlooped(guess.words, self.terms.doubt))
        why = doubt.doubt(believed, voiced_s, level_db, self.terms.doubt)
        if why is not None:
            self.doubted.append(why)
            if not guess.final:
                return None
            believed = believed._replace(words=tuple(self._agreement.stands))
        changed = self._agreement.hear(believed, now, hold_s)
        return self._revision(now) if changed else None

    def ended(self, voiced: float, now: float) -> None:
        """VAD heard the end of it. voiced: the end of its last speech."""
        self.lags.reach(Stage.SPOKEN, voiced)
        self.lags.reach(Stage.NOTICED, now)
        self._until = now + self.terms.final_s

    def give_up(self, now: float) -> None:
        """No last word is waited for."""
        self._until = now

    def tick(self, now: float) -> Revision | None:
        """What time brings: words stand by their age, and who says no last word is not waited for."""
        if self.over:
            return None
        if self._until is not None and now >= self._until:
            words = (*self._agreement.stands, *self._agreement.guess)
            self._agreement.hear(Guess(1 << 62, words, final=True), now)
            return self._revision(now)
        return self._revision(now) if self._agreement.tick(now) else None

    def next_timeout(self) -> float | None:
        """When `tick` has something to do next."""
        if self.over:
            return None
        times = (self._until, self._agreement.next_timeout())
        return min((each for each in times if each is not None), default=None)

    def clauses(self) -> list[Clause]:
        """Those that are whole now and were not given yet."""
        found, used = clauses(self._agreement.stands[self._told :], over=self.over, terms=self.terms.clause)
        self._told += used
        return found

    def _revision(self, now: float) -> Revision:
        self._serial += 1
        text, stands = self._agreement.text, self._agreement.stands
        if self.over:
            self.lags.reach(Stage.WRITTEN, now)
        lag = max(0.0, now - stands[-1].end) if stands else 0.0
        return Revision(self.number, self._serial, text.stands, text.guess, self.begin, self.over, lag)
