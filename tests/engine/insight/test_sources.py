"""Sources that guess or scan are told of once, shown while it lasts, and let off by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from engine import log
from engine.events import Event
from engine.insight.sources import Sources
from engine.source_events import SourceLetOff, SourceTurnedAway
from sip.guard import Guard

THIEF, SCANNER = "203.0.113.9", "2001:db8::7"


class Stand:
    """A node's sources, at the second `now` of 1000 epoch seconds."""

    def __init__(self) -> None:
        self.now = 5.0
        self.noted: list[Event] = []
        self.guard = Guard()
        self.sources = Sources(self.guard, self.noted.append, lambda: self.now, lambda now: 1000.0 + now)

    def fail(self, times: int = 10) -> None:
        for _ in range(times):
            self.guard.failed(THIEF, "1001" * 100, self.now)

    def scan(self) -> None:
        for _ in range(60):
            self.guard.asked(SCANNER, "100", self.now)


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log.configure("json", stream=stream)
    yield stream
    structlog.reset_defaults()


def test_blocks_are_logged_and_noted_once(stand: Stand, out: io.StringIO) -> None:
    stand.fail()
    stand.scan()
    stand.sources.tell()
    stand.sources.tell()
    assert stand.noted == [
        SourceTurnedAway(
            at=1005.0, source=THIEF, how="blocked", why="wrong_passwords", seconds=300.0, count=10
        ),
        SourceTurnedAway(
            at=1005.0,
            source="2001:db8::/64",
            how="ignored",
            why="questions_without_proof",
            seconds=300.0,
            count=60,
        ),
    ]
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["event"], line["source"]) for line in lines] == [
        ("a source is slowed", THIEF),
        ("a source is blocked", THIEF),
        ("a source is ignored", "2001:db8::/64"),
    ]
    assert all(len(line["user"]) <= 64 for line in lines)


def test_the_end_of_a_block_is_told_though_nobody_asks_again(stand: Stand) -> None:
    stand.fail()
    stand.sources.tell()
    stand.now += 301.0
    stand.sources.tell()
    assert stand.noted[1:] == [SourceLetOff(at=1306.0, source=THIEF)]
    assert stand.sources.turned_away() == []


def test_those_turned_away_are_listed_the_latest_first(stand: Stand) -> None:
    stand.fail()
    stand.now = 6.0
    stand.scan()
    assert [(each.source, each.how, each.since, each.until) for each in stand.sources.turned_away()] == [
        ("2001:db8::/64", "ignored", 1006.0, 1306.0),
        (THIEF, "blocked", 1005.0, 1305.0),
    ]


def test_an_operator_lets_one_off_by_any_of_its_addresses(stand: Stand) -> None:
    stand.scan()
    assert stand.sources.let_off("2001:db8::ffff", "olga")
    assert stand.noted[-1] == SourceLetOff(at=1005.0, source="2001:db8::/64", by="olga")
    assert not stand.guard.ignores(SCANNER, stand.now)
    assert not stand.sources.let_off("2001:db8::ffff", "olga")
