"""What is known of a call that is over, as its rules see it: times in seconds since it arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from media.speech.language import alike, primary
from media.speech.lexicon import MARKS, units
from media.speech.transcript import Line

ENOUGH = 0.6  # share of a phrase's words that have to be there, in their order


@dataclass(frozen=True, slots=True)
class Hold:
    """side: who held."""

    side: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Facts:
    """A call. connected: None where two people never talked. reason: an EndReason. language: the market's.
    phrases: what its agents say on an occasion, required: what they have to, any one of each; both the
    market's (media/speech/market.py). chosen: the outcome that the agent chose, where she did. reads: the
    agent's language.
    """

    lines: Sequence[Line]
    connected: float | None
    ended: float
    reason: str = ""
    transfers: int = 0
    holds: Sequence[Hold] = ()
    language: str = ""
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    required: Mapping[str, Sequence[str]] = field(default_factory=dict)
    chosen: str = ""
    reads: str = ""


def of_side(lines: Sequence[Line], side: str) -> list[Line]:
    return [each for each in lines if each.side == side]


def in_language(line: Line, language: str) -> str:
    """A line as it can be read in a language: its translation where it was said in another."""
    if not line.translation or not language or alike(line.language, language):
        return line.text
    return line.translation


def says(text: str, phrase: str, language: str) -> bool:
    """Whether most of a phrase is in a text, in its order: nobody recites, and no recogniser hears all."""
    wanted, heard = _words(phrase, language), _words(text, language)
    if not wanted or not heard:
        return False
    common = SequenceMatcher(None, wanted, heard, autojunk=False).get_matching_blocks()
    return sum(each.size for each in common) >= ENOUGH * len(wanted)


def _words(text: str, language: str) -> list[str]:
    """Its words; what stands in braces is filled in when it is said."""
    inside = False
    kept = ""
    for each in text:
        inside = (inside or each == "{") and each != "}"
        kept += "" if inside or each in "{}" else each
    return [each for each in units(kept, primary(language)) if each not in MARKS]
