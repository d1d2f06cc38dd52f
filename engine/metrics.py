"""What a node counts, for Prometheus.

One naming convention: `isogloss_<noun>[_<what>][_<unit>][_total]`, base units (seconds, ratio), labels only
from closed or configured vocabularies (queue, reason, state, side), never a number or an address. Counters
and histograms are fed by events and records; gauges are read from the node's view when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine import events
from engine.access.principal import Directory
from engine.bounds import MOST_PLACES, OTHER
from engine.events import CallRecord, Event, Side
from engine.source_events import SourceTurnedAway
from engine.speech_events import MoodTurned
from engine.states import State
from engine.views import LoadView, QueueView
from media.messages import LegStats
from routing.agent import Agent, AgentState

WAIT_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)
TALK_S = (5, 15, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600)
DELAY_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 8, 12)
LOSS = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
JITTER_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2)
SIP_KINDS = frozenset(
    "INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK UPDATE INFO REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH "
    "1xx 2xx 3xx 4xx 5xx 6xx".split()
)
MOOD = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MOST_MOODS = 10_000  # of calls that go on
MOS = (1.5, 2.0, 2.5, 3.0, 3.3, 3.6, 3.8, 4.0, 4.1, 4.2, 4.3, 4.4)

TURNED_AWAY = ("blocked", "ignored")
OUTCOMES = ("answered", "abandoned", "failed")

QUEUE_GAUGES: tuple[tuple[str, str, Callable[[QueueView], float | None]], ...] = (
    ("waiting", "Callers who wait, at all nodes.", lambda queue: queue.waiting),
    (
        "agents_available",
        "Agents of all nodes who could be offered a call now.",
        lambda queue: queue.agents_available,
    ),
    (
        "agents_busy",
        "Agents of all nodes who are offered a call, talk or wrap up.",
        lambda queue: queue.agents_busy,
    ),
    (
        "longest_wait_seconds",
        "Wait of the one who waits longest, at any node.",
        lambda queue: queue.longest_wait_s,
    ),
    (
        "service_level_ratio",
        "Share answered within the threshold, today, of this node's calls.",
        lambda queue: queue.service_level,
    ),
)


# Of legs that were heard rendered: what is counted, what it is, and how it is had from a leg's figures.
PLAYED: tuple[tuple[str, str, Callable[[LegStats], float]], ...] = (
    ("concealed_seconds", "Sound made up for what was missing.", lambda stats: stats.concealed_ms / 1000),
    ("accelerated_seconds", "Sound left out for less delay.", lambda stats: stats.accelerated_ms / 1000),
    ("expanded_seconds", "Sound put in for more delay.", lambda stats: stats.expanded_ms / 1000),
    ("playout_resets", "Times that play-out began anew.", lambda stats: stats.resets),
    ("late_packets", "Packets that came after their turn.", lambda stats: stats.late),
    ("failed_packets", "Packets that no decoder took.", lambda stats: stats.failed),
)


class GaugeSource(Protocol):
    """The part of a node's view that gauges are read from; called on the event loop, at each scrape."""

    def call_states(self) -> Iterable[str]: ...
    def queues(self) -> Sequence[QueueView]: ...
    def directory(self) -> Directory: ...
    def agent_states(self) -> Iterable[str]: ...
    def load(self) -> LoadView: ...


