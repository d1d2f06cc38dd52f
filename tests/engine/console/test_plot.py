"""Charts of reports: round values at the axis, gaps where nothing was, shades that mean something."""

from __future__ import annotations

import re

import pytest

from engine.console.views.plot import STEPS, Axis, Heat, Slot, columns, heat, lines, step_of, ticks


@pytest.mark.parametrize(
    ("low", "high", "whole", "found"),
    [
        (0, 7, True, (0, 2, 4, 6, 8)),
        (0, 1, True, (0, 1)),
        (0, 0.9, True, (0, 1)),
        (0, 183, False, (0, 50, 100, 150, 200)),
        (0, 0.013, False, (0, 0.005, 0.01, 0.015)),
        (0, 1_000_000, True, (0, 500_000, 1_000_000)),
    ],
)
def test_an_axis_has_few_round_values(low: float, high: float, whole: bool, found: tuple[float, ...]) -> None:
    assert ticks(low, high, whole=whole) == found


def test_columns_stand_on_each_other() -> None:
    slots = [
        Slot("09", "nine", (("taken", 6.0), ("gone", 2.0))),
        Slot("10", "ten"),
        Slot("11", "eleven", (("taken", 8.0),)),
    ]
    made = columns("calls", slots, Axis(0.0, 8.0, ((0.0, "0"), (8.0, "8"))))
    found = re.findall(r'y="([\d.]+)%"[^>]*height="([\d.]+)%"[^>]*class="column (\w+)"', made)
    told = [(float(y), float(tall), kind) for y, tall, kind in found]
    assert told == [(25.0, 75.0, "taken"), (0.0, 25.0, "gone"), (0.0, 100.0, "taken")]
    assert made.count("<title>") == 3, "where nothing was there is something to say, too"


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    values = (1.0, 2.0, None, 3.0, 4.0)
    made = lines(
        "mos", [Slot(str(at), "", value=value) for at, value in enumerate(values)], Axis(0.0, 4.0, ())
    )
    path = re.search(r'<path d="([^"]+)" class="series', made)
    assert path is not None and path[1].count("M") == 2 and made.count("<circle") == 4
    area = re.search(r'<path d="([^"]+)" class="area', made)
    assert area is not None and area[1].count("Z") == 2
    assert "<path" not in lines("mos", [Slot("0", "")], Axis(0.0, 4.0, ()))


def test_shades_span_what_there_is() -> None:
    assert [step_of(each, 0, 70) for each in (None, 0, 1, 35, 70)] == [0, 0, 1, 4, STEPS]
    assert step_of(0.9, 0.9, 0.9) == STEPS and step_of(-1.0, -1.0, 1.0) == 1


def test_a_map_of_heat_is_a_table_with_its_values() -> None:
    found = Heat(
        (("support", "<b>"),), (("09", "09"), ("10", "10")), {("support", "09"): (4.0, "4", "/console/calls")}
    )
    made = heat("calls", found, "Queue")
    assert "&lt;b&gt;" in made and f'class="heat-n{STEPS}"' in made and 'class="heat-n0"' in made
    assert 'href="/console/calls"' in made and 'scope="row"' in made
