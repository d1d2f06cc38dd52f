"""Which destinations a change of lines would leave without any."""

from __future__ import annotations

import pytest

from routing.board import LineSpec
from routing.coverage import left_without_a_line
from routing.rate import Rate, Tariff

BOTH, ONE = Tariff(takes=("+44", "+34")), Tariff(takes=("+44",), barred=("+4470",))
PRICED = Tariff(rates=(Rate("+44", 0.1), Rate("+4420", 0.2)))


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ([BOTH], [ONE], ["+34", "+4470"]),
        ([ONE], [BOTH], []),
        ([ONE], [Tariff()], []),
        ([Tariff()], [ONE], ["+"]),
        ([ONE], [], ["+44"]),
        ([BOTH, ONE], [Tariff(takes=("+34",)), PRICED], []),
        ([PRICED], [Tariff(takes=("+4420",))], ["+44"]),
        ([], [ONE], []),
    ],
)
def test_what_a_line_took_and_none_would_take_is_named_by_its_shortest_beginning(old, new, lost):
    before, after = (
        {str(at): LineSpec(str(at), tariff=tariff) for at, tariff in enumerate(each)} for each in (old, new)
    )
    assert left_without_a_line(before, after) == lost


def test_a_line_that_is_switched_off_takes_nothing():
    on, off = LineSpec("a", tariff=ONE), LineSpec("a", tariff=ONE, enabled=False)
    assert left_without_a_line({"a": on}, {"a": off}) == ["+44"]
    assert left_without_a_line({"a": off}, {}) == []
