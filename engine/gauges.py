"""What the live state and the hooks count, and calls by where they belong, for Prometheus; names follow
engine/metrics.py.

Labels that the network could invent are bounded: a market, region, language or line that is not configured is
counted as `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.events import CallRecord, EndReason, Event
from engine.line_events import LineUsed
from engine.live.feed import Feed
from engine.views import Health, HealthView

if TYPE_CHECKING:
    from config.schema import Config
    from engine.hooks.courier import Courier

OTHER = "other"
MOST_PLACES = 500  # label sets; so many that a misconfiguration does not hurt
LEVELS = {Health.OK: 0, Health.DEGRADED: 1, Health.FAILING: 2}
HOOK_GAUGES: tuple[tuple[str, str], ...] = (
    ("waiting_events", "Events that a hook is yet to be told."),
    ("dead_events", "Events that were put aside: not taken in time, or too many."),
    ("oldest_seconds", "Age of the oldest event that a hook is yet to be told."),
    ("failures", "Tries in a row that found a hook's target out of order."),
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
    """Calls by market, region and language, and ways over lines."""

    def __init__(self, registry: CollectorRegistry, config: Callable[[], Config]) -> None:
        self._config = config
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
        self._seen: set[tuple[str, str, str]] = set()

    def notice(self, item: Event | CallRecord) -> None:
        if isinstance(item, CallRecord):
            self._calls.labels(*self._place(item), _outcome(item)).inc()
        elif isinstance(item, LineUsed):
            line = item.line if item.line in self._config().lines else OTHER
            outcome = "dropped" if item.dropped else "answered" if item.answered else "failed"
            self._uses.labels(line, outcome).inc()
            if item.pdd_s is not None:
                self._pdd.labels(line).observe(item.pdd_s)

    def _place(self, record: CallRecord) -> tuple[str, str, str]:
        config = self._config()
        markets = {config.node.market, *(each.market for each in config.queues.values())}
        markets |= {each.market or "" for each in config.lines.values()}
        regions = {config.node.region, *(each.region or "" for each in config.lines.values())}
        languages = {config.node.language, *(each.language for each in config.queues.values())}
        place = (
            record.market if record.market in markets else OTHER,
            record.region if record.region in regions else OTHER,
            record.language if record.language in languages else OTHER,
        )
        if place not in self._seen and len(self._seen) >= MOST_PLACES:
            return OTHER, OTHER, OTHER
        self._seen.add(place)
        return place


def _outcome(record: CallRecord) -> str:
    if record.connected_at is not None:
        return "answered"
    return "abandoned" if record.reason is EndReason.ABANDONED else "failed"
