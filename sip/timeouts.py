"""Every timer of the stack in one heap, on a clock that is passed in, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds (RFC 3261 appendix A).

    Trying: silence after which an INVITE is answered 100 (section 17.2.1).
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    trying: float = 0.2

    @property
    def patience(self) -> float:
        """64 × T1: how long anything is waited for."""
        return 64 * self.t1


class Owner(Protocol):
    """Whoever is woken."""

    def fire(self, name: str, now: float) -> None:
        """The timer `name` has run out; `now` is at or after its time (monotonic seconds)."""
        ...


class Timeout:
    """One timer, running until it fires or is cancelled."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Owner, name: str) -> None:
        self.owner: Owner | None = owner
        self.name = name


class Timeouts:
    """A heap with lazy deletion: cancelling is O(1).

    Dead entries are swept when they outnumber the living.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timeout]] = []
        self._order = count()
        self._live = 0

    def __len__(self) -> int:
        return self._live

    def start(self, at: float, owner: Owner, name: str) -> Timeout:
        """Wake `owner` with `name` at `at`; timers of one instant fire in the order they were started."""
        timeout = Timeout(owner, name)
        heappush(self._heap, (at, next(self._order), timeout))
        self._live += 1
        return timeout

    def cancel(self, timeout: Timeout | None) -> None:
        """Stop it; None and timers that fired or were cancelled before are fine."""
        if timeout is None or timeout.owner is None:
            return
        timeout.owner = None
        self._live -= 1
        if len(self._heap) > 64 and len(self._heap) > 2 * self._live:
            self._heap = [entry for entry in self._heap if entry[2].owner is not None]
            heapify(self._heap)

    def next(self) -> float | None:
        """When `run` has something to do, or None."""
        while self._heap and self._heap[0][2].owner is None:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Fire everything due; a timer started meanwhile for a time already past waits for the next run."""
        due: list[Timeout] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[2])
        for timeout in due:
            owner = timeout.owner
            if owner is not None:
                timeout.owner = None
                self._live -= 1
                owner.fire(timeout.name, now)
