"""How somebody feels, by their words: a score with its reasons.

Terms of the lexicon are summed up, each after what denies or raises it (the rules of Hutto and Gilbert,
"VADER: a parsimonious rule-based model for sentiment analysis of social media text", 2014: a denied term
turns and weakens, an intensifier counts by its nearness to it, what follows "but" counts more). Denials reach
back as well as forward, as German, French and Japanese have them, and never over a mark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from media.speech.lexicon import MARKS, Kind, Lexicon, Spot, as_said, units

TURNED = -0.7  # what is left of praise that is denied
EASED = -0.5  # and of blame
NEAR = 2  # units between an intensifier and what it raises
BEFORE_BUT, AFTER_BUT = 0.5, 1.25
SCALE = 6.0  # of the sum's squares, so that a score comes near 1 and never over it
SURE = 0.6  # sum from which on a text is more than neutral


class Reason(NamedTuple):
    """A term as it was said, and what it added to the sum."""

    term: str
    value: float
    denied: bool


class Sentiment(NamedTuple):
    """score: -1 to 1. reasons: what it is the sum of, what weighs most first."""

    score: float
    reasons: tuple[Reason, ...]

    @property
    def label(self) -> str:
        """positive, negative or neutral."""
        total = sum(each.value for each in self.reasons)
        return "neutral" if abs(total) < SURE else "positive" if total > 0 else "negative"


NOTHING = Sentiment(0.0, ())


def sentiment(text: str, lexicon: Lexicon) -> Sentiment:
    """Of one utterance."""
    found = units(text, lexicon.language)
    spots = lexicon.spots(found)
    reasons = [
        reason._replace(term=as_said(text, lexicon.language, spot.begin, spot.end))
        for spot in spots
        if (reason := _worth(spot, spots, found)) is not None
    ]
    total = sum(each.value for each in reasons)
    ranked = tuple(sorted(reasons, key=lambda each: -abs(each.value)))
    return Sentiment(total / math.sqrt(total * total + SCALE), ranked)


def _worth(spot: Spot, spots: Sequence[Spot], found: Sequence[str]) -> Reason | None:
    """What a term adds; None where it adds nothing."""
    kind, value, _, lacks, idiom = spot.entry
    if kind not in (Kind.SAYS, Kind.LACKS):
        return None
    denied = not idiom and any(_denies(each, spot, found) for each in spots)
    if denied and lacks is not None:
        value = lacks
    elif kind is Kind.LACKS or not value:
        return None
    else:
        value *= _raised(spot, spots, found)
        value *= 1.0 if not denied else TURNED if value > 0 else EASED
    turns = [each for each in spots if each.entry.kind is Kind.BUT]
    if turns:
        value *= AFTER_BUT if spot.begin > turns[-1].begin else BEFORE_BUT
    return Reason(spot.text, value, denied)


def _denies(other: Spot, spot: Spot, found: Sequence[str]) -> bool:
    if other.entry.kind is not Kind.NOT:
        return False
    if other.end <= spot.begin:
        return spot.begin - other.end < other.entry.value and _joined(found, other.end, spot.begin)
    near = other.begin - spot.end < other.entry.before
    return other.begin >= spot.end and near and _joined(found, spot.end, other.begin)


def _raised(spot: Spot, spots: Sequence[Spot], found: Sequence[str]) -> float:
    """By what the nearest intensifier multiplies."""
    beside = [
        (abs(spot.begin - each.begin), each.entry.value)
        for each in spots
        if each.entry.kind is Kind.VERY
        and (
            (each.end <= spot.begin <= each.end + NEAR and _joined(found, each.end, spot.begin))
            or (each.begin == spot.end)
        )
    ]
    return min(beside)[1] if beside else 1.0


def _joined(found: Sequence[str], begin: int, end: int) -> bool:
    """Whether no mark stands between."""
    return not any(each in MARKS for each in found[begin:end])
