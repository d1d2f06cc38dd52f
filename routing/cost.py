"""What calls over a line have cost, by its tariff: between the lowest and the highest that it may have been.

Of a call that is over the country that was called is kept, and not the number. Where a carrier asks the same
for all of a country its cost is known to the cent; where single prefixes of it cost otherwise (mobiles,
services) it lies between two sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.rate import Rate, Tariff


@dataclass(frozen=True, slots=True)
class Use:
    """Calls that were answered, of one hour to one country. destination: its calling code, without the plus;
    "" for what is no E.164 number. at: epoch seconds, within the hour.
    """

    destination: str
    at: float
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """In the operator's currency. unpriced: calls to where the tariff names no rate, which are not in it."""

    calls: int
    seconds: float
    low: float
    high: float
    unpriced: int = 0

    @property
    def exact(self) -> bool:
        return self.high - self.low < 0.005

    @property
    def a_call(self) -> float | None:
        """What one was on average, by the middle."""
        return (self.low + self.high) / 2 / self.calls if self.calls else None


def cost_of(tariff: Tariff, uses: Iterable[Use]) -> Cost | None:
    """None for a line without rates."""
    if not tariff.rates:
        return None
    by_prefix: dict[str, list[Rate]] = {}
    for rate in tariff.rates:
        by_prefix.setdefault(rate.prefix, []).append(rate)
    calls, seconds, low, high, unpriced = 0, 0.0, 0.0, 0.0, 0
    found: dict[str, list[list[Rate]]] = {}  # a list has 200,000 rates, and hours have the same countries
    for use in uses:
        if use.destination not in found:
            found[use.destination] = _candidates(by_prefix, use.destination)
        held = (_holding(rates, use.at) for rates in found[use.destination])
        may_be = [r.per_call * use.calls + r.per_minute * use.seconds / 60 for r in held if r is not None]
        if not may_be:
            unpriced += use.calls
            continue
        calls, seconds = calls + use.calls, seconds + use.seconds
        low, high = low + min(may_be), high + max(may_be)
    return Cost(calls, seconds, low, high, unpriced)


def _candidates(by_prefix: Mapping[str, list[Rate]], destination: str) -> list[list[Rate]]:
    """Rates that a number of this country may have had: of the longest prefix that all of them have, and of
    all that begin some of them.
    """
    if not destination:
        return []
    code = f"+{destination}"
    whole = max((each for each in by_prefix if code.startswith(each)), key=len, default=None)
    some = [rates for prefix, rates in by_prefix.items() if prefix != code and prefix.startswith(code)]
    return [*([by_prefix[whole]] if whole is not None else []), *some]


def _holding(rates: list[Rate], at: float) -> Rate | None:
    """The one that counts at that time: one for these hours goes before one for all."""
    timed = next((rate for rate in rates if rate.when is not None and rate.when.holds(at)), None)
    return timed or next((rate for rate in rates if rate.when is None), None)
