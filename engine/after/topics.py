"""What a call was about: topics whose terms were said, by tables of each language (engine/after/topics).

A table has a topic a line, `name term; term; …` with a tab after the name; `stem*` is any word that begins
so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from media.speech.language import primary
from media.speech.lexicon import units
from media.speech.transcript import Line
from media.speech.urgent import Urgent

FOLDER = Path(__file__).parent / "topics"
MOST = 3
LATER, WAIT = "later", "wait"  # of the tables, no topics: what promises something, what asks to wait


def topics(lines: Sequence[Line]) -> tuple[str, ...]:
    """Those that most was said of, the first before others of the same weight."""
    found: Counter[str] = Counter()
    for line in lines:
        found.update(each for each in named(line) if each not in (LATER, WAIT))
    return tuple(name for name, _ in found.most_common(MOST))


def named(line: Line) -> list[str]:
    """The topics whose terms are in a line."""
    terms = of_language(primary(line.language))
    return [name for name, each in terms.items() if each.find(line.text)]


@lru_cache(32)
def of_language(language: str) -> dict[str, Urgent]:
    """The topics' terms; none where there is no table."""
    path = FOLDER / f"{language}.tsv"
    if not language.isalpha() or not path.is_file():
        return {}
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {name: Urgent(language, terms.split("; ")) for name, terms in rows}


def weight(line: Line) -> int:
    """How many topics a line is about, for the choice of what sums a call up."""
    return len({*named(line)} - {WAIT}) if len(units(line.text, primary(line.language))) > 2 else 0
