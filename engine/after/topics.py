"""What a call was about: topics whose terms were said, by tables of each language (engine/after/topics).

A table has a topic a line, `name term; term; …` with a tab after the name; `stem*` is any word that begins
so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from media.speech.language import primary
from media.speech.lexicon import Entry, Kind, Lexicon, units
from media.speech.transcript import Line

FOLDER = Path(__file__).parent / "topics"
MOST = 3
LATER, WAIT = "later", "wait"  # of the tables, no topics: what promises something, what asks to wait


def topics(lines: Sequence[Line]) -> tuple[str, ...]:
    """Those that most was said of, the first before others of the same weight."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(each for each in named(line) if each not in (LATER, WAIT))
    return tuple(name for name, _ in found.most_common(MOST))


def named(line: Line) -> tuple[str, ...]:
    """The topics whose terms are in a line."""
    return _named(line.text, primary(line.language))


def weight(line: Line) -> int:
    """How many topics a line is about, for the choice of what sums a call up."""
    return len({*named(line)} - {WAIT})


@lru_cache(1024)
def _named(text: str, language: str) -> tuple[str, ...]:
    table = of_language(language)
    found = 0
    for spot in table.lexicon.spots(units(text, language)):
        found |= int(spot.entry.value)
    return tuple(name for at, name in enumerate(table.names) if found >> at & 1)


class Table(NamedTuple):
    """names: of topics, in their order. lexicon: what a term is worth has a bit for each of its topics."""

    names: tuple[str, ...]
    lexicon: Lexicon


@lru_cache(32)
def of_language(language: str) -> Table:
    """A language's table; an empty one where there is none."""
    path = FOLDER / f"{language}.tsv"
    if not language.isalpha() or not path.is_file():
        return Table((), Lexicon(language, {}))
    lines = (line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#")
    rows = dict(line.split("\t") for line in lines)
    bits: Counter[str] = Counter()
    for at, terms in enumerate(rows.values()):
        for term in dict.fromkeys(terms.split("; ")):
            bits[term] |= 1 << at
    entries = {term: Entry(Kind.SAYS, float(bit)) for term, bit in bits.items()}
    return Table(tuple(rows), Lexicon(language, entries))
