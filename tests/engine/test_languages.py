"""Which language a page speaks: the one asked for, the one kept, or what the browser wants most."""

from __future__ import annotations

import pytest

from engine.languages import NAMES, chosen, direction, ranked


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "code"),
    [
        ("ar", "es", "zh", "ar"),
        ("", "es", "zh", "es"),
        ("xx", "", "fr-FR, zh-CN;q=0.9", "zh"),
        ("", "", "", "en"),
        ("", "", "," * 10_000, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_then_the_one_kept(
    asked: str, kept: str, accepted: str, code: str
) -> None:
    assert chosen(asked, kept, accepted) == code


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en;q=0.3, ar;q=0.9", "ar"),
        ("en ; Q=0.3 , zh-Hans-CN ; q=0.301", "zh"),
        ("fr, de;q=0.9, zh-CN;q=0.2, es;q=0.1", "zh"),
        ("AR-EG", "ar"),
        ("es;q=0.5, zh;q=0.5", "es"),
        ("es;q=0, zh;q=0.000, ar;q=0.001", "ar"),
        ("es;q=0", "en"),
        ("*, es;q=0.5", "es"),
        ("fr, *;q=0.1", "en"),
    ],
)
def test_of_what_a_browser_accepts_the_most_wanted_is_spoken(accepted: str, code: str) -> None:
    assert chosen("", "", accepted) == code


@pytest.mark.parametrize("weight", ["high", "", "2", "1.5", "nan", "-1", "0.1234", "0,9", "٠.٩", "0.9;q=1"])
def test_what_has_a_weight_that_is_none_is_not_spoken(weight: str) -> None:
    assert chosen("", "", f"es;q={weight}, ar;q=0.1") == "ar"


def test_of_a_header_without_end_so_much_is_read_and_no_half_tag() -> None:
    assert chosen("", "", "x" * 10_000 + ", es") == "en"
    assert ranked("fr," * 84 + "est-EE, ar") == ["fr"] * 84, "est is not Spanish"
    assert chosen("", "", "es," * 4_000) == "es"


def test_arabic_alone_is_written_from_right_to_left() -> None:
    assert {code: direction(code) for code in NAMES} == {"en": "ltr", "es": "ltr", "zh": "ltr", "ar": "rtl"}
