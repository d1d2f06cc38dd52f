"""What a process of ours told, as it comes: for tests that wait until something has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from media.messages import AnyEvent

PATIENCE = 30.0  # s; a bound for a busy machine, never waited for when all is well


class News:
    """Everything that was told, and the reasons why processes were lost; both in order."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.lost: list[str] = []
        self._more = asyncio.Event()

    def tell(self, events: list[AnyEvent]) -> None:
        self.events.extend(events)
        self._more.set()

    def lose(self, reason: str) -> None:
        self.lost.append(reason)
        self._more.set()

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], Any]) -> None:
        async def wait() -> None:
            while not true():
                self._more.clear()
                try:
                    await asyncio.wait_for(self._more.wait(), 0.1)
                except TimeoutError:
                    pass  # not everything that is waited for is told

        await asyncio.wait_for(wait(), PATIENCE)
