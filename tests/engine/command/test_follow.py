"""What is followed goes on where it stood, whatever happens in between."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from engine.command.calls import COLUMNS, _row, _told
from engine.command.fault import NotDone, Unreachable
from engine.command.follow import Lines, Mirror, Watched, followed, messages
from engine.command.node import Node
from engine.command.terminal import Terminal
from tests.engine.command.stand import Served, Shell
from tests.engine.store_samples import T0
from tests.project.tree import ROOT


def snapshot(id: str, **items: Any) -> dict[str, Any]:
    return {"type": "snapshot", "id": id, "topics": {"calls": items}}


def delta(id: str, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "delta", "id": id, "after": "", "changes": list(changes)}


def change(op: str, id: str, topic: str = "calls", **value: Any) -> dict[str, Any]:
    return {"op": op, "topic": topic, "id": id, **({"value": value} if op != "gone" else {})}


def test_a_mirror_is_what_the_node_last_told() -> None:
    mirror = Mirror("calls")
    mirror.take(snapshot("e-1", c1={"state": "queued", "mos": None}, c2={"state": "talking"}))
    told = mirror.take(
        delta(
            "e-2",
            change("patch", "c1", state="talking"),
            change("gone", "c2"),
            change("put", "c3", state="queued"),
            change("put", "support", topic="queues", waiting=1),
        )
    )
    assert [(each.id, each.before is None, each.after is None) for each in told] == [
        ("c1", False, False),
        ("c2", False, True),
        ("c3", True, False),
    ]
    assert mirror.items == {"c1": {"state": "talking", "mos": None}, "c3": {"state": "queued"}}
    again = mirror.take(snapshot("e-9", c3={"state": "queued"}, c4={"state": "queued"}))
    assert [each.id for each in again] == ["c1", "c4"]  # only what differs
    assert mirror.take({"type": "resync", "why": "slow", "id": "e-9"}) == []


class Tries:
    """A node that can be reached now and then; each try is what comes of it."""

    def __init__(self, *tries: Any) -> None:
        self.tries = iter(tries)
        self.since: list[str] = []
        self.waited: list[float] = []

    def open(self, last: str) -> Any:
        self.since.append(last)
        made = next(self.tries)
        if isinstance(made, Exception):
            raise made
        told = [b"id: x\ndata: " + json.dumps(each).encode() + b"\n\n" for each in made]
        return nullcontext(io.BytesIO(b"".join(told)))

    def all(self) -> Iterator[str]:
        for message in followed(self.open, self.waited.append, lambda what, pause: None):
            yield message["id"]


def test_after_a_gap_it_goes_on_from_the_last_id_ever_more_slowly() -> None:
    gone = Unreachable("nobody answers")
    busy = NotDone({"status": 503, "detail": "so many read already"})
    between = [gone, busy, gone, gone, gone, gone]
    tries = Tries([snapshot("e-1"), delta("e-2")], *between, [delta("e-3")], [delta("e-4")])
    stream = tries.all()
    assert [next(stream) for _ in range(4)] == ["e-1", "e-2", "e-3", "e-4"]
    assert tries.since == ["", *["e-2"] * 7, "e-3"]
    assert tries.waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 1.0]


@pytest.mark.parametrize(
    "fault", [Unreachable("nobody answers"), NotDone({"status": 403}), NotDone({"status": 503})]
)
def test_who_never_answered_is_not_asked_again(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        next(Tries(fault).all())


def test_who_may_not_look_any_more_is_told_so() -> None:
    stream = Tries([snapshot("e-1")], NotDone({"status": 401, "detail": "expired"})).all()
    assert next(stream) == "e-1"
    with pytest.raises(NotDone, match="expired"):
        next(stream)


def test_signs_of_life_are_no_messages_and_nonsense_is_no_stream() -> None:
    assert list(messages(io.BytesIO(b": still here\n\nid: 1\nevent: delta\ndata: {}\n\n"))) == [{}]
    with pytest.raises(Unreachable, match="no JSON"):
        list(messages(io.BytesIO(b"data: {\n\n")))


def item(**changes: Any) -> dict[str, Any]:
    made = {"id": "c1", "since": T0, "state": "queued", "queue": "support", "agent": "", "customer": "+49170"}
    return made | {"number": "+498001", "position": 1, "mos": None, "troubles": []} | changes


def test_a_line_is_printed_for_what_is_worth_it() -> None:
    watched = Watched("calls", COLUMNS, _row, _told, lambda each: each["queue"] == "support")
    lines = Lines(watched, Terminal())
    first = list(lines.take(snapshot("e-1", c1=item(), c2=item(id="c2", queue="sales")), T0 + 5))
    assert first[0].split()[:3] == ["at", "call", "since"] and len(first) == 2
    assert first[1].split()[1:6] == ["+", "c1", "5", "s", "queued"]
    assert list(lines.take(delta("e-2", change("patch", "c1", mos=4.1)), T0 + 6)) == []
    (talks,) = lines.take(delta("e-3", change("patch", "c1", state="talking", agent="alice")), T0 + 7)
    assert "talking" in talks and "alice" in talks and "4.1" in talks
    (over,) = lines.take(delta("e-4", change("gone", "c1"), change("gone", "c2")), T0 + 8)
    assert over.split()[1:3] == ["-", "c1"]


def test_a_node_that_cuts_its_readers_is_followed_on(asks: Shell, served: Served) -> None:
    node = Node(argparse.Namespace(api=None, token_file=None, config=None, data=None))
    lost: list[str] = []

    stream = followed(
        lambda last: node.stream("/v1/live", {"topics": "calls"}, last),
        lambda pause: None,
        lambda what, pause: lost.append(what),
    )
    assert sorted(next(stream)["topics"]["calls"]) == ["c1", "c2"]
    served.cut()
    assert next(stream)["type"] == "delta"  # the node knew the last id, and told nothing anew
    assert lost == ["the node ended the stream"]
    stream.close()


def test_it_is_followed_until_it_is_stopped(served: Served) -> None:
    env = {**os.environ, "ISOGLOSS_API": served.base, "ISOGLOSS_API_TOKEN": served.token}
    command = [sys.executable, "-m", "engine", "calls", "--follow", "--queue", "support"]
    # A shell has what it starts in the background ignore it; a program that begins so goes on so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        signal.signal(signal.SIGINT, before)
        assert program.stdout is not None
        said = [program.stdout.readline().split() for _ in range(3)]
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 130
    assert said[0][:2] == ["at", "call"] and [line[1:3] for line in said[1:]] == [["+", "c1"], ["+", "c2"]]
