"""The console's beat: one snapshot a second for everybody who looks, and none while nobody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import structlog

from engine.console.door import Principal
from engine.console.snapshot import Snapshot

EVERY_S = 1.0
LEAST_S = 0.2  # that others have for themselves between two
TURN_S = 0.004  # that signalling waits at most, but for what one page takes

log = structlog.get_logger("console")


class Moment:
    """A node at one moment, as whoever looks may see it: taken once for all who may see the same."""

    def __init__(self, take: Callable[[Principal], Snapshot]) -> None:
        self._take = take
        self._taken: dict[str, Snapshot] = {}

    def of(self, who: Principal) -> Snapshot:
        found = self._taken.get(who.scope)
        if found is None:
            found = self._taken[who.scope] = self._take(who)
        return found


class Watcher(Protocol):
    def beat(self, moment: Moment) -> None:
        """Quick; on the event loop."""


class Pulse:
    """take: makes the snapshot of a serial, as somebody may see it. sleep, clock: asyncio's and time's, but
    in tests.
    """

    def __init__(
        self,
        take: Callable[[int, Principal], Snapshot],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._take = take
        self._sleep, self._clock = sleep, clock
        self._watchers: dict[int, Watcher] = {}
        self._serial = 0
        self._latest: Moment | None = None
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def now(self) -> Moment:
        """The moment that all who look share; a new one where nobody did."""
        if self._latest is None or self._task is None:
            return self._next()
        return self._latest

    def _next(self) -> Moment:
        self._serial += 1
        self._latest = Moment(partial(self._take, self._serial))
        return self._latest

    def join(self, watcher: Watcher) -> None:
        self._watchers[id(watcher)] = watcher
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._beat(), name="console")

    def leave(self, watcher: Watcher) -> None:
        """The last one takes the beat along."""
        self._watchers.pop(id(watcher), None)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = self._latest = None

    async def _beat(self) -> None:
        took = 0.0
        while True:
            await self._sleep(max(LEAST_S, EVERY_S - took))
            began = turn = self._clock()
            moment = self._next()
            for each in list(self._watchers):
                if self._clock() - turn >= TURN_S:
                    await asyncio.sleep(0)  # signalling comes in between, and who looked may leave
                    turn = self._clock()
                if each in self._watchers:
                    self._tell(self._watchers[each], moment)
            took = self._clock() - began

    def _tell(self, watcher: Watcher, moment: Moment) -> None:
        try:
            watcher.beat(moment)
        except Exception:  # one page's fault must not take the beat from all others
            log.exception("a page of the console could not be drawn")
            self.leave(watcher)
