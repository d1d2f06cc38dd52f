"""What the page of reports asks, from its address, and what it is given: reports of calls, and where each row
of them leads.

The address holds all of it (`/console/reports?period=week&by=queue&then=hour_of_day&queue=support`), so that
it can be passed on, and the table that is downloaded is asked for with the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.console.desk import Desk
from engine.console.look import Place, address
from engine.drill import LONGEST_S, TIMES, Ask, Dimension, Figures, Formula, Key, Report, zones
from engine.store.drill import TooManyRows

PERIODS: Mapping[str, tuple[int, int]] = {  # days back to the first, and to the one after the last
    "today": (0, -1),
    "yesterday": (1, 0),
    "week": (6, -1),
    "month": (29, -1),
}
CUSTOM = "custom"
DIMENSIONS = tuple(Dimension)
FILTERS = tuple(each for each in Dimension if each not in TIMES and each is not Dimension.REASON)
SHORT_S = 2.5 * 86_400.0  # up to here time is shown by the hour
THRESHOLD_S, LONGEST_THRESHOLD_S = 20.0, 3600.0
EVERY_S = 60.0

# figure -> how it is written: count, share, clock, s, ms, mos, mood; with so many digits
FORMS: Mapping[str, str] = {
    "offered": "count",
    "answered": "count",
    "abandoned": "count",
    "service_level": "share",
    "connect": "share",
    "drop": "share1",
    "occupancy": "share",
    "wait_s": "clock",
    "talk_s": "clock",
    "hold_s": "clock",
    "wrap_up_s": "clock",
    "handle_s": "clock",
    "pdd_s": "s2",
    "customer_mos": "mos",
    "agent_mos": "mos",
    "customer_loss": "share2",
    "agent_loss": "share2",
    "customer_jitter_ms": "ms",
    "agent_jitter_ms": "ms",
    "concealed": "share2",
    "asr_latency_ms": "ms0",
    "asr_latency_p95_ms": "ms0",
    "mt_latency_ms": "ms0",
    "mt_latency_p95_ms": "ms0",
    "lag_s": "s1",
    "mood": "mood",
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "service": (
        "offered", "answered", "abandoned", "service_level", "wait_s", "connect", "drop", "occupancy",
    ),
    "times": ("offered", "wait_s", "talk_s", "hold_s", "wrap_up_s", "handle_s", "pdd_s"),
    "sound": (
        "offered", "customer_mos", "agent_mos", "customer_loss", "agent_loss", "customer_jitter_ms",
        "agent_jitter_ms", "concealed",
    ),
    "speech": (
        "offered", "asr_latency_ms", "asr_latency_p95_ms", "mt_latency_ms", "mt_latency_p95_ms", "lag_s",
        "mood",
    ),
}  # fmt: skip
# what a value of a dimension is looked at by next
NEXT: Mapping[Dimension, Dimension] = {
    Dimension.REGION: Dimension.QUEUE,
    Dimension.MARKET: Dimension.QUEUE,
    Dimension.QUEUE: Dimension.AGENT,
    Dimension.LINE: Dimension.QUEUE,
    Dimension.LANGUAGE: Dimension.QUEUE,
    Dimension.AGENT: Dimension.QUEUE,
    Dimension.NODE: Dimension.QUEUE,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What an address asks for. ask: of the store; faults: fields of it that say nothing, with their words'
    keys. first, last: days, in `ask.zone`.
    """

    ask: Ask
    period: str
    first: date
    last: date
    figure: str
    group: str
    sort: str
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def trend(self) -> Ask:
        """The same by time alone: hours of a few days, days of more."""
        short = self.ask.until - self.ask.since <= SHORT_S
        return replace(self.ask, by=(Dimension.HOUR if short else Dimension.DAY,))


@dataclass(frozen=True, slots=True)
class ReportFile:
    """table: by the dimensions asked for; trend: by time. choices: values to narrow it by, by dimension.
    fault: a key, where there is no report.
    """

    wish: Wish
    table: Report | None = None
    trend: Report | None = None
    choices: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    fault: str = ""


# --- asking ----------------------------------------------------------------------------------------


def wish_of(place: Place, zone: str, now: float) -> Wish:
    """zone: of whoever asks, where the address names none. now: epoch s. What the address says wrongly is
    told among the faults and asked for as if it were left out.
    """
    faults: dict[str, str] = {}
    named = place.get("zone")
    if named and named not in zones():
        faults["zone"] = "report.fault.zone"
    elif named:
        zone = named
    today = datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    period, first, last = _days(place, today, faults)
    since, until = (midnight(day, zone) for day in (first, last + timedelta(days=1)))
    by = _dimension(place.get("by")) or Dimension.QUEUE
    then = _dimension(place.get("then"))
    ask = Ask(
        since=since,
        until=until,
        by=(by, then) if then is not None and then is not by else (by,),
        threshold_s=_threshold(place.get("within"), faults),
        formula=next((each for each in Formula if each == place.get("formula")), Formula.OF_HANDLED),
        zone=zone,
        only={each: place.get(each) for each in FILTERS if place.get(each)},
    )
    figure, group, sort = place.get("figure"), place.get("show"), place.get("sort")
    return Wish(
        ask,
        period,
        first,
        last,
        figure if figure in FORMS else "offered",
        group if group in GROUPS else "service",
        sort if sort.removeprefix("-") in FORMS or sort == "key" else "",
        faults,
    )


