"""Determiners take on the gender, number and case of what they stand before."""

from __future__ import annotations

import pytest

from media.speech.inflection import declined, fitted, many


@pytest.mark.parametrize(
    ("before", "word", "gender", "plural", "language", "expected"),
    [
        ("con este ", "cuenta", "f", False, "es", "con esta "),
        ("voy al ", "cuentas", "f", True, "es", "voy a las "),
        ("Un ", "cuenta", "f", False, "es", "Una "),
        ("no meu ", "conta", "f", False, "pt", "no minha "),
        ("pagar pelo ", "contas", "f", True, "pt", "pagar pelas "),
        ("le ", "abonnement", "m", False, "fr", "l'"),
        ("ma ", "abonnement", "m", False, "fr", "mon "),
        ("du ", "assurance", "f", False, "fr", "de l'"),
        ("ce ", "abonnement", "m", False, "fr", "cet "),
        ("de ", "acompte", "m", False, "fr", "d'"),
        ("für der ", "Vertrag", "m", False, "de", "für den "),
        ("Ihr ", "Rechnung", "f", False, "de", "Ihre "),
        ("ein ", "Rechnungen", "f", True, "de", ""),
        ("im ", "Rechnung", "f", False, "de", "in der "),
        ("a ", "invoice", "", False, "en", "an "),
        ("an ", "KYC", "", False, "en", "a "),
        ("a ", "SKU", "", False, "en", "an "),
        ("nuevo ", "cuenta", "f", False, "es", "nuevo "),
        ("我的", "账户", "", False, "zh", "我的"),
    ],
)
def test_the_determiner_fits(before: str, word: str, gender: str, plural: bool, language: str, expected: str):
    assert fitted(before, word, gender, plural, language).before == expected


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("invoice", "en", "invoices"), ("delivery", "en", "deliveries"), ("box", "en", "boxes"),
        ("cuenta", "es", "cuentas"), ("cupón", "es", "cupónes"), ("colis", "fr", "colis"),
        ("KYC", "en", "KYC"), ("Konto", "de", "Konto"), ("订单", "zh", "订单"),
    ],
)  # fmt: skip
def test_plurals_that_no_glossary_gives(word: str, language: str, expected: str):
    assert many(word, language) == expected


def test_german_nouns_are_declined():
    assert declined("Darlehen", "Darlehen", "", "n", 3, False) == "Darlehens"
    assert declined("Techniker", "Techniker", "", "m", 2, True) == "Technikern"
    assert declined("Konto", "Konten", "", "n", 2, True) == "Konten"
