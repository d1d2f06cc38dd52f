"""A glossary's words in a text: where they are, and what stands for them in another language.

Words are compared as they are heard, without case and width; a longer term goes before a shorter one within
it. Scripts without spaces are searched by characters, and in Arabic what is written together with a word (the
article, and, to, with) is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from media.speech import inflection
from media.speech.language import JOINED, alike, primary
from media.speech.market import Forms, Term
from media.speech.word import bare

LONGEST = 8  # words of a term; of scripts without spaces, three times as many characters
TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*", re.UNICODE)
ARTICLE = re.compile(r"^[وف]?(?:[بك]?ال|لل)(?=..)")
PREFIX = re.compile(r"^[وفبكل](?=..)")
ELIDED = re.compile(r"(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu)['’](?=\w)", re.IGNORECASE)
DEFINITE = {
    "en": ("the", "my", "your", "our", "this"), "es": ("el", "la", "los", "las", "mi", "su", "del", "al"),
    "fr": ("le", "la", "les", "mon", "votre", "du"), "pt": ("o", "a", "os", "as", "meu", "do", "ao"),
    "de": ("der", "die", "das", "den", "dem"),
}  # fmt: skip


class Found(NamedTuple):
    """A term in a text. plural, definite: as it was said."""

    term: Term
    begin: int
    end: int
    plural: bool = False
    definite: bool = False


class Lexicon:
    """The terms of a glossary that are in one language, whatever its region, to be searched for."""

    def __init__(self, terms: Iterable[Term], language: str) -> None:
        self.language = language
        self._tongue = primary(language)
        self._joined = self._tongue in JOINED
        self._known: dict[tuple[str, ...], tuple[Term, bool]] = {}
        self._longest: dict[str, int] = {}  # key that begins with a token
        for term in terms:
            regional = [forms for tag, forms in term.forms.items() if alike(tag, language)]
            for words, plural in (each for forms in regional for each in spoken(forms, language)):
                key = self._key(words)
                if key and len(key) <= LONGEST * (3 if self._joined else 1):
                    self._known.setdefault(key, (term, plural))
                    self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    def find(self, text: str) -> list[Found]:
        """The terms in a text, in their order, none within another."""
        tokens, found, at = self._tokens(text), list[Found](), 0
        while at < len(tokens):
            hit = self._at(tokens, at)
            if hit is None:
                at += 1
                continue
            (term, plural), length, begin = hit
            end = tokens[at + length - 1][2]
            before = tokens[at - 1][0] if at else ""
            article = "ال" in text[tokens[at][1] : begin] or text[tokens[at][1] : begin] == "لل"
            definite = article or before in DEFINITE.get(self._tongue, ())
            found.append(Found(term, begin, end, plural, definite))
            at += length
        return found

    def _at(
        self, tokens: Sequence[tuple[str, int, int]], at: int
    ) -> tuple[tuple[Term, bool], int, int] | None:
        """The longest term that begins there, how many tokens long, and where it begins in the text."""
        token, begin, _ = tokens[at]
        starts = [(token, begin)]
        if self._tongue == "ar":
            glued = [found for each in (ARTICLE, PREFIX) if (found := each.match(token))]
            starts += [(token[found.end() :], begin + found.end()) for found in glued]
        for first, place in starts:
            for length in range(min(self._longest.get(first, 0), len(tokens) - at), 0, -1):
                rest = (each for each, _, _ in tokens[at + 1 : at + length])
                key = (first, *(ARTICLE.sub("", each) if self._tongue == "ar" else each for each in rest))
                if key in self._known:
                    return self._known[key], length, place
        return None

    def _tokens(self, text: str) -> list[tuple[str, int, int]]:
        if self._joined:
            return [(bare(each), at, at + 1) for at, each in enumerate(text) if not each.isspace()]
        found = [(each[0], each.start(), each.end()) for each in TOKEN.finditer(text)]
        if self._tongue in ("fr", "it", "ca"):
            found = [part for each in found for part in _unelided(*each)]
        return [(bare(word), begin, end) for word, begin, end in found]

    def _key(self, words: str) -> tuple[str, ...]:
        tokens = tuple(token for token, _, _ in self._tokens(words))
        return tuple(ARTICLE.sub("", each) for each in tokens) if self._tongue == "ar" else tokens


def _unelided(word: str, begin: int, end: int) -> Iterator[tuple[str, int, int]]:
    """`l'abonnement` as two words."""
    elided = ELIDED.match(word)
    if elided:
        yield elided[0], begin, begin + elided.end()
        yield from _unelided(word[elided.end() :], begin + elided.end(), end)
    else:
        yield word, begin, end


def spoken(forms: Forms, language: str) -> Iterator[tuple[str, bool]]:
    """All that a term is said as, and whether that is its plural."""
    yield forms.one, False
    plural = forms.many or inflection.many(forms.one, language)
    if plural != forms.one:
        yield plural, True
    if alike(language, "de"):
        yield inflection.declined(forms.one, plural, "", "", inflection.DATIVE, True), True
        yield inflection.declined(forms.one, plural, forms.genitive, "m", inflection.GENITIVE, False), False
    for each in forms.also:
        yield each, False
        more = inflection.many(each, language)
        if more != each:
            yield more, True


def wanted(found: Found, language: str) -> str:
    """What a term has to be in another language, as it was said."""
    forms = found.term.within(language)
    if forms is None:
        return ""
    return (forms.many or inflection.many(forms.one, language)) if found.plural else forms.one


def put(before: str, found: Found, language: str) -> tuple[str, str]:
    """The term after a text in the language: that text, made to agree with it, and the term's form."""
    forms = found.term.within(language)
    assert forms is not None, "only terms that the language has are put"
    word, plural = wanted(found, language), found.plural
    fit = inflection.fitted(before, word, forms.gender, plural, language)
    if alike(language, "de"):
        word = inflection.declined(forms.one, word, forms.genitive, forms.gender, fit.case, plural)
    bare_noun = " " not in word and word[:1] >= "\u0600" and not word.startswith("ال")
    if alike(language, "ar") and found.definite and bare_noun:
        word = f"ال{word}"
    if not fit.before.strip() and word.islower():
        word = word[:1].upper() + word[1:]
    return fit.before, word


def contains(text: str, found: Sequence[Found], language: str) -> list[bool]:
    """Of each term, whether the text has it, in any of its forms; one that is wanted twice, twice."""
    left: dict[str, int] = {}
    result = []
    for each in found:
        if each.term.name not in left:
            forms = each.term.within(language)
            left[each.term.name] = len(_own(forms, language).find(text)) if forms is not None else 0
        result.append(left[each.term.name] > 0)
        left[each.term.name] -= 1
    return result


@lru_cache(4096)
def _own(forms: Forms, language: str) -> Lexicon:
    """To find a term alone, as it is said here."""
    return Lexicon([Term("", {language: replace(forms, also=())})], language)
