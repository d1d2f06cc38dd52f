"""Reports as they are asked for by words, and what is no such word."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.command import parser
from engine.command.fault import CommandFault
from engine.command.report import query
from engine.command.when import instant
from engine.drill import FORMULAS, Dimension
from tests.engine.command.stand import Shell

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "meant"),
    [
        ("36h", "UTC", "2026-02-28T21:15:00+00:00"),
        ("90m", "UTC", "2026-03-02T07:45:00+00:00"),
        ("7d", "Asia/Tokyo", "2026-02-23T09:15:00+00:00"),
        ("2026-03-01", "Europe/Madrid", "2026-03-01T00:00:00+01:00"),
        ("2026-07-01T09:30", "Europe/Madrid", "2026-07-01T09:30:00+02:00"),
        ("2026-03-01T09:00:00Z", "Europe/Madrid", "2026-03-01T09:00:00+00:00"),
    ],
)
def test_a_time_is_meant_as_people_write_it(text: str, zone: str, meant: str) -> None:
    assert instant(text, NOW, ZoneInfo(zone)).isoformat() == meant


@pytest.mark.parametrize("text", ["yesterday", "24", "-1h", "2026-13-01", "", "1e9d"])
def test_what_is_no_time_is_said_with_what_is_one(text: str) -> None:
    with pytest.raises(CommandFault, match="write a day"):
        instant(text, NOW, UTC)


def asked(*words: str) -> dict[str, object]:
    return query(parser.made().parse_args(["report", *words]), NOW)


def test_a_report_is_asked_for_by_its_words() -> None:
    made = asked("--by", "queue,hour", "--from", "2026-03-01", "--to", "2026-03-02", "--queue", "sales")
    assert (made["by"], made["queue"], made["market"]) == (["queue", "hour"], "sales", None)
    assert (made["from"], made["to"]) == ("2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00")
    assert asked()["from"] == "2026-03-01T09:15:00+00:00"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--by", "weather"), "'weather' is no dimension: name one or two of region, market"),
        (("--by", "queue,hour,agent"), "one dimension or two"),
        (("--by", "queue,queue"), "two different ones"),
        (("--by", ""), "is no dimension"),
        (("--zone", "Mars/Base"), "is no time zone"),
        (("--zone", "../../etc/passwd"), "is no time zone"),
        (("--zone", "Europe"), "is no time zone"),
        (("--from", "1h", "--to", "2h"), "is not before"),
    ],
)
def test_what_cannot_be_asked_is_said(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandFault, match=why):
        asked(*words)


def test_its_words_are_those_of_the_api() -> None:
    assert set(parser.DIMENSIONS) == set(Dimension) and set(parser.FORMULAS) == set(FORMULAS)


def test_it_is_a_table_with_its_total_and_the_formula(asks: Shell) -> None:
    heads, row, total, formula = asks("report", "--by", "queue,hour", "--zone", "Europe/Berlin").lines
    assert heads.split()[:3] == ["queue", "hour", "offered"]
    assert row.split()[:3] == ["support", "2025-10-09T10:00:00+02:00", "4"]
    assert total.split()[:2] == ["all", "4"] and formula.startswith("in time: within 20 s, ")


def test_it_is_a_table_for_spreadsheets_as_the_node_makes_it(asks: Shell) -> None:
    said = asks("report", "--by", "agent", "--csv")
    names, row = csv.reader(said.out.splitlines())
    assert names[:2] == ["agent", "offered"] and row[:2] == ["'=alice", "4"]


def test_a_node_that_refuses_says_why(asks: Shell) -> None:
    said = asks("report", "--from", "2020-01-01")
    assert said.status == 2 and "93 days at most" in said.err
