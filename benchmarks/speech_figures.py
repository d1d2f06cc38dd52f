"""Figures of speech, as benchmarks/table.py tells them: what each means, its unit and what it should be."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """How a figure is told: what it is, its unit, and what it should be."""

    meaning: str
    unit: str = ""
    aim: str = ""


SPEECH = {
    "asr": {
        "streaming_over_whole_wer": Figure(
            "words wrong in live captions, against the same recogniser given whole recordings", "×", "≤ 1.05"
        ),
        "partial_p50_ms": Figure("from the beginning of speech to the first caption, median", "ms"),
        "partial_p95_ms": Figure("95th percentile", "ms"),
        "final_p50_ms": Figure("from the end of speech to its last caption, median", "ms"),
        "final_p95_ms": Figure("from the end of speech to its last caption, 95th percentile", "ms"),
        "streams_per_core": Figure("legs that speak all the time and that one core captions"),
        "ear_ms": Figure("CPU of the ear a second of one leg", "ms"),
        "wer_8k_en": Figure("words wrong, English over G.711, model for telephones"),
        "wer_8k_en_live": Figure("the same in live captions"),
        "wer_8k_en_5pct": Figure("with 5 % of packets lost"),
        "wer_8k_en_10pct": Figure("with 10 %"),
        "wer_16k_en": Figure("words wrong, English at 16 kHz, model that comes with the program"),
        "rtf_8k": Figure("CPU a second of sound, 8 kHz", "s"),
        "rtf_16k": Figure("16 kHz", "s"),
        "closed_right": Figure(
            "sentences heard to the last word, of those that can be said, eight languages"
        ),
        "rtf_closed": Figure("CPU a second of their sound", "s"),
        "toy_whisper_right": Figure("phrases of the toy Whisper heard to the letter"),
        "toy_whisper_right_live": Figure("the same in live captions"),
        "toy_whisper_ms": Figure("CPU of one of them", "ms"),
        "whisper_wer_8k_en": Figure("words wrong, English over G.711, the Whisper model that was named"),
        "whisper_wer_8k_en_live": Figure("the same in live captions"),
        "whisper_rtf_8k": Figure("CPU a second of its sound", "s"),
    },
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
