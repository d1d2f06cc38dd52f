"""Readers of the live state: whatever is missed, late, slow or resumed, each has what the tree has."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest

from engine.live.angle import Angle
from engine.live.hub import MOST_WAITING, Hub, Message, Reader, TooManyReaders
from engine.live.tree import Item, Topic, Tree

EPOCH = "e0"
CALLS = Angle(frozenset({Topic.CALLS}))
SUPPORT = Angle(frozenset({Topic.CALLS, Topic.QUEUES}), queues=frozenset({"support"}))


@dataclass(frozen=True, slots=True)
class Masked:
    """Who sees one market, and no numbers."""

    market: str

    def sees(self, topic: Topic, item: Item) -> bool:
        return bool(item.get("market", self.market) == self.market)

    def shown(self, topic: Topic, fields: Item) -> Item:
        return {name: "…" if name == "customer" else value for name, value in fields.items()}


def call(**changes: Any) -> Item:
    made = {"queue": "support", "team": "north", "market": "de", "customer": "+4930123", "state": "queued"}
    return made | changes


@dataclass
class Program:
    """A reader that does with what it is told what docs/monitoring.md says."""

    hub: Hub
    angle: Angle
    id: str = ""
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    resyncs: int = 0
    snapshots: int = 0
    cut: bool = False
    reader: Reader | None = None

    def begin(self, now: float = 0.0) -> Program:
        self.reader = self.hub.open(self.angle, lambda: None, self._cut, now, self.id)
        return self

    def _cut(self) -> None:
        self.cut = True

    def leave(self) -> None:
        assert self.reader is not None
        self.hub.close(self.reader)
        self.reader = None

    def hear(self) -> Program:
        assert self.reader is not None
        for message in self.hub.take(self.reader):
            self._apply(message)
        return self

    def _apply(self, message: Message) -> None:
        told = msgspec.json.decode(message.data)
        assert (told["type"], told["id"]) == (message.kind, message.id)
        if message.kind == "resync":
            self.resyncs += 1
            return
        if message.kind == "snapshot":
            self.snapshots += 1
            self.state = told["topics"]
        else:
            assert number(told["after"]) <= number(self.id), "a delta is missing"
            for change in told["changes"]:
                self._change(change)
        self.id = message.id

    def _change(self, change: dict[str, Any]) -> None:
        items = self.state[change["topic"]]
        if change["op"] == "gone":
            items.pop(change["id"], None)
        elif change["op"] == "put":
            items[change["id"]] = change["value"]
        else:
            items[change["id"]] = items[change["id"]] | change["value"]


def number(id: str) -> int:
    return int(id.rpartition("-")[2])


@pytest.fixture
def hub() -> Hub:
    return Hub(Tree(), EPOCH)


def put(hub: Hub, now: float = 0.0, **calls: Item | None) -> None:
    for key, item in calls.items():
        hub.tree.put(Topic.CALLS, key, item)
    hub.step(now)


def test_a_reader_has_a_snapshot_first_and_then_what_differs(hub: Hub) -> None:
    put(hub, c1=call())
    program = Program(hub, CALLS).begin().hear()
    assert program.state == {"calls": {"c1": call()}}
    put(hub, c1=call(state="talking"), c2=call())
    assert program.reader is not None
    (message,) = hub.take(program.reader)
    changes = msgspec.json.decode(message.data)["changes"]
    assert changes == [
        {"op": "patch", "topic": "calls", "id": "c1", "value": {"state": "talking"}},
        {"op": "put", "topic": "calls", "id": "c2", "value": call()},
    ]


def test_what_does_not_differ_is_not_told(hub: Hub) -> None:
    put(hub, c1=call())
    program = Program(hub, CALLS).begin().hear()
    put(hub, c1=call())
    assert program.reader is not None and hub.take(program.reader) == [] and hub.tree.seq == 1


def test_what_moves_out_of_sight_is_gone_and_what_moves_in_is_whole(hub: Hub) -> None:
    put(hub, c1=call())
    program = Program(hub, SUPPORT).begin().hear()
    put(hub, c1=call(queue="sales"))
    assert program.hear().state["calls"] == {}
    put(hub, c1=call(queue="support", state="talking"))
    assert program.hear().state["calls"] == {"c1": call(state="talking")}


def test_a_scope_hides_and_masks_in_snapshots_and_in_deltas(hub: Hub) -> None:
    put(hub, c1=call(), c2=call(market="es"))
    program = Program(hub, Angle(frozenset({Topic.CALLS}), scope=Masked("de"))).begin().hear()
    assert program.state["calls"] == {"c1": call(customer="…")}
    put(hub, c1=call(customer="+4940"), c2=call(market="es", state="talking"), c3=call())
    assert program.hear().state["calls"] == {"c1": call(customer="…"), "c3": call(customer="…")}


def test_who_was_away_goes_on_where_she_was(hub: Hub) -> None:
    program = Program(hub, CALLS).begin().hear()
    program.leave()
    put(hub, c1=call())
    put(hub, c1=call(state="talking"), c2=call())
    put(hub, c2=None)
    program.begin().hear()
    assert (program.state["calls"], program.snapshots) == ({"c1": call(state="talking")}, 1)


@pytest.mark.parametrize("id", ["e1-{}-1", "e0-{}-99", "e0-{}-x", "none", "e0-{}--1", "e0-00000000-1"])
def test_who_names_an_id_that_is_nobodys_begins_anew(hub: Hub, id: str) -> None:
    put(hub, c1=call())
    id = id.format(f"{hash(CALLS) & 0xFFFFFFFF:08x}")
    program = Program(hub, CALLS, id).begin().hear()
    assert program.state == {"calls": {"c1": call()}} and program.snapshots == 1


def test_who_was_away_for_too_long_begins_anew() -> None:
    hub = Hub(Tree(keep=3), EPOCH)
    program = Program(hub, CALLS).begin().hear()
    program.leave()
    for state in "abcdef":
        put(hub, c1=call(state=state))
    program.begin().hear()
    assert program.snapshots == 2 and program.state["calls"]["c1"]["state"] == "f"


def test_a_slow_reader_is_told_so_and_has_all_of_it_again(hub: Hub) -> None:
    program, quick = Program(hub, CALLS).begin().hear(), Program(hub, CALLS).begin().hear()
    for n in range(3 * MOST_WAITING):
        put(hub, c1=call(state=str(n)))
        quick.hear()
    assert program.reader is not None and program.reader.waiting == 0  # nothing is kept for her but one word
    program.hear()
    assert (program.resyncs, program.snapshots, quick.resyncs, hub.resyncs) == (1, 2, 0, 1)
    assert program.state == quick.state


def test_a_reader_who_takes_nothing_is_cut_and_one_with_nothing_to_take_is_not(hub: Hub) -> None:
    stalled, other = Program(hub, CALLS).begin().hear(), Program(hub, CALLS).begin().hear()
    idle = Program(hub, Angle(frozenset({Topic.NODES}))).begin().hear()
    put(hub, 5.0, c1=call())
    other.hear()
    hub.cut_stalled(14.9)
    assert not stalled.cut
    hub.cut_stalled(15.0)
    assert (stalled.cut, other.cut, idle.cut, hub.readers, hub.cuts) == (True, False, False, 2, 1)


def test_no_more_read_than_may(hub: Hub) -> None:
    hub.most = 2
    first = Program(hub, CALLS).begin()
    Program(hub, CALLS).begin()
    with pytest.raises(TooManyReaders):
        Program(hub, CALLS).begin()
    first.leave()
    Program(hub, CALLS).begin()


def test_readers_of_one_angle_are_told_the_same_bytes(hub: Hub) -> None:
    programs = [Program(hub, CALLS).begin() for _ in range(3)]
    assert all(program.reader for program in programs)
    snapshots = {id(hub.take(program.reader)[0]) for program in programs if program.reader}
    put(hub, c1=call())
    deltas = {id(hub.take(program.reader)[0]) for program in programs if program.reader}
    assert len(snapshots) == len(deltas) == 1


@pytest.mark.parametrize("seed", range(60))
def test_any_interleaving_leaves_every_reader_with_what_the_tree_has(seed: int) -> None:
    rng = Random(seed)
    hub = Hub(Tree(keep=rng.choice((4, 40, 4000))), EPOCH)
    angles = [CALLS, SUPPORT, Angle(frozenset(Topic), markets=frozenset({"es"}), scope=Masked("es"))]
    programs = [Program(hub, rng.choice(angles)).begin() for _ in range(6)]

    def change() -> None:
        key = f"c{rng.randrange(5)}"
        item = call(
            queue=rng.choice(("support", "sales")),
            market=rng.choice(("de", "es")),
            state=rng.choice("abc"),
        )
        hub.tree.put(Topic.CALLS, key, rng.choice((item, item, None)))

    def turn(program: Program) -> None:
        program.angle = rng.choice(angles)
        if program.reader is not None:
            hub.turn(program.reader, program.angle, 0.0)

    def come_or_go(program: Program) -> None:
        if program.reader is None:
            program.begin()
        else:
            program.leave()

    for _ in range(400):
        program = rng.choice(programs)
        roll = rng.random()
        if roll < 0.5:
            change()
        elif roll < 0.7:
            hub.step(0.0)
        elif roll < 0.9 and program.reader is not None:
            program.hear()
        elif roll < 0.97:
            come_or_go(program)
        else:
            turn(program)
    hub.step(0.0)
    for program in programs:
        if program.reader is None:
            program.begin()
        fresh = Program(hub, program.angle).begin().hear()
        assert program.hear().state == fresh.state == program.angle.whole(hub.tree.items)
