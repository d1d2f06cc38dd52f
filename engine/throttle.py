"""So many requests a minute of one source, a minute's worth at once; sources are remembered within bounds."""

from __future__ import annotations

from collections import OrderedDict

MOST = 20_000  # sources that are remembered; the least recent are forgotten, and begin anew


class Throttle:
    """A token bucket by key. per_min: how many of one."""

    def __init__(self, per_min: float, most: int = MOST) -> None:
        self._per_s = per_min / 60.0
        self._full = float(per_min)
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, as of when

    def take(self, key: str, now: float) -> float:
        """0.0 where one more may come, else the seconds until it may. now: s of a clock that never leaps."""
        tokens, at = self._left.pop(key, (self._full, now))
        tokens = min(self._full, tokens + (now - at) * self._per_s)
        wait = 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._per_s
        self._left[key] = (tokens if wait else tokens - 1.0, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return wait
