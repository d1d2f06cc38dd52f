"""What the live state and the hooks count, and calls by where they belong, for Prometheus; names follow
engine/metrics.py.

Labels that the network could invent are bounded: a market, region, language or line that is not configured is
counted as `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.bounds import MOST_PLACES, OTHER, Bounds
from engine.events import CallRecord, Event
from engine.line_events import LineUsed
from engine.live.feed import Feed
from engine.metrics import JITTER_S, LOSS, MOS, outcome_of
from engine.views import Health, HealthView

if TYPE_CHECKING:
    from config.schema import Config
    from engine.hooks.courier import Courier

LEVELS = {Health.OK: 0, Health.DEGRADED: 1, Health.FAILING: 2}
HOOK_GAUGES: tuple[tuple[str, str], ...] = (
    ("waiting_events", "Events that a hook is yet to be told."),
    ("dead_events", "Events that were put aside: not taken in time, or too many."),
    ("oldest_seconds", "Age of the oldest event that a hook is yet to be told."),
    ("failures", "Tries in a row that found a hook's target out of order."),
)

# Of a line's ways that were answered: what is kept, what it is, its bounds, and how it is had.
LINE_SOUND: tuple[tuple[str, str, tuple[float, ...], Callable[[LineUsed], float | None]], ...] = (
    ("mos", "Mean opinion score of what came over a line, estimated (E-model).", MOS, lambda use: use.mos),
    ("loss_ratio", "Share of a line's packets that were lost.", LOSS, lambda use: use.loss),
    (
        "jitter_seconds",
        "Interarrival jitter of what came over a line (RFC 3550).",
        JITTER_S,
        lambda use: None if use.jitter_ms is None else use.jitter_ms / 1000,
    ),
)


class Told(Collector):
    """Readers of the live state, and hooks; read at each scrape."""

    def __init__(self, feed: Feed, courier: Courier, wall: Callable[[], float]) -> None:
        self._feed = feed
        self._courier = courier
        self._wall = wall

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        hub = self._feed.hub
        readers = GaugeMetricFamily("isogloss_live_readers", "Who watches the live state.", value=hub.readers)
        lag = GaugeMetricFamily(
            "isogloss_live_lag_seconds",
            "From an event to its being told, last time.",
            value=self._feed.lag_s,
        )
        resyncs = CounterMetricFamily(
            "isogloss_live_resyncs", "Times that a reader was too slow.", value=hub.resyncs
        )
        cuts = CounterMetricFamily("isogloss_live_cuts", "Readers who took nothing.", value=hub.cuts)
        yield from (readers, lag, resyncs, cuts)
        yield from self._hooks()

    def _hooks(self) -> Iterator[Metric]:
        now = self._wall()
        sent = CounterMetricFamily("isogloss_hook_tries", "Events sent.", labels=["hook", "outcome"])
        gauges = [
            GaugeMetricFamily(f"isogloss_hook_{name}", what, labels=["hook"]) for name, what in HOOK_GAUGES
        ]
        for name, standing in self._courier.standings().items():
            sent.add_metric([name, "taken"], standing.told)
            sent.add_metric([name, "failed"], standing.failed)
            oldest = standing.waiting.oldest
            age = max(0.0, now - oldest) if oldest is not None else 0.0
            values = (standing.waiting.waiting, standing.waiting.dead, age, standing.failures)
            for gauge, value in zip(gauges, values):
                gauge.add_metric([name], value)
        yield sent
        yield from gauges


class Checks(Collector):
    """The node's own opinion of its parts; read at each scrape."""

    def __init__(self, health: Callable[[], HealthView]) -> None:
        self._health = health

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        level = GaugeMetricFamily(
            "isogloss_check_level", "A part of the node: 0 well, 1 degraded, 2 failing.", labels=["check"]
        )
        for check in self._health().checks:
            level.add_metric([check.name], LEVELS[check.status])
        yield level


class Places:
    """Calls by market, region and language, and ways over lines with how they sounded."""

    def __init__(self, registry: CollectorRegistry, config: Callable[[], Config]) -> None:
        self._bounds = Bounds(config)
        labels = ("market", "region", "language", "outcome")
        self._calls = Counter(
            "isogloss_place_calls", "Calls that ended, by where they belong.", labels, registry=registry
        )
        self._uses = Counter(
            "isogloss_line_uses", "Ways over a line that are over.", ("line", "outcome"), registry=registry
        )
        self._pdd = Summary(
            "isogloss_line_pdd_seconds",
            "From a call to its ringing.",
            ("line",),
            registry=registry,
        )
        self._sound = [
            (Histogram(f"isogloss_line_{name}", what, ("line",), buckets=buckets, registry=registry), figure)
            for name, what, buckets, figure in LINE_SOUND
        ]
        self._seen: set[tuple[str, str, str]] = set()

    def notice(self, item: Event | CallRecord) -> None:
        if isinstance(item, CallRecord):
            self._calls.labels(*self._place(item), outcome_of(item)).inc()
        elif isinstance(item, LineUsed):
            line = self._bounds.line(item.line)
            outcome = "dropped" if item.dropped else "answered" if item.answered else "failed"
            self._uses.labels(line, outcome).inc()
            if item.pdd_s is not None:
                self._pdd.labels(line).observe(item.pdd_s)
            for meter, figure in self._sound:
                if (number := figure(item)) is not None:
                    meter.labels(line).observe(number)

    def _place(self, record: CallRecord) -> tuple[str, str, str]:
        bounds = self._bounds
        place = (
            bounds.market(record.market),
            bounds.region(record.region),
            bounds.language(record.language),
        )
        if place not in self._seen and len(self._seen) >= MOST_PLACES:
            return OTHER, OTHER, OTHER
        self._seen.add(place)
        return place
