"""Reports of calls: which may be asked for, and how each figure follows from sums.

Everything adds up: a row is a set of sums, rows of hours add to rows of days in any time zone, and figures
come last. Durations are seconds, shares 0 to 1, jitter milliseconds, MOS 1 to 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from engine.access.principal import EVERYTHING, Reach
from engine.events import EndReason
from engine.latency import BUCKETS, p95_ms

if TYPE_CHECKING:
    from config.schema import Config

Sums = Mapping[str, float]
Key = tuple[str, ...]

DROPS = (
    EndReason.SIGNALLING_LOST,
    EndReason.MEDIA_LOST,
    EndReason.NOT_RESUMED,
    EndReason.NOT_RESCUED,
    EndReason.NODE_LOST,
    EndReason.FAULT,
)
LONGEST_S = 93 * 86_400.0  # that a report is of


@cache
def zones() -> frozenset[str]:
    """Names of time zones that this machine knows, such as Europe/Madrid."""
    return frozenset(available_timezones())


class Dimension(StrEnum):
    """HOUR and DAY are when it began, in the zone asked for; HOUR_OF_DAY of all days together."""

    REGION = "region"
    MARKET = "market"
    QUEUE = "queue"
    LINE = "line"
    LANGUAGE = "language"
    AGENT = "agent"
    NODE = "node"
    REASON = "reason"
    HOUR = "hour"
    DAY = "day"
    HOUR_OF_DAY = "hour_of_day"


TIMES = frozenset({Dimension.HOUR, Dimension.DAY, Dimension.HOUR_OF_DAY})
POSTED = (Dimension.QUEUE, Dimension.MARKET, Dimension.LANGUAGE)  # of a queue that somebody serves
OF_AGENTS = TIMES | {Dimension.AGENT, *POSTED}  # by which agents' time is known
Post = Mapping[Dimension, str]  # the value of each of POSTED


class Formula(StrEnum):
    """How a service level is reckoned; the literature has no single way."""

    OF_HANDLED = "of_handled"
    OF_OFFERED = "of_offered"
    LESS_SHORT = "less_short"


FORMULAS: Mapping[Formula, str] = {
    Formula.OF_HANDLED: "answered within the threshold / (answered + abandoned), of calls that queued",
    Formula.OF_OFFERED: "answered within the threshold / offered, of calls that queued",
    Formula.LESS_SHORT: "answered within the threshold / (offered - abandoned within it), of what queued",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """since, until: epoch seconds, of when calls arrived. by: one or two dimensions. only: values by
    dimension, of those that are columns. lines: names that a call's source may be. posts: of each agent, the
    queues that are served now. within: whose calls.
    """

    since: float
    until: float
    by: tuple[Dimension, ...]
    threshold_s: float = 20.0
    formula: Formula = Formula.OF_HANDLED
    zone: str = "UTC"
    only: Mapping[Dimension, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    posts: Mapping[str, Sequence[Post]] = field(default_factory=dict, compare=False)
    within: Reach = EVERYTHING

    @property
    def bucket_s(self) -> int:
        """Into what pieces time is cut by the store, so that hours and days of the zone are made of them."""
        zone = ZoneInfo(self.zone)
        ends = (datetime.fromtimestamp(at, zone).utcoffset() for at in (self.since, self.until))
        return 3600 if all(offset is None or offset.total_seconds() % 3600 == 0 for offset in ends) else 900

    @property
    def of_agents(self) -> bool:
        """Whether agents' time can be told of the same calls: it belongs to no market."""
        known = set(self.by) <= OF_AGENTS and set(self.only) <= {Dimension.AGENT, *POSTED}
        return known and self.within.markets is None

    def keys_of(self, agent: str, piece: str) -> list[Key]:
        """The rows that some of an agent's time belongs to: of every queue that she serves, where those are
        told apart. piece: of time, as a key.
        """
        posts: Sequence[Post] = self.posts.get(agent, ())
        asked = {each: value for each, value in self.only.items() if each in POSTED}
        posts = [post for post in posts if all(post[each] == value for each, value in asked.items())]
        if not asked and not set(self.by) & set(POSTED):
            posts = [{}]
        found = ({Dimension.AGENT: agent, **dict.fromkeys(TIMES, piece), **post} for post in posts)
        return list(dict.fromkeys(tuple(values[each] for each in self.by) for values in found))


