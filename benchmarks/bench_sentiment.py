"""How somebody feels, by their words, against what a reader says: ten markets, by F1 of the three classes.

    python -m benchmarks.bench_sentiment [--quick] [--mistakes]

The sentences are in benchmarks/sentiments, a file a market. Lexica were made by the half that is marked dev;
the figures are of the other. Those of `later` were written when the lexica were done.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import process_time
from typing import NamedTuple

from benchmarks.bench_calls import commit, machine
from media.speech.io.lexica import shipped
from media.speech.sentiment import Sentiment, sentiment

FOLDER = Path(__file__).parent / "sentiments"
LABELS = ("positive", "negative", "neutral")


class Sentence(NamedTuple):
    """part: dev, test or later."""

    market: str
    part: str
    label: str
    negated: bool
    text: str


Judged = tuple[Sentence, Sentiment]


def sentences() -> list[Sentence]:
    """All of them."""
    found = []
    for path in sorted(FOLDER.glob("*.tsv")):
        for line in path.read_text("utf-8").splitlines()[1:]:
            part, label, negation, text = line.split("\t")
            found.append(Sentence(path.stem, part, label, bool(negation), text))
    return found


def judged(every: Iterable[Sentence]) -> list[Judged]:
    """Each with what the lexicon of its language makes of it. Raises ValueError where there is none."""
    found = []
    for each in every:
        lexicon = shipped(each.market)
        if lexicon is None:
            raise ValueError(f"there is no lexicon of {each.market}")
        found.append((each, sentiment(each.text, lexicon)))
    return found


def macro_f1(found: Sequence[Judged]) -> float:
    """Mean of the F1 of the three classes, all markets' sentences together."""
    return sum(_f1(found, label) for label in LABELS) / len(LABELS)


def _f1(found: Sequence[Judged], label: str) -> float:
    right = sum(one.label == label == two.label for one, two in found)
    said = sum(two.label == label for _, two in found)
    meant = sum(one.label == label for one, _ in found)
    return 2 * right / (said + meant) if said + meant else 1.0


def cost(every: Sequence[Sentence], rounds: int) -> float:
    """µs of CPU a sentence."""
    since = process_time()
    for _ in range(rounds):
        judged(every)
    return (process_time() - since) / rounds / len(every) * 1e6


def show(found: Sequence[Judged]) -> None:
    """A line a market: macro F1 of each part, and of what is negated in test and later."""
    columns = [("dev", False), ("test", False), ("test", True), ("later", False), ("later", True)]
    print(f"{'':8}" + "".join(f"{part + (' neg' if only else ''):>12}" for part, only in columns))
    for market in (*sorted({one.market for one, _ in found}), ""):
        own = [each for each in found if not market or each[0].market == market]
        figures = [macro_f1(chosen(own, part, negated=only)) for part, only in columns]
        print(f"{market or 'all':8}" + "".join(f"{figure:12.3f}" for figure in figures))


def chosen(found: Sequence[Judged], part: str, *, negated: bool = False) -> list[Judged]:
    return [each for each in found if each[0].part == part and (each[0].negated or not negated)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the same, its cost taken less often")
    parser.add_argument("--mistakes", action="store_true", help="show what of dev was judged wrong")
    options = parser.parse_args()
    every = sentences()
    found = judged(every)
    show(found)
    for one, two in chosen(found, "dev") if options.mistakes else ():
        if one.label != two.label:
            print(f"{one.market} {one.label}, not {two.label}: {one.text} {two.reasons}")
    figures = {
        "macro_f1": round(macro_f1(chosen(found, "test")), 3),
        "macro_f1_negated": round(macro_f1(chosen(found, "test", negated=True)), 3),
        "macro_f1_dev": round(macro_f1(chosen(found, "dev")), 3),
        "macro_f1_later": round(macro_f1(chosen(found, "later")), 3),
        "macro_f1_later_negated": round(macro_f1(chosen(found, "later", negated=True)), 3),
        "us_per_sentence": round(cost(every, 2 if options.quick else 10), 1),
    }
    print(json.dumps({"bench": "sentiment", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
