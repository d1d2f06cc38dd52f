"""What a second of sound costs a recogniser, and how much it gets done when it has more than enough to do.

A recogniser tells what its work cost, not how long that had to wait for the processor. Where answers come
late, though, it was never idle: all that it did meanwhile is what it can do, whatever keeps it from more.
"""

from __future__ import annotations

FADE = 0.98  # of what was learnt, an answer
TAKEN_S = 0.2  # s of a core for a second of sound, before anything is known
LATE_S = 1.0  # after which an answer is late
LEAST_S = 2.0  # over which it is told what was done


class Cost:
    """Of a second of sound, as answers have told lately; one that was left out is paid for by a later one."""

    def __init__(self) -> None:
        self._seconds, self._spent = 1.0, TAKEN_S

    def learn(self, seconds: float, spent: float) -> None:
        self._seconds = FADE * self._seconds + seconds
        self._spent = FADE * self._spent + spent

    @property
    def each(self) -> float:
        return self._spent / max(self._seconds, 1e-3)


class Pace:
    """Asks that are not answered, and what was done since there was one without a break."""

    def __init__(self) -> None:
        self._owed: dict[str, float] = {}  # when each was asked, oldest first
        self._since = 0.0
        self._done = 0.0

    def asked(self, key: str, now: float) -> None:
        if not self._owed:
            self._begin(now)
        self._owed.setdefault(key, now)

    def answered(self, key: str, spent: float, now: float) -> float | None:
        """Cores that there were, where it came late; None where nothing is known of that."""
        asked = self._owed.pop(key, now)
        self._done += spent
        return self._room(now) if now - asked > LATE_S else None

    def dropped(self, key: str) -> None:
        """Nobody waits for it any more."""
        self._owed.pop(key, None)

    def stuck(self, bound: float, now: float) -> float | None:
        """The same when something waits for longer than `bound` seconds, and nothing was told since."""
        oldest = next(iter(self._owed.values()), now)
        return self._room(now) if now - oldest > bound else None

    def _room(self, now: float) -> float | None:
        passed = now - self._since
        if passed < LEAST_S:
            return None
        room = self._done / passed
        self._begin(now)
        return room

    def _begin(self, now: float) -> None:
        self._since, self._done = now, 0.0
