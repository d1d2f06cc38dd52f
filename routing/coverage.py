"""Which destinations a change of lines would leave without any."""

from __future__ import annotations

from collections.abc import Mapping

from routing.board import LineSpec
from routing.rate import Tariff, Tariffs

Specs = Mapping[str, LineSpec]


def left_without_a_line(old: Specs, new: Specs) -> list[str]:
    """Beginnings of numbers that a line took and none would take; "+" for all. The shortest counts.

    Lines count as they are configured, whatever their hours and their health.
    """
    before, after = _taken(old, new), _taken(new, old)
    lost: list[str] = []
    for prefix in sorted(before, key=len):
        if before[prefix] and not after[prefix] and not any(prefix.startswith(other) for other in lost):
            lost.append(prefix)
    return sorted(lost)


def _taken(specs: Specs, others: Specs) -> dict[str, bool]:
    """Whether any line takes a number, by all prefixes that either configuration names."""
    tariffs = Tariffs([spec.tariff for spec in specs.values() if spec.enabled])
    named = {"+"} | {prefix for spec in (*specs.values(), *others.values()) for prefix in _named(spec.tariff)}
    return {prefix: bool(tariffs.row(prefix).takes.any()) for prefix in named}


def _named(tariff: Tariff) -> set[str]:
    return {*tariff.takes, *tariff.barred, *(rate.prefix for rate in tariff.rates)}
