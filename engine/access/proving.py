"""The audit log proved while the node runs: one look at a time for all who want to know, told as it goes on.

Hashing a row takes ten microseconds of Python, and calls share the interpreter: after each batch of rows the
thread sleeps for as long as the batch took, so that a long log takes half of a core at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from engine.access.anchor import compared
from engine.access.chain import Anchor, Row, Verdict
from engine.store.errors import StoreUnavailable
from engine.store.trail import Trail

BATCH = 2000  # rows between two rests
FIRST_S, EVERY_S = 3_600.0, 86_400.0  # until the node looks by itself, and again
NODE = "isogloss"  # who asks then

log = structlog.get_logger("audit")


@dataclass(frozen=True, slots=True)
class Proof:
    """A look at the whole log. at, ended: epoch seconds. rows: looked at so far; of: that there were.
    verdict: None while it goes on, or where the store failed (`fault`). anchored: the row that is kept
    outside of the store, None for none.
    """

    by: str
    at: float
    rows: int = 0
    of: int = 0
    ended: float | None = None
    verdict: Verdict | None = None
    anchored: int | None = None
    fault: str = ""


class _Stopped(Exception):
    """The node is to end, which waits for its threads."""


class Proving:
    """anchor: the file outside of the store; node: whose. held: the anchor that the node has in memory, which
    counts beside the file. rest: sleeps in the thread, but in tests."""

    def __init__(
        self,
        trail: Trail,
        anchor: Path,
        *,
        node: str = "",
        held: Callable[[], Anchor | None] = lambda: None,
        wall: Callable[[], float] = time.time,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._trail = trail
        self._anchor = anchor
        self._node = node
        self._held = held
        self._wall = wall
        self._rest = rest
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.newest: Proof | None = None  # the one that goes on, or the last one
        self.broken = ""  # what the last one that came to an end found
        self.failed = False  # whether one after it came to none

    @property
    def goes_on(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, first_s: float = FIRST_S) -> None:
        """Look once a day as well, or what nobody asks for is found by nobody."""
        asyncio.get_running_loop().call_later(first_s, self._daily)

    def _daily(self) -> None:
        if not self._closed:
            self.begin(NODE)
            self.start(EVERY_S)

    def begin(self, by: str) -> bool:
        """On the event loop. Whether it began: another one may go on."""
        if self.goes_on:
            return False
        self.newest = Proof(by, self._wall())
        self._task = asyncio.get_running_loop().create_task(self._prove(), name="audit proof")
        return True

    async def rest_of_it(self) -> None:
        """Until the one that goes on is over."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def close(self) -> None:
        """One that goes on ends soon, without a verdict."""
        self._closed = True

    async def _prove(self) -> None:
        assert self.newest is not None
        try:
            verdict, anchored = await asyncio.to_thread(self._proved)
        except (StoreUnavailable, OSError, _Stopped) as error:
            log.warning("the audit log could not be looked through", why=str(error))
            self._came_to_none(str(error))
            return
        except Exception as error:  # who waits for it must not wait for ever
            log.exception("the audit log could not be looked through")
            self._came_to_none(repr(error))
            return
        self.broken, self.failed = verdict.fault, False
        if not verdict.whole:
            log.error("the audit log is not whole", row=verdict.bad, why=verdict.why)
        self.newest = replace(
            self.newest, ended=self._wall(), rows=verdict.rows, verdict=verdict, anchored=anchored
        )

    def _came_to_none(self, fault: str) -> None:
        assert self.newest is not None
        self.failed = True
        self.newest = replace(self.newest, ended=self._wall(), fault=fault)

    def _proved(self) -> tuple[Verdict, int | None]:
        """In a thread."""
        assert self.newest is not None
        self.newest = replace(self.newest, of=self._trail.last())
        return compared(self._trail, self._told(), self._anchor, self._node, self._held())

    def _told(self) -> Iterator[Row]:
        assert self.newest is not None
        began = time.monotonic()
        for number, row in enumerate(self._trail.rows(), 1):
            yield row
            if number % BATCH == 0:
                self.newest = replace(self.newest, rows=number)
                self._rest(time.monotonic() - began)
                if self._closed:
                    raise _Stopped("the node was stopped meanwhile")
                began = time.monotonic()
