"""Which destinations a change of configuration would leave without a line."""

from __future__ import annotations

from collections.abc import Mapping

from config.schema import Config
from routing.board import LineSpec
from routing.rate import Tariff, Tariffs


def left_without_a_line(old: Config, new: Config) -> list[str]:
    """Beginnings of numbers that a line took and none would take; "+" for all. The shortest stand for the
    longer.

    Lines count as they are configured, whatever their hours and their health.
    """
    before, after = _taken(old.specs, new.specs), _taken(new.specs, old.specs)
    lost: list[str] = []
    for prefix in sorted(before, key=len):
        if before[prefix] and not after[prefix] and not any(prefix.startswith(other) for other in lost):
            lost.append(prefix)
    return sorted(lost)


def _taken(specs: Mapping[str, LineSpec], others: Mapping[str, LineSpec]) -> dict[str, bool]:
    """Whether any line takes a number, by all prefixes that either configuration names."""
    tariffs = Tariffs([spec.tariff for spec in specs.values() if spec.enabled])
    named = {"+"} | {
        prefix for spec in (*specs.values(), *others.values()) for prefix in _named(spec.tariff) if prefix
    }
    return {prefix: bool(tariffs.row(prefix).takes.any()) for prefix in named}


def _named(tariff: Tariff) -> set[str]:
    return {*tariff.takes, *tariff.barred, *(rate.prefix for rate in tariff.rates)}
