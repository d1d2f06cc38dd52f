"""How all lines stand now, in columns of one row a line: who is off, at a cap, dead, in doubt, coming back.

The engine tells it what happens (`began`, `ended`, `stands`); `routing.line.choose` reads it. A line's calls
a second are counted by the last so many starts, so that in no second, whenever it begins, its far end sees
more than its cap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.measure import Measurements
from routing.rate import Tariff, Tariffs
from routing.window import Schedule

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
UNLIMITED = 2**31
WINDOW_S = 1.05  # that a cap of calls a second counts by: on their way calls come closer to one another


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What choosing needs to know of a line.

    kind: "ip" or "ims". region: where it is, regions: whose calls it serves; none named: all. hours: when it
    may be used; None: always. percent: promised share of its priority's calls, 0 for none. max_calls,
    max_calls_per_s: 0 for no cap. emergency: it may carry emergency calls, of its country first.
    """

    name: str
    kind: str = "ip"
    enabled: bool = True
    country: str = ""
    region: str = ""
    regions: frozenset[str] = frozenset()
    hours: Schedule | None = None
    tariff: Tariff = field(default_factory=Tariff)
    priority: int = 10
    weight: float = 1.0
    percent: float = 0.0
    max_calls: int = 0
    max_calls_per_s: int = 0
    emergency: bool = True


class Board:
    """names: of the lines, in the order of the rows; index: row by name. All columns have a value a line.

    off, doubted, tripped, unregistered, rated, emergency: bool. share: float64, of its calls that a line is
    given, 0 for none. active, channels, priority: int64. ready_at: float64, when its calls a second allow the
    next. tripped: what `share` 0 is to be blamed on, the circuit or death.
    """

    def __init__(
        self, specs: Sequence[LineSpec], *, typical_s: float = 180.0, half_life_s: float = 1800.0
    ) -> None:
        self.specs = tuple(specs)
        self.names = tuple(spec.name for spec in specs)
        self.index: Mapping[str, int] = {name: at for at, name in enumerate(self.names)}
        self.tariffs = Tariffs([spec.tariff for spec in specs], typical_s=typical_s)
        self.measured = Measurements(len(self.specs), half_life_s=half_life_s)
        self.off: Bools = _bools(not spec.enabled for spec in specs)
        self.rated: Bools = _bools(bool(spec.tariff.rates) for spec in specs)
        self.emergency: Bools = _bools(spec.emergency for spec in specs)
        self.priority = np.array([spec.priority for spec in specs], np.int64)
        self.channels = np.array([spec.max_calls or UNLIMITED for spec in specs], np.int64)
        self.active = np.zeros(len(specs), np.int64)
        self.ready_at: F64 = np.full(len(specs), -np.inf)
        self.share: F64 = np.ones(len(specs))
        self.doubted: Bools = np.zeros(len(specs), bool)
        self.tripped: Bools = np.zeros(len(specs), bool)
        self.unregistered: Bools = np.zeros(len(specs), bool)
        self._starts = [deque[float](maxlen=spec.max_calls_per_s or 1) for spec in specs]
        self._places = _Places(self.specs)

    def load(self) -> F64:
        """float64[n]: share of the channels that is taken; 0 where there is no cap."""
        found: F64 = self.active / self.channels
        return found

    def began(self, name: str, now: float) -> None:
        """A call was sent over the line. To be told before the next is chosen, or a cap may be exceeded."""
        at = self.index[name]
        self.active[at] += 1
        per_s = self.specs[at].max_calls_per_s
        if per_s:
            starts = self._starts[at]
            starts.append(now)
            self.ready_at[at] = starts[0] + WINDOW_S if len(starts) == per_s else -np.inf

    def ended(self, name: str) -> None:
        """That call is over, or came to nothing. Safe for a line that is gone."""
        at = self.index.get(name)
        if at is not None and self.active[at] > 0:
            self.active[at] -= 1

    def stands(self, name: str, share: float, *, doubted: bool = False, tripped: bool = False) -> None:
        """share: of its calls, 0 to 1, that health and circuit allow it now."""
        at = self.index[name]
        self.share[at], self.doubted[at], self.tripped[at] = share, doubted, tripped

    def switch(self, name: str, *, on: bool) -> None:
        """Take a line out of use, or back into it; calls in progress go on."""
        self.off[self.index[name]] = not on

    def registered(self, name: str, there: bool) -> None:
        """Whether the carrier of a line that has to register knows us."""
        self.unregistered[self.index[name]] = not there

    def keep(self, old: Board) -> None:
        """Take over what the board before a change of configuration knows of lines of the same name."""
        for name, at in self.index.items():
            was = old.index.get(name)
            if was is None:
                continue
            self.active[at] = old.active[was]
            self.unregistered[at] = old.unregistered[was]
            self.stands(
                name, float(old.share[was]), doubted=bool(old.doubted[was]), tripped=bool(old.tripped[was])
            )
            per_s = self.specs[at].max_calls_per_s
            for start in old._starts[was] if per_s else ():
                self._starts[at].append(start)
            if per_s and len(self._starts[at]) == per_s:
                self.ready_at[at] = self._starts[at][0] + WINDOW_S
        self.measured.keep(old.measured, [old.index.get(name) for name in self.names])

    def closed(self, wall: float) -> Bools:
        """bool[n]: not to be used at this hour."""
        return self._places.closed(wall)

    def serves(self, region: str) -> Bools:
        """bool[n]: takes calls of the region."""
        return self._places.serves(region)

    def within(self, regions: frozenset[str]) -> Bools:
        """bool[n]: is in one of the regions; a line that says nothing of where it is, is in none."""
        return self._places.within(regions)

    def away(self, region: str) -> Bools:
        """bool[n]: is known to be in another region."""
        return self._places.away(region)

    def in_country(self, country: str) -> Bools:
        return self._places.in_country(country)

    def named(self, names: frozenset[str]) -> Bools:
        """bool[n]: is one of them."""
        return _bools(name in names for name in self.names)


MOST_KEPT = 1000


@dataclass(slots=True)
class _Places:
    """What depends on the configuration alone, worked out once for each question and kept."""

    specs: Sequence[LineSpec]
    _kept: dict[tuple[str, str], Bools] = field(default_factory=dict)
    _closed: tuple[int, Bools] | None = None

    def closed(self, wall: float) -> Bools:
        minute = int(wall) // 60
        if self._closed is None or self._closed[0] != minute:
            hours = (spec.hours for spec in self.specs)
            self._closed = (minute, _bools(each is not None and not each.holds(wall) for each in hours))
        return self._closed[1]

    def serves(self, region: str) -> Bools:
        return self._ask("serves", region, lambda spec: not spec.regions or region in spec.regions)

    def within(self, regions: frozenset[str]) -> Bools:
        return _bools(spec.region in regions for spec in self.specs)

    def away(self, region: str) -> Bools:
        return self._ask("away", region, lambda spec: bool(spec.region) and spec.region != region)

    def in_country(self, country: str) -> Bools:
        return self._ask("country", country, lambda spec: spec.country == country)

    def _ask(self, what: str, word: str, answer: Callable[[LineSpec], bool]) -> Bools:
        kept = self._kept.get((what, word))
        if kept is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[what, word] = _bools(map(answer, self.specs))
        return kept


def _bools(values: Iterable[bool]) -> Bools:
    return np.fromiter(values, np.bool_)
