"""What a company knows, in passages, and those that answer what somebody says.

Passages are ranked by the words that they share with it (BM25: Robertson and Zaragoza, "The probabilistic
relevance framework", 2009), words that few passages have counting most, those of a heading twice. Words are
compared without their endings; where a script has no spaces, by pairs of letters. A passage that shares too
little answers nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from media.columns import F32, I64
from media.speech.language import alike, primary
from media.speech.lexicon import MARKS, UNSPACED, units

K1, B = 1.2, 0.5
STEM = 5  # letters of a word that count
HEADING = 3  # times that the words of a heading do
LEAST = 2.0  # score of what answers anything
SHARED = 2  # words that it shares at least
MOST = 5000  # passages
FEW = 30  # as of so many, words of fewer passages are rare

Postings = tuple[I64, F32]
NOWHERE: Postings = (np.zeros(0, np.int64), np.zeros(0, np.float32))


class Use(StrEnum):
    ANSWER = "answer"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True)
class Passage:
    """source: the file that it is of. language: BCP 47. also: other words that it is asked for by."""

    source: str
    title: str
    text: str
    language: str
    use: Use = Use.ANSWER
    also: tuple[str, ...] = ()


class Answer(NamedTuple):
    passage: Passage
    score: float


class Knowledge:
    """All passages of a node, to be searched; bounded."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = list(passages)[:MOST]
        self._languages = {primary(each.language) for each in self._passages}
        self._uses = np.array([list(Use).index(each.use) for each in self._passages], np.int8)
        self._having = _weights(self._passages)

    def __len__(self) -> int:
        return len(self._passages)

    def find(self, text: str, language: str, use: Use | None = None, most: int = 3) -> list[Answer]:
        """The passages of the language that answer a text, the best first."""
        if primary(language) not in self._languages:
            return []
        asked = set(stems(text, language))
        scores = np.zeros(len(self._passages), np.float32)
        shared = np.zeros(len(self._passages), np.int32)
        for term in asked:
            rows, weights = self._having.get(f"{primary(language)} {term}", NOWHERE)
            scores[rows] += weights
            shared[rows] += 1
        enough = (scores >= LEAST) & (shared >= min(SHARED, len(asked)))
        if use is not None:
            enough &= self._uses == list(Use).index(use)
        found = np.flatnonzero(enough)
        best = found[np.argsort(-scores[found], kind="stable")][:most]
        return [Answer(self._passages[at], round(float(scores[at]), 3)) for at in best]

    def of_use(self, use: Use, language: str) -> list[Passage]:
        """All of one use, in a language."""
        return [each for each in self._passages if each.use is use and alike(each.language, language)]


def stems(text: str, language: str) -> list[str]:
    """What of a text's words is compared: not those of one or two letters, which say nothing alone."""
    own = primary(language)
    found = [each for each in units(text, own) if each not in MARKS]
    if own in UNSPACED:
        return [one + other for one, other in pairwise(found)]
    return [each[:STEM] for each in found if len(each) > 2]


def _weights(passages: Sequence[Passage]) -> dict[str, Postings]:
    """By language and term: the passages that have it, and what it adds to their scores."""
    terms = [_weighed(each) for each in passages]
    lengths = [sum(each.values()) for each in terms]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    having: dict[str, list[tuple[int, float]]] = {}
    for at, counted in enumerate(terms):
        length = K1 * (1 - B + B * lengths[at] / mean)
        for term, count in counted.items():
            share = count * (K1 + 1) / (count + length)
            having.setdefault(f"{primary(passages[at].language)} {term}", []).append((at, share))
    count = max(FEW, len(passages))
    made = {}
    for term, found in having.items():
        rarity = math.log(1 + (count - len(found) + 0.5) / (len(found) + 0.5))
        rows = np.array([at for at, _ in found], np.int64)
        made[term] = rows, np.array([rarity * share for _, share in found], np.float32)
    return made


def _weighed(passage: Passage) -> Counter[str]:
    terms = Counter(stems(passage.text, passage.language))
    for heading in (passage.title, *passage.also):
        for term in stems(heading, passage.language):
            terms[term] += HEADING
    return terms


class BadKnowledge(ValueError):
    """line: of the file."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.line, self.problem, self.remedy = line, problem, remedy


LONGEST = 4000  # characters of a passage
ASKED = "asked for:"  # what the line begins with that has other words


def parse(text: str, source: str, language: str, use: Use = Use.ANSWER) -> list[Passage]:
    """The passages of a Markdown file: a `##` heading each, then its text, before which a line may say
    `Asked for: other words, by commas`. What stands before the first is for who edits it. Raises
    BadKnowledge.
    """
    found: list[Passage] = []
    title, began, also, body = "", 0, (), []  # type: str, int, tuple[str, ...], list[str]
    for number, line in enumerate([*text.splitlines(), "## "], 1):
        if not line.startswith("## "):
            if line.casefold().startswith(ASKED) and not any(body):
                also = tuple(each.strip() for each in line[len(ASKED) :].split(",") if each.strip())
            else:
                body.append(line.strip())
            continue
        if title:
            found.append(_passage(source, title, began, " ".join(filter(None, body)), language, use, also))
        title, began, also, body = line[3:].strip(), number, (), []
    return found


def _passage(
    source: str, title: str, line: int, text: str, language: str, use: Use, also: Sequence[str]
) -> Passage:
    if not text:
        raise BadKnowledge(line, f"“{title}” has no text", "write the answer under its heading")
    if len(text) > LONGEST:
        raise BadKnowledge(line, f"“{title}” is over {LONGEST} characters", "make two of it")
    return Passage(source, title, text, language, use, tuple(also))
