"""Guesses that are nonsense, whatever their language: what recognisers make up where nobody speaks.

Recognisers that were trained on subtitles say thanks for watching where there is silence, and fall into
loops. What they tell of themselves and what the text looks like give them away: a probability that nothing
was said, text that can be packed small (A. Radford et al., "Robust speech recognition via large-scale weak
supervision", 2022, section 4.5), a phrase again and again, more text than anybody can say in the time, and
sound without energy.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

from media.speech.word import Guess, Word, bares, written


class Doubt(StrEnum):
    """Why a guess is not to be believed."""

    SILENCE = "the recogniser itself hears nobody"
    ENERGY = "there is no sound"
    PACKED = "the text repeats itself"
    HURRIED = "nobody speaks so fast"


@dataclass(frozen=True, slots=True)
class Terms:
    """silence, logprob: both are needed. packed: bytes of text over packed ones, of texts of at least
    `long` bytes. per_s: characters that are said in a second at most; those of scripts without an alphabet
    count for three. level_db: of full scale, below which there is no sound. loops: times that a phrase comes
    in a row from which on it is a loop; once: of a single word.
    """

    silence: float = 0.6
    logprob: float = -1.0
    packed: float = 2.4
    long: int = 48
    per_s: float = 40.0
    level_db: float = -60.0
    loops: int = 3
    once: int = 5
    phrase: int = 8


DEFAULT = Terms()


def doubt(guess: Guess, voiced_s: float, level_db: float, terms: Terms = DEFAULT) -> Doubt | None:
    """What speaks against a guess; None for nothing. voiced_s: of speech that the recogniser had heard;
    level_db: of its loudest part.
    """
    text = written(guess.words)
    if not text:
        return None
    if guess.silence >= terms.silence and guess.logprob < terms.logprob:
        return Doubt.SILENCE
    if level_db < terms.level_db:
        return Doubt.ENERGY
    if _said(text) > terms.per_s * max(voiced_s, 0.5):
        return Doubt.HURRIED
    data = text.encode()
    if len(data) >= terms.long and len(data) / len(zlib.compress(data)) > terms.packed:
        return Doubt.PACKED
    return None


def unlooped(words: tuple[Word, ...], terms: Terms = DEFAULT) -> tuple[Word, ...]:
    """The words up to where a phrase begins to come again and again; it stays once."""
    said = bares(words)
    for start in range(len(said)):
        for length in range(1, terms.phrase + 1):
            times = _times(said, start, length)
            if times >= (terms.once if length == 1 else terms.loops):
                return words[: start + length]
    return words


def _times(said: list[str], start: int, length: int) -> int:
    """How often the phrase comes in a row from there."""
    phrase, times = said[start : start + length], 1
    while said[start + times * length : start + (times + 1) * length] == phrase:
        times += 1
    return times if len(phrase) == length else 0


def _said(text: str) -> int:
    """Characters, by how long they take to say."""
    return sum(3 if ord(each) >= 0x2E80 else 1 for each in text if not each.isspace())
