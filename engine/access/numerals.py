"""Digits as they are written down when somebody tells a number: in figures of any script, in Chinese
characters, in words.

Recognisers write "4111, 1111", "four one one one", "四一一一" and all of it mixed, and what they heard as a
pause between groups. Here is what counts as a digit, and what may stand between two of a number.

Words are looked up one by one: a pattern of all of them costs a hundred times as much, and calls are long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import NamedTuple

# From nought to nine, the ways to say each divided by "|".
WORDS: Mapping[str, str] = {
    "ar": "صفر واحد اثنان|اثنين ثلاثة|ثلاثه أربعة|اربعة خمسة|خمسه ستة|سته سبعة|سبعه ثمانية|ثمانيه تسعة|تسعه",
    "de": "null eins zwei|zwo drei vier fünf|fuenf sechs sieben acht neun",
    "en": "zero|oh|nought one two three four five six seven eight nine",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "fr": "zéro un|une deux trois quatre cinq six sept huit neuf",
    "pt": "zero um|uma dois|duas três quatro cinco seis|meia sete oito nove",
}
CHINESE = {
    each: str(value)
    for value, digit in enumerate("〇零 一幺壹 二贰 三叁 四肆 五伍 六陆 七柒 八捌 九玖".split())
    for each in digit
}
TIMES = {"double": 2, "doble": 2, "doppel": 2, "triple": 3}
JOIN = "\x1e"  # stands between two utterances that are looked through together
LONGEST_GAP = 5

# White space, stops, commas and dashes of all scripts, brackets, marks that nobody sees; no colon, so that
# times stay apart. JOIN is white space to `re`.
BETWEEN = r"[\s.,\-/()_·•…،、，．。‐-―−\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff\u20e3]{0,5}"

_VALUES = {
    word: str(value)
    for words in WORDS.values()
    for value, each in enumerate(words.split())
    for word in each.split("|")
}
_MOST = dict.fromkeys(_VALUES, 1) | {word: times - 1 for word, times in TIMES.items()}  # digits by a word
_LETTERS = r"[A-Za-zÀ-ÖØ-öø-ÿ]+|[\u0621-\u064a]+"
_TOKEN = re.compile(rf"(?P<figures>\d+)|(?P<characters>[{''.join(CHINESE)}]+)|(?P<word>{_LETTERS})")
_WORD, _SIGN = re.compile(_LETTERS), re.compile(rf"[\d{''.join(CHINESE)}]")
_GAP = re.compile(BETWEEN)
# Days and prices are nobody's, where they stand by themselves and not within a number.
_DATE = re.compile(
    r"(?<!\d)(?<!\d[-/.])"
    r"(?:(?:19|20)\d\d-[01]\d-[0-3]\d|(?:[0-3]?\d/[0-3]?\d/|[0-3]?\d\.[0-3]?\d\.)(?:19|20)\d\d)(?![-/.]?\d)"
)
_AMOUNT = r"\d{1,3}(?:[.,]\d{3}){1,3}(?:[.,]\d{1,2})?"
_PRICE = re.compile(
    rf"(?:(?<=[$€£¥])|(?<=[$€£¥] )){_AMOUNT}(?!{BETWEEN}\d)"
    rf"|{_AMOUNT}[ ]?(?:[$€£¥]|(?:EUR|USD|GBP|MXN|euros?|dollars?|d[óo]lares|pounds?|pesos?)\b)",
    re.IGNORECASE,
)


class Run(NamedTuple):
    """Where a number stands in a text, with what is between its digits."""

    start: int
    end: int


def runs(said: str) -> Iterator[Run]:
    """All there are, the longest that they may be: one look at each word."""
    start, end, near = -1, 0, 0  # of the run so far; near: where its last word ends, which may be "double"
    for found in _TOKEN.finditer(said):
        at = found.start()
        if at < near and start < 0:  # within a day or a price
            continue
        word = (found["word"] or "").lower()
        times = word in TIMES
        if word and not times and word not in _VALUES:
            continue  # no gap has letters, so that whatever comes next begins another
        goes_on = start >= 0 and at - near <= LONGEST_GAP and _GAP.fullmatch(said, near, at) is not None
        aside = found["figures"] and (_DATE.match(said, at) or (not goes_on and _PRICE.match(said, at)))
        if start >= 0 and end > start and (aside or not goes_on):
            yield Run(start, end)
        if aside:
            start, end, near = -1, 0, aside.end()
            continue
        if not goes_on:
            start = end = _before(said, at)
        near = found.end()
        end = end if times else near
    if start >= 0 and end > start:
        yield Run(start, end)


def most(said: str) -> int:
    """As many digits as can be in it, wherever they stand: less work than looking for numbers."""
    words = _WORD.findall(said.lower()) if said.isascii() else map(str.lower, _WORD.findall(said))
    return len(_SIGN.findall(said)) + sum(map(_MOST.get, words, repeat(0)))


def digits(written: str) -> Iterator[str]:
    """Each digit as it is shown: a sign as it was written, a word as a figure."""
    times = 1
    for found in _TOKEN.finditer(written):
        word = found["word"]
        if word is not None and word.lower() in TIMES:
            times = TIMES[word.lower()]
            continue
        signs = found[0] if word is None else _VALUES.get(word.lower(), "")
        yield from signs[:1] * times + signs[1:]
        times = 1


def shown(written: str) -> str:
    return "".join(digits(written))


def value(written: str) -> str:
    """The digits of a number in ASCII."""
    return "".join(CHINESE.get(each) or str(int(each)) for each in digits(written))


def _before(said: str, at: int) -> int:
    """Where a number begins that has a plus or a bracket before its first digit."""
    at -= said.startswith("(", at - 1) if at else 0
    return at - (said.startswith("+", at - 1) if at else 0)
