"""What calls came to in the last quarter of an hour, by queue and by line, for who watches and cannot wait
for a report. Counted by the minute, so that it costs the same however many calls there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.drill import DROPS
from engine.events import CallRecord, Event
from engine.line_events import LineUsed
from engine.recent_views import Kind, RecentView
from routing.response import Blame

MINUTES = 15
MOST_NAMES = 2_000  # of queues and lines; more were made up
POOR_MOS, HIGH_LOSS = 3.1, 0.05


@dataclass(slots=True)
class Minute:
    number: int
    calls: int = 0
    answered: int = 0
    dropped: int = 0
    heard: int = 0
    poor: int = 0


class Recent:
    """clock: seconds that never run back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._found: dict[tuple[Kind, str], deque[Minute]] = {}

    def notice(self, item: Event | CallRecord) -> None:
        """For the switch's observers."""
        if isinstance(item, CallRecord):
            if item.queue:
                mos, loss = (item.customer_mos, item.agent_mos), (item.customer_loss, item.agent_loss)
                answered = item.connected_at is not None
                self._count(("queue", item.queue), answered, answered and item.reason in DROPS, mos, loss)
        elif isinstance(item, LineUsed) and (item.answered or item.blame != Blame.NOTHING):
            key: tuple[Kind, str] = ("line", item.line)
            self._count(key, item.answered, item.dropped, (item.mos,), (item.loss,))

    def _count(
        self,
        key: tuple[Kind, str],
        answered: bool,
        dropped: bool,
        mos: tuple[float | None, ...],
        loss: tuple[float | None, ...],
    ) -> None:
        minutes = self._found.get(key)
        if minutes is None:
            if len(self._found) >= MOST_NAMES:
                return
            minutes = self._found[key] = deque(maxlen=MINUTES)
        number = int(self._clock() // 60)
        if not minutes or minutes[-1].number != number:
            minutes.append(Minute(number))
        now = minutes[-1]
        now.calls += 1
        now.answered += answered
        now.dropped += dropped
        now.heard += any(each is not None for each in (*mos, *loss))
        poor = any(each is not None and each < POOR_MOS for each in mos)
        now.poor += poor or any(each is not None and each > HIGH_LOSS for each in loss)

    def told(self) -> tuple[RecentView, ...]:
        """Of all that had calls, by name."""
        first = int(self._clock() // 60) - MINUTES + 1
        found = []
        for (kind, name), minutes in sorted(self._found.items()):
            kept = [each for each in minutes if each.number >= first]
            if kept:
                found.append(
                    RecentView(
                        kind=kind,
                        name=name,
                        calls=sum(each.calls for each in kept),
                        answered=sum(each.answered for each in kept),
                        dropped=sum(each.dropped for each in kept),
                        heard=sum(each.heard for each in kept),
                        poor=sum(each.poor for each in kept),
                    )
                )
        return tuple(found)
