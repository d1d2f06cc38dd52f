"""Languages by their tags (BCP 47), as far as who translates has to tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

# Languages that are called by another name somewhere; each with the one used here (RFC 5646 section 4.5).
SAME = {"iw": "he", "in": "id", "ji": "yi", "mo": "ro", "no": "nb", "cmn": "zh", "arb": "ar", "fil": "tl"}


@lru_cache(1024)
def primary(tag: str) -> str:
    """`es` of `es-MX`; "" of nothing."""
    first = tag.replace("_", "-").split("-", 1)[0].casefold()
    return SAME.get(first, first)


def same(one: str, other: str) -> bool:
    """Whether speakers of one read the other: no matter which country's."""
    return primary(one) == primary(other) != ""


def nearest(tag: str, known: Iterable[str]) -> str | None:
    """The tag itself among those known, else one without a country, else the first of its language."""
    tags = list(known)
    wanted = tag.replace("_", "-").casefold()
    for each in tags:
        if each.casefold() == wanted:
            return each
    alike = [each for each in tags if same(each, tag)]
    return min(alike, key=lambda each: "-" in each, default=None)