class Metrics:
    """A registry of its own, so that two nodes in one process, or two tests, never share a number. market:
    what a call's market is called in labels (engine/bounds.py).
    """

    def __init__(
        self, source: GaugeSource | None = None, *others: Collector, market: Callable[[str], str] = str
    ) -> None:
        self.registry = CollectorRegistry()
        self._market = market
        self._places: dict[tuple[str, str], _PlaceMeters] = {}
        self._moods: dict[str, float] = {}  # of customers whose calls go on, by call
        self._meters = _Meters(self.registry)
        self._observers = self._meters.observers()
        self._observers |= {events.CallArrived: self._arrived, MoodTurned: self._felt}
        if source is not None:
            self.registry.register(_Gauges(source, market))
        for other in others:
            self.registry.register(other)

    def notice(self, item: Event | CallRecord) -> None:
        """Count an event or a record, whichever it is."""
        if isinstance(item, CallRecord):
            self.observe_record(item)
        else:
            self.observe(item)

    def observe(self, event: Event) -> None:
        """Count an event; about a microsecond."""
        observer = self._observers.get(type(event))
        if observer is not None:
            observer(event)

    def observe_record(self, record: CallRecord) -> None:
        """Count a finished call: how it ended, how long it took, how it sounded."""
        meters = self._place(self._market(record.market), record.queue)
        meters.ended(str(record.reason))
        if record.queue:
            meters.waited(outcome_of(record), record.wait_s)
        if record.connected_at is not None:
            meters.talk.observe(record.talk_s)
            meters.hold.observe(record.hold_s)
        if record.post_dial_delay_s is not None:
            meters.post_dial_delay.observe(record.post_dial_delay_s)
        mood = self._moods.pop(record.call, None)
        if mood is not None:
            meters.mood.observe(mood)
        meters.heard["customer"](record.customer_loss, record.customer_jitter_ms, record.customer_mos)
        meters.heard["agent"](record.agent_loss, record.agent_jitter_ms, record.agent_mos)

    def _place(self, market: str, queue: str) -> _PlaceMeters:
        found = self._places.get((market, queue))
        if found is None:
            if len(self._places) >= MOST_PLACES:
                market, queue = OTHER, OTHER
            found = self._places.setdefault((market, queue), _PlaceMeters(self._meters, market, queue))
        return found

    def _arrived(self, event: events.CallArrived) -> None:
        self._meters.arrived.labels(self._market(event.market)).inc()

    def _felt(self, event: MoodTurned) -> None:
        """Between 0 and 1, since a sum that falls is taken for a node that began anew."""
        if event.side != Side.CUSTOMER:
            return
        if len(self._moods) >= MOST_MOODS:  # those of calls that have no record here go first
            self._moods.pop(next(iter(self._moods)))
        self._moods[event.call] = (event.score + 1) / 2

    def observe_stretch(self, agent: Agent, seconds: float) -> None:
        """Count how long an agent was in a state that is over. agent: as she was in it."""
        if agent.state is AgentState.WRAP_UP:
            queue = agent.offer.queue if agent.offer is not None else ""
            self._meters.wrap_up.labels(queue).observe(seconds)

    def observe_leg(self, side: Side, stats: LegStats) -> None:
        """Count what a closed leg's play-out did."""
        for meter, figure in self._meters.played[str(side)]:
            meter.inc(figure(stats))

    def render(self) -> bytes:
        """All of it in Prometheus' text format."""
        return bytes(generate_latest(self.registry))


