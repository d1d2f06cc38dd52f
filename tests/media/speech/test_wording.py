"""Terms get through translators that know nothing of them; tone and variants are the reader's."""

from __future__ import annotations

import pytest

from media.speech.jobs import Translate, Translated
from media.speech.market import Market
from media.speech.placeholder import placeholder
from media.speech.translating import Translating
from media.speech.wording import Wording, mended, restored, rewritten, tone, toned
from tests.media.speech.glossary import market
from tests.media.speech.phrasebook import Phrasebook

ES = market("es-ES")


def through(book: Phrasebook, text: str, reader: Market = ES, source: str = "en") -> str:
    craft = Translating([book], markets={reader.name: reader})
    craft.take(Translate("1", 2.0, text, source, reader.language, reader.name), 0.0)
    told = [each for _ in range(3) for each in craft.work(0.0)]
    assert len(told) == 1 and isinstance(told[0], Translated)
    assert craft.hits.asked == craft.hits.kept + craft.hits.behind
    return told[0].text


def test_who_translates_a_term_rightly_is_left_alone():
    book = Phrasebook([("en", "es")], {"where is my order": "dónde está mi pedido"})
    assert through(book, "where is my order") == "dónde está mi pedido"
    assert len(book.asked) == 1


def test_a_term_that_is_missing_is_put_in_its_place_and_agrees():
    known = {"send me the bills": "envíame los billetes", "send me the <0>": "envíame el <0>"}
    assert through(Phrasebook([("en", "es")], known), "send me the bills") == "envíame las facturas"


def test_a_term_whose_placeholder_is_lost_stands_behind_and_is_not_left_out():
    known = {"send me the bills": "envíame los billetes", "send me the <0>": "envíamelo"}
    book = Phrasebook([("en", "es")], known)
    assert through(book, "send me the bills") == "envíame los billetes (facturas)"


def test_a_placeholder_that_comes_back_otherwise_is_known():
    known = {"where is Aurora Plus": "dónde está Alba Más", "where is <0>": "dónde está < 0 >"}
    assert through(Phrasebook([("en", "es")], known), "where is Aurora Plus") == "dónde está Aurora Plus"


def test_terms_are_told_to_a_translator_that_minds():
    book = Phrasebook([("en", "es")], {"my orders": "mis pedidos"})
    book.minds = True
    through(book, "my orders")
    assert book.briefs[0].terms == (("orders", "pedidos"),) and "formal" in book.briefs[0].tone


def test_placeholders_survive_a_third_language():
    book = Phrasebook(
        [("zh", "en"), ("en", "es")],
        {"发票": "bill", "bill": "billete", " <0>": "the <0>", "<0>": "the <0>", "the <0>": "el <0>"},
    )
    assert through(book, "发票", source="zh") == "la factura"


def test_brackets_are_those_of_the_script():
    draft = Wording({"zh": market("zh-CN")}).draft("my order and bill", "en", "zh-CN", "zh")
    assert mended(draft, "我的东西") == "我的东西（订单、发票）"
    assert restored(draft, f"我的{placeholder(0)}") is None


def test_informal_address_becomes_formal_where_that_is_asked():
    reader = market("de-DE", formal={"hast du": "haben Sie", "dein": "Ihr"}, variants={"Jänner": "Januar"})
    assert toned("Hast du dein Paket im Jänner?", reader) == "Haben Sie Ihr Paket im Januar?"
    assert toned("Hast du dein Paket?", reader, "informal") == "Hast du dein Paket?"


def test_whole_words_alone_are_rewritten_with_the_capitals_that_were_there():
    words = {"lift": "elevator", "flat": "apartment"}
    assert rewritten("Lift, LIFT and uplift", words, "en") == "Elevator, ELEVATOR and uplift"
    assert rewritten("请你们稍等", {"你们": "您", "你": "您"}, "zh") == "请您稍等"


def test_a_reader_of_the_same_language_reads_their_own_words():
    reader = market("en-US", variants={"the lift": "the elevator"})
    craft = Translating([], markets={"en-US": reader})
    craft.take(Translate("1", 2.0, "take the lift", "en-GB", "en-US", "en-US"), 0.0)
    [told] = craft.work(0.0)
    assert isinstance(told, Translated) and told.text == "take the elevator"


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [
        ("es-MX", "es", "es-MX"),
        ("mx", "es", "es-MX"),
        ("cn", "es", "es-ES"),
        ("", "es-MX", "es-MX"),
        ("", "fr", None),
    ],
)
def test_the_market_is_that_of_the_name_if_its_people_read_the_language(
    name: str, language: str, expected: str | None
):
    wording = Wording({"es-ES": ES, "es-MX": market("es-MX"), "zh-CN": market("zh-CN")})
    reader = wording.draft("x", "en", language, name).market
    assert (reader.name if reader else None) == expected


def test_tone_is_told_in_words():
    told = tone(Market("ja", "ja-JP", address="keigo", context="high"))
    assert "formal" in told and "keigo" in told and "ourtesy" in told
    assert tone(None) == ""
