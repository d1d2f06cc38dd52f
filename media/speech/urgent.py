"""Words that cannot wait: what a market's operators want to hear of at once, found as it is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from media.speech.language import primary
from media.speech.lexicon import Entry, Kind, Lexicon, as_said, units

MOST = 500  # terms of a market


class Found(NamedTuple):
    """term: as it was said; folded: whatever its capitals and accents. at: its unit within the text."""

    term: str
    folded: str
    at: int


class Urgent:
    """The terms of one language; `stem*` is any word that begins so."""

    def __init__(self, language: str, terms: Iterable[str]) -> None:
        self.language = primary(language)
        entries = {term: Entry(Kind.SAYS, 1.0) for term in list(terms)[:MOST] if term.strip(" *")}
        self._lexicon = Lexicon(self.language, entries)

    def find(self, text: str) -> list[Found]:
        """All in a text, in their order. A denial changes nothing: who says that nobody is hurt is asked."""
        return [
            Found(as_said(text, self.language, spot.begin, spot.end), spot.text, spot.begin)
            for spot in self._lexicon.spots(units(text, self.language))
        ]
