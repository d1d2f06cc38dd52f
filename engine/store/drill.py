"""Sums of calls by any two dimensions, added up by the database (engine/drill.py says what follows).

To put such queries together takes several times what a small store takes to answer them, all of it under the
interpreter's lock and so at the expense of calls. They are made once for each shape of a report; instants and
what is looked for come as parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from engine.access.principal import Reach
from engine.drill import DROPS, TIMES, Ask, Dimension, Key, Sums
from engine.events import EndReason
from engine.latency import BUCKETS
from engine.store.errors import StoreUnavailable
from engine.store.records import LONGEST_CALL_S
from engine.store.schema import agent_states, call_records, interpreted, reviews
from engine.store.within import within
from routing.agent import AgentState

MOST_ROWS = 20_000
SHAPES = 128  # whose queries are kept
LONGEST_STATE_S = 43_200.0  # no shift is longer: a node that died leaves states that nothing ended
LONGEST_WRAP_UP_S = 3_600.0

BUSY = (AgentState.OFFERED, AgentState.TALKING, AgentState.WRAP_UP)

R = call_records.c
Expression = ColumnElement[Any]


def _instant(name: str) -> Any:
    return bindparam(name, type_=Float())


# Parameters: of when calls arrived, when the last of them may have ended, the earliest states that may reach
# into it, and when those that go on are cut.
SINCE, UNTIL, LAST, BEFORE, END = map(_instant, ("since", "until", "last", "before", "end"))
THRESHOLD = _instant("threshold_s")


class Shape(NamedTuple):
    """What queries of reports differ in beyond parameters. only: dimensions of which a value is given."""

    by: tuple[Dimension, ...]
    only: frozenset[Dimension]
    bucket_s: int
    lines: tuple[str, ...]
    within: Reach
    sqlite: bool


class Sought(NamedTuple):
    """Queries of sums: of what, in the order of their columns behind the key's."""

    names: tuple[str, ...]
    query: Select[Any]


class TooManyRows(ValueError):
    """The report has more rows than anybody reads: ask for less time, or coarser."""


class Drill:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    def cells(self, ask: Ask, now: float) -> list[tuple[Key, Sums]]:
        """Sums by the values of `ask.by`; times are instants where a piece of time began. now: epoch seconds.
        Raises TooManyRows.
        """
        shape = Shape(ask.by, frozenset(ask.only), ask.bucket_s, tuple(ask.lines), ask.within, self._sqlite)
        values = _values(ask, now)
        with self._reading() as connection:
            cells = [cell for each in sought(shape) for cell in _told(connection, ask, each, values)]
            if ask.of_agents:
                cells += _agents(connection, ask, states(shape), values)
        return cells

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _values(ask: Ask, now: float) -> dict[str, Any]:
    """The parameters of all its queries."""
    given = {f"only_{dimension}": value for dimension, value in ask.only.items()}
    return given | {
        "since": ask.since,
        "until": ask.until,
        "last": ask.until + LONGEST_CALL_S,
        "before": ask.since - LONGEST_STATE_S,
        "end": min(ask.until, now),
        "threshold_s": ask.threshold_s,
    }


def _told(
    connection: Connection, ask: Ask, sought: Sought, values: Mapping[str, Any]
) -> Iterator[tuple[Key, Sums]]:
    for at, row in enumerate(connection.execute(sought.query, values)):
        if at == MOST_ROWS:
            raise TooManyRows(f"over {MOST_ROWS} rows; ask for less time, or by something coarser")
        found: tuple[Any, ...] = tuple(row)
        key = tuple(_text(ask, each, value) for each, value in zip(ask.by, found))
        yield key, {name: float(value or 0) for name, value in zip(sought.names, found[len(ask.by) :])}


def _text(ask: Ask, dimension: Dimension, value: Any) -> str:
    return str(int(value) * ask.bucket_s) if dimension in TIMES else str(value)


def _agents(
    connection: Connection, ask: Ask, query: Any, values: Mapping[str, Any]
) -> Iterator[tuple[Key, Sums]]:
    """How long agents were busy and free: what goes over the edge of a piece of time is cut here, which of an
    agent is at most once a piece.
    """
    for agent, busy, piece, since, until in connection.execute(query, values):
        name = "busy_s" if busy else "idle_s"
        pieces = [(piece, until)] if piece >= 0 else _pieces(since, until, ask.bucket_s)
        for number, seconds in pieces:
            keys = ask.keys_of(agent, str(number * ask.bucket_s))
            for key in keys:
                yield key, {name: float(seconds), f"{name}_once": float(seconds) / len(keys)}