class _Meters:
    """Counters and histograms. Children are looked up once where labels are few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"isogloss_{name}", what, labels, registry=registry)

        def histogram(name: str, what: str, buckets: Iterable[float], *labels: str) -> Histogram:
            return Histogram(f"isogloss_{name}", what, labels, buckets=tuple(buckets), registry=registry)

        self.arrived = counter("calls_arrived", "Calls that came in.", "market")
        self.ended = counter("calls", "Calls that ended, by why.", "reason", "market", "queue")
        self.offers = counter("offers", "Calls offered to an agent's phone.", "queue")
        self.missed = counter(
            "offers_missed", "Offers that no agent took, by what became of them.", "outcome"
        )
        self.transfers = counter("transfers", "Transfers, blind or attended.", "attended")
        self.taken = counter("calls_taken_over", "Calls of nodes that were lost, which go on here.", "state")
        self.handed = counter("calls_handed_over", "Calls of this node that others go on with.")
        self.holds = counter("holds", "Times a side put the other on hold.", "by")
        self.changes = counter("agent_changes", "Agents' changes of state, by the new one.", "state")
        self.troubles = counter("leg_troubles", "Troubles of a leg's sound, by kind.", "kind", "side")
        self.wishes = counter("codec_wishes", "Phones asked to change to another codec.", "codec")
        self.workers_lost = counter("workers_lost", "Media workers that died.")
        self.turned_away = counter("sip_sources_turned_away", "Sources that guessed or scanned.", "how")
        place = ("market", "queue")
        self.wait = histogram(
            "call_wait_seconds", "Wait in a queue, by what became of it.", WAIT_S, *place, "outcome"
        )
        self.talk = histogram("call_talk_seconds", "Talk of connected calls, without hold.", TALK_S, *place)
        self.hold = histogram("call_hold_seconds", "Hold of connected calls.", WAIT_S, *place)
        self.wrap_up = histogram("call_wrap_up_seconds", "Agents' wrap-up of calls.", WAIT_S, "queue")
        self.mood = histogram(
            "call_mood_ratio", "How customers whose mood turned felt at the end: 1 good, 0 bad.", MOOD, *place
        )
        self.post_dial_delay = histogram(
            "post_dial_delay_seconds",
            "From a call's arrival to the first sign back to its caller.",
            DELAY_S,
            "market",
        )
        self.loss = histogram(
            "leg_loss_ratio", "Share of a leg's packets that were lost.", LOSS, "side", *place
        )
        self.jitter = histogram(
            "leg_jitter_seconds", "Interarrival jitter of a leg (RFC 3550).", JITTER_S, "side", *place
        )
        self.mos = histogram(
            "leg_mos", "Mean opinion score of a leg, estimated (E-model).", MOS, "side", *place
        )
        played = [(counter(f"leg_{name}", what, "side"), figure) for name, what, figure in PLAYED]
        self.played = {
            str(side): [(meter.labels(str(side)), figure) for meter, figure in played]
            for side in (Side.CUSTOMER, Side.AGENT)
        }

    def observers(self) -> dict[type[Event], Callable[[Any], None]]:
        return {
            events.CallOffered: lambda event: self.offers.labels(event.queue).inc(),
            events.OfferMissed: lambda event: self.missed.labels(event.outcome).inc(),
            events.CallTaken: lambda event: self.taken.labels(event.state).inc(),
            events.CallHandedOver: lambda event: self.handed.inc(),
            events.CallTransferred: lambda event: self.transfers.labels(str(event.attended).lower()).inc(),
            events.CallHeld: lambda event: self.holds.labels(str(event.by)).inc(),
            events.AgentChanged: lambda event: self.changes.labels(event.state).inc(),
            events.LegTroubled: self._troubled,
            events.CodecWished: lambda event: self.wishes.labels(event.codec).inc(),
            events.WorkerLost: lambda event: self.workers_lost.inc(),
            SourceTurnedAway: lambda event: self.turned_away.labels(event.how).inc(),
        }

    def _troubled(self, event: events.LegTroubled) -> None:
        if not event.over:
            self.troubles.labels(event.trouble, str(event.side)).inc()

    def heard(self, *place: str) -> Callable[[float | None, float | None, float | None], None]:
        """place: side, market and queue."""
        loss, jitter, mos = self.loss.labels(*place), self.jitter.labels(*place), self.mos.labels(*place)

        def observe(lost: float | None, jitter_ms: float | None, score: float | None) -> None:
            if lost is not None:
                loss.observe(lost)
            if jitter_ms is not None:
                jitter.observe(jitter_ms / 1000.0)
            if score is not None:
                mos.observe(score)

        return observe


class _PlaceMeters:
    """The children of the labelled metrics that are one market's and queue's."""

    def __init__(self, meters: _Meters, *place: str) -> None:
        self._meters, self._place = meters, place
        self._reasons: dict[str, Counter] = {}
        self.talk = meters.talk.labels(*place)
        self.hold = meters.hold.labels(*place)
        self.mood = meters.mood.labels(*place)
        self.post_dial_delay = meters.post_dial_delay.labels(place[0])
        self.heard = {side: meters.heard(side, *place) for side in ("customer", "agent")}
        self._waits: dict[str, Histogram] = {}

    def ended(self, reason: str) -> None:
        child = self._reasons.get(reason)
        if child is None:
            child = self._reasons[reason] = self._meters.ended.labels(reason, *self._place)
        child.inc()

    def waited(self, outcome: str, seconds: float) -> None:
        if not self._waits:  # all at once: a share of one of them needs the others
            self._waits = {each: self._meters.wait.labels(*self._place, each) for each in OUTCOMES}
        self._waits[outcome].observe(seconds)


def outcome_of(record: CallRecord) -> str:
    """Of OUTCOMES."""
    if record.connected_at is not None:
        return "answered"
    return "abandoned" if record.reason is events.EndReason.ABANDONED else "failed"


class _Gauges(Collector):
    """What is true now, read at each scrape."""

    def __init__(self, source: GaugeSource, market: Callable[[str], str]) -> None:
        self._source = source
        self._market = market

    def describe(self) -> list[Metric]:
        """Nothing, so that registering it asks nothing of a node that is still being put together."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._calls()
        yield from self._queues()
        yield from self._agents()
        yield from self._load(self._source.load())

    def _calls(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily("isogloss_calls_active", "Calls in progress, by state.", labels=["state"])
        yield _tally(gauge, State, self._source.call_states())

    def _queues(self) -> Iterator[Metric]:
        queues, markets = self._source.queues(), self._source.directory().queues
        for name, what, value in QUEUE_GAUGES:
            gauge = GaugeMetricFamily(f"isogloss_queue_{name}", what, labels=["market", "queue"])
            for queue in queues:
                if (number := value(queue)) is not None:
                    gauge.add_metric([self._market(markets.get(queue.name, "")), queue.name], number)
            yield gauge

    def _agents(self) -> Iterator[Metric]:
        what = "Agents, by state; those of other nodes are counted there, all others as logged out at each."
        gauge = GaugeMetricFamily("isogloss_agents", what, labels=["state"])
        yield _tally(gauge, AgentState, self._source.agent_states())

    def _load(self, load: LoadView) -> Iterator[Metric]:
        sip = CounterMetricFamily(
            "isogloss_sip_messages", "SIP messages, by method or status class.", labels=["direction", "kind"]
        )
        for (direction, kind), count in _folded(load.sip_messages).items():
            sip.add_metric([direction, kind], count)
        yield sip
        busy = GaugeMetricFamily(
            "isogloss_worker_load_ratio", "Share of its tick a worker uses.", labels=["worker"]
        )
        legs = GaugeMetricFamily("isogloss_worker_legs", "Legs of a media worker.", labels=["worker"])
        for worker in load.workers:
            busy.add_metric([worker.name], worker.load)
            legs.add_metric([worker.name], worker.legs)
        sources = GaugeMetricFamily(
            "isogloss_sip_sources", "Sources that are answered no more now, by how.", labels=["how"]
        )
        for how in TURNED_AWAY:
            sources.add_metric([how], load.turned_away.get(how, 0))
        yield from (busy, legs, sources)
        yield from self._lines(load)
        for name, what, number in (
            ("legs_active", "Legs with media open.", load.legs),
            ("registrations", "Contacts registered.", load.registrations),
            ("journal_lag_seconds", "Age of the oldest event not yet written.", load.journal_lag_s),
            ("journal_waiting_events", "Events in memory alone.", load.journal_waiting),
            ("journal_spilled_bytes", "Events on disk that wait for the store.", load.journal_spilled),
        ):
            yield GaugeMetricFamily(f"isogloss_{name}", what, value=number)
        yield CounterMetricFamily(
            "isogloss_journal_lost_events", "Events lost for ever.", value=load.journal_lost
        )

    def _lines(self, load: LoadView) -> Iterator[Metric]:
        share = GaugeMetricFamily(
            "isogloss_line_share_ratio",
            "Share of its calls that a line is given now; 0: it takes none.",
            labels=["line"],
        )
        calls = GaugeMetricFamily("isogloss_line_calls", "Channels of a line in use.", labels=["line"])
        for line in load.lines:
            share.add_metric([line.name], line.share)
            calls.add_metric([line.name], line.calls)
        yield from (share, calls)


def _folded(messages: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Methods that are no method counted as one: what strangers invent must not become series."""
    folded: dict[tuple[str, str], int] = {}
    for (direction, kind), count in messages.items():
        key = (direction, kind if kind in SIP_KINDS else "other")
        folded[key] = folded.get(key, 0) + count
    return folded


def _tally(gauge: GaugeMetricFamily, known: Iterable[str], values: Iterable[str]) -> GaugeMetricFamily:
    """How often each value occurs; 0 for known ones that do not, since a series that comes and goes has no
    alert.
    """
    counts = {str(value): 0 for value in known}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge
