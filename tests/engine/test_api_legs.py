"""Legs of all calls at once: whose each is, and those that somebody looks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api.app import create_app
from engine.views import LegSide, LegView, TroubleView
from tests.engine.api_node import READ, SETTINGS, T0, Node
from tests.engine.test_api import Client


@pytest.fixture
def ask() -> Client:
    node = Node()
    good = LegView(
        id=9, side=LegSide.CUSTOMER, remote="", codec="opus", state="open", encryption="X", mos_now=4.2
    )
    trouble = TroubleView(kind="one-way", cause="nothing is heard from her", since=T0)
    bad = replace(good, id=10, side=LegSide.AGENT, role="agent", codec="PCMU", encryption="", mos_now=2.1)
    node.live["c2"] = replace(node.live["c2"], legs=(replace(bad, troubles=(trouble,)), good))
    return Client(create_app(node, SETTINGS))


def legs(ask: Client, query: str = "call=c2") -> list[int]:
    return [each["id"] for each in ask("GET", f"/v1/legs?{query}", READ).json()["items"]]


def test_legs_say_whose_they_are_in_the_order_they_joined(ask: Client) -> None:
    items = ask("GET", "/v1/legs?call=c2").json()["items"]
    assert [(each["id"], each["call"], each["side"]) for each in items] == [
        (9, "c2", "customer"),
        (10, "c2", "agent"),
    ]
    call = ask("GET", "/v1/calls/c2").json()
    assert {items[0][name] == call[name] for name in ("queue", "agent", "market")} == {True}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("side=agent", [10]),
        ("role=agent", [10]),
        ("codec=opus", [9]),
        ("encrypted=true", [9]),
        ("encrypted=false", [10]),
        ("troubled=true", [10]),
        ("mos_under=3", [10]),
        ("mos_under=4.2", [10]),
        ("queue=nowhere", []),
        ("market=nowhere", []),
        ("agent=nobody", []),
    ],
)
def test_those_that_are_looked_for_are_found(ask: Client, query: str, found: list[int]) -> None:
    assert legs(ask, f"call=c2&{query}") == found


def test_pages_follow_each_other_over_calls(ask: Client) -> None:
    whole = ask("GET", "/v1/legs").json()
    seen, cursor = [], ""
    while True:
        page = ask("GET", f"/v1/legs?limit=1{cursor}").json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == whole["items"] and {each["call"] for each in seen} >= {"c1", "c2"}


@pytest.mark.parametrize("query", ["side=left", "mos_under=9", "troubled=perhaps", "colour=red"])
def test_a_filter_that_makes_no_sense_is_refused(ask: Client, query: str) -> None:
    assert ask("GET", f"/v1/legs?{query}").status_code == 422