def _pieces(since: float, until: float, bucket_s: int) -> Iterator[tuple[int, float]]:
    for piece in range(int(since // bucket_s), int(until // bucket_s) + 1):
        seconds = min(until, (piece + 1) * bucket_s) - max(since, piece * bucket_s)
        if seconds > 0:
            yield piece, seconds


# --- queries: made once a shape -----------------------------------------------------------------------


@lru_cache(maxsize=SHAPES)
def sought(shape: Shape) -> tuple[Sought, ...]:
    """Of calls, and of what other tables know of them. Each of those is a query of its own, from those tables
    to the calls' key: joined to the calls' query, SQLite walks through all of them once a call.
    """
    wraps, lags = _wrap_ups(), _lags()
    calls = _grouped(
        shape,
        _sums() | _latencies(shape.sqlite) | _mood(),
        call_records.outerjoin(reviews, reviews.c.call == R.call),
    )
    # These bounds lead to the index.
    calls = calls._replace(query=calls.query.where(R.ended_at >= SINCE, R.ended_at < LAST))
    wrapped: dict[str, Expression] = {"wrap_up_s": func.sum(wraps.c.wrap_up_s)}
    lagged: dict[str, Expression] = {"lag_s_n": func.sum(lags.c.n), "lag_s_sum": func.sum(lags.c.total)}
    return (
        calls,
        _grouped(shape, wrapped, wraps.join(call_records, R.call == wraps.c.call)),
        _grouped(shape, lagged, lags.join(call_records, R.call == lags.c.call)),
    )


def _grouped(shape: Shape, sums: Mapping[str, Expression], source: Any) -> Sought:
    labelled = [_key(shape, each).label(f"key_{at}") for at, each in enumerate(shape.by)]
    query = select(*labelled, *sums.values()).select_from(source)
    query = query.where(R.offered_at >= SINCE, R.offered_at < UNTIL, *within(R, shape.within))
    for dimension in sorted(shape.only):
        query = query.where(_key(shape, dimension) == bindparam(f"only_{dimension}"))
    return Sought(tuple(sums), query.group_by(*labelled).limit(MOST_ROWS + 1))


def _key(shape: Shape, dimension: Dimension) -> Expression:
    if dimension in TIMES:
        return _piece(shape, R.offered_at)
    if dimension is Dimension.LINE:
        return case((R.source.in_(shape.lines), R.source), else_="") if shape.lines else literal("")
    return R[dimension.value]


def _piece(shape: Shape, at: Any) -> Expression:
    number = at / shape.bucket_s
    return cast(number if shape.sqlite else func.floor(number), BigInteger)


@lru_cache(maxsize=SHAPES)
def states(shape: Shape) -> Any:
    """How long agents were busy and free. What lies within one piece of time is added up; what does not comes
    as it is, its piece -1.
    """
    found = _states(shape)
    wanted = select(
        found.c.agent,
        case((found.c.state.in_(BUSY), 1), else_=0).label("busy"),
        _piece(shape, found.c.since).label("first"),
        _piece(shape, found.c.until).label("last"),
        found.c.since,
        found.c.until,
    ).where(found.c.state.in_((*BUSY, AgentState.AVAILABLE)), found.c.until > found.c.since)
    cut = wanted.subquery()
    same = cut.c.first == cut.c.last
    inside = select(
        cut.c.agent, cut.c.busy, cut.c.first, literal(0.0), func.sum(cut.c.until - cut.c.since)
    ).where(same)
    inside = inside.group_by(cut.c.agent, cut.c.busy, cut.c.first)
    over = select(cut.c.agent, cut.c.busy, literal(-1), cut.c.since, cut.c.until).where(~same)
    return union_all(inside, over)


def _count(*conditions: Expression) -> Expression:
    condition = conditions[0]
    for each in conditions[1:]:
        condition = condition & each
    return func.sum(case((condition, 1), else_=0))


def _sums() -> dict[str, Expression]:
    queued, answered = R.queue != "", R.connected_at.is_not(None)
    abandoned = (R.reason == str(EndReason.ABANDONED)) & R.connected_at.is_(None)
    in_time = R.wait_s <= THRESHOLD
    talked = func.sum(case((answered, R.talk_s), else_=0.0))
    sums: dict[str, Expression] = {
        "offered": func.count(),
        "answered": _count(answered),
        "abandoned": _count(abandoned),
        "queued": _count(queued),
        "queue_answered": _count(queued, answered),
        "queue_abandoned": _count(queued, abandoned),
        "in_time": _count(queued, answered, in_time),
        "short": _count(queued, abandoned, in_time),
        "wait_s": func.sum(case((queued & answered, R.wait_s), else_=0.0)),
        "talk_s": talked,
        "hold_s": func.sum(case((answered, R.hold_s), else_=0.0)),
        "dropped": _count(answered, R.reason.in_([str(each) for each in DROPS])),
        "pdd_s_n": func.count(R.post_dial_delay_s),
        "pdd_s_sum": func.sum(R.post_dial_delay_s),
        "concealed_s": func.sum(_known(R.customer_concealed_ms) + _known(R.agent_concealed_ms)) / 1000.0,
    }
    # Sound that was heard rendered, of either leg: what was made up for is a share of that.
    both: Expression = case((R.customer_concealed_ms.is_not(None), R.talk_s), else_=0.0)
    both += case((R.agent_concealed_ms.is_not(None), R.talk_s), else_=0.0)
    sums["heard_s"] = func.sum(both)
    for name in ("mos", "loss", "jitter_ms"):
        for side in ("customer", "agent"):
            sums[f"{side}_{name}_n"] = func.count(R[f"{side}_{name}"])
            sums[f"{side}_{name}_sum"] = func.sum(R[f"{side}_{name}"])
    return sums


def _latencies(sqlite: bool) -> dict[str, Expression]:
    """Of texts and translations: how many, their sum, and how many by bucket."""

    def of(column: Expression, *path: str | int) -> Expression:
        if sqlite:
            at = "$" + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
            return func.json_extract(column, at)
        return cast(func.json_extract_path_text(cast(column, JSON), *map(str, path)), Float(53))

    sums: dict[str, Expression] = {}
    for stage in ("asr", "mt"):
        column = R[f"{stage}_latency"]
        n = of(column, "n")
        sums[f"{stage}_ms_n"], sums[f"{stage}_ms_sum"] = func.sum(n), func.sum(n * of(column, "mean_ms"))
        for place in range(BUCKETS):
            sums[f"{stage}_{place}"] = func.sum(of(column, "counts", place))
    return sums


def _known(column: Expression) -> Expression:
    return func.coalesce(column, 0)


def _mood() -> dict[str, Expression]:
    felt = reviews.c.moods[("customer", "last")].as_float()
    return {"mood_n": func.count(felt), "mood_sum": func.sum(felt)}


def _states(shape: Shape) -> Any:
    """Each agent's states from `since` to `until`: the next one ends it, or what may be believed of it."""
    S = agent_states.c
    ends = func.lead(S.at).over(partition_by=S.agent, order_by=(S.at, S.seq))
    longest = S.at + LONGEST_STATE_S
    followed = func.coalesce(ends, END)
    query = select(
        S.agent,
        S.state,
        case((S.at < SINCE, SINCE), else_=S.at).label("since"),
        _least(_least(followed, longest), END).label("until"),
    ).where(S.at >= BEFORE, S.at < UNTIL)
    if Dimension.AGENT in shape.only:
        query = query.where(S.agent == bindparam(f"only_{Dimension.AGENT}"))
    if shape.within.agents is not None:
        query = query.where(S.agent.in_(sorted(shape.within.agents)))
    return query.subquery()


def _least(one: Expression, other: Expression) -> Expression:
    return case((one < other, one), else_=other)


def _wrap_ups() -> Any:
    """How long calls were wrapped up after: those that the agent talked in before."""
    S = agent_states.c
    ends = func.lead(S.at).over(partition_by=S.agent, order_by=(S.at, S.seq))
    before = func.lag(S.call).over(partition_by=S.agent, order_by=(S.at, S.seq))
    each = select(before.label("call"), S.state, S.at, ends.label("until"))
    found = each.where(S.at >= SINCE, S.at < LAST).subquery()
    lasted = _least(found.c.until - found.c.at, literal(LONGEST_WRAP_UP_S))
    query = select(found.c.call, func.sum(lasted).label("wrap_up_s"))
    query = query.where(found.c.state == str(AgentState.WRAP_UP), found.c.call != "")
    return query.group_by(found.c.call).subquery()


def _lags() -> Any:
    spoke = interpreted.c
    query = select(spoke.call, func.count().label("n"), func.sum(spoke.lag_s).label("total"))
    query = query.where(spoke.at >= SINCE, spoke.at < LAST)
    return query.group_by(spoke.call).subquery()
