"""Translations of what is still being said: shown so that readers need not read them twice.

What is guessed of a clause is translated again whenever it grows, and a translation of more words may be
another from its first word on. So only words are shown that `agree` translations in a row begin with (as with
what is heard: Polák et al., "CUNI-KIT system for simultaneous speech translation", 2022). What was shown
stays while later translations differ, up to `patience` of them; only then is it reworded. When the clause
stands, its translation takes the place of all that, and is not touched any more: what is spoken is spoken
once.

How much was reworded is counted as in N. Arivazhagan et al., "Re-translation versus streaming for
simultaneous translation", 2020: words that were shown and had to go, for the text to go on as it did.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.speech.language import JOINED, primary
from media.speech.word import bare


@dataclass(frozen=True, slots=True)
class Terms:
    """agree: translations in a row that a word is shown after. patience: those that differ from what was
    shown, after which it is reworded.
    """

    agree: int = 2
    patience: int = 3


@dataclass(slots=True)
class Changes:
    """Words that readers saw, and those of them that were taken away again."""

    shown: int = 0
    taken: int = 0

    @property
    def share(self) -> float:
        return self.taken / self.shown if self.shown else 0.0

    def turn(self, before: list[str], after: list[str]) -> None:
        """One text took the place of another."""
        kept = common(before, after)
        self.shown += len(after) - kept
        self.taken += len(before) - kept


class Rewording:
    """Of one utterance for one reader."""

    def __init__(self, language: str, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.changes = Changes()
        self.joins = primary(language) in JOINED
        self._shown: list[str] = []
        self._last: list[str] = []
        self._agreed: list[int] = []
        self._differed = 0

    def guess(self, text: str) -> str:
        """What to show of a translation of what is guessed now."""
        words = self.words(text)
        same = common(self._last, words)
        self._agreed = [self._agreed[at] + 1 if at < same else 1 for at in range(len(words))]
        self._last = words
        sure = next((at for at, count in enumerate(self._agreed) if count < self.terms.agree), len(words))
        if common(self._shown, words) == len(self._shown):
            self._differed = 0
            self._show(words[: max(sure, len(self._shown))])
        elif common(self._shown, words) < len(words):
            self._differed += 1
            if self._differed >= self.terms.patience:
                self._differed = 0
                self._show(words[:sure])
        return self._text()

    def stands(self, text: str) -> str:
        """The translation of a clause that stands; it is shown as it is, and a new clause begins."""
        self.changes.turn(self._shown, self.words(text))
        self._shown, self._last, self._agreed, self._differed = [], [], [], 0
        return text

    def words(self, text: str) -> list[str]:
        """As they are shown; characters, of scripts without spaces."""
        return [each for each in text if not each.isspace()] if self.joins else text.split()

    def _show(self, words: list[str]) -> None:
        self.changes.turn(self._shown, words)
        self._shown = words

    def _text(self) -> str:
        return ("" if self.joins else " ").join(self._shown)


def continued(given: str, whole: str, language: str) -> str | None:
    """What of a sentence's translation comes after the translation that was given of its beginning; None
    where it does not begin so, for what was given stays.
    """
    rewording = Rewording(language)
    before, words = rewording.words(given), rewording.words(whole)
    if common(before, words) < len(before):
        return None
    return ("" if rewording.joins else " ").join(words[len(before) :])


def common(one: list[str], other: list[str]) -> int:
    """How many words both begin with, whatever their capitals and marks."""
    pairs = enumerate(zip(one, other))
    return next((at for at, (a, b) in pairs if bare(a) != bare(b)), min(len(one), len(other)))
