"""Words as they are looked for: the same of a text and of what somebody asks for, on every database.

Databases cut Chinese and Japanese into words badly or not at all, and each folds accents its own way. So
texts are cut here, a letter at a time where a script has no spaces, and databases are given nothing but
words with spaces between them. What was asked for is found where all its parts are, each as a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 400_000  # characters of words that are indexed of one call
MOST_PHRASES = 8
MOST_WORDS = 32  # of a question

PLAIN = re.compile(r"[a-z0-9]+")
QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”|(\S+)')
JOINED = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")


def words(text: str) -> list[str]:
    """The words of a text, folded; letters of scripts without spaces one by one."""
    if text.isascii():
        return PLAIN.findall(text.casefold())
    found: list[str] = []
    word = ""
    for each in unicodedata.normalize("NFKC", text).casefold():
        if JOINED.match(each):
            found += [word, each] if word else [each]
            word = ""
            continue
        for part in unicodedata.normalize("NFKD", each):
            if part.isalnum():
                word += ARABIC.get(part, part)
            elif not unicodedata.combining(part) and part != "ـ" and word:
                found.append(word)
                word = ""
    return [*found, word] if word else found


ARABIC = {"ى": "ي", "ة": "ه"}


def indexed(texts: Iterable[str]) -> str:
    """All words of texts, for a database to index; bounded."""
    kept, room = [], LONGEST
    for text in texts:
        kept.append(" ".join(words(text[:room]))[:room])
        room -= len(kept[-1]) + 1
        if room <= 0:
            break
    return " ".join(kept)


def phrases(asked: str) -> list[list[str]]:
    """What is asked for: each a word, or words in a row where they were quoted or have no spaces."""
    parts = (words(next(filter(None, each), "")) for each in QUOTED.findall(asked))
    kept, room = [], MOST_WORDS
    for part in list(filter(None, parts))[:MOST_PHRASES]:
        kept.append(part[:room])
        room -= len(kept[-1])
        if room <= 0:
            break
    return [part for part in kept if part]


def matches(text: str, wanted: Iterable[list[str]]) -> bool:
    """Whether any of the phrases is in a text."""
    line = f" {' '.join(words(text))} "
    return any(f" {' '.join(phrase)} " in line for phrase in wanted)
