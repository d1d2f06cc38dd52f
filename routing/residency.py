"""Where calls may be: rules that keep a market's calls at nodes of some regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Residency:
    """One rule: calls of these markets may be at nodes of these regions alone."""

    markets: frozenset[str]
    regions: frozenset[str]


def allowed(rules: Iterable[Residency], market: str) -> frozenset[str]:
    """The regions whose nodes a market's calls may be at, by all rules together; empty: any."""
    found = [rule.regions for rule in rules if market in rule.markets]
    return frozenset.intersection(*found) if found else frozenset()
