"""What is wrong in a market beyond each value being sound: rules that contradict each other or do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from config.fault import Fault, did_you_mean
from config.market import MarketSettings
from config.parts import Parts, sound
from media.speech.language import alike
from media.speech.market import Market
from media.speech.season import ALWAYS, BUILT_IN, OUTSIDE
from media.speech.taboo import DEFAULT
from media.speech.wording import rewritten

BLANKS = ("agent", "company", "name", "minutes", "offer")


def market_faults(parts: Parts) -> Iterator[Fault]:
    for name, settings in sound(parts.markets):
        market = settings.market(parts.terms.get(name, ()))
        for path, problem, remedy in (
            *_file(settings),
            *_rewrites(market),
            *_taboos(market),
            *_phrases(market),
            *_terms(market),
        ):
            yield parts.fault(f"markets/{name}", path, problem, remedy)


Wrong = tuple[tuple[str | int, ...], str, str]


def _file(settings: MarketSettings) -> Iterator[Wrong]:
    for at, path in enumerate(settings.glossaries):
        if path.is_absolute() or ".." in path.parts:
            yield ("glossaries", at), f"{path} is elsewhere", "put it into the folder of the markets"
    for name, seasons in settings.seasons.items():
        for at, (one, other) in enumerate(pairwise(seasons)):
            if other.first <= one.last:
                yield ("seasons", name, at + 1), "begins before the one before it ends", "put them in order"


def _rewrites(market: Market) -> Iterator[Wrong]:
    """Words that are put in the place of others must stay, or the text depends on the order."""
    for setting, words in (("variants", market.variants), ("formal", market.formal)):
        for word, new in words.items():
            if not new:
                yield (setting, word), "has nothing in its place", "write the word that is used here"
            elif rewritten(new, words, market.language) != new:
                yield (setting, word), f"'{new}' is rewritten itself", "write what stays as it is"


def _taboos(market: Market) -> Iterator[Wrong]:
    for rule in market.taboos:
        path = ("taboos", rule.name)
        season = rule.during.removeprefix(OUTSIDE)
        known = {*BUILT_IN, *market.seasons}
        if season not in (ALWAYS, *known):
            yield (*path, "during"), f"there is no season '{season}'", did_you_mean(season, known)
        if DEFAULT not in rule.warning:
            yield (*path, "warning"), "is not in English", "add `en`, for agents of all other languages"
        if not any(alike(market.language, tag) for tag in rule.words):
            yield (*path, "words"), f"has no words in {market.language}", "add those"
        for tag, words in rule.words.items():
            for word, new in words.items():
                if new and rewritten(new, words, tag) != new:
                    yield (*path, "words", tag, word), f"'{new}' is taboo as well", "write what will do"


def _phrases(market: Market) -> Iterator[Wrong]:
    """What agents are offered to say keeps the market's own rules."""
    for occasion, phrases in market.phrases.items():
        for at, phrase in enumerate(phrases):
            for problem, remedy in _phrase(phrase, market):
                yield ("phrases", occasion, at), problem, remedy
    for occasion, required in market.required.items():
        own = " ".join(market.phrases.get(occasion, ()))
        if own and not any(each.casefold() in own.casefold() for each in required):
            problem = f"no phrase of '{occasion}' has what is required"
            yield ("required", occasion), problem, "put one of these into a phrase"


def _phrase(phrase: str, market: Market) -> Iterator[tuple[str, str]]:
    try:
        phrase.format(**dict.fromkeys(BLANKS, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        known = ", ".join(f"{{{each}}}" for each in BLANKS)
        yield "has a blank that means nothing", f"known here: {known}"
    if rewritten(phrase, market.variants, market.language) != phrase:
        yield "has a word of another region", "write the one of `variants`"
    if market.formality == "formal" and rewritten(phrase, market.formal, market.language) != phrase:
        yield "addresses people informally", "write it formally, or change `formality`"
    for rule in market.taboos:
        for tag, words in rule.words.items():
            gone = dict.fromkeys(words, "\ue000")
            if alike(tag, market.language) and rewritten(phrase, gone, tag) != phrase:
                yield f"has a word of the taboo '{rule.name}'", "write it in other words"


def _terms(market: Market) -> Iterator[Wrong]:
    """Terms that the market's own rules would undo."""
    for term in market.terms:
        forms = term.within(market.language)
        if forms is not None and rewritten(forms.one, market.variants, market.language) != forms.one:
            problem = f"a variant rewrites '{forms.one}' of the glossary's term '{term.name}'"
            yield ("variants",), problem, "remove one of the two"
