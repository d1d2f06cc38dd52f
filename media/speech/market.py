"""A market: whose language, words and customs count for those who read and hear.

Values alone, as config/markets/*.yaml holds them; `config.market` makes them. What is done with them: terms
by media/speech/terms.py and wording.py, taboos by taboo.py, dates by season.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from media.speech.language import alike, nearest
from media.speech.season import ALWAYS, Season, holds


class Occasion(StrEnum):
    """What an agent says again and again, and every market says in its own way."""

    GREET = "greet"
    VERIFY = "verify"
    CLARIFY = "clarify"
    HOLD = "hold"
    BACK = "back"
    SOOTHE = "soothe"
    APOLOGISE = "apologise"
    REFUSE = "refuse"
    TRANSFER = "transfer"
    UPGRADE = "upgrade"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Forms:
    """A term in one language. also: other words for it, which are understood and never used. gender: "m",
    "f", "n" or "". genitive: where it has one of its own.
    """

    one: str
    many: str = ""
    gender: str = ""
    genitive: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """forms: by language tag; a region's own goes before its language's."""

    name: str
    forms: Mapping[str, Forms]

    def within(self, language: str) -> Forms | None:
        tag = nearest(language, self.forms)
        return self.forms[tag] if tag is not None else None


@dataclass(frozen=True, slots=True)
class Taboo:
    """What is not to be said. words: by language, each with what to say instead, "" where nothing will do.
    during: "always", a season, or "outside " and a season. warning: by language, to the agent.
    """

    name: str
    words: Mapping[str, Mapping[str, str]]
    warning: Mapping[str, str]
    during: str = ALWAYS

    def counts(self, day: date, seasons: Mapping[str, Iterable[Season]]) -> bool:
        return holds(self.during, day, seasons)


@dataclass(frozen=True, slots=True)
class Market:
    """name: of its file. address: how people are addressed, in words for who writes. context: "high" where
    much is left unsaid, "low" where all is said. variants: words of other regions, and those of here.
    formal: informal address, and the formal for it. urgent: words that want somebody at once. required: what
    has to be said on an occasion, any one of each list. supervision: "announced", or "silent" where nobody is
    told that a supervisor is in a call.
    """

    name: str
    language: str
    formality: str = "formal"
    address: str = ""
    context: str = "low"
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[Term, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)
    formal: Mapping[str, str] = field(default_factory=dict)
    taboos: tuple[Taboo, ...] = ()
    seasons: Mapping[str, tuple[Season, ...]] = field(default_factory=dict)
    urgent: tuple[str, ...] = ()
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    supervision: str = "announced"


def named(markets: Mapping[str, Market], name: str) -> Market | None:
    """The market of that name, as lines and queues have it: a market's, or a country's ("mx") that one market
    is in.
    """
    wanted = name.replace("_", "-").lower()
    found = [each for key, each in markets.items() if key.lower() == wanted]
    found = found or [each for key, each in markets.items() if key.lower().rpartition("-")[2] == wanted]
    return found[0] if len(found) == 1 else None


def market_for(markets: Mapping[str, Market], name: str, language: str) -> Market | None:
    """The market of that name, if its people read the language; else one that does.

    name: as lines and queues have it: a market's, a country's ("mx"), or one that no file is for.
    """
    readers = {key: each for key, each in markets.items() if alike(each.language, language)}
    wanted = name.replace("_", "-").lower()
    for key, each in readers.items():
        if wanted and wanted in (key.lower(), key.lower().rpartition("-")[2]):
            return each
    tag = nearest(language, [each.language for each in readers.values()])
    return next((each for each in readers.values() if each.language == tag), None)


def hints(market: Market, language: str, most: int = 100) -> tuple[str, ...]:
    """Words that may be said, for a recogniser of the language."""
    found = (term.within(language) for term in market.terms)
    words = [word for each in found if each is not None for word in (each.one, each.many) if word]
    return tuple(dict.fromkeys(words))[:most]
