"""Sources that guess or scan: what the guard (sip/guard.py) made of them is told, shown, and lifted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from engine.events import Event
from engine.source_events import SourceLetOff, SourceTurnedAway
from sip.guard import Blocked, Guard, GuardEvent, Ignored, Slowed, Unblocked, Why

EVERY_S = 1.0
MOST_USER = 64  # characters of the name that was tried
WHY = {Slowed: Why.GUESSED, Ignored: Why.ASKED}
HOW = {Slowed: "slowed", Blocked: "blocked", Ignored: "ignored"}

log = structlog.get_logger("guard")


@dataclass(frozen=True, slots=True)
class SourceView:
    """source: an IPv4 address, or the /64 of an IPv6 one. how: "blocked", nothing is answered; "ignored",
    nothing but what proves itself. since, until: epoch seconds. count: failures, or requests that proved
    nothing. user: the name that was tried last, not necessarily one that there is. why: see `sip.guard.Why`.
    """

    source: str
    how: str
    since: float
    until: float
    count: int
    user: str
    why: str


class Sources:
    """All of it on the event loop. clock: the guard's seconds. epoch: what makes them epoch seconds."""

    def __init__(
        self,
        guard: Guard,
        note: Callable[[Event], None],
        clock: Callable[[], float],
        wall: Callable[[float], float],
    ) -> None:
        self._guard, self._note, self._clock, self._wall = guard, note, clock, wall
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="sources")

    def stop(self) -> None:
        """A guard that says something more is heard no more."""
        if self._task is not None:
            self._task.cancel()

    def turned_away(self) -> Sequence[SourceView]:
        """Those that are blocked or ignored now, the latest first."""
        return [
            SourceView(
                source=each.source,
                how="ignored" if each.ignored else "blocked",
                since=self._wall(each.since),
                until=self._wall(each.until),
                count=round(each.count),
                user=each.user[:MOST_USER],
                why=each.why.value,
            )
            for each in reversed(self._guard.sentences(self._clock()))
        ]

    def let_off(self, address: str, by: str) -> bool:
        """Answer a source again; whether it was turned away. address: any of the source's."""
        self.tell()
        known = self._guard.unblock(address)
        self.tell(by)
        return known

    def tell(self, by: str = "") -> None:
        """Log and note what the guard has done since the last time."""
        now = self._clock()
        self._guard.expire(now)
        for event in self._guard.events():
            self._tell(event, self._wall(now), by)

    def _tell(self, event: GuardEvent, at: float, by: str) -> None:
        if isinstance(event, Unblocked):
            log.info("a source is let off", source=event.source, by=by)
            self._note(SourceLetOff(at=at, source=event.source, by=by))
            return
        count, user = round(event.asked if isinstance(event, Ignored) else event.failures), event.user
        how = HOW[type(event)]
        why = (event.why if isinstance(event, Blocked) else WHY[type(event)]).value
        log.warning(f"a source is {how}", source=event.source, why=why, count=count, user=user[:MOST_USER])
        if not isinstance(event, Slowed):
            self._note(
                SourceTurnedAway(
                    at=at, source=event.source, how=how, why=why, seconds=event.seconds, count=count
                )
            )

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.tell()
