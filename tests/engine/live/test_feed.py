"""What happens in a node is told soon, together, and costs nothing while nobody reads."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import pytest

from engine.events import AgentChanged, CallConnected, CallHeld, Side
from engine.live.angle import Angle
from engine.live.feed import CAPTIONS, KEEP_S, TOGETHER_S, Feed
from engine.live.hub import Hub, Reader
from engine.live.source import Belonging, Source
from engine.live.tree import Item, Topic, Tree
from engine.views import Caption, Check, Health, LegSide, TroubleView
from tests.engine.api_node import Node, call_view
from tests.engine.store_samples import T0

WHERE = Belonging(teams={"alice": "north"}, queues={"support": "de"}, lines={"carrier": "de"})
ALL = Angle(frozenset(Topic))


class Clock:
    """Time that passes when told to, and what is to be done then."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Alarm]] = []
        self._count = count()

    def later(self, wait_s: float, what: Callable[[], None]) -> Alarm:
        alarm = Alarm(what)
        heapq.heappush(self._due, (self.now + wait_s, next(self._count), alarm))
        return alarm

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, alarm = heapq.heappop(self._due)
            if alarm.what is not None:
                alarm.what()
        self.now = end

    @property
    def idle(self) -> bool:
        return all(alarm.what is None for _, _, alarm in self._due)


class Alarm:
    def __init__(self, what: Callable[[], None]) -> None:
        self.what: Callable[[], None] | None = what

    def cancel(self) -> None:
        self.what = None


class Counted(Source):
    """Counts how often calls were looked at."""

    looks = 0

    def _call(self, call: Any, where: Belonging) -> Item:
        self.looks += 1
        return super()._call(call, where)


class Room:
    """A node, its feed, and one reader of everything."""

    def __init__(self) -> None:
        self.clock, self.node = Clock(), Node()
        self.source = Counted(self.node, lambda: WHERE, lambda: T0)
        self.feed = Feed(Hub(Tree(), "e0"), self.source, lambda: self.clock.now, self.clock.later)
        self.reader: Reader | None = None

    def read(self, angle: Angle = ALL) -> list[dict[str, Any]]:
        if self.reader is None:
            self.reader = self.feed.open(angle, lambda: None, lambda: None)
        return [msgspec.json.decode(message.data) for message in self.feed.hub.take(self.reader)]

    def changes(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (each["op"], each["id"], each.get("value", {}))
            for message in self.read()
            for each in message["changes"]
        ]

    def leave(self) -> None:
        assert self.reader is not None
        self.feed.close(self.reader)
        self.reader = None


@pytest.fixture
def room() -> Room:
    return Room()


def held(call: str) -> CallHeld:
    return CallHeld(at=T0, call=call, by=Side.AGENT)


def test_a_reader_finds_all_there_is(room: Room) -> None:
    (snapshot,) = room.read()
    topics = snapshot["topics"]
    keys = {topic: sorted(items) for topic, items in topics.items()}
    assert (keys["calls"], keys["agents"]) == (["c1", "c2"], ["alice", "bob", "carol"])
    assert (keys["queues"], keys["captions"]) == (["sales", "support"], [])
    assert keys["lines"] == sorted(line.name for line in room.node.trunks.stands())
    assert len(keys["nodes"]) == 1 and all(key.startswith("line/") for key in keys["alerts"])
    assert topics["calls"]["c1"]["team"] == "north" and topics["queues"]["support"]["market"] == "de"


def test_what_happens_to_a_call_is_told_within_a_moment_and_once(room: Room) -> None:
    room.read()
    room.node.live["c1"] = call_view("c1", state="held")
    room.feed.notice(held("c1"))
    room.feed.notice(held("c1"))
    room.clock.run(0.021)
    assert room.changes() == [("patch", "c1", {"state": "held"})]


def test_what_comes_together_is_told_together_and_not_later_than_that(room: Room) -> None:
    room.read()
    room.clock.run(1.0)
    told = 0
    for n in range(100):  # 100 changes in a second
        room.node.live["c1"] = call_view("c1", state=str(n))
        room.feed.notice(held("c1"))
        room.clock.run(0.01)
        told += len(room.changes())
        assert room.feed.lag_s <= TOGETHER_S + 0.001
    room.clock.run(TOGETHER_S)
    assert 9 <= told <= 12
    assert room.feed.hub.tree.items[Topic.CALLS]["c1"]["state"] == "99"


