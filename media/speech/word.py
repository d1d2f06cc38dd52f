"""What recognisers say: words with their times, and guesses, each of which is all words of an utterance."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple


class Word(NamedTuple):
    """text: as it is put together with others, with the space before it where its script has one. begin, end:
    s on the call's clock. sure: probability that it was said, as the recogniser has it.
    """

    text: str
    begin: float
    end: float
    sure: float = 1.0


class Guess(NamedTuple):
    """All that a recogniser takes an utterance for, as far as it has heard it. serial: grows within an
    utterance. silence: probability that nothing was said; logprob: mean of the tokens'; NaN where the
    recogniser tells none.
    """

    serial: int
    words: tuple[Word, ...]
    final: bool = False
    silence: float = float("nan")
    logprob: float = float("nan")


@lru_cache(8192)
def bare(text: str) -> str:
    """What of a word tells it from another: letters and digits, whatever their case and width; all of it
    where it has none.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(each for each in folded if each.isalnum() or unicodedata.category(each).startswith("M"))
    return kept or folded.strip()


def bares(words: Iterable[Word]) -> list[str]:
    return [bare(word.text) for word in words]


def written(words: Sequence[Word]) -> str:
    """The words put together."""
    return "".join(word.text for word in words).strip()
