"""Timers on the passed-in clock: one heap for a whole switch."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timer:
    """A deadline that can be called off; calling off twice, or after it ran, does nothing."""

    __slots__ = ("_timers", "action", "when")

    def __init__(self, timers: Timers, when: float, action: Callable[[float], None]) -> None:
        self._timers: Timers | None = timers
        self.when = when
        self.action = action

    def cancel(self) -> None:
        if self._timers is not None:
            self._timers.live -= 1
            self._timers = None
            self.action = _nothing  # who keeps a timer is kept by no timer

    @property
    def pending(self) -> bool:
        return self._timers is not None


class Timers:
    """A heap of deadlines in seconds of the caller's clock. `live` counts those that still wait."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self.live = 0

    def at(self, when: float, action: Callable[[float], None]) -> Timer:
        timer = Timer(self, when, action)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        self.live += 1
        return timer

    def next(self) -> float | None:
        """The earliest live deadline, or None."""
        while self._heap and not self._heap[0][2].pending:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Run every action that is due, in order of deadline."""
        while (when := self.next()) is not None and when <= now:
            timer = heapq.heappop(self._heap)[2]
            action = timer.action
            timer.cancel()
            action(now)


def _nothing(now: float) -> None:
    """What a timer does that was called off."""
