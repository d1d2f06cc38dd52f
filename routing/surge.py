"""Calls that wait a moment for room on a line: a short queue, bounded in length and time.

Where every line that could take a call is at a cap, the call waits here for at most `longest_s`, and no
more than `most` wait at once: a longer queue would only make everybody wait for a refusal. When a line has
room, the one that waited longest is woken first (`head`). Emergency calls do not come here: no cap is
theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field


class TooMany(Exception):
    """As many wait already as may. The call is answered 503 with Retry-After, in seconds."""

    def __init__(self, waiting: int, retry_after_s: int) -> None:
        super().__init__(f"{waiting} calls wait for a line already: answer 503, Retry-After {retry_after_s}")
        self.waiting = waiting
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Surge:
    """calls: until when each may wait, in the order in which they came."""

    most: int = 50
    longest_s: float = 2.0
    retry_after_s: float = 10.0
    calls: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.calls)

    def join(self, call: str, now: float) -> float:
        """Until when it may wait. Raises TooMany."""
        if call not in self.calls:
            if len(self.calls) >= self.most:
                raise TooMany(len(self.calls), self.after(len(self.calls)))
            self.calls[call] = now + self.longest_s
        return self.calls[call]

    def leave(self, call: str) -> None:
        """It found a line, or its caller hung up. Safe for one that does not wait."""
        self.calls.pop(call, None)

    @property
    def head(self) -> str:
        """Who is next when there is room; empty when nobody waits."""
        return next(iter(self.calls), "")

    def expired(self, now: float) -> list[str]:
        """Calls that waited for as long as they may, the first first; they wait no more."""
        found = [call for call, until in self.calls.items() if until <= now]
        for call in found:
            del self.calls[call]
        return found

    def next_timeout(self) -> float | None:
        """When the next has waited for as long as it may."""
        return min(self.calls.values(), default=None)

    def after(self, waiting: int) -> int:
        """Retry-After, in whole seconds: longer for those who come when many wait already."""
        full = waiting / self.most if self.most else 1.0
        return max(1, round(self.retry_after_s * (1 + full) / 2))
