"""Words that say how somebody feels, of one language: read from a table, found in what was said.

Text is cut into units: words where the script has spaces between them, letters where it has none (Chinese,
Japanese), so that terms are sequences of units either way and the longest that fits is the one that was
meant. Arabic words are looked for without what is written onto them: article, conjunctions, prepositions,
possessives.

A table has a term a line, `kind value term; term; …` with tabs between the three:

    says   +3      what it is worth, -3 to 3; 0: an idiom whose words mean nothing here
    lacks  -2      what it is worth where it is denied, and nothing otherwise ("nobody called back")
    not    4,2     denies what comes so many units after it, and before it, up to the next mark or turn
    very   1.5     multiplies what comes next to it
    but            what comes after it counts more than what came before

`stem*` is any unit that begins so. Lines that begin with # say something to the reader.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

UNSPACED = frozenset({"zh", "ja"})
MARKS = frozenset('.,;:!?…-–—()"«»¡¿。、，；：！？（）「」؟،؛।')
MOST = 2000  # characters of a text that are looked at
LEAST = 3  # letters of an Arabic word that have to be left

WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]", re.UNICODE)
LETTER = re.compile(r"[a-z0-9]+|\S", re.UNICODE)
ELISION = re.compile(r"\b(qu|jusqu|lorsqu|puisqu|[cdjlmnst])'(?=\w)")
NOT = re.compile(r"\b(\w+)n't\b")
BEFORE = ("وال", "بال", "فال", "كال", "لل", "ال", "و", "ف", "ب", "ك", "ل", "س")
BEHIND = ("كم", "هم", "ها", "نا", "ني", "ه", "ك", "ي", "ات", "ين", "ون")


class Kind(StrEnum):
    SAYS = "says"
    LACKS = "lacks"
    NOT = "not"
    VERY = "very"
    BUT = "but"


class Entry(NamedTuple):
    """value: as its kind has it. before: of a denial, how far it reaches back. lacks: what it is worth where
    it is denied, when that is told apart. idiom: praise that has a denial in it ("no problem").
    """

    kind: Kind
    value: float
    before: int = 0
    lacks: float | None = None
    idiom: bool = False


class Spot(NamedTuple):
    """A term that was found: units from `begin` to before `end`."""

    begin: int
    end: int
    entry: Entry
    text: str


class BadLexicon(ValueError):
    """The table cannot be read; the message names the line and what it should be."""


@dataclass(slots=True)
class _Node:
    """What may come next, whole or as a stem; entry: of the term that ends here."""

    whole: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, _Node] = field(default_factory=dict)
    entry: Entry | None = None


@lru_cache(4096)
def fold(text: str, language: str) -> str:
    """What of letters tells terms apart: no case, no width, and no accents where words are spaced."""
    if text.isascii():
        return text.casefold()
    if language in UNSPACED:
        return unicodedata.normalize("NFKC", text).casefold()
    bare = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    bare = "".join(each for each in bare if not unicodedata.combining(each))
    if language == "ar":
        bare = bare.replace("ـ", "").replace("ى", "ي").replace("ة", "ه")
    return bare


def units(text: str, language: str) -> list[str]:
    """The units of a text, marks among them; bounded."""
    folded = fold(text[:MOST], language)
    if language in UNSPACED:
        return LETTER.findall(folded)
    if language == "en":
        folded = NOT.sub(r"\1 n't", folded)
    elif language == "fr":
        folded = ELISION.sub(r"\1 ", folded)
    return WORD.findall(folded)


def as_said(text: str, language: str, begin: int, end: int) -> str:
    """The units of a text from `begin` to before `end`, with the capitals and accents that they have."""
    text = unicodedata.normalize("NFKC" if language in UNSPACED else "NFC", text[:MOST])
    places = [at for at, each in enumerate(text) for _ in fold(each, language)]
    folded = "".join(fold(each, language) for each in text)
    if language == "en":
        for found in reversed(list(NOT.finditer(folded))):
            cut = found.end(1)  # where `units` puts a space
            folded = f"{folded[:cut]} {folded[cut:]}"
            places.insert(cut, places[cut])
    elif language == "fr":
        folded = ELISION.sub(r"\1 ", folded)
    pattern = LETTER if language in UNSPACED else WORD
    parts = [each.span() for each in pattern.finditer(folded)][begin:end]
    if not parts:
        return ""
    last = places[parts[-1][1] - 1] + 1
    while last < len(text) and unicodedata.combining(text[last]):
        last += 1
    return text[places[parts[0][0]] : last]


class Lexicon:
    """Of one language, by its subtag."""

    def __init__(self, language: str, entries: Mapping[str, Entry]) -> None:
        self.language = language
        self._root = _Node()
        denials = {term for term, entry in entries.items() if entry.kind is Kind.NOT}
        for term in denials:
            self._plant(term, entries[term])
        rest = [(term, entry) for term, entry in entries.items() if term not in denials]
        denied = [entry.value > 0 and bool(self.spots(_term(term, language))) for term, entry in rest]
        for (term, entry), idiom in zip(rest, denied):
            self._plant(term, entry._replace(idiom=idiom))

    def spots(self, found: Sequence[str]) -> list[Spot]:
        """The terms in these units, the longest at each place, none over another."""
        spots, at = [], 0
        while at < len(found):
            end, entry = self._longest(self._root, found, at)
            if entry is None:
                at += 1
                continue
            gap = "" if self.language in UNSPACED else " "
            spots.append(Spot(at, end, entry, gap.join(found[at:end])))
            at = end
        return spots

    def _plant(self, term: str, entry: Entry) -> None:
        node = self._root
        for each in _term(term, self.language):
            kind = node.stems if each.endswith("*") else node.whole
            node = kind.setdefault(each.removesuffix("*"), _Node())
        node.entry = entry

    def _longest(self, node: _Node, found: Sequence[str], at: int) -> tuple[int, Entry | None]:
        best = (at, node.entry)
        if at < len(found):
            for after in self._next(node, found[at]):
                end, entry = self._longest(after, found, at + 1)
                if entry is not None and (best[1] is None or end > best[0]):
                    best = (end, entry)
        return best

    def _next(self, node: _Node, unit: str) -> Iterator[_Node]:
        forms = _bare_forms(unit) if self.language == "ar" else (unit,)
        yield from (node.whole[form] for form in forms if form in node.whole)
        if node.stems:
            for form in forms:
                sizes = range(len(form), 0, -1)
                yield from (node.stems[form[:size]] for size in sizes if form[:size] in node.stems)


@lru_cache(4096)
def _bare_forms(word: str) -> tuple[str, ...]:
    """An Arabic word as it is, then with less and less written onto it."""
    heads = [word, *(word[len(each) :] for each in BEFORE if word.startswith(each))]
    forms = list(heads)
    for head in heads:
        forms += [head[: -len(each)] for each in BEHIND if head.endswith(each)]
        forms += [head[: -len(each)] + "ه" for each in BEHIND if head.endswith("ت" + each)]  # خدمتكم: خدمه
    kept = (form for form in forms if form == word or len(form) >= LEAST)
    return tuple(dict.fromkeys(kept))


def _term(term: str, language: str) -> list[str]:
    """A term's units, a stem's star left on it."""
    marked = term.replace("*", "\ue000")  # a letter of nobody's, that stays in its word
    folded = fold(marked, language)
    if language in UNSPACED:
        return LETTER.findall(folded)
    if language == "en":
        folded = NOT.sub(r"\1 n't", folded)
    elif language == "fr":
        folded = ELISION.sub(r"\1 ", folded)
    return [each.replace("\ue000", "*") for each in folded.split()]


def parse(text: str, language: str) -> Lexicon:
    """A lexicon from its table. Raises BadLexicon."""
    entries: dict[str, Entry] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3:
            raise BadLexicon(f"line {number}: three cells with tabs between them, not {len(cells)}")
        entry = _entry(cells[0], cells[1], number)
        for term in filter(None, (each.strip() for each in cells[2].split(";"))):
            entries[term] = _both(entries.get(term), entry, f"line {number}: “{term}”")
    return Lexicon(language, {term: _of_stem(term, entry, entries) for term, entry in entries.items()})


def _of_stem(term: str, entry: Entry, entries: Mapping[str, Entry]) -> Entry:
    """What a term lacks goes with what its stem says: “glad” of “glad*”."""
    if entry.kind is Kind.LACKS:
        for end in range(len(term), 2, -1):
            stem = entries.get(f"{term[:end]}*")
            if stem is not None and stem.kind is Kind.SAYS:
                return stem._replace(lacks=entry.value)
    return entry


def _both(one: Entry | None, other: Entry, where: str) -> Entry:
    """A term may say something, and another thing where it is denied; anything else is there once."""
    kinds = {each.kind: each for each in (one, other) if each is not None}
    if one is None or (one.kind is not other.kind and set(kinds) == {Kind.SAYS, Kind.LACKS}):
        says = kinds.get(Kind.SAYS)
        return other if says is None or one is None else says._replace(lacks=kinds[Kind.LACKS].value)
    raise BadLexicon(f"{where} is there twice; keep one")


def _entry(kind: str, value: str, number: int) -> Entry:
    try:
        if kind == Kind.NOT:
            after, before = (int(each) for each in value.split(","))
            return Entry(Kind.NOT, after, before)
        worth = float(value or 0)
        return Entry(Kind(kind), worth, lacks=worth if kind == Kind.LACKS else None)
    except ValueError:
        kinds = ", ".join(Kind)
        raise BadLexicon(f"line {number}: “{kind}” “{value}”: a kind of {kinds}, and its value") from None
