"""What calls over a line cost, by prefix and time, and which line takes which destination, asked for all at
once.

`Tariffs` turns the lines' lists round: each prefix has the lines that name it, with their prices, as arrays.
What all lines say of a number is then laid on line by line from its shortest prefix to its longest, at most
fifteen array operations however many lines and rates there are, and kept for the prefixes that are called
most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class _Named:
    """Who names a prefix. lines: int32[k], cost: float64[k]; timed: lines whose rate has hours."""

    lines: NDArray[np.int32]
    cost: NDArray[np.float64]
    timed: tuple[tuple[int, tuple[Rate, ...]], ...]
    taking: NDArray[np.int32]
    barring: NDArray[np.int32]


class Tariffs:
    """Those of all lines, in the order of the lines. typical_s: length of the call that costs are of."""

    def __init__(self, lines: Sequence[Tariff], *, typical_s: float = 180.0, kept: int = 4096) -> None:
        self._typical_s = typical_s
        self._kept = kept
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._open: NDArray[np.bool_] = np.array([not line.takes for line in lines], np.bool_)
        self._rated: NDArray[np.bool_] = np.array([bool(line.rates) for line in lines], np.bool_)
        self._named = _turned(lines, typical_s)

    def row(self, number: str) -> Row:
        """What every line says of a number. The arrays are not to be written to."""
        prefix = self.longest(number)
        row = self._rows.get(prefix)
        if row is None:
            row = self._rows[prefix] = self._resolve(prefix)
            if len(self._rows) > self._kept:
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
            holding = (rate for rate in rates if rate.when is None or rate.when.holds(wall))
            cost[line] = next((rate.cost(self._typical_s) for rate in holding), UNKNOWN)
        return cost

    def longest(self, number: str) -> str:
        """The longest prefix of a number that any line names; empty when none does."""
        for end in range(min(len(number), LONGEST_PREFIX), 0, -1):
            if number[:end] in self._named:
                return number[:end]
        return ""

    def _resolve(self, prefix: str) -> Row:
        takes = self._open.copy()
        cost = np.full(len(takes), UNKNOWN)
        priced = ~self._rated
        timed: dict[int, tuple[Rate, ...]] = {}
        for end in range(1, len(prefix) + 1):
            named = self._named.get(prefix[:end])
            if named is None:
                continue
            takes[named.taking], takes[named.barring] = True, False
            cost[named.lines], priced[named.lines] = named.cost, True
            if timed:
                timed = {line: rates for line, rates in timed.items() if line not in named.lines}
            for line, rates in named.timed:
                timed[line], cost[line], priced[line] = rates, UNKNOWN, True
        return Row(takes & priced, cost, tuple(timed.items()))


def _turned(lines: Sequence[Tariff], typical_s: float) -> dict[str, _Named]:
    """Every prefix that a line names, with the lines that name it."""
    prices: dict[str, tuple[list[int], list[float]]] = {}
    timed: dict[str, list[tuple[int, tuple[Rate, ...]]]] = {}
    words: dict[str, tuple[list[int], list[int]]] = {}
    for at, tariff in enumerate(lines):
        for prefix in tariff.takes:
            words.setdefault(prefix, ([], []))[0].append(at)
        for prefix in tariff.barred:
            words.setdefault(prefix, ([], []))[1].append(at)
        hours: dict[str, list[Rate]] = {}
        for rate in tariff.rates:
            if rate.when is not None:
                hours.setdefault(rate.prefix, []).append(rate)
        for rate in tariff.rates:
            if rate.prefix in hours:
                hours[rate.prefix] += [rate] if rate.when is None else []
                continue
            named, costs = prices.setdefault(rate.prefix, ([], []))
            named.append(at)
            costs.append(rate.cost(typical_s))
        for prefix, rates in hours.items():
            timed.setdefault(prefix, []).append((at, tuple(rates)))
    return {
        prefix: _Named(
            *_columns(*prices.get(prefix, ([], []))),
            tuple(timed.get(prefix, ())),
            *(np.array(each, np.int32) for each in words.get(prefix, ([], []))),
        )
        for prefix in dict.fromkeys((*prices, *timed, *words))
    }


def _columns(lines: list[int], costs: list[float]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    return np.array(lines, np.int32), np.array(costs, np.float64)
