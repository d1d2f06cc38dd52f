"""What calls over a line have cost: known where a country has one price, else between two sums."""

from __future__ import annotations

import pytest

from routing.cost import Cost, Use, cost_of
from routing.rate import Rate, Tariff
from routing.window import Window, schedule

NOON = 1_772_452_800.0  # a Monday, 12:00 UTC
SPAIN = Use("34", NOON, 10, 1800.0)


def tariff(*rates: Rate) -> Tariff:
    return Tariff(rates=rates)


def test_one_price_for_a_country_is_known() -> None:
    found = cost_of(tariff(Rate("+34", 0.02, 0.01), Rate("+", 9.0)), [SPAIN])
    assert found == Cost(10, 1800.0, pytest.approx(0.7), pytest.approx(0.7))
    assert found is not None and found.exact and found.a_call == pytest.approx(0.07)


def test_what_covers_all_counts_where_nothing_else_does() -> None:
    found = cost_of(tariff(Rate("+", 0.1), Rate("+44", 9.0)), [SPAIN])
    assert found is not None and (found.low, found.high) == (pytest.approx(3.0), pytest.approx(3.0))


def test_prefixes_within_a_country_leave_it_between_two_sums() -> None:
    found = cost_of(tariff(Rate("+34", 0.02), Rate("+346", 0.1), Rate("+34807", 1.0)), [SPAIN])
    assert found is not None and (found.low, found.high) == (pytest.approx(0.6), pytest.approx(30.0))
    assert not found.exact


def test_hours_have_prices_of_their_own() -> None:
    day = schedule([Window(frozenset({0}), 8 * 60, 18 * 60)], "UTC")
    rates = tariff(Rate("+34", 0.01), Rate("+34", 0.04, when=day))
    noon, night = (cost_of(rates, [Use("34", at, 1, 600.0)]) for at in (NOON, NOON + 10 * 3600))
    assert noon is not None and night is not None
    assert (noon.low, night.low) == (pytest.approx(0.4), pytest.approx(0.1))


def test_what_has_no_price_is_told_apart() -> None:
    found = cost_of(tariff(Rate("+34", 0.02)), [SPAIN, Use("44", NOON, 3, 60.0), Use("", NOON, 2, 60.0)])
    assert found is not None and (found.calls, found.unpriced) == (10, 5)
    only = cost_of(tariff(Rate("+34", 0.02)), [Use("44", NOON, 3, 60.0)])
    assert only == Cost(0, 0.0, 0.0, 0.0, 3) and only.a_call is None


def test_a_line_without_rates_costs_nobody_knows_what() -> None:
    assert cost_of(tariff(), [SPAIN]) is None
