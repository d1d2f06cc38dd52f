"""markets/NAME.yaml as values: whose language, words and customs count, for those who read and hear."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Len
from pydantic import AfterValidator, PlainValidator

from config.setting import Language, MarketName, Text, Words, setting, settings, wrong
from media.speech.market import Market, Occasion, Taboo, Term
from media.speech.season import ALWAYS, OUTSIDE, Season

MOST = 2000  # words of a list
RULE = re.compile(rf"{ALWAYS}|({OUTSIDE})?[a-z0-9-]{{1,40}}")


def _season(value: object) -> Season:
    """`2026-02-18/2026-03-19`."""
    first, slash, last = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        season = Season(date.fromisoformat(first), date.fromisoformat(last if slash else first))
    except ValueError:
        season = None
    if season is None or season.first > season.last:
        raise wrong(f"{value!r} is no time of the year", "write first and last day: 2026-02-18/2026-03-19")
    return season


def _during(text: str) -> str:
    if not RULE.fullmatch(text):
        raise wrong(f"{text!r} is no time", f"write {ALWAYS}, a season's name, or {OUTSIDE}and its name")
    return text


Phrase = Annotated[str, Len(1, 400), Words("text")]
Word = Annotated[str, Len(1, 100), Words("text")]
Wordlist = Annotated[Mapping[Word, Annotated[str, Len(0, 100), Words("text")]], Len(0, MOST)]
SeasonField = Annotated[Season, PlainValidator(_season), Words("first day/last day")]
During = Annotated[str, AfterValidator(_during), Words("time")]


@settings
class TabooSettings:
    words: Mapping[Language, Wordlist] = setting(
        "By language, each word that is not to be said, with what a bot says instead; empty where nothing "
        "will do."
    )
    during: During = setting(
        "When it counts: `always`, a season (`ramadan`, `eid-al-fitr`, `soldes` or one of `seasons`), or "
        "`outside` and a season.",
        default=ALWAYS,
    )
    warning: Mapping[Language, Text] = setting("What an agent is told, by the agent's language.")


@settings
class MarketSettings:
    name: MarketName = setting("The market's name.", derived=True)
    language: Language = setting("Language and region of its people, for instance es-MX.")
    formality: Literal["formal", "informal"] = setting("How they are addressed.", default="formal")
    address: Text = setting("What that is in their language, for those who write to them.", default="")
    context: Literal["high", "low"] = setting(
        "Whether much is left unsaid out of courtesy (high), or all is said (low).", default="low"
    )
    glossaries: tuple[Path, ...] = setting(
        "CSV and TBX files of terms, relative to this file; the first that has a term counts.", default=()
    )
    phrases: Mapping[Occasion, tuple[Phrase, ...]] = setting(
        "What agents are offered to say, by occasion. `{agent}`, `{company}`, `{name}`, `{minutes}` and "
        "`{offer}` stand for what is known.",
        default={},
    )
    variants: Wordlist = setting("Words of other regions, each with the one that is used here.", default={})
    formal: Wordlist = setting(
        "Informal address as translators write it, each with the formal one.", default={}
    )
    taboos: Mapping[Text, TabooSettings] = setting("Rules of what is not to be said, by name.", default={})
    seasons: Mapping[Text, tuple[SeasonField, ...]] = setting(
        "Times of the year by name, `first day/last day` each; they go before those that are known.",
        default={},
    )
    urgent: tuple[Word, ...] = setting("Words that want somebody's attention at once.", default=())
    required: Mapping[Occasion, tuple[Phrase, ...]] = setting(
        "What an agent has to have said, by occasion; any one of each list will do.", default={}
    )
    supervision: Literal["announced", "silent"] = setting(
        "Whether caller and agent are told when a supervisor comes into their call: by a prompt in the "
        "language of each, and on the agent's page.",
        default="announced",
    )

    def market(self, terms: Sequence[Term]) -> Market:
        """With the terms of its glossaries."""
        return Market(
            name=self.name,
            language=self.language,
            formality=self.formality,
            address=self.address,
            context=self.context,
            phrases={occasion.value: each for occasion, each in self.phrases.items()},
            terms=tuple(terms),
            variants=self.variants,
            formal=self.formal,
            taboos=tuple(
                Taboo(name, each.words, each.warning, each.during) for name, each in self.taboos.items()
            ),
            seasons=self.seasons,
            urgent=self.urgent,
            required={occasion.value: each for occasion, each in self.required.items()},
            supervision=self.supervision,
        )
