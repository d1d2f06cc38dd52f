"""Languages by their tags (BCP 47): whether one is another, regions and scripts apart."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

JOINED = frozenset(("zh", "ja", "th", "lo", "km", "my"))  # written without spaces between words
# Other names of the same in tags of old, and of those that models and programs use (RFC 5646 section 4.5).
SAME = {"iw": "he", "in": "id", "ji": "yi", "mo": "ro", "no": "nb", "cmn": "zh", "arb": "ar", "fil": "tl"}


@lru_cache(4096)
def primary(tag: str) -> str:
    """The language alone: of pt-BR, pt."""
    first = tag.replace("_", "-").partition("-")[0].lower()
    return SAME.get(first, first)


def alike(one: str, other: str) -> bool:
    """Whether who reads one reads the other."""
    return primary(one) == primary(other)


def among(tag: str, known: Iterable[str]) -> bool:
    """Whether it is one of those."""
    return any(alike(tag, each) for each in known)


def nearest(tag: str, known: Iterable[str]) -> str | None:
    """The tag itself among those known, else one without a region, else the first of its language."""
    tags = list(known)
    wanted = tag.replace("_", "-").lower()
    for each in tags:
        if each.lower() == wanted:
            return each
    return min((each for each in tags if alike(each, tag)), key=lambda each: "-" in each, default=None)


def joined(texts: Iterable[str], language: str) -> str:
    """Texts in a row, as the language is written."""
    between = "" if primary(language) in JOINED else " "
    return between.join(each for each in texts if each)
