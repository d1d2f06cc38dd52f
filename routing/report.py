"""How lines did, by line, region and hour: sums that may be added up, the figures they come to, what is bad.

A cell is a row of sums of one line, region and hour, as the store adds them up. Cells are added by whatever
is asked for; quantiles come from counts of calls by bounds, so that they can be added as well. What is bad is
said by a table: from where a figure is worth a word, and where it could not be worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

HOUR_S = 3600
PDD_S = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0)  # upper bounds of post-dial delay
# mean of: how many had one, and their sum
MEANS = ("talk_s", "pdd_s", "setup_s", "mos", "loss", "jitter_ms", "rtt_ms", "delay_ms", "probe_mos")
COUNTS = ("calls", "decided", "answered", "carried", "dropped", "probes", "passed")
COLUMNS: tuple[str, ...] = (
    *COUNTS,
    *(f"{name}_n" for name in MEANS),
    *(f"{name}_sum" for name in MEANS),
    *(f"pdd_under_{bound:g}" for bound in PDD_S),
)
AT: Mapping[str, int] = {name: at for at, name in enumerate(COLUMNS)}


@dataclass(frozen=True, slots=True)
class Cell:
    """hour: of epoch time, began at hour * HOUR_S. sums: float64[len(COLUMNS)]."""

    line: str
    region: str
    hour: int
    sums: F64


@dataclass(frozen=True, slots=True)
class Figures:
    """What calls and probes came to; None where there was nothing to tell it from.

    calls: that were sent, and that came. connect_rate: of those that were sent and that the callee could have
    answered. drop_rate: of those that were talked in. pdd_s: post-dial delay, mean and 95th percentile. mos:
    by the E-model, of what arrived here; probe_mos: by comparison, there and back. loss: share of packets.
    rtt_ms: of the network alone; delay_ms: mouth to ear, there and back, by probes.
    """

    calls: int
    connect_rate: float | None
    drop_rate: float | None
    pdd_s: float | None
    pdd_p95_s: float | None
    setup_s: float | None
    talk_s: float | None
    mos: float | None
    loss: float | None
    jitter_ms: float | None
    rtt_ms: float | None
    delay_ms: float | None
    probe_mos: float | None
    probes: int
    probes_passed: int


class Level(StrEnum):
    """NONE: nothing is known. GOOD: nothing is worth a word. FAIR, BAD: see `reasons`."""

    NONE = "none"
    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


class Kind(StrEnum):
    """What is bad. UNPROVEN: probes failed."""

    UNPROVEN = "probes"
    CONNECT = "connect"
    DROP = "drop"
    MOS = "mos"
    LOSS = "loss"
    PDD = "pdd"
    DELAY = "delay"
    JITTER = "jitter"


@dataclass(frozen=True, slots=True)
class Reason:
    """value: the figure. weight: 0 where it begins to matter, 1 where it is bad, more beyond."""

    kind: Kind
    value: float
    weight: float


# From where a figure is worth a word, and where it is bad.
BOUNDS: Mapping[Kind, tuple[float, float]] = {
    Kind.UNPROVEN: (1.0, 0.5),
    Kind.CONNECT: (0.5, 0.25),
    Kind.DROP: (0.01, 0.05),
    Kind.MOS: (4.0, 3.1),
    Kind.LOSS: (0.01, 0.05),
    Kind.PDD: (4.0, 8.0),
    Kind.DELAY: (400.0, 800.0),
    Kind.JITTER: (20.0, 60.0),
}
# Where few calls say little: as if so many more had done as is expected.
LEAN, EXPECTED = 5.0, {Kind.CONNECT: 0.6, Kind.DROP: 0.0}


def added(cells: Iterable[Cell], by: Sequence[str]) -> dict[tuple[str | int, ...], F64]:
    """Sums by any of `line`, `region` and `hour`, in that order of the keys."""
    found: dict[tuple[str | int, ...], F64] = {}
    for cell in cells:
        key = tuple(getattr(cell, name) for name in by)
        if key in found:
            found[key] = found[key] + cell.sums
        else:
            found[key] = cell.sums
    return found


def figures(sums: F64) -> Figures:
    def count(name: str) -> int:
        return int(sums[AT[name]])

    def mean(name: str, digits: int) -> float | None:
        many = sums[AT[f"{name}_n"]]
        return round(float(sums[AT[f"{name}_sum"]] / many), digits) if many > 0 else None

    def share(part: str, whole: str) -> float | None:
        return round(count(part) / count(whole), 4) if count(whole) else None

    return Figures(
        calls=count("calls"),
        connect_rate=share("answered", "decided"),
        drop_rate=share("dropped", "carried"),
        pdd_s=mean("pdd_s", 3),
        pdd_p95_s=pdd_quantile(sums, 0.95),
        setup_s=mean("setup_s", 3),
        talk_s=mean("talk_s", 1),
        mos=mean("mos", 2),
        loss=mean("loss", 5),
        jitter_ms=mean("jitter_ms", 2),
        rtt_ms=mean("rtt_ms", 1),
        delay_ms=mean("delay_ms", 1),
        probe_mos=mean("probe_mos", 2),
        probes=count("probes"),
        probes_passed=count("passed"),
    )


def pdd_quantile(sums: F64, quantile: float) -> float | None:
    """Seconds, in a line between the bounds of the calls that it falls among."""
    many = sums[AT["pdd_s_n"]]
    if many <= 0:
        return None
    under = sums[AT[f"pdd_under_{PDD_S[0]:g}"] : AT[f"pdd_under_{PDD_S[-1]:g}"] + 1]
    wanted = quantile * many
    at = int(np.searchsorted(under, wanted))
    if at == len(PDD_S):
        return PDD_S[-1]
    low, before = (PDD_S[at - 1], under[at - 1]) if at else (0.0, 0.0)
    part = (wanted - before) / max(under[at] - before, 1e-9)
    return round(float(low + (PDD_S[at] - low) * part), 3)


def reasons(sums: F64) -> tuple[Reason, ...]:
    """What is worth a word, the worst first."""
    found = figures(sums)
    values: dict[Kind, float | None] = {
        Kind.UNPROVEN: found.probes_passed / found.probes if found.probes else None,
        Kind.CONNECT: found.connect_rate,
        Kind.DROP: found.drop_rate,
        Kind.MOS: _lower(found.mos, found.probe_mos),
        Kind.LOSS: found.loss,
        Kind.PDD: found.pdd_s,
        Kind.DELAY: found.delay_ms,
        Kind.JITTER: found.jitter_ms,
    }
    rest = {Kind.CONNECT: sums[AT["decided"]], Kind.DROP: sums[AT["carried"]]}
    told = []
    for kind, value in values.items():
        if value is None:
            continue
        leaning = value
        if kind in EXPECTED:
            leaning = (value * rest[kind] + EXPECTED[kind] * LEAN) / (rest[kind] + LEAN)
        fine, bad = BOUNDS[kind]
        weight = (leaning - fine) / (bad - fine)
        if weight > 0:
            told.append(Reason(kind, value, round(float(weight), 3)))
    return tuple(sorted(told, key=lambda reason: -reason.weight))


def _lower(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


def level(sums: F64) -> Level:
    if not sums[AT["calls"]] and not sums[AT["probes"]]:
        return Level.NONE
    worst = max((reason.weight for reason in reasons(sums)), default=0.0)
    return Level.BAD if worst >= 1.0 else Level.FAIR if worst > 0.0 else Level.GOOD


def badness(sums: F64) -> float:
    """To put the worst first: the weights of all that is bad, the worst counting most."""
    weights = [reason.weight for reason in reasons(sums)]
    return weights[0] + 0.1 * sum(weights[1:]) if weights else 0.0
