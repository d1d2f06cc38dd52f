"""How late something is, kept so that it adds up: how many, their sum, and how many by bound.

A share of the whole, such as p95, is reckoned from the counts as Prometheus' histogram_quantile does: within
the bucket where it lies, evenly. What lies above the last bound is told as that bound.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

# Of a text or a translation, s: a dictionary takes milliseconds, a model that has too much to do seconds.
BOUNDS_S = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
BUCKETS = len(BOUNDS_S) + 1  # the last one has no bound
P95 = 0.95


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of a call that is over. n: how many; counts: of them by bucket."""

    n: int
    mean_ms: float
    counts: tuple[int, ...]

    @property
    def p95_ms(self) -> float:
        return p95_ms(self.counts) or 0.0


@dataclass(slots=True)
class Latency:
    """While it is measured. counts: by bucket, each of what lies above the bound before it, and not above its
    own.
    """

    sum_s: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def kept(self) -> Latencies | None:
        """What stays of it; None of nothing."""
        n = self.n
        return Latencies(n, round(self.sum_s / n * 1000.0, 1), tuple(self.counts)) if n else None

    def add(self, seconds: float) -> None:
        """What comes before its cause, by clocks of two processes, came with it."""
        seconds = max(0.0, seconds)
        self.sum_s += seconds
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1


def quantile(counts: Sequence[float], share: float) -> float | None:
    """Seconds that `share` of them took at most; None of none. counts: by bucket, as in `Latency`."""
    wanted = share * sum(counts)
    if not wanted:
        return None
    below, reached = 0.0, 0.0
    for bound, count in zip(BOUNDS_S, counts):
        if reached + count >= wanted:
            return below + (bound - below) * (wanted - reached) / count
        below, reached = bound, reached + count
    return BOUNDS_S[-1]


def p95_ms(counts: Sequence[float]) -> float | None:
    seconds = quantile(counts, P95)
    return None if seconds is None else round(seconds * 1000.0, 1)
