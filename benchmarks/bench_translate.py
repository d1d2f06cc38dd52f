"""What customers and agents say, translated: how fast, how near to a reference, and whether the terms are
right.

    python -m benchmarks.bench_translate [--quick] [--show]

The sentences are in benchmarks/sentences, a file a market, the same in all ten; the glossary's terms in them
are marked. What is installed translates (Apertium, embedded: English and Spanish, for the gist); terms are
also taken through a translator that knows no word, from each of the ten into each other, which shows what the
glossary does by itself.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.bench_calls import commit, machine
from config.load import SHIPPED_MARKETS
from media.speech.io.translators import translators
from media.speech.jobs import Translate, Translated
from media.speech.language import alike
from media.speech.market import Market
from media.speech.rewording import Changes, Rewording, common
from media.speech.settings import TranslatorSettings
from media.speech.terms import Found, contains
from media.speech.translating import Terms, Translating
from media.speech.translator import Brief, Reach, Translator, Version

FOLDER = Path(__file__).parent / "sentences"
ORDER = 6  # characters of chrF's longest n-grams
RECALL = 2.0  # its weight over precision
EACH = 2  # words that a caption grows by between two guesses


class Sentence(NamedTuple):
    """terms: names of the glossary's."""

    text: str
    terms: tuple[str, ...]


class Told(NamedTuple):
    """A sentence from one market to another. seconds: that it took."""

    market: str
    said: Sentence
    reference: str
    text: str
    seconds: float


@dataclass
class Deaf:
    """Knows no word of any language: what it is given comes back."""

    name: str = "nobody"
    gist: bool = True
    slot: str = "<{}>"
    minds: bool = False
    reach: Reach = field(default_factory=lambda: Reach(everything=True))

    def translate(self, texts: Sequence[str], briefs: Sequence[Brief]) -> list[Version]:
        return [Version(each) for each in texts]

    def close(self) -> None:
        return


def sentences() -> dict[str, list[Sentence]]:
    """By market, in the same order."""
    found = {}
    for path in sorted(FOLDER.glob("*.tsv")):
        rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
        found[path.stem] = [Sentence(text, tuple(terms.split(";"))) for terms, text in rows]
    return found


def ways(every: dict[str, list[Sentence]], known: Sequence[Translator]) -> list[tuple[str, str]]:
    """From one market to another whose language is another, where somebody translates."""
    pairs = [(one, other) for one in every for other in every if not alike(one, other)]
    return [pair for pair in pairs if any(each.reach.has(Brief(*pair).pair) for each in known)]


def through(
    known: Sequence[Translator], every: dict[str, list[Sentence]], markets: dict[str, Market]
) -> list[Told]:
    """Each sentence alone, as a caption comes; nothing is remembered."""
    craft = Translating(known, Terms(kept=0), markets=markets)
    found = []
    for one, other in ways(every, known):
        for said, reference in zip(every[one], every[other], strict=True):
            since = perf_counter()
            craft.take(Translate("", 60.0, said.text, one, other, other), 0.0)
            found.append(Told(other, said, reference.text, _text(craft), perf_counter() - since))
    return found


def _text(craft: Translating) -> str:
    """Of the one job that it has. Raises ValueError where it fails."""
    while craft.busy:
        for each in craft.work(0.0):
            if not isinstance(each, Translated):
                raise ValueError(str(each))
            return each.text
    raise ValueError("no answer")


def per_second(known: Sequence[Translator], every: dict[str, list[Sentence]], rounds: int) -> float:
    """Sentences a second, by the batch, with all that is done about terms."""
    jobs = [
        Translate(f"{one}{other}{at}", 60.0, said.text, one, other, other)
        for one, other in ways(every, known)
        for at, said in enumerate(every[one])
    ]
    craft = Translating(known, Terms(kept=0), markets=dict(SHIPPED_MARKETS))
    since = perf_counter()
    for _ in range(rounds):
        for job in jobs:
            craft.take(job, 0.0)
        while craft.busy:
            craft.work(0.0)
    return rounds * len(jobs) / (perf_counter() - since)


