"""Terms, variants and tone of a market, around a translation that knows nothing of them.

A translator first gets the text as it is: whoever translates a term rightly by himself inflects it best.
Where one is missing, he gets it with placeholders, and the term is put in their place, made to agree with
what is around it. Where a placeholder is lost too, the term stands in brackets behind the text: it is not
left out. After that words of other regions become those of the reader's, and informal address formal where
that is asked.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from media.speech.language import primary
from media.speech.market import Market, Term, market_for
from media.speech.placeholder import MOST, PRIVATE, numbers, placeholder
from media.speech.terms import Found, Lexicon, contains, put, wanted

CONTEXTS = {
    "high": "Courtesy matters more than brevity: soften refusals and requests, leave reproaches unsaid.",
    "low": "Be clear and direct: say what is meant, without ornament.",
}
KEPT = 64  # searchable glossaries, of a market and a language each
BRACKETS = {"zh": "（{}）", "ja": "（{}）"}
COMMAS = {"zh": "、", "ja": "、", "ar": "، "}


@dataclass(frozen=True, slots=True)
class Draft:
    """A text before it is translated. found: its terms that the other language has. masked: with placeholders
    for them.
    """

    text: str
    target: str
    market: Market | None = None
    found: tuple[Found, ...] = ()

    @property
    def masked(self) -> str:
        masked, at = "", 0
        for number, each in enumerate(self.found):
            masked += f"{self.text[at : each.begin]}{placeholder(number)}"
            at = each.end
        return masked + self.text[at:]

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """Of each term, as it was said, and what it has to become."""
        return tuple((self.text[each.begin : each.end], wanted(each, self.target)) for each in self.found)


@dataclass(slots=True)
class Hits:
    """How terms fared. asked: in the texts; kept: where they belong; behind: in brackets."""

    asked: int = 0
    kept: int = 0
    behind: int = 0

    def count(self, draft: Draft, text: str) -> None:
        has = contains(text, draft.found, draft.target)
        self.asked += len(has)
        self.kept += sum(has)
        self.behind += len(has) - sum(has)


class Wording:
    """By the markets of those who read."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self.markets = markets
        self._lexicons: OrderedDict[tuple[str, str], tuple[Market, Lexicon]] = OrderedDict()

    def draft(self, text: str, source: str, target: str, market: str) -> Draft:
        """What is to be translated. market: the reader's, by name."""
        reader = market_for(self.markets, market, target)
        if reader is None or not reader.terms:
            return Draft(text, target, reader)
        found = self._lexicon(reader, source, target).find(text)
        return Draft(text, target, reader, tuple(found[:MOST]))

    def _lexicon(self, market: Market, source: str, target: str) -> Lexicon:
        """Of the terms that both languages have."""
        key = (market.name, f"{source}>{target}")
        known = self._lexicons.get(key)
        if known is None or known[0] is not market:
            both: Iterable[Term] = (each for each in market.terms if each.within(target))
            known = self._lexicons[key] = market, Lexicon(both, source)
        self._lexicons.move_to_end(key)
        while len(self._lexicons) > KEPT:
            self._lexicons.popitem(last=False)
        return known[1]


def tone(market: Market | None, formality: str = "") -> str:
    """How the market's people are spoken to, told to one who can be told; "" where nothing is known."""
    if market is None:
        return ""
    address = f" ({market.address})" if market.address else ""
    manner = CONTEXTS.get(market.context, "")
    return f"Address the reader in a {formality or market.formality} way{address}. {manner}".strip()


def keeps(draft: Draft, text: str) -> bool:
    """Whether a translation has all the terms."""
    return all(contains(text, draft.found, draft.target))


def restored(draft: Draft, text: str) -> str | None:
    """A translation with terms in the place of placeholders; None where one was lost."""
    if not set(range(len(draft.found))) <= set(numbers(text)):
        return None
    done, at = "", 0
    for each in PRIVATE.finditer(text):
        number = ord(each[0]) - ord(placeholder(0))
        done += text[at : each.start()]
        if number < len(draft.found):
            done, word = put(done, draft.found[number], draft.target)
            done += word
        at = each.end()
    return done + text[at:]


def mended(draft: Draft, text: str) -> str:
    """A translation that lacks terms, with these behind it."""
    has = contains(text, draft.found, draft.target)
    lacking = [wanted(each, draft.target) for each, there in zip(draft.found, has, strict=True) if not there]
    if not lacking:
        return text
    tongue = primary(draft.target)
    listed = COMMAS.get(tongue, ", ").join(dict.fromkeys(lacking))
    return f"{text}{BRACKETS.get(tongue, ' ({})').format(listed)}"


def toned(text: str, market: Market | None, formality: str = "") -> str:
    """A text in the market's language with its words and, where that is asked, its formal address."""
    if market is None:
        return text
    if (formality or market.formality) == "formal":
        text = rewritten(text, market.formal, market.language)
    return rewritten(text, market.variants, market.language)


def rewritten(text: str, words: Mapping[str, str], language: str) -> str:
    """Some words in the place of others, each as long as it can be, with the capitals that were there."""
    if not words:
        return text
    pattern = _pattern(tuple(words), primary(language))
    by = {word.casefold(): new for word, new in words.items()}
    return pattern.sub(lambda found: _like(by[found[0].casefold()], found[0]), text)


@lru_cache(4096)
def _pattern(words: tuple[str, ...], tongue: str) -> re.Pattern[str]:
    """Whole words, of scripts that have any."""
    either = "|".join(re.escape(each) for each in sorted(words, key=len, reverse=True))
    whole = either if tongue in ("zh", "ja") else rf"(?<!\w)(?:{either})(?!\w)"
    return re.compile(whole, re.IGNORECASE)


def _like(word: str, model: str) -> str:
    """With a capital where the model has one, unless all it has is one of its own."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() and word[:1].islower() else word
