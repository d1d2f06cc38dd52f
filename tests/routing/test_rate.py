"""What calls cost on each line, and which line takes them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from routing.rate import Rate, Tariff, Tariffs
from routing.window import Window, schedule

MONDAY_NOON, SUNDAY_NOON = 1780315200.0, 1780228800.0  # 2026-06-01 and the day before
WEEKEND = schedule([Window(frozenset({5, 6}))])


def takes(tariff: Tariff, number: str) -> bool:
    return bool(Tariffs([tariff]).row(number).takes[0])


def cost(tariff: Tariff, number: str, wall: float = MONDAY_NOON) -> float:
    tariffs = Tariffs([tariff], typical_s=60.0)
    return float(tariffs.costs(tariffs.row(number), wall)[0])


def test_the_longest_prefix_names_the_price():
    tariff = Tariff(rates=(Rate("+44", 0.01), Rate("+447", 0.03, per_call=0.02), Rate("+", 0.5)))
    assert cost(tariff, "+442071838750") == pytest.approx(0.01)
    assert cost(tariff, "+447700900000") == pytest.approx(0.05)
    assert cost(tariff, "+8613800138000") == pytest.approx(0.5)


def test_a_line_with_prices_takes_only_what_it_has_a_price_for():
    tariff = Tariff(rates=(Rate("+44", 0.01),))
    assert takes(tariff, "+442071838750")
    assert not takes(tariff, "+34910601234")
    assert takes(Tariff(), "+34910601234")


def test_what_is_barred_longer_counts_more_than_what_is_taken():
    tariff = Tariff(takes=("+44", "+4487"), barred=("+448", "+4470"))
    assert [takes(tariff, f"+44{rest}") for rest in ("20", "80", "70", "871")] == [True, False, False, True]
    assert not takes(tariff, "+34910601234")


def test_a_price_of_certain_hours_counts_in_them_and_the_other_at_all_others():
    tariff = Tariff(rates=(Rate("+44", 0.04), Rate("+44", 0.01, when=WEEKEND)))
    assert cost(tariff, "+442071838750", MONDAY_NOON) == pytest.approx(0.04)
    assert cost(tariff, "+442071838750", SUNDAY_NOON) == pytest.approx(0.01)


def test_a_price_of_certain_hours_alone_is_none_at_others():
    tariff = Tariff(rates=(Rate("+44", 0.01, when=WEEKEND),))
    assert np.isinf(cost(tariff, "+442071838750", MONDAY_NOON))


def test_every_line_is_asked_as_if_it_were_alone():
    rng = Random(5)

    def prefix() -> str:
        return "+" + "".join(rng.choice("1234") for _ in range(rng.randint(1, 4)))

    lines = [
        Tariff(
            takes=tuple({prefix() for _ in range(rng.randint(0, 3))}),
            rates=tuple(
                Rate(each, rng.random()) for each in sorted({prefix() for _ in range(rng.randint(0, 9))})
            ),
        )
        for _ in range(30)
    ]
    together = Tariffs(lines, kept=8)
    for _ in range(200):
        number = prefix() + "5" * 6
        row = together.row(number)
        for at, tariff in enumerate(lines):
            alone = Tariffs([tariff]).row(number)
            assert (row.takes[at], row.cost[at]) == (alone.takes[0], alone.cost[0])