def placed(ask: Ask, config: Config) -> Ask:
    """The same with what the configuration knows: lines within reach, and which queues agents serve."""
    posts = {
        name: {
            Dimension.QUEUE: name,
            Dimension.MARKET: queue.market or config.node.market,
            Dimension.LANGUAGE: queue.language,
        }
        for name, queue in config.queues.items()
    }
    return replace(
        ask,
        lines=tuple(filter(ask.within.sees_line, config.lines)),
        posts={name: tuple(posts[queue] for queue in agent.queues) for name, agent in config.agents.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """None where there is nothing to reckon it from. wait_s: average speed of answer (ASA). handle_s: talk,
    hold and wrap-up a call (AHT). connect: share of the offered that were answered. drop: share of the
    answered that broke off. pdd_s: post-dial delay. asr_latency: from an utterance's end to its text;
    mt_latency: from that to its translation. lag_s: from what was said to its interpreter's voice. mood: -1
    to 1, of customers at the end.
    """

    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    wait_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrap_up_s: float | None
    handle_s: float | None
    occupancy: float | None
    connect: float | None
    drop: float | None
    pdd_s: float | None
    customer_mos: float | None
    agent_mos: float | None
    customer_loss: float | None
    agent_loss: float | None
    customer_jitter_ms: float | None
    agent_jitter_ms: float | None
    concealed: float | None
    asr_latency_ms: float | None
    asr_latency_p95_ms: float | None
    mt_latency_ms: float | None
    mt_latency_p95_ms: float | None
    lag_s: float | None
    mood: float | None


@dataclass(frozen=True, slots=True)
class Row:
    key: Key
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """total: of all rows together."""

    ask: Ask
    rows: tuple[Row, ...]
    total: Figures


def reported(ask: Ask, cells: Iterable[tuple[Key, Sums]]) -> Report:
    """The report of what the store added up: keys with instants, epoch seconds as text, for times."""
    rows: dict[Key, dict[str, float]] = {}
    total: dict[str, float] = {}
    zone = ZoneInfo(ask.zone)
    for key, sums in cells:
        named = tuple(_named(each, value, zone) for each, value in zip(ask.by, key))
        for into in (rows.setdefault(named, {}), total):
            for name, value in sums.items():
                into[name] = into.get(name, 0.0) + value
    for name in ("busy_s", "idle_s"):  # of all rows together, nobody's time counts twice
        total[name] = total.get(f"{name}_once", 0.0)
    found = tuple(Row(key, figures(ask, rows[key])) for key in sorted(rows))
    return Report(ask, found, figures(ask, total))


def _named(dimension: Dimension, value: str, zone: ZoneInfo) -> str:
    if dimension not in TIMES:
        return value
    at = datetime.fromtimestamp(float(value), UTC).astimezone(zone)
    if dimension is Dimension.HOUR:
        return at.replace(minute=0, second=0).isoformat()
    return at.date().isoformat() if dimension is Dimension.DAY else f"{at.hour:02}"


def figures(ask: Ask, sums: Sums) -> Figures:
    def of(name: str) -> float:
        return sums.get(name, 0.0)

    def mean(name: str) -> float | None:
        return _share(of(f"{name}_sum"), of(f"{name}_n"))

    answered = of("answered")
    handled = of("talk_s") + of("hold_s") + of("wrap_up_s")
    busy, idle = of("busy_s"), of("idle_s")
    return Figures(
        offered=int(of("offered")),
        answered=int(answered),
        abandoned=int(of("abandoned")),
        service_level=_share(of("in_time"), _counted(ask.formula, sums)),
        wait_s=_share(of("wait_s"), of("queue_answered")),
        talk_s=_share(of("talk_s"), answered),
        hold_s=_share(of("hold_s"), answered),
        wrap_up_s=_share(of("wrap_up_s"), answered),
        handle_s=_share(handled, answered),
        occupancy=_share(busy, busy + idle) if ask.of_agents else None,
        connect=_share(answered, of("offered")),
        drop=_share(of("dropped"), answered),
        pdd_s=mean("pdd_s"),
        customer_mos=mean("customer_mos"),
        agent_mos=mean("agent_mos"),
        customer_loss=mean("customer_loss"),
        agent_loss=mean("agent_loss"),
        customer_jitter_ms=mean("customer_jitter_ms"),
        agent_jitter_ms=mean("agent_jitter_ms"),
        concealed=_share(of("concealed_s"), of("heard_s")),
        asr_latency_ms=mean("asr_ms"),
        asr_latency_p95_ms=p95_ms([of(f"asr_{place}") for place in range(BUCKETS)]),
        mt_latency_ms=mean("mt_ms"),
        mt_latency_p95_ms=p95_ms([of(f"mt_{place}") for place in range(BUCKETS)]),
        lag_s=mean("lag_s"),
        mood=mean("mood"),
    )


def _counted(formula: Formula, sums: Sums) -> float:
    if formula is Formula.OF_HANDLED:
        return sums.get("queue_answered", 0.0) + sums.get("queue_abandoned", 0.0)
    queued = sums.get("queued", 0.0)
    return queued if formula is Formula.OF_OFFERED else queued - sums.get("short", 0.0)


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
