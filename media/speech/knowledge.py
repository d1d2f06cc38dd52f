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

from media.speech.language import alike, primary
from media.speech.lexicon import MARKS, UNSPACED, units

K1, B = 1.2, 0.5
STEM = 5  # letters of a word that count
HEADING = 3  # times that the words of a heading do
LEAST = 2.0  # score of what answers anything
SHARED = 2  # words that it shares at least
MOST = 5000  # passages
FEW = 30  # as of so many, words of fewer passages are rare


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
        self._terms = [_weighed(each) for each in self._passages]
        self._lengths = [sum(each.values()) for each in self._terms]
        self._mean = sum(self._lengths) / len(self._lengths) if self._lengths else 1.0
        self._count = max(FEW, len(self._passages))
        self._having: dict[str, list[int]] = {}
        for at, terms in enumerate(self._terms):
            for term in terms:
                self._having.setdefault(f"{primary(self._passages[at].language)} {term}", []).append(at)

    def __len__(self) -> int:
        return len(self._passages)

    def find(self, text: str, language: str, use: Use | None = None, most: int = 3) -> list[Answer]:
        """The passages of the language that answer a text, the best first."""
        if primary(language) not in self._languages:
            return []
        scores: Counter[int] = Counter()
        shared: Counter[int] = Counter()
        asked = stems(text, language)
        for term in set(asked):
            having = self._having.get(f"{primary(language)} {term}", ())
            rarity = math.log(1 + (self._count - len(having) + 0.5) / (len(having) + 0.5))
            for at in having:
                count = self._terms[at][term]
                length = K1 * (1 - B + B * self._lengths[at] / self._mean)
                scores[at] += rarity * count * (K1 + 1) / (count + length)  # type: ignore[assignment]
                shared[at] += 1
        enough = min(SHARED, len(set(asked)))
        found = [
            Answer(self._passages[at], round(score, 3))
            for at, score in scores.items()
            if score >= LEAST and shared[at] >= enough and (use is None or self._passages[at].use is use)
        ]
        return sorted(found, key=lambda each: -each.score)[:most]

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
