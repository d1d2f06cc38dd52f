"""Calls, queues and agents as a person reads them, and as a program does."""

from __future__ import annotations

import pytest

from tests.engine.api_node import call_view
from tests.engine.command.stand import Served, Shell


def test_calls_are_listed_with_who_and_how_it_sounds(asks: Shell, served: Served) -> None:
    said = asks("calls")
    assert said.status == 0
    heads, first, second = said.lines
    assert heads.split()[:5] == ["call", "since", "state", "queue", "agent"]
    assert first.startswith("c1") and "talking" in first and "alice" in first and "+4930123456" in first
    assert second.startswith("c2") and "queued 1" in second


def test_they_are_narrowed_by_the_node(asks: Shell, served: Served) -> None:
    served.node.live["c3"] = call_view("c3", market="us", queue="sales", agent="carol", state="held")
    for flag, value in (("--queue", "sales"), ("--market", "us"), ("--agent", "carol"), ("--state", "held")):
        assert [each["id"] for each in asks("calls", flag, value, "--json").json["items"]] == ["c3"]
    assert asks("calls", "--queue", "nowhere").out == "no calls now\n"


def test_those_that_are_over_are_listed_too(asks: Shell) -> None:
    said = asks("calls", "--ended", "2")
    assert said.lines[0].split()[:3] == ["call", "ended", "reason"]
    assert [line.split()[0] for line in said.lines[1:]] == ["r2", "r1"]
    assert [each["call"] for each in asks("calls", "--ended", "1", "--json").json["items"]] == ["r2"]
    assert asks("calls", "--ended", "5", "--queue", "nowhere").out == "no calls yet\n"
    for words in (("0",), ("1001",), ("1", "--state", "talking"), ("1", "--follow")):
        assert asks("calls", "--ended", *words).status == 2


def test_all_pages_are_read(asks: Shell, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.command.node.PAGE", 2)
    for number in range(5):
        served.node.live[f"d{number}"] = call_view(f"d{number}")
    assert len(asks("calls", "--json").json["items"]) == 7


def test_a_callers_name_moves_no_cursor(asks: Shell, served: Served) -> None:
    served.node.live = {"c1": call_view("c1", customer="\x1b[2J王小明")}
    said = asks("calls")
    assert "\x1b" not in said.out and "王小明" in said.out


def test_queues_tell_who_waits(asks: Shell) -> None:
    heads, sales, support = asks("queues").lines
    assert heads.split()[0] == "queue" and sales.split()[0] == "sales" and sales.endswith("–")
    assert support.split() == ["support", "1", "12", "s", "1", "1", "9", "1", "90%"]
    assert [each["name"] for each in asks("queues", "--json").json["items"]] == ["sales", "support"]


def test_agents_tell_what_they_do(asks: Shell) -> None:
    said = asks("agents", "--queue", "support")
    assert [line.split()[:2] for line in said.lines[1:]] == [["alice", "talking"], ["bob", "available"]]
    assert [each["name"] for each in asks("agents", "--state", "logged_out", "--json").json["items"]] == [
        "carol"
    ]
