"""What calls over a line cost, by prefix and time, and which line takes which destination, asked for all at
once.

`Tariffs` holds every line's prefixes in one table. What a number costs on each line depends on nothing but
the longest prefix that any line knows of it (and the time), so the answer for all lines is worked out once a
prefix and kept: a call then costs one walk down at most fifteen digits, however many lines and prefixes there
are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.window import Schedule

LONGEST_PREFIX = 16  # "+" and fifteen digits (ITU-T E.164 section 6.2.1)
UNKNOWN = np.inf  # of a cost: the line names none


@dataclass(frozen=True, slots=True)
class Rate:
    """Price of calls to numbers that begin with `prefix`, in the operator's currency; all hours without
    `when`.
    """

    prefix: str
    per_minute: float
    per_call: float = 0.0
    when: Schedule | None = None

    def cost(self, seconds: float) -> float:
        """Of a call of so many seconds."""
        return self.per_call + self.per_minute * seconds / 60


@dataclass(frozen=True, slots=True)
class Tariff:
    """One line's. takes: prefixes it takes, all when empty; barred: prefixes it does not; the longer word
    counts. A line with rates takes nothing that it has no rate for.
    """

    takes: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One prefix, for all lines. takes: bool[n]. cost: float64[n] of a typical call, inf where the line names
    none. timed: lines whose rate depends on the time, with their rates of this prefix, those with hours
    first.
    """

    takes: NDArray[np.bool_]
    cost: NDArray[np.float64]
    timed: tuple[tuple[int, tuple[Rate, ...]], ...]


@dataclass(slots=True)
class Tariffs:
    """Those of all lines, in the order of the lines. typical_s: length of the call that costs are of."""

    lines: Sequence[Tariff]
    typical_s: float = 180.0
    kept: int = 4096
    _known: set[str] = field(default_factory=set)
    _words: list[Mapping[str, bool]] = field(default_factory=list)
    _rates: list[Mapping[str, tuple[Rate, ...]]] = field(default_factory=list)
    _rows: OrderedDict[str, Row] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        for tariff in self.lines:
            words = {**dict.fromkeys(tariff.takes, True), **dict.fromkeys(tariff.barred, False)}
            rates: dict[str, tuple[Rate, ...]] = {}
            for rate in sorted(tariff.rates, key=lambda each: each.when is None):
                rates[rate.prefix] = (*rates.get(rate.prefix, ()), rate)
            self._words.append(words)
            self._rates.append(rates)
            self._known |= words.keys() | rates.keys()

    def row(self, number: str) -> Row:
        """What every line says of a number. The arrays are not to be written to."""
        prefix = self.longest(number)
        row = self._rows.get(prefix)
        if row is None:
            row = self._rows[prefix] = self._resolve(prefix)
            if len(self._rows) > self.kept:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end(prefix)
        return row

    def costs(self, row: Row, wall: float) -> NDArray[np.float64]:
        """float64[n]: cost of a typical call now, inf where the line names none."""
        if not row.timed:
            return row.cost
        cost = row.cost.copy()
        for line, rates in row.timed:
            cost[line] = next(
                (r.cost(self.typical_s) for r in rates if r.when is None or r.when.holds(wall)), UNKNOWN
            )
        return cost

    def longest(self, number: str) -> str:
        """The longest prefix of a number that any line names; empty when none does."""
        for end in range(min(len(number), LONGEST_PREFIX), 0, -1):
            if number[:end] in self._known:
                return number[:end]
        return ""

    def _resolve(self, prefix: str) -> Row:
        beginnings = [prefix[:end] for end in range(len(prefix), 0, -1)]
        takes = np.zeros(len(self.lines), bool)
        cost = np.full(len(self.lines), UNKNOWN)
        timed: list[tuple[int, tuple[Rate, ...]]] = []
        for at, tariff in enumerate(self.lines):
            words, own = self._words[at], self._rates[at]
            word = next((words[part] for part in beginnings if part in words), not tariff.takes)
            rates = next((own[part] for part in beginnings if part in own), ())
            takes[at] = word and bool(rates or not own)
            if rates and rates[0].when is not None:
                timed.append((at, rates))
            elif rates:
                cost[at] = rates[0].cost(self.typical_s)
        return Row(takes, cost, tuple(timed))
