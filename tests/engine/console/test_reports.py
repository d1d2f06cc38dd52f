"""Reports as the console asks for them: the reader's days, faults at their field, rows that lead on."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from datetime import date, datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from engine.console import reports
from engine.console.desk import Desk
from engine.console.look import Place
from engine.console.markup import text_of
from engine.console.reports import FORMS, GROUPS, ReportFile, calls_of, narrowed, wish_of
from engine.console.views import reports as view
from engine.console.views.report_words import written
from engine.console.views.trends import slots_of
from engine.drill import Dimension, Formula
from engine.store.drill import TooManyRows
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, look, snapshot

MADRID = "Europe/Madrid"
NOW = datetime(2026, 3, 29, 14, 30, tzinfo=ZoneInfo(MADRID)).timestamp()  # that night an hour was skipped


def wish(query: str = "", zone: str = MADRID, now: float = NOW) -> reports.Wish:
    return wish_of(Place.of(f"/console/reports?{query}"), zone, now)


def at(*parts: int, zone: str = MADRID) -> float:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("query", "since", "until"),
    [
        ("", (2026, 3, 29), (2026, 3, 30)),
        ("period=yesterday", (2026, 3, 28), (2026, 3, 29)),
        ("period=week", (2026, 3, 23), (2026, 3, 30)),
        ("period=month", (2026, 2, 28), (2026, 3, 30)),
        ("period=custom&from=2026-03-01&to=2026-03-02", (2026, 3, 1), (2026, 3, 3)),
        ("period=no-such", (2026, 3, 29), (2026, 3, 30)),
    ],
)
def test_days_are_whole_ones_of_the_readers_zone(query: str, since: Any, until: Any) -> None:
    found = wish(query)
    assert (found.ask.since, found.ask.until) == (at(*since), at(*until))
    assert not found.faults


def test_a_day_of_a_changed_clock_is_as_long_as_it_was() -> None:
    found = wish()
    assert found.ask.until - found.ask.since == 23 * 3600
    assert len(list(slots_of(found.trend))) == 23


def test_the_addresss_zone_goes_before_the_browsers() -> None:
    assert wish("zone=Asia/Tokyo").ask.since == at(2026, 3, 29, zone="Asia/Tokyo")
    wrong = wish("zone=Mars/Olympus")
    assert wrong.ask.zone == MADRID and wrong.faults == {"zone": "report.fault.zone"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=custom&from=tomorrow", "from"),
        ("period=custom&from=2026-03-05&to=2026-03-01", "to"),
        ("period=custom&from=2020-01-01&to=2026-03-01", "from"),
        ("period=custom&to=9999-99-99", "to"),
        ("within=-3", "within"),
        ("within=99999", "within"),
        ("within=²", "within"),
    ],
)
def test_what_says_nothing_is_told_at_its_field(query: str, field: str) -> None:
    found = wish(query)
    assert list(found.faults) == [field]
    assert 0 < found.ask.until - found.ask.since <= 93 * 86_400 + 3600


def test_the_address_holds_dimensions_filters_and_formula() -> None:
    ask = wish("by=agent&then=hour&queue=support&formula=of_offered&within=30").ask
    assert ask.by == (Dimension.AGENT, Dimension.HOUR) and ask.only == {Dimension.QUEUE: "support"}
    assert (ask.formula, ask.threshold_s) == (Formula.OF_OFFERED, 30.0)
    assert wish("by=agent&then=agent").ask.by == (Dimension.AGENT,)
    assert wish("by=drop table").ask.by == (Dimension.QUEUE,)


def test_a_row_leads_to_the_calls_behind_it() -> None:
    day = wish("by=day&then=queue&language=es&period=week")
    to = Place.of(calls_of(day, ("2026-03-29", "support")))
    assert (to.page, to.get("when"), to.get("queue"), to.get("language")) == (
        "calls",
        "ended",
        "support",
        "es",
    )
    assert (to.get("from"), to.get("to")) == ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00")
    hour = Place.of(calls_of(wish("by=hour"), ("2026-03-29T09:00:00+02:00",)))
    assert (hour.get("from"), hour.get("to")) == ("2026-03-29T09:00:00+02:00", "2026-03-29T10:00:00+02:00")


def test_what_no_list_of_calls_can_show_leads_nowhere() -> None:
    assert calls_of(wish("by=hour_of_day"), ("09",)) == "" and calls_of(wish("by=queue"), ("",)) == ""


def test_a_name_leads_to_a_narrower_report() -> None:
    to = Place.of(
        narrowed(Place.of("/console/reports?period=week&by=queue&then=day"), Dimension.QUEUE, "vip")
    )
    assert to.asked == {"period": "week", "by": "agent", "queue": "vip"}
    assert narrowed(Place.of("/console/reports"), Dimension.REASON, "busy") == ""


# --- with a node -----------------------------------------------------------------------------------


def loaded(query: str, node: BusyNode | None = None, before: Any = None) -> ReportFile:
    desk = Desk(node or BusyNode(), None, time.time).of(OPERATOR, "en", MADRID)  # type: ignore[arg-type]
    return asyncio.run(reports.load(desk, Place.of(f"/console/reports?{query}"), before))


def drawn(query: str, say: str = "en", **more: Any) -> str:
    at = look(f"/console/reports?{query}", say=say, loaded=more.pop("file", None) or loaded(query), **more)
    return Markup("").join(part(at) for part in view.PARTS.values())


def test_a_report_is_taken_along_in_the_zone_that_is_shown() -> None:
    desk = Desk(BusyNode(), None, time.time).of(OPERATOR, "en", "Etc/GMT+5")  # type: ignore[arg-type]
    file = asyncio.run(reports.load(desk, Place.of("/console/reports?period=week"), None))
    (link,) = re.findall(r'href="/console/files/([^"]+)"', drawn("period=week", file=file))
    assert Place.of(f"/{unescape(link)}").asked == {"period": "week", "zone": "Etc/GMT+5"}


QUERIES = (
    "period=week", "period=week&by=day&figure=service_level",
    "period=week&by=hour_of_day&then=queue&show=times",
    "period=yesterday&by=hour&figure=wait_s", "period=week&by=queue&then=market&figure=mood&show=sound",
    "period=week&by=reason&sort=-answered", "period=custom&from=2001-01-01&to=2001-01-02",
    "period=week&queue=none",
)  # fmt: skip


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_every_report_is_drawn_in_every_language(code: str) -> None:
    node = BusyNode()
    for query in QUERIES:
        made = drawn(query, code, file=loaded(query, node), now=snapshot(node))
        keys = re.findall(r">((?:[a-z_]+\.)+[a-z_]+)<", made)
        assert keys == [], query
        assert "style=" not in made and made.count("<h1") == 1, query
        ids = re.findall(r'\sid="([^"]+)"', made)
        assert len(ids) == len(set(ids)), query


def test_every_figure_is_listed_by_every_dimension_and_drawn_over_time() -> None:
    node, file, at = BusyNode(), None, look("/console/reports")
    for dimension in Dimension:
        file = loaded(f"period=yesterday&by={dimension}", node, file)
        for group, figures in GROUPS.items():
            listed = view.table(replace(at, loaded=replace(file, wish=replace(file.wish, group=group))))
            assert listed.count('<th scope="col"') == len(figures) + 1, (dimension, group)
        if dimension not in (Dimension.QUEUE, Dimension.AGENT):
            continue
        for figure in FORMS:
            assert file.trend is not None
            total = reports.of(file.trend.total, figure)
            charts = view.charts(replace(at, loaded=replace(file, wish=replace(file.wish, figure=figure))))
            assert total is not None, figure
            assert f"{at.say(f'fig.{figure}')}: {written(at.say, figure, total)}" in unescape(charts), figure
            assert charts.partition("ranked")[2].count("data-key") >= 3, figure


def test_the_total_of_a_report_is_in_its_tiles_and_at_the_end_of_its_table() -> None:
    file = loaded("period=week")
    assert file.table is not None and file.trend is not None
    total = file.table.total.offered
    assert total == file.trend.total.offered == sum(row.figures.offered for row in file.table.rows) > 100
    assert text_of(drawn("period=week", file=file)).count(f"{total:,}") >= 2


def test_choices_stay_while_the_days_do() -> None:
    first = loaded("period=week")
    assert first.choices[Dimension.QUEUE] == ("sales", "support", "ventas", "vip")
    asked: list[Any] = []
    node = BusyNode()
    kept = node.report
    node.report = lambda ask: (asked.append(ask), kept(ask))[1]  # type: ignore[method-assign]
    second = loaded("period=week&queue=vip", node, first)
    assert second.choices == first.choices and len(asked) == 2


def test_too_much_is_told_with_what_to_do() -> None:
    node = BusyNode()

    def report(ask: Any) -> Any:
        raise TooManyRows("over 20000 rows")

    node.report = report  # type: ignore[method-assign]
    told = text_of(drawn("period=month", file=loaded("period=month", node)))
    assert "more than anybody reads" in told and "Choose fewer days" in told


def test_days_without_calls_teach_what_comes_next() -> None:
    query = "period=custom&from=2001-01-01&to=2001-01-02"
    assert "Choose other days above" in text_of(drawn(query))
    assert "Clear a filter" in text_of(drawn(f"{query}&queue=support"))


def test_a_column_is_sorted_by_its_head_and_back() -> None:
    file = loaded("period=week")
    first = view.table(look("/console/reports?period=week", loaded=file))
    assert 'aria-sort="descending"' in first and "sort=offered" in first
    other = replace(file, wish=wish("sort=offered", now=time.time()))
    rising = view.table(look("/console/reports?period=week&sort=offered", loaded=other))
    assert re.findall(r'data-key="(\w+)"', rising)[::-1] == re.findall(r'data-key="(\w+)"', first)


def test_names_are_text() -> None:
    file = loaded("period=week")
    assert file.table is not None
    hostile = '"><script>alert(1)</script>'
    rows = tuple(replace(row, key=(hostile,)) for row in file.table.rows)
    choices = {Dimension.QUEUE: (hostile,)}
    made = drawn("period=week", file=replace(file, table=replace(file.table, rows=rows), choices=choices))
    assert "<script" not in made


@pytest.mark.parametrize(("code", "words"), [("en", "Sun 29 Mar 2026"), ("zh", "2026年3月29日 周日")])
def test_the_day_is_written_in_its_languages_order(code: str, words: str) -> None:
    told = view._day(look(say=code), date(2026, 3, 29))
    assert told.translate(dict.fromkeys(map(ord, "\u2068\u2069"))) == words
