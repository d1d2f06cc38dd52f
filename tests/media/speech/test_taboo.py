"""What is not to be said, and when: by the rules of the markets that are shipped."""

from __future__ import annotations

from datetime import date

import pytest

from config.load import SHIPPED_MARKETS
from media.speech.market import Market, Taboo
from media.speech.season import Season, holds, sales, seasons
from media.speech.taboo import acceptable, warnings

GULF, FRANCE = SHIPPED_MARKETS["ar-SA"], SHIPPED_MARKETS["fr-FR"]
IN_RAMADAN, AFTER_RAMADAN = date(2026, 2, 18), date(2026, 3, 20)


def rules(text: str, language: str, market: Market, day: date) -> list[str]:
    return [each.rule for each in warnings(text, language, market, day)]


@pytest.mark.parametrize("day", [IN_RAMADAN, AFTER_RAMADAN])
def test_pork_and_alcohol_raise_a_warning_in_the_gulf_all_year(day: date):
    assert rules("We offer a wine and bacon basket", "en", GULF, day) == ["pork", "alcohol"]
    assert rules("سلة نبيذ", "ar", GULF, day) == ["alcohol"]
    assert rules("the swine is mine", "en", GULF, day) == []


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 2, 17), "breakfast is included"),
        (IN_RAMADAN, "suhoor is included"),
        (date(2026, 3, 19), "suhoor is included"),
        (AFTER_RAMADAN, "breakfast is included"),
        (date(2030, 12, 31), "suhoor is included"),
        (date(2031, 1, 10), "suhoor is included"),
        (date(2031, 1, 24), "breakfast is included"),
    ],
)
def test_a_bot_says_suhoor_for_breakfast_in_ramadan(day: date, said: str):
    assert acceptable("breakfast is included", "en", GULF, day) == said


def test_the_agent_is_warned_in_their_own_language():
    [warning] = warnings("el desayuno", "es", GULF, IN_RAMADAN, reader="es-MX")
    assert warning.word == "desayuno" and warning.instead == "suhur" and "Ramadán" in warning.text
    [other] = warnings("el desayuno", "es", GULF, IN_RAMADAN, reader="ja")
    assert "Ramadan" in other.text


@pytest.mark.parametrize(
    ("day", "legal"),
    [
        (date(2026, 1, 6), False),
        (date(2026, 1, 7), True),
        (date(2026, 2, 3), True),
        (date(2026, 2, 4), False),
        (date(2026, 6, 23), False),
        (date(2026, 6, 24), True),
        (date(2026, 7, 21), True),
        (date(2026, 7, 22), False),
    ],
)
def test_sales_are_called_so_in_france_in_their_weeks_alone(day: date, legal: bool):
    text = "Profitez des soldes"
    assert (rules(text, "fr", FRANCE, day) == []) is legal
    assert acceptable(text, "fr", FRANCE, day) == (text if legal else "Profitez des promotions")


@pytest.mark.parametrize(
    ("year", "winter", "summer"),
    [  # as the ministry announced them
        (2022, date(2022, 1, 12), date(2022, 6, 22)),
        (2023, date(2023, 1, 11), date(2023, 6, 28)),
        (2024, date(2024, 1, 10), date(2024, 6, 26)),
        (2025, date(2025, 1, 8), date(2025, 6, 25)),
    ],
)
def test_the_weeks_of_the_sales_are_those_of_the_law(year: int, winter: date, summer: date):
    assert [each.first for each in sales(year)] == [winter, summer]
    assert all((each.last - each.first).days == 27 for each in sales(year))


def test_the_balance_of_an_account_is_no_sale():
    assert rules("Le solde de votre compte", "fr", FRANCE, date(2026, 5, 1)) == []


def test_an_operators_dates_go_before_the_computed_ones_in_their_year():
    own = {"ramadan": (Season(date(2026, 2, 19), date(2026, 3, 20)),)}
    assert not holds("ramadan", IN_RAMADAN, own) and holds("ramadan", AFTER_RAMADAN, own)
    assert holds("ramadan", date(2027, 2, 10), own)


def test_the_feast_follows_the_fast():
    assert seasons("eid-al-fitr", 2026, {}) == [Season(AFTER_RAMADAN, date(2026, 3, 23))]


def test_a_word_with_nothing_in_its_place_stays_and_is_told():
    rule = Taboo("rule", {"en": {"never": "", "bad": "good"}}, {"en": "no"})
    market = Market("x", "en", taboos=(rule,))
    assert acceptable("never bad", "en", market, IN_RAMADAN) == "never good"
    assert [(each.word, each.instead) for each in warnings("never bad", "en", market, IN_RAMADAN)] == [
        ("never", ""),
        ("bad", "good"),
    ]
