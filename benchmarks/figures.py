"""What figures of benchmarks mean: how they are told, and those of speech; the others are in table.py."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """How a figure is told: what it is, its unit, and what it should be."""

    meaning: str
    unit: str = ""
    aim: str = ""


SPEECH = {
    "sentiment": {
        "macro_f1": Figure("callers' feelings by their words, ten markets: F1 on sentences set apart"),
        "macro_f1_negated": Figure("of those, where something is denied"),
        "macro_f1_dev": Figure("F1 on the sentences that the lexica were made by"),
        "macro_f1_later": Figure("F1 on sentences that were written when the lexica were done"),
        "macro_f1_later_negated": Figure("of those, where something is denied"),
        "us_per_sentence": Figure("CPU of one", "µs"),
    },
    "translate": {
        "sentences_per_s": Figure("clauses translated a second with their terms, Apertium, in batches", "/s"),
        "p95_ms": Figure("one alone, 95th percentile", "ms"),
        "glossary_hit": Figure("glossary terms right in translations", "", "1"),
        "glossary_hit_in_place": Figure("where they belong, not behind in brackets"),
        "glossary_hit_without": Figure("right without the glossary"),
        "glossary_hit_ten": Figure("right from each of ten markets to each, by a translator without words"),
        "glossary_hit_ten_in_place": Figure("where they belong"),
        "chrf": Figure("likeness to a reference (chrF)"),
        "chrf_without": Figure("without the glossary"),
        "reworded_share": Figure("words of a translation that readers saw change while it was said"),
        "reworded_share_naive": Figure("if each translation were shown as it comes"),
        "early_share": Figure("words that readers saw before the sentence was over"),
        "sentences": Figure("sentences and pairs of markets"),
    },
}