def _days(place: Place, today: date, faults: dict[str, str]) -> tuple[str, date, date]:
    """The period's name, its first day and its last."""
    period = place.get("period")
    if period != CUSTOM:
        period = period if period in PERIODS else "today"
        back, end = PERIODS[period]
        return period, today - timedelta(days=back), today - timedelta(days=end + 1)
    first, last = (_day(place.get(name), name, today, faults) for name in ("from", "to"))
    if not faults and last < first:
        faults["to"] = "report.fault.order"
        last = first
    if (last - first).days + 1 > LONGEST_S / 86_400:
        faults["from"] = "report.fault.long"
        first = last - timedelta(days=int(LONGEST_S / 86_400) - 1)
    return period, first, last


def _day(text: str, name: str, today: date, faults: dict[str, str]) -> date:
    if not text:
        return today
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2100:
        faults[name] = "report.fault.day"
        return today
    return found


def midnight(day: date, zone: str) -> float:
    """When a day begins, epoch s."""
    return datetime.combine(day, time(), ZoneInfo(zone)).timestamp()


def _dimension(text: str) -> Dimension | None:
    return next((each for each in Dimension if each == text), None)


def _threshold(text: str, faults: dict[str, str]) -> float:
    if not text:
        return THRESHOLD_S
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or float(text) > LONGEST_THRESHOLD_S:
        faults["within"] = "report.fault.within"
        return THRESHOLD_S
    return float(text)


# --- being given -----------------------------------------------------------------------------------


async def load(desk: Desk, place: Place, before: Any) -> ReportFile:
    wish = wish_of(place, desk.zone, desk.wall())
    known = before if isinstance(before, ReportFile) else None
    same = known is not None and (known.wish.ask.since, known.wish.ask.until) == (
        wish.ask.since,
        wish.ask.until,
    )
    try:
        table = await desk.ask(desk.view.report, wish.ask)
        trend = table if wish.trend == wish.ask else await desk.ask(desk.view.report, wish.trend)
    except TooManyRows:
        return ReportFile(wish, fault="report.too_many")
    choices = known.choices if known is not None and same else await _choices(desk, wish.ask)
    found = ReportFile(wish, table, trend, choices)
    return before if isinstance(before, ReportFile) and found == before else found


async def _choices(desk: Desk, ask: Ask) -> Mapping[Dimension, tuple[str, ...]]:
    """What there was in that time: values of each dimension that can be narrowed to."""
    found: dict[Dimension, tuple[str, ...]] = {}
    pairs = ((Dimension.MARKET, Dimension.LANGUAGE), (Dimension.QUEUE, Dimension.AGENT))
    for by in (*pairs, (Dimension.REGION, Dimension.LINE)):
        try:
            report: Report = await desk.ask(desk.view.report, replace(ask, by=by, only={}))
        except TooManyRows:
            continue
        for at, each in enumerate(by):
            found[each] = tuple(sorted({row.key[at] for row in report.rows if row.key[at]}))
    return found


def of(figures: Figures, name: str) -> float | None:
    value: float | None = getattr(figures, name)
    return value


# --- where rows lead -------------------------------------------------------------------------------


def calls_of(wish: Wish, key: Key) -> str:
    """The calls behind a row; "" where they cannot be named: of an hour of all days, or of no queue."""
    ask = wish.ask
    since, until = ask.since, ask.until
    asked = {str(each): value for each, value in ask.only.items()}
    for dimension, value in zip(ask.by, key):
        if dimension is Dimension.HOUR_OF_DAY or not value:
            return ""
        if dimension is Dimension.HOUR:
            since = datetime.fromisoformat(value).timestamp()
            until = since + 3600.0
        elif dimension is Dimension.DAY:
            day = date.fromisoformat(value)
            since, until = (midnight(each, ask.zone) for each in (day, day + timedelta(days=1)))
        else:
            asked[str(dimension)] = value
    zone = ZoneInfo(ask.zone)
    bounds = {
        name: datetime.fromtimestamp(at, zone).isoformat() for name, at in (("from", since), ("to", until))
    }
    return address("calls", when="ended", **asked, **bounds)


def narrowed(place: Place, dimension: Dimension, value: str) -> str:
    """The report of one value of a dimension, by what comes next; "" where there is none."""
    onward = NEXT.get(dimension)
    if onward is None or not value:
        return ""
    while place.get(onward):
        onward = {Dimension.QUEUE: Dimension.AGENT}.get(onward, Dimension.HOUR)
    asked = dict(place.asked) | {str(dimension): value, "by": str(onward)}
    return address("reports", **{name: each for name, each in asked.items() if name not in ("then", "sort")})


def asked_with(place: Place, **other: str) -> str:
    """The same report with something else about it."""
    return address("reports", **{**place.asked, **other})
