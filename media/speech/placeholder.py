"""Words that a translator has to leave alone, in its text as placeholders.

Within the house a placeholder is one character of a private use area (Unicode, section 23.5); every
translator has a spelling of its own that it is known to pass through, which is written before and read after.
One comes back with other capitals or with spaces in it at times.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

FIRST = 0xE000
MOST = 24  # in one text
KEPT_FORMATS = frozenset("\u200c\u200d")  # joiners that scripts are written with
PRIVATE = re.compile("[\ue000-\uf8ff]")


def placeholder(number: int) -> str:
    return chr(FIRST + number)


def numbers(text: str) -> list[int]:
    """Of the placeholders in a text, in their order."""
    return [ord(each) - FIRST for each in PRIVATE.findall(text)]


def clean(text: str, most: int) -> str:
    """Text from anywhere as it may be worked on: composed, on one line, without controls and private
    characters, of at most so many characters.
    """
    composed = unicodedata.normalize("NFC", text[: 2 * most])
    kept = (
        each
        if each in KEPT_FORMATS or unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
        else " "
        for each in composed
    )
    return " ".join("".join(kept).split())[:most]


def unmarked(text: str) -> str:
    """Text without placeholders: for what nobody put there."""
    return " ".join(PRIVATE.sub("", text).split())


def spelled(text: str, slot: str) -> str:
    """The text as a translator gets it. A placeholder is a word of its own there."""
    return PRIVATE.sub(lambda found: _word(found, slot), text)


def unspelled(text: str, slot: str) -> str:
    """What came back, with the placeholders of the house."""
    return _spelling(slot).sub(_private, text)


def _word(found: re.Match[str], slot: str) -> str:
    text, begin, end = found.string, found.start(), found.end()
    before = " " if begin and text[begin - 1].isalnum() else ""
    after = " " if end < len(text) and (text[end].isalnum() or PRIVATE.match(text[end])) else ""
    return f"{before}{slot.format(ord(found[0]) - FIRST)}{after}"


def _private(found: re.Match[str]) -> str:
    number = int(re.sub(r"\s", "", found["number"]))
    return placeholder(number) if number < MOST else found[0]


@lru_cache(64)
def _spelling(slot: str) -> re.Pattern[str]:
    begin, _, end = slot.partition("{}")
    loose = [r"\s?".join(re.escape(each) for each in part) for part in (begin, end)]
    return re.compile(rf"{loose[0]}\s?(?P<number>[0-9]{{1,2}})\s?{loose[1]}", re.IGNORECASE)
