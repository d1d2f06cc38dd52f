"""Findings in the words of operators: a sentence of what happened and one of what to do, in four languages.

`words/LANGUAGE.tsv` has a line a key: the key, the sentence, the remedy. A key is a fault's name, or name and
variant. `words/causes.tsv` has the causes of Q.850 in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.insight.diagnosis import Verdict, filled
from engine.insight.faults import Found
from engine.languages import NAMES, chosen

FOLDER = Path(__file__).parent / "words"
LANGUAGES = tuple(NAMES)
_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as it is read."""

    sentence: str
    remedy: str


def language_of(wanted: str) -> str:
    """Of the languages asked for, by BCP 47 tags or an Accept-Language, the first that there are words in."""
    return chosen("", "", wanted)


def tell(found: Found, language: str) -> Told:
    """The sentences of a finding."""
    words = table(language)
    sentence, remedy = words.get(f"{found.fault}.{found.variant}") or words[found.fault]
    values = dict(filled(found))
    values["side"] = words.get(f"side.{found.side}", words["side.none"])[0]
    if "cause" in values:
        values["cause"] = cause(values["cause"], language)
    return Told(_fill(sentence, values), _fill(remedy, values))


def fine(verdict: Verdict, language: str) -> str:
    """That nothing went wrong."""
    return table(language)["fine.talked" if verdict.connected else "fine.quiet"][0]


def cause(number: str, language: str) -> str:
    """A cause of Q.850 in words; one that nobody has words for by its number."""
    known = causes().get(number)
    return known[LANGUAGES.index(language)] if known is not None else f"Q.850 {number}"


def _fill(text: str, values: Mapping[str, str]) -> str:
    """At one go, for what a far end said may hold braces. A sentence begins with a capital."""
    filled_in = _GAP.sub(lambda gap: values.get(gap[1], gap[0]), text)
    return filled_in[:1].upper() + filled_in[1:]


@cache
def table(language: str) -> Mapping[str, tuple[str, str]]:
    """Sentence and remedy by key; the remedy "" where there is none."""
    lines = (FOLDER / f"{language}.tsv").read_text("utf-8").splitlines()
    parts = [line.split("\t") for line in lines if line]
    return {key: (sentence, rest[0] if rest else "") for key, sentence, *rest in parts}


@cache
def causes() -> Mapping[str, tuple[str, ...]]:
    """By number, in the order of LANGUAGES."""
    lines = (FOLDER / "causes.tsv").read_text("utf-8").splitlines()
    return {number: tuple(words) for number, *words in (line.split("\t") for line in lines if line)}
