"""Clauses: words that stand, in pieces that can be translated and spoken while the speaker goes on.

A piece ends where a sentence does, or where a longer one has a comma or a pause; one without either is cut
before it becomes too long. Marks are those of all scripts. A full stop ends a sentence only where something
other than a digit follows the space after it, and not after a single letter ("J. Smith", "3. Mai").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.speech.word import Word, bare, written

ENDS = frozenset(".?!…。？！｡؟۔।॥։።")
COMMAS = frozenset(",;:、，；：،؛–—")
CLOSES = frozenset("\"'”’»」』)）]")


@dataclass(frozen=True, slots=True)
class Terms:
    """pause_s: between words, that ends any clause; breath_s: that ends one of `least` words or more, as does
    a comma. most: words of a clause.
    """

    pause_s: float = 0.7
    breath_s: float = 0.35
    least: int = 5
    most: int = 24


DEFAULT = Terms()


@dataclass(frozen=True, slots=True)
class Clause:
    """words: at least one. whole: it ends a sentence, or the utterance."""

    words: tuple[Word, ...]
    whole: bool

    @property
    def text(self) -> str:
        return written(self.words)

    @property
    def begin(self) -> float:
        return self.words[0].begin

    @property
    def end(self) -> float:
        return self.words[-1].end


def clauses(words: Sequence[Word], *, over: bool, terms: Terms = DEFAULT) -> tuple[list[Clause], int]:
    """The clauses that words which stand begin with, and how many words these are; the rest waits for more.
    over: nothing follows. What was cut once is cut again in the same places when more words follow.
    """
    found: list[Clause] = []
    start = 0
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else None
        if following is None:
            break
        length = at + 1 - start
        ends = _ends(word, following)
        breathes = following.begin - word.end >= terms.breath_s or _mark(word) in COMMAS
        pauses = following.begin - word.end >= terms.pause_s
        if ends or pauses or (length >= terms.least and breathes) or length >= terms.most:
            found.append(Clause(tuple(words[start : at + 1]), ends))
            start = at + 1
    if over and start < len(words):
        found.append(Clause(tuple(words[start:]), True))
        start = len(words)
    return found, start


def opening(text: str) -> str:
    """What a text ends in that is not a whole sentence."""
    last = max((at for at, each in enumerate(text) if each in ENDS), default=-1)
    return text[last + 1 :].strip()


def _ends(word: Word, following: Word) -> bool:
    """Whether a sentence ends between them."""
    mark = _mark(word)
    if mark not in ENDS:
        return False
    if mark != ".":
        return True
    said = bare(word.text)
    return not (len(said) == 1 or said.isdecimal() or bare(following.text)[:1].isdecimal())


def _mark(word: Word) -> str:
    """The last character that is no closing bracket or quotation mark."""
    return word.text.rstrip().rstrip("".join(CLOSES))[-1:]
