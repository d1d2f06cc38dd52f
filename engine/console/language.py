"""The console's words: tables a language (engine/console/words), numbers and durations as it writes them.

A text may be a table by plural category, of which {n} chooses one (CLDR's rules for whole numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine import languages
from engine.console.markup import ISOLATED
from engine.languages import Text

FOLDER = Path(__file__).parent / "words"
DASH = "–"
_MARKS = {"es": (".", ",")}  # thousands, decimals; the others write 1,234.5


@cache
def table(language: str) -> Mapping[str, Text]:
    """All texts of a language (engine.languages.NAMES), by their keys."""
    return languages.texts(FOLDER, language)


def plural(language: str, n: float) -> str:
    """CLDR's category of a number."""
    if language == "zh":
        return "other"
    if language != "ar":
        return "one" if n == 1 else "other"
    if n in (0, 1, 2):
        return ("zero", "one", "two")[int(n)]
    rest = int(n) % 100
    return "few" if 3 <= rest <= 10 else "many" if 11 <= rest <= 99 else "other"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's."""

    code: str = "en"

    @property
    def direction(self) -> str:
        return languages.direction(self.code)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key. Numbers are written as the language does, other values are kept in their own
        direction. A key without a text says itself, so that it is seen.
        """
        text = table(self.code).get(key, key)
        if not isinstance(text, str):
            given = values.get("n", 0)
            n = given if isinstance(given, (int, float)) else 0
            text = text.get("zero" if n == 0 else plural(self.code, n), text["other"])
        return text.format_map({name: self._value(value) for name, value in values.items()})

    def known(self, key: str, otherwise: str) -> str:
        """The text of what may be an operator's own word."""
        return self(key) if key in table(self.code) else otherwise

    def _value(self, value: object) -> str:
        if isinstance(value, float):
            return self.number(value, 1)
        return self.number(value) if isinstance(value, int) else f"{ISOLATED[0]}{value}{ISOLATED[1]}"

    def number(self, value: float | None, digits: int = 0) -> str:
        """A dash for what nobody measured."""
        if value is None:
            return DASH
        thousands, decimals = _MARKS.get(self.code, (",", "."))
        written = f"{value:,.{digits}f}"
        return written.translate({ord(","): thousands, ord("."): decimals})

    def share(self, value: float | None, digits: int = 0) -> str:
        """A share as a percentage."""
        if value is None:
            return DASH
        sign = "\u00a0%" if self.code == "es" else "%"
        return f"{self.number(value * 100, digits)}{sign}"

    def ms(self, value: float | None) -> str:
        return self.unit(value, "ms")

    def unit(self, value: float | None, unit: str, digits: int = 0) -> str:
        """A figure with its unit, kept together from left to right."""
        return DASH if value is None else f"\u2066{self.number(value, digits)}\u00a0{unit}\u2069"


def clock(seconds: float) -> str:
    """Minutes and seconds, as clocks show them in every language: 0:07, 12:34, 1:02:03."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