def hits(told: Sequence[Told], *, behind: bool = True) -> float:
    """Share of the marked terms that are in the translations; of the last brackets too where `behind`."""
    found = []
    for each in told:
        terms = {term.name: term for term in SHIPPED_MARKETS[each.market].terms}
        wanted = [Found(terms[name], 0, 0) for name in each.said.terms]
        text = (
            each.text
            if behind
            else each.text.rpartition(" (")[0] or each.text.rpartition("（")[0] or each.text
        )
        found += contains(text, wanted, each.market)
    return sum(found) / len(found)


def chrf(told: Sequence[Told]) -> float:
    """Of all together, 0 to 100 (M. Popović, "chrF: character n-gram F-score for automatic MT evaluation",
    2015).
    """
    scores = []
    for order in range(1, ORDER + 1):
        same = said = meant = 0
        for each in told:
            one, other = _grams(each.text, order), _grams(each.reference, order)
            same += (one & other).total()
            said += one.total()
            meant += other.total()
        if same:
            precision, recall = same / said, same / meant
            scores.append((1 + RECALL**2) * precision * recall / (RECALL**2 * precision + recall))
    return 100 * sum(scores) / ORDER


def _grams(text: str, order: int) -> Counter[str]:
    bare = "".join(text.split())
    return Counter(bare[at : at + order] for at in range(len(bare) - order + 1))


class Seen(NamedTuple):
    """ours: by our policy; naive: each translation as it comes. early: share of a translation's words that
    readers saw before the sentence was over.
    """

    ours: Changes
    naive: Changes
    early: float


def stability(known: Sequence[Translator], every: dict[str, list[Sentence]]) -> Seen:
    """What readers see while sentences grow."""
    ours, naive = Changes(), Changes()
    early = words = 0
    craft = Translating(known, markets=dict(SHIPPED_MARKETS))
    for one, other in ways(every, known):
        for said in every[one]:
            rewording = Rewording(other)
            before: list[str] = []
            seen = ""
            for text in _growing(said.text):
                craft.take(Translate("", 60.0, text, one, other, other), 0.0)
                told = _text(craft)
                if text == said.text:
                    final = rewording.words(rewording.stands(told))
                    early += common(rewording.words(seen), final)
                    words += len(final)
                else:
                    seen = rewording.guess(told)
                naive.turn(before, rewording.words(told))
                before = rewording.words(told)
            ours.shown += rewording.changes.shown
            ours.taken += rewording.changes.taken
    return Seen(ours, naive, early / words)


def _growing(text: str) -> Iterator[str]:
    words = text.split()
    for upto in range(EACH, len(words), EACH):
        yield " ".join(words[:upto])
    yield text


def show(told: Sequence[Told]) -> None:
    for each in told:
        print(f"{each.market}  {each.said.text}\n       {each.text}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="speed of fewer rounds")
    parser.add_argument("--show", action="store_true", help="print the translations")
    options = parser.parse_args()
    known, why = translators(TranslatorSettings())
    every, markets = sentences(), dict(SHIPPED_MARKETS)
    print(why)
    through(known, every, markets)  # once, for whoever starts slowly
    told = through(known, every, markets)
    plain = through(known, every, {name: replace(each, terms=()) for name, each in markets.items()})
    deaf = through([Deaf()], every, markets)
    seen = stability(known, every)
    if options.show:
        show(told)
    figures = {
        "sentences_per_s": round(per_second(known, every, 2 if options.quick else 10), 1),
        "p95_ms": round(float(np.percentile([each.seconds for each in told], 95)) * 1e3, 2),
        "glossary_hit": round(hits(told), 4),
        "glossary_hit_in_place": round(hits(told, behind=False), 4),
        "glossary_hit_without": round(hits(plain), 4),
        "glossary_hit_ten": round(hits(deaf), 4),
        "glossary_hit_ten_in_place": round(hits(deaf, behind=False), 4),
        "chrf": round(chrf(told), 1),
        "chrf_without": round(chrf(plain), 1),
        "reworded_share": round(seen.ours.share, 4),
        "reworded_share_naive": round(seen.naive.share, 4),
        "early_share": round(seen.early, 4),
        "sentences": len(told),
    }
    for each in known:
        each.close()
    print(json.dumps({"bench": "translate", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