def test_a_call_that_is_over_is_gone_with_its_captions(room: Room) -> None:
    room.read()
    room.feed.captioned(Caption(call="c1", side=LegSide.CUSTOMER, line=1, at=T0, text="hola", language="es"))
    room.clock.run(0.2)
    ((op, id, value),) = room.changes()
    assert (op, id, value["text"], value["queue"]) == ("put", "c1/customer/1", "hola", "support")
    del room.node.live["c1"]
    room.feed.notice(held("c1"))
    room.clock.run(0.2)
    assert {(op, id) for op, id, _ in room.changes()} == {("gone", "c1"), ("gone", "c1/customer/1")}


def test_of_a_call_the_newest_captions_are_kept(room: Room) -> None:
    room.read()
    for line in range(20):
        room.feed.captioned(
            Caption(call="c1", side=LegSide.AGENT, line=line, at=T0, text=str(line), language="en")
        )
    room.clock.run(0.2)
    kept = room.feed.hub.tree.items[Topic.CAPTIONS].values()
    assert [item["text"] for item in kept] == [str(line) for line in range(20 - CAPTIONS, 20)]


def test_captions_that_nobody_reads_are_not_kept(room: Room) -> None:
    room.read(Angle(frozenset({Topic.CALLS})))
    room.feed.captioned(Caption(call="c1", side=LegSide.AGENT, line=1, at=T0, text="x", language="en"))
    room.clock.run(0.2)
    assert not room.feed.hub.tree.items[Topic.CAPTIONS]


def test_agents_and_queues_follow_an_agents_change(room: Room) -> None:
    room.read()
    room.node.team["bob"] = replace(room.node.team["bob"], state="paused", reason="lunch")
    room.feed.notice(AgentChanged(at=T0, agent="bob", state="paused", reason="lunch"))
    room.clock.run(0.1)
    assert room.changes() == [("patch", "bob", {"state": "paused", "reason": "lunch"})]


def test_what_changes_without_an_event_is_found_by_turns(room: Room) -> None:
    room.node.live = {f"c{n}": call_view(f"c{n}") for n in range(200)}
    room.read()
    leg = room.node.live["c7"].legs[0]
    bad = replace(leg, mos_now=1.94, troubles=(TroubleView(kind="clipping", cause="", since=T0),))
    room.node.live["c7"] = call_view("c7", legs=(bad,))
    room.node.checks = [Check(name="journal", status=Health.FAILING, detail="no disk")]
    room.source.looks = 0
    room.clock.run(0.2)
    assert room.source.looks < 40  # a part of them at a time
    room.clock.run(3.0)
    found = {id: value for _, id, value in room.changes()}
    assert found["c7"] == {"mos": 1.9, "troubles": ["customer:clipping"]}
    assert found["health/journal"]["level"] == "failing"


def test_without_readers_nothing_is_looked_at(room: Room) -> None:
    room.feed.notice(held("c1"))
    assert room.clock.idle and room.source.looks == 0
    room.read()
    room.leave()
    room.clock.run(KEEP_S + 1.0)
    looks = room.source.looks
    room.feed.notice(held("c1"))
    room.clock.run(10.0)
    assert room.clock.idle and room.source.looks == looks


def test_who_comes_back_after_nobody_read_goes_on_where_she_was(room: Room) -> None:
    (snapshot,) = room.read()
    room.leave()
    room.clock.run(KEEP_S + 100.0)
    del room.node.live["c2"]
    room.reader = room.feed.open(ALL, lambda: None, lambda: None, snapshot["id"])
    (delta,) = room.read()
    assert delta["type"] == "delta"
    assert delta["changes"] == [{"op": "gone", "topic": "calls", "id": "c2"}]


def test_a_fault_of_a_look_is_not_the_engines(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.read()

    def broken() -> dict[str, Item]:
        raise ZeroDivisionError

    monkeypatch.setattr(room.source, "agents", broken)
    room.feed.notice(AgentChanged(at=T0, agent="bob", state="paused", reason=""))
    room.feed.notice(CallConnected(at=T0, call="c1", party="", agent="alice", codec="PCMA"))
    room.clock.run(0.2)
    monkeypatch.undo()
    room.node.live["c1"] = call_view("c1", state="held")
    room.feed.notice(held("c1"))
    room.clock.run(0.2)
    assert ("patch", "c1", {"state": "held"}) in room.changes()
