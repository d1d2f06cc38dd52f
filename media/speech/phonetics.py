"""How words sound, roughly and in any language of an alphabet: for terms that a recogniser heard wrongly.

A recogniser that never met a name writes down what sounds like it: "key why see" for KYC. Words are reduced
to the sounds that recognisers confuse least (consonants by the place they are made at, as in Soundex of
Russell and Odell, 1918, finer; vowels to three) and compared by edit distance. Only words that the recogniser
was not sure of are put right unless they sound exactly alike, so that a right word is not made wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from media.speech.language import primary
from media.speech.word import Word, bare

NEAR = 0.25  # distance over length, but for two sounds, up to which unsure words are taken for a term
LEAST = 4  # sounds of a term that is looked for so; shorter ones sound like too much else
UNSURE = 0.6  # probability below which a word may be another
SPREAD = 6  # words that one term may have been heard as
TERMS = 2000

# Names of letters, as they are written by recognisers that take them for words.
LETTERS: Mapping[str, str] = {
    "en": "a:ay b:bee c:see d:dee e:ee f:ef g:jee h:aitch i:eye j:jay k:kay l:el m:em n:en o:oh p:pee q:cue "
    "r:are s:ess t:tee u:you v:vee w:doubleyou x:ex y:why z:zee",
    "es": "a:a b:be c:ce d:de e:e f:efe g:ge h:hache i:i j:jota k:ka l:ele m:eme n:ene o:o p:pe q:cu r:erre "
    "s:ese t:te u:u v:uve w:uvedoble x:equis y:igriega z:zeta",
    "de": "a:a b:be c:ze d:de e:e f:ef g:ge h:ha i:i j:jot k:ka l:el m:em n:en o:o p:pe q:ku r:er s:es t:te "
    "u:u v:vau w:we x:ix y:ypsilon z:zett",
    "fr": "a:a b:bé c:cé d:dé e:e f:ef g:gé h:ache i:i j:ji k:ka l:el m:em n:en o:o p:pé q:ku r:er s:es t:té "
    "u:u v:vé w:doublevé x:ix y:igrec z:zed",
    "pt": "a:a b:bê c:cê d:dê e:e f:efe g:gê h:agá i:i j:jota k:cá l:ele m:eme n:ene o:o p:pê q:quê r:erre "
    "s:esse t:tê u:u v:vê w:dáblio x:xis y:ípsilon z:zê",
}
# Spellings before sounds, in this order; of all languages with Latin letters.
SPELLINGS = (
    ("tsch|tch|sch|sh|ch", "S"), ("ph", "f"), ("th", "t"), ("gh", ""), ("wr", "r"), ("kn", "n"), ("wh", "w"),
    ("qu|ck|k|q", "k"), ("c(?=[eiy])|ç|ß|z|s", "s"), ("c", "k"), ("x", "ks"), ("dg|j|g(?=[eiy])", "S"),
    ("g", "k"), ("d|t", "t"), ("b|p", "p"), ("v|f|w(?=[^aeiou]|$)", "f"), ("h", ""), ("ñ|gn|nh", "n"),
    ("ll|y(?=[aeiou])", "i"), ("y", "i"), ("eigh|ai|ay|ei|ey|ea|ee|ie|e|i", "i"), ("ou|oo|ow|o|u|w", "u"),
    ("a", "a"),
)  # fmt: skip


@lru_cache(16384)
def sounds(text: str, language: str = "") -> str:
    """A string of sounds. What is written in capitals alone is spelled out."""
    names = _letters(primary(language))
    spelled = text.isupper() and text.isalpha() and len(text) <= 6 and text.isascii()
    words = [names.get(each.lower(), each) for each in text] if spelled else [text]
    if primary(language) == "de":
        words = [each.lower().replace("w", "v") for each in words]
    return "".join(_sound(each) for each in words)


def distance(one: str, other: str, most: int) -> int:
    """Edits from one to the other (Levenshtein); more than `most` is told as `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before = list(range(len(other) + 1))
    for row, a in enumerate(one, 1):
        now = [row]
        for column, b in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (a != b)))
        if min(now) > most:
            return most + 1
        before = now
    return min(before[-1], most + 1)


class _Hit(NamedTuple):
    """What some words sound like. far: 0 to 1; length: of the words. term: "" where they are one already."""

    far: float
    length: int
    term: str


class Names:
    """Names and abbreviations among what may be said in a language, by their sounds; recognisers know the
    rest.
    """

    def __init__(self, said: Iterable[str], language: str) -> None:
        self._language = language
        names = [each for each in said if _is_name(each, language)][:TERMS]
        self._known = {bare(each) for each in names}
        sounded = {each: "".join(sounds(part, language) for part in each.split()) for each in names}
        self._sounds = [(sound, each) for each, sound in sounded.items() if len(sound) >= LEAST]

    def corrected(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """The words, with names in the place of what sounds like them."""
        if not self._sounds:
            return tuple(words)
        done: list[Word] = []
        at = 0
        while at < len(words):
            hit = self._at(words, at)
            if hit is not None and hit.far > 0:  # a word more before it would be taken along
                later = self._at(words, at + 1)
                hit = None if later is not None and later.far < hit.far else hit
            if hit is None:
                done.append(words[at])
            elif not hit.term:
                done += words[at : at + hit.length]
            else:
                done.append(_joined(words[at : at + hit.length], hit.term))
            at += hit.length if hit is not None else 1
        return tuple(done)

    def _at(self, words: Sequence[Word], at: int) -> _Hit | None:
        """What the words from there on sound like most."""
        best: _Hit | None = None
        heard, written, doubtful = "", "", False
        for count in range(1, min(SPREAD, len(words) - at) + 1):
            word = words[at + count - 1]
            text = bare(word.text)
            written += text
            if written in self._known:
                return _Hit(0.0, count, "")
            heard += sounds(text, self._language)
            doubtful |= word.sure < UNSURE
            for sound, term in self._sounds:
                most = int(NEAR * (len(sound) - 2)) if doubtful else 0
                edits = distance(heard, sound, most) if abs(len(heard) - len(sound)) <= most else most + 1
                if edits <= most and (best is None or edits / len(sound) < best.far):
                    best = _Hit(edits / len(sound), count, term)
        return best


def _joined(words: Sequence[Word], term: str) -> Word:
    """One word for some, with the space and the marks that were around them."""
    first, last = words[0], words[-1]
    lead = first.text[: len(first.text) - len(first.text.lstrip())]
    tail = re.search(r"[^\w\s]*$", last.text)
    sure = min(each.sure for each in words)
    return Word(f"{lead}{term}{tail[0] if tail else ''}", first.begin, last.end, sure)


@lru_cache(8)
def _letters(tongue: str) -> Mapping[str, str]:
    return {pair[0]: pair[2:] for pair in LETTERS.get(tongue, LETTERS["en"]).split()}


def _is_name(said: str, language: str) -> bool:
    """Whether capitals say so; of German, where all nouns have one, those that are not the first letter."""
    parts = said.split() if primary(language) != "de" else [each[1:] for each in said.split()]
    return any(each.isupper() for part in parts for each in part)


def _sound(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold().replace("ñ", "gn").replace("ç", "s"))
    text = "".join(each for each in folded if not unicodedata.combining(each))
    for spelling, sound in SPELLINGS:
        text = re.sub(spelling, sound.upper(), text)
    return re.sub(r"(.)\1+", r"\1", text)
