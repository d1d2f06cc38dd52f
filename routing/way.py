"""How long the ways are: round trips that were measured, from sources to nodes, robust to noise and to age.

A `Way` is the median of its last few measurements that are not too old: a queue on the way, a stalled process
or a lost packet is one of several, and does not move it. `Ways` keeps them by source and node, of as many
sources as there is room for, the least recently measured given up first. Times are seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

LONGEST_S = 10.0  # of a round trip; more is no measurement


@dataclass(slots=True)
class Way:
    """The last measurements of one way, as (when, round trip).

    kept: how many; of 9, four may be wild.
    """

    kept: int = 9
    samples: list[tuple[float, float]] = field(default_factory=list)

    def seen(self, rtt_s: float, now: float) -> None:
        """Another measurement; what is no plausible round trip is passed over."""
        if 0.0 < rtt_s <= LONGEST_S:
            self.samples = [*self.samples[1 - self.kept :], (now, rtt_s)]

    def rtt(self, now: float, fresh_s: float) -> float | None:
        """The median of what was measured within `fresh_s`; None where nothing was."""
        fresh = [rtt for at, rtt in self.samples if now - at <= fresh_s]
        return median(fresh) if fresh else None

    def age(self, now: float) -> float:
        """How long ago it was last measured."""
        return now - self.samples[-1][0] if self.samples else float("inf")


class Ways:
    """Ways by source and node. A source is whatever has a name: a caller's network, a line, a region."""

    def __init__(self, most: int = 20_000, nodes: int = 64, kept: int = 9) -> None:
        """most: sources at once. nodes: of one source. kept: measurements of one way."""
        self._by_source: OrderedDict[str, dict[str, Way]] = OrderedDict()
        self._most, self._nodes, self._kept = most, nodes, kept

    def __len__(self) -> int:
        return len(self._by_source)

    def seen(self, source: str, node: str, rtt_s: float, now: float) -> Way:
        """Another measurement; the way it is of."""
        found = self._by_source.setdefault(source, {})
        self._by_source.move_to_end(source)
        if node not in found and len(found) >= self._nodes:
            del found[max(found, key=lambda each: found[each].age(now))]
        way = found.setdefault(node, Way(self._kept))
        way.seen(rtt_s, now)
        while len(self._by_source) > self._most:
            self._by_source.popitem(last=False)
        return way

    def of(self, source: str) -> Iterator[tuple[str, Way]]:
        """The nodes that the source's way to was measured, and the ways."""
        yield from self._by_source.get(source, {}).items()

    def forget(self, node: str) -> None:
        """The node lives anew, maybe elsewhere."""
        for found in self._by_source.values():
            found.pop(node, None)
