"""What goes on at a node, followed over `/v1/live` (docs/monitoring.md): what was had is kept, and after a
gap it goes on from the last id.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import IO, Any, NamedTuple

from engine.command import terminal
from engine.command.fault import CommandFault, NotDone, Told, Unreachable
from engine.command.node import Node
from engine.command.terminal import Cell, Column, Table, plain

PATH = "/v1/live"
MOST_LINE = 64 * 1024 * 1024  # bytes of one message
FIRST_S, LONGEST_S = 1.0, 30.0  # between two tries; doubles

Item = Mapping[str, Any]
Open = Callable[[str], AbstractContextManager[IO[bytes]]]
Row = Sequence[Cell | str]


class Change(NamedTuple):
    """before: None for what is new; after: None for what is gone."""

    id: str
    before: Item | None
    after: Item | None


@dataclass
class Mirror:
    """The items of one topic as the node last told them."""

    topic: str
    items: dict[str, Item] = field(default_factory=dict)

    def take(self, message: Told) -> list[Change]:
        """What differs with this message."""
        if message["type"] == "snapshot":
            return self._become(message["topics"].get(self.topic, {}))
        return [
            self._put(each["id"], self._after(each))
            for each in message.get("changes", ())
            if each["topic"] == self.topic
        ]

    def _become(self, new: Mapping[str, Item]) -> list[Change]:
        gone = [self._put(id, None) for id in [*self.items] if id not in new]
        return gone + [self._put(id, item) for id, item in new.items() if self.items.get(id) != item]

    def _after(self, change: Told) -> Item | None:
        if change["op"] == "gone":
            return None
        return {**(self.items.get(change["id"], {}) if change["op"] == "patch" else {}), **change["value"]}

    def _put(self, id: str, after: Item | None) -> Change:
        before = self.items.pop(id, None)
        if after is not None:
            self.items[id] = after
        return Change(id, before, after)


def messages(stream: IO[bytes]) -> Iterator[Told]:
    """The messages of a stream of events. Raises Unreachable, OSError, HTTPException."""
    while line := stream.readline(MOST_LINE):
        if len(line) >= MOST_LINE:
            raise Unreachable("the node told more at a time than is taken")
        if line.startswith(b"data:"):
            try:
                yield json.loads(line[5:])
            except ValueError as error:
                raise Unreachable("the node told what is no JSON") from error


def followed(open: Open, wait: Callable[[float], None], lost: Callable[[str, float], None]) -> Iterator[Told]:
    """Messages without end. open: a stream that goes on after an id. lost: called before each wait, with what
    happened. Raises CommandFault where nobody answered at all, or says no.
    """
    last, pause_s, known = "", FIRST_S, False
    while True:
        what = "the node ended the stream"
        try:
            with open(last) as stream:
                for message in messages(stream):
                    last, known, pause_s = message["id"], True, FIRST_S
                    yield message
        except NotDone as error:
            if not known or error.problem.get("status", 500) < 500:
                raise
            what = str(error)
        except (Unreachable, OSError, HTTPException) as error:
            if not known:
                raise
            what = str(error)
        lost(what, pause_s)
        wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_S)


@dataclass(frozen=True, slots=True)
class Watched:
    """A list that may be followed. row: of an item, at epoch seconds. told: what of an item is worth another
    line when it changes. wants: whether an item is among those asked for.
    """

    topic: str
    columns: Sequence[Column]
    row: Callable[[Item, float], Row]
    told: Callable[[Item], object]
    wants: Callable[[Item], bool] = lambda item: True


def follow(options: argparse.Namespace, node: Node, watched: Watched, query: Mapping[str, Any]) -> None:
    """Print what changes until it is stopped."""

    def lost(what: str, pause_s: float) -> None:
        print(f"{what}; trying again in {pause_s:.0f} s", file=sys.stderr, flush=True)

    wanted = {"topics": watched.topic, **query}
    stream = followed(lambda last: node.stream(PATH, wanted, last), time.sleep, lost)
    if options.json:
        for message in stream:
            print(json.dumps(message, ensure_ascii=False), flush=True)
        return
    shown = Lines(watched)
    for message in stream:
        for line in shown.take(message, time.time()):
            print(line, flush=True)


class Lines:
    """A line for each item that is new, changed or gone."""

    def __init__(self, watched: Watched, on: terminal.Terminal | None = None) -> None:
        self._watched = watched
        self._mirror = Mirror(watched.topic)
        columns = [Column("at"), Column(""), *watched.columns]
        self._table = Table(on or terminal.of(), columns)
        self._begun = False

    def take(self, message: Told, now: float) -> Iterator[str]:
        """now: epoch seconds."""
        try:
            rows = [self._row(each, now) for each in self._mirror.take(message) if self._worth(each)]
        except (KeyError, TypeError, AttributeError) as error:
            raise CommandFault(
                f"the node told something that this release does not know ({error!r})"
            ) from error
        self._table.fit(rows)
        if not self._begun:
            self._begun = True
            yield self._table.heads()
        yield from map(self._table.line, rows)

    def _worth(self, change: Change) -> bool:
        """Whether it concerns who looks."""
        seen = [
            each if each is not None and self._watched.wants(each) else None
            for each in (change.before, change.after)
        ]
        before, after = ((None if each is None else self._watched.told(each)) for each in seen)
        return before != after

    def _row(self, change: Change, now: float) -> list[Cell]:
        before, after = change.before, change.after
        gone = after is None or not self._watched.wants(after)
        item = before if gone else after
        assert item is not None
        mark = Cell("-", "bad") if gone else Cell("+", "good") if before is None else Cell("")
        row: Iterable[Cell | str] = self._watched.row(item, now)
        cells = [each if isinstance(each, Cell) else Cell(each) for each in row]
        at = f"{datetime.fromtimestamp(now).astimezone():%H:%M:%S}"
        return [Cell(at, "faint"), mark, *(Cell(plain(each.text), each.colour) for each in cells)]
