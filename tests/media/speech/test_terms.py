"""Where a glossary's words are in a text, and what they become."""

from __future__ import annotations

import pytest

from media.speech.market import Forms, Term
from media.speech.terms import Lexicon, contains, put
from tests.media.speech.glossary import AURORA, INVOICE, KYC, LOAN, ORDER, TERMS


def found(text: str, language: str) -> list[tuple[str, str, bool]]:
    return [
        (each.term.name, text[each.begin : each.end], each.plural)
        for each in Lexicon(TERMS, language).find(text)
    ]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Where is my order?", "en", [("order", "order", False)]),
        ("My ORDERS, and the bills.", "en", [("order", "ORDERS", True), ("invoice", "bills", True)]),
        ("reorder the border", "en", []),
        ("I have aurora plus", "en-GB", [("Aurora Plus", "aurora plus", False)]),
        ("¿Y mis facturas?", "es-MX", [("invoice", "facturas", True)]),
        ("我的订单和账单在哪里", "zh-CN", [("order", "订单", False), ("invoice", "账单", False)]),
        ("أين الطلب وطلبات أخرى", "ar", [("order", "طلب", False), ("order", "طلبات", True)]),
        ("wegen des Darlehens", "de", [("loan", "Darlehens", False)]),
        ("mit den Bestellungen", "de", [("order", "Bestellungen", True)]),
    ],
)
def test_terms_are_found_as_they_are_said(text: str, language: str, expected: list[tuple[str, str, bool]]):
    assert found(text, language) == expected


def test_the_longer_term_goes_first():
    card = Term("card", {"en": Forms("card")})
    credit = Term("credit card", {"en": Forms("credit card")})
    [one] = Lexicon([card, credit], "en").find("my credit card")
    assert one.term is credit


def test_what_one_region_says_is_understood_in_all_of_the_language():
    rate = Term(
        "rate", {"es": Forms("tipo de interés"), "es-MX": Forms("tasa de interés"), "en": Forms("rate")}
    )
    for text in ("el tipo de interés", "la tasa de interés"):
        assert len(Lexicon([rate], "es").find(text)) == 1
    assert rate.within("es-MX") == Forms("tasa de interés")


@pytest.mark.parametrize(
    ("before", "term", "text", "language", "expected"),
    [
        ("¿Dónde está el ", INVOICE, "invoice", "es", "¿Dónde está la factura"),
        ("mi ", INVOICE, "invoices", "es", "mis facturas"),
        ("El número del ", INVOICE, "invoice", "es", "El número de la factura"),
        ("", INVOICE, "invoices", "es", "Facturas"),
        ("Où est mon ", ORDER, "order", "fr", "Où est ma commande"),
        ("Ich frage nach dem ", ORDER, "order", "de", "Ich frage nach der Bestellung"),
        ("Ich sehe den ", LOAN, "loan", "de", "Ich sehe das Darlehen"),
        ("die Höhe des ", LOAN, "loan", "de", "die Höhe des Darlehens"),
        ("mit den ", ORDER, "orders", "de", "mit den Bestellungen"),
        ("zum ", ORDER, "order", "de", "zur Bestellung"),
        ("我的", ORDER, "orders", "zh", "我的订单"),
        ("أين ", ORDER, "the order", "ar", "أين الطلب"),
        ("el ", KYC, "KYC", "es", "el KYC"),
    ],
)
def test_what_stands_before_a_term_agrees_with_it(
    before: str, term: Term, text: str, language: str, expected: str
):
    [said] = Lexicon([term], "en").find(text)
    head, word = put(before, said, language)
    assert head + word == expected


def test_a_term_that_is_wanted_twice_has_to_be_there_twice():
    two = Lexicon([ORDER], "en").find("one order, another order")
    assert contains("un pedido y otro", two, "es") == [True, False]
    assert contains("un pedido y otros pedidos", two, "es") == [True, True]


def test_other_words_for_a_term_are_understood_and_do_not_count():
    [said] = Lexicon([INVOICE], "es").find("la factura")
    assert contains("the bill", [said], "en") == [False]
    assert contains("two invoices", [said], "en") == [True]
    assert AURORA.within("fr") is None
