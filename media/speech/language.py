"""Languages by their tags (BCP 47): whether one is another, regions and scripts apart."""

from __future__ import annotations

from collections.abc import Iterable

JOINED = frozenset(("zh", "ja", "th", "lo", "km", "my"))  # written without spaces between words


def primary(tag: str) -> str:
    """The language alone: of pt-BR, pt."""
    return tag.partition("-")[0].lower()


def alike(one: str, other: str) -> bool:
    """Whether who reads one reads the other."""
    return primary(one) == primary(other)


def among(tag: str, known: Iterable[str]) -> bool:
    """Whether it is one of those."""
    return any(alike(tag, each) for each in known)


def joined(texts: Iterable[str], language: str) -> str:
    """Texts in a row, as the language is written."""
    between = "" if primary(language) in JOINED else " "
    return between.join(each for each in texts if each)
