"""What is not to be said in a market, or not at this time of the year: a warning, and other words.

An agent is warned before the translated voice speaks, and decides. What a bot or a prompt says is rewritten;
where nothing will do in the place of a word, that is told and the text stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from media.speech.language import nearest
from media.speech.market import Market, Taboo
from media.speech.wording import rewritten

DEFAULT = "en"  # the language that every warning has


@dataclass(frozen=True, slots=True)
class Warning:
    """rule: its name. word: as it stands in the text. instead: what to say, "" where nothing will do. text:
    to the agent, in the language that was asked.
    """

    rule: str
    word: str
    instead: str
    text: str


def warnings(text: str, language: str, market: Market, day: date, reader: str = DEFAULT) -> list[Warning]:
    """What is wrong with a text in a language for people of the market on that day, each rule and word once.
    reader: the language of who is warned.
    """
    found: dict[tuple[str, str], Warning] = {}
    for rule, words in _counting(market, language, day):
        for word, instead in words.items():
            if rewritten(text, {word: "\ue000"}, language) != text:
                tag = nearest(reader, rule.warning) or DEFAULT
                found[rule.name, word] = Warning(rule.name, word, instead, rule.warning.get(tag, ""))
    return list(found.values())


def acceptable(text: str, language: str, market: Market, day: date) -> str:
    """What a bot says, in words that will do."""
    for _, words in _counting(market, language, day):
        text = rewritten(text, {word: instead for word, instead in words.items() if instead}, language)
    return text


def _counting(market: Market, language: str, day: date) -> Iterator[tuple[Taboo, dict[str, str]]]:
    """The rules of the day, with their words of the language; words that the region has itself go first."""
    for rule in market.taboos:
        if rule.counts(day, market.seasons):
            tag = nearest(language, rule.words)
            if tag is not None:
                yield rule, dict(rule.words[tag])
