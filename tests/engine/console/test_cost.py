"""What a line cost, as its page tells it: a sum, or two where nobody can say, or a dash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.console.markup import text_of
from engine.console.views import lines
from engine.console.views.cost import money
from engine.console.views.lines import LineFile
from routing.cost import Cost
from tests.engine.console.looks import look
from tests.engine.store_samples import T0
from tests.engine.trunk_samples import Trunks


def file_of(cost: Cost | None) -> LineFile:
    report = Trunks().report(T0 - 86_400, T0 + 60)
    found = [replace(each, line="singtel", cost=cost) for each in report.lines[:1]]
    return LineFile(replace(report, lines=(*found, *report.lines[1:])))


def told(cost: Cost | None, say: str = "en") -> str:
    return text_of(lines.body(look("/console/lines/singtel", loaded=file_of(cost), say=say)))


def test_a_known_cost_is_one_sum_and_an_unknown_one_two() -> None:
    assert money(look(), Cost(4, 60.0, 1.5, 1.5)) == "\u20661.50\u2069"
    assert money(look(say="es"), Cost(4, 60.0, 1.5, 1234.5)) == "\u20661,50 – 1.234,50\u2069"
    assert money(look(), None) == "–"


def test_a_line_tells_its_cost_a_call_a_minute_and_an_hour() -> None:
    made = told(Cost(4, 120.0, 2.0, 6.0, unpriced=3))
    assert "2.00 – 6.00" in made and "An hour0.17" in made
    assert "A call1.0000" in made and "A minute2.0000" in made
    assert "Calls without a rate3" in made and "lies between the two" in made
    assert "Nothing spent" in told(Cost(0, 0.0, 0.0, 0.0)) and "Cost" not in told(None)


def test_the_list_has_a_column_for_it_where_any_line_has_rates() -> None:
    for cost, there in ((Cost(4, 60.0, 1.5, 1.5), True), (None, False)):
        made = text_of(lines.body(look("/console/lines", loaded=file_of(cost))))
        assert ("1.50" in made and "Cost" in made) is there


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_it_is_told_in_every_language(code: str) -> None:
    assert "line.cost" not in told(Cost(4, 120.0, 2.0, 6.0, unpriced=3), code)
