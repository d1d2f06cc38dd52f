"""The languages that pages speak, how a visitor's is chosen, and their words.

Words are TOML files, one a language, in or below the folder of those who say them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

Text = str | Mapping[str, str]  # by plural category, where {n} chooses one

NAMES = {"en": "English", "es": "Español", "zh": "中文", "ar": "العربية"}
RIGHT_TO_LEFT = frozenset({"ar"})
MOST_ACCEPTED = 256  # characters of Accept-Language; browsers send fewer than a hundred
_WEIGHT = re.compile(r"\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


def direction(code: str) -> str:
    """As HTML's `dir` says it."""
    return "rtl" if code in RIGHT_TO_LEFT else "ltr"


def texts(folder: Path, code: str) -> dict[str, Text]:
    """All texts of a language of NAMES, by their keys, from the files of its name in the folder and below."""
    found: dict[str, Text] = {}
    for file in sorted(folder.rglob(f"{code}.toml"), key=lambda file: file.parent):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def chosen(asked: str, kept: str, accepted: str) -> str:
    """The language of a page. asked: in the address; kept: from before; accepted: the browser's
    Accept-Language. English where none is known.
    """
    for each in (asked, kept, *ranked(accepted)):
        code = each.strip().lower().partition("-")[0]
        if code in NAMES:
            return code
    return "en"


def ranked(accepted: str) -> list[str]:
    """The tags of an Accept-Language, those that are wanted most first (RFC 9110, 12.5.4)."""
    read = accepted[:MOST_ACCEPTED]
    if len(accepted) > MOST_ACCEPTED:
        read = read.rpartition(",")[0]  # the last may be half a tag, which is another language
    halves = [each.partition(";") for each in read.split(",")]
    weighed = [(_weight(weight) if given else 1.0, tag) for tag, given, weight in halves]
    return [tag for weight, tag in sorted(weighed, key=lambda each: -each[0]) if weight]


def _weight(written: str) -> float:
    """From 0, not wanted, to 1. What is no weight is 0."""
    found = _WEIGHT.fullmatch(written)
    return float(found[1]) if found else 0.0
