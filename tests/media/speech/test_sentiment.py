"""How somebody feels, by their words: denials turn it, both ways and in every language that is shipped."""

from __future__ import annotations

import pytest

from media.speech.io.lexica import languages, shipped
from media.speech.lexicon import BadLexicon, Lexicon, as_said, parse, units
from media.speech.sentiment import sentiment


def lexicon(language: str) -> Lexicon:
    found = shipped(language)
    assert found is not None
    return found


def test_there_is_a_lexicon_of_every_market_that_is_shipped():
    assert set(languages()) == {"ar", "de", "en", "es", "fr", "ja", "pt", "zh"}
    assert shipped("en-GB") is shipped("en-US") and shipped("eo") is None


@pytest.mark.parametrize(
    ("language", "glad", "cross", "plain"),
    [
        ("en-US", "it is not bad at all", "I am not happy with it", "it is not my account"),
        ("es-MX", "no estoy molesto", "no estoy contenta", "no es mi cuenta"),
        ("pt-BR", "não tenho reclamação", "não funciona", "não é a minha conta"),
        ("fr-FR", "je ne suis pas fâché", "ça marche pas", "ce n'est pas mon compte"),
        ("de-DE", "ich bin nicht böse", "das funktioniert nicht", "das ist nicht mein Konto"),
        ("zh-CN", "没出过问题", "我不满意", "不是这个号码"),
        ("ja-JP", "不満はありません", "満足していません", "私の番号ではありません"),
        ("ar-SA", "ما عندي شكوى", "الجهاز لا يعمل", "ليس رقمي"),
    ],
)
def test_what_is_denied_turns(language: str, glad: str, cross: str, plain: str):
    labels = [sentiment(text, lexicon(language)).label for text in (glad, cross, plain)]
    assert labels == ["positive", "negative", "neutral"]


def test_a_denial_does_not_reach_over_a_mark():
    english = lexicon("en")
    assert sentiment("no, it is excellent", english).score > 0.7
    assert sentiment("no it is not excellent", english).score < 0


def test_what_is_said_very_much_weighs_more_and_a_bit_less():
    scores = [sentiment(f"I am {how} annoyed", lexicon("en")).score for how in ("a bit", "", "really")]
    assert scores == sorted(scores, reverse=True) and scores[-1] < scores[0] < 0


def test_what_follows_a_but_counts_more():
    assert sentiment("it is slow but the staff are kind", lexicon("en")).label == "positive"
    assert sentiment("the staff are kind but it is slow", lexicon("en")).label == "negative"


def test_reasons_are_the_terms_that_it_was_summed_from():
    found = sentiment("the router is not working and this is ridiculous", lexicon("en"))
    assert [(each.term, each.denied) for each in found.reasons] == [("ridiculous", False), ("working", True)]


def test_words_are_found_in_unspaced_scripts_by_the_longest_term_that_fits():
    assert [each.term for each in sentiment("这个银行不错", lexicon("zh")).reasons] == ["不错"]


def test_arabic_words_are_found_under_what_is_written_onto_them():
    assert sentiment("وَالخِدْمَةُ مُمْتازَة", lexicon("ar")).label == "positive"


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "ja", "pt", "zh"])
def test_rubbish_says_nothing_and_is_bounded(language: str):
    for text in ("", "\u0000\ud800", "...!!!", "é" * 100_000, "不" * 100_000, "12 34 56"):
        assert abs(sentiment(text, lexicon(language)).score) <= 1.0


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("says\t1\tgood\nsays\t2\tgood", "line 2: “good” is there twice; keep one"),
        ("says 1 good", "line 1: three cells"),
        ("shouts\t1\tgood", "line 1: “shouts”"),
        ("not\t4\tnever", "line 1: “not” “4”"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(table: str, words: str):
    with pytest.raises(BadLexicon) as told:
        parse(table, "en")
    assert str(told.value).startswith(words)


@pytest.mark.parametrize(
    ("language", "text", "term"),
    [
        ("es", "Qué VERGÜENZA, señor", "VERGÜENZA"),
        ("de", "Das ist eine Unverschämtheit!", "Unverschämtheit"),
        ("fr", "J’en ai marre, c’est scandaleux", "scandaleux"),
        ("en", "I don’t know, this is Ridiculous", "Ridiculous"),
        ("zh", "这太荒唐了", "荒唐"),
    ],
)
def test_a_reason_is_shown_as_it_was_said(language: str, text: str, term: str):
    assert term in [each.term for each in sentiment(text, lexicon(language)).reasons]


def test_units_are_found_again_in_what_was_said():
    text = "Straße: I can't, café au lait"
    found = units(text, "en")
    said = [as_said(text, "en", at, at + 1) for at in range(len(found))]
    assert said == ["Straße", ":", "I", "ca", "n't", ",", "café", "au", "lait"]
    assert as_said(text, "en", 3, 5) == "can't" and as_said(text, "en", 9, 12) == ""
    assert as_said("هٰذا سيِّئ جدًّا", "ar", 1, 3) == "سيِّئ جدًّا"
