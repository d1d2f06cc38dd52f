"""A leg as the ear hears it: its sound since it may have begun to speak, and the utterances it became."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from media.speech.belief import Belief
from media.speech.messages import Attend, Into, SpeechEvent, Unable
from media.speech.rendering import Rendering
from media.speech.segment import Ended
from media.speech.utterance import Utterance

KEPT_S = 1.5  # of sound before now that an utterance may turn out to have begun in
BYTES = 2  # a sample


@dataclass(slots=True)
class Spell:
    """An utterance and its sound. pcm: from its first sample on, int16. sent: samples that its recogniser was
    given; owed: key of the newest job that is not answered. shed: it is left out. voiced, loud: s of speech,
    and dBov of the loudest block. unpaid_s: of sound that was asked about since its recogniser last said what
    it is; paid_s: of a core that it took. renderings: by the reader's leg.
    """

    utterance: Utterance
    stream: str
    rate: int
    pcm: bytearray
    asked_at: float
    end: float = 0.0
    ended: bool = False
    sent: int = 0
    owed: str = ""
    shed: bool = False
    unpaid_s: float = 0.0
    paid_s: float = 0.0
    failures: int = 0
    voiced: float = 0.0
    loud: float = -100.0
    lost_s: float = 0.0
    language: str = ""
    by: str = ""
    low: bool = False
    renderings: dict[int, Rendering] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        return len(self.pcm) // BYTES

    @property
    def done(self) -> bool:
        """Nothing more will come of it."""
        return self.utterance.over and all(each.over for each in self.renderings.values())


@dataclass(slots=True)
class Listener:
    """A leg that is heard. zero: when its first sample was heard, s; base: samples before those in `sound`.
    spells: utterances that are not done, oldest first; the last one is being spoken when `speaks`.
    utterances: the number of the newest.
    """

    row: int
    terms: Attend
    rate: int = 0
    zero: float = 0.0
    base: int = 0
    source: int = -1
    sound: bytearray = field(default_factory=bytearray)
    spells: list[Spell] = field(default_factory=list)
    speaks: bool = False
    utterances: int = 0
    belief: Belief = field(default_factory=Belief)  # which language it speaks
    unables: set[str] = field(default_factory=set)

    @property
    def leg(self) -> int:
        return self.terms.leg

    @property
    def into(self) -> tuple[Into, ...]:
        return self.terms.into

    @property
    def current(self) -> Spell | None:
        return self.spells[-1] if self.speaks else None

    def expect(self, terms: Attend) -> None:
        """It is heard on these terms from now on."""
        first = terms.languages[0] if terms.languages else ""
        if first != (self.terms.languages or ("",))[0] or not self.belief.language:
            self.belief = Belief(first)
        self.terms = terms

    def start(self, rate: int, source: int, now: float) -> None:
        """Its sound comes from there at this rate, from `now` on."""
        self.rate, self.source, self.zero, self.base = rate, source, now, 0
        self.sound.clear()

    @property
    def heard_until(self) -> float:
        """s, the end of what was heard."""
        return self.zero + (self.base + len(self.sound) // BYTES) / (self.rate or 1)

    def unable(self, what: str, why: str, tell: Callable[[SpeechEvent], None]) -> None:
        """Something cannot be done for it: told once."""
        if what not in self.unables:
            self.unables.add(what)
            tell(Unable(self.leg, what, why))

    def able(self, what: str, tell: Callable[[SpeechEvent], None]) -> None:
        """It can, again."""
        if what in self.unables:
            self.unables.discard(what)
            tell(Unable(self.leg, what, "", over=True))

    def hear(self, block: bytes, level: float, voiced: float) -> None:
        """A block more. level: dBov. voiced: s of it that may be speech."""
        current = self.current
        if current is not None:
            current.pcm += block
            current.loud = max(current.loud, level)
            current.voiced += voiced
            self.base += len(block) // BYTES
            return
        self.sound += block
        surplus = len(self.sound) - BYTES * int(KEPT_S * self.rate)
        if surplus > 0:
            del self.sound[:surplus]
            self.base += surplus // BYTES

    def begin(self, spell: Spell, at: float) -> None:
        """An utterance whose sound begins at `at`; what of it was heard goes to it."""
        first = max(0, round((at - self.zero) * self.rate) - self.base)
        spell.pcm += self.sound[BYTES * first :]
        spell.voiced = spell.samples / self.rate
        self.base += len(self.sound) // BYTES
        self.sound.clear()
        self.spells.append(spell)
        self.speaks = True

    def end(self, event: Ended, now: float) -> Spell:
        """What it says is over."""
        spell = self.spells[-1]
        spell.utterance.ended(event.voiced, now)
        spell.ended, spell.end, spell.lost_s = True, event.voiced, event.lost_s
        self.speaks = False
        return spell
