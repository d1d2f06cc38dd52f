"""Sums of calls by any two dimensions, added up by the database (engine/drill.py says what follows)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Select,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from engine.drill import DROPS, TIMES, Ask, Dimension, Key, Sums
from engine.events import EndReason
from engine.latency import BUCKETS
from engine.store.errors import StoreUnavailable
from engine.store.records import LONGEST_CALL_S
from engine.store.schema import agent_states, call_records, interpreted, reviews
from engine.store.within import within
from routing.agent import AgentState

MOST_ROWS = 20_000
LONGEST_STATE_S = 43_200.0  # no shift is longer: a node that died leaves states that nothing ended
LONGEST_WRAP_UP_S = 3_600.0

BUSY = (AgentState.OFFERED, AgentState.TALKING, AgentState.WRAP_UP)

R = call_records.c
Expression = ColumnElement[Any]


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
        with self._reading() as connection:
            cells = list(self._calls(connection, ask))
            cells += self._beside(connection, ask)
            if ask.of_agents:
                cells += self._agents(connection, ask, now)
        return cells

    # --- calls --------------------------------------------------------------------------------------

    def _calls(self, connection: Connection, ask: Ask) -> Iterator[tuple[Key, Sums]]:
        sums = _sums(ask) | _latencies(self._sqlite) | _mood()
        query = self._grouped(ask, sums, call_records.outerjoin(reviews, reviews.c.call == R.call))
        # These bounds lead to the index.
        query = query.where(R.ended_at >= ask.since, R.ended_at < ask.until + LONGEST_CALL_S)
        yield from self._told(connection, ask, query, sums)

    def _beside(self, connection: Connection, ask: Ask) -> Iterator[tuple[Key, Sums]]:
        """What other tables know of calls. Each is a query of its own, from those tables to the calls' key:
        joined to the calls' query, SQLite walks through all of them once a call.
        """
        wraps, lags = _wrap_ups(ask), _lags(ask)
        for beside, sums in (
            (wraps, {"wrap_up_s": func.sum(wraps.c.wrap_up_s)}),
            (lags, {"lag_s_n": func.sum(lags.c.n), "lag_s_sum": func.sum(lags.c.total)}),
        ):
            query = self._grouped(ask, sums, beside.join(call_records, R.call == beside.c.call))
            yield from self._told(connection, ask, query, sums)

    def _grouped(self, ask: Ask, sums: Mapping[str, Expression], source: Any) -> Select[Any]:
        labelled = [self._key(ask, each).label(f"key_{at}") for at, each in enumerate(ask.by)]
        query = select(*labelled, *sums.values()).select_from(source)
        return _filtered(query, ask, self._key).group_by(*labelled).limit(MOST_ROWS + 1)

    def _told(
        self, connection: Connection, ask: Ask, query: Select[Any], sums: Mapping[str, Expression]
    ) -> Iterator[tuple[Key, Sums]]:
        for at, row in enumerate(connection.execute(query)):
            if at == MOST_ROWS:
                raise TooManyRows(f"over {MOST_ROWS} rows; ask for less time, or by something coarser")
            values: tuple[Any, ...] = tuple(row)
            key = tuple(self._text(ask, each, value) for each, value in zip(ask.by, values))
            yield key, {name: float(value or 0) for name, value in zip(sums, values[len(ask.by) :])}

    def _key(self, ask: Ask, dimension: Dimension) -> Expression:
        if dimension in TIMES:
            return self._piece(R.offered_at, ask.bucket_s)
        if dimension is Dimension.LINE:
            return case((R.source.in_(ask.lines), R.source), else_="") if ask.lines else literal("")
        return R[dimension.value]

    def _piece(self, at: Any, bucket_s: int) -> Expression:
        number = at / bucket_s
        return cast(number if self._sqlite else func.floor(number), BigInteger)

    @staticmethod
    def _text(ask: Ask, dimension: Dimension, value: Any) -> str:
        return str(int(value) * ask.bucket_s) if dimension in TIMES else str(value)

    # --- agents -------------------------------------------------------------------------------------

    def _agents(self, connection: Connection, ask: Ask, now: float) -> Iterator[tuple[Key, Sums]]:
        """How long agents were busy and free. What lies within one piece of time is added up by the store,
        what goes over the edge of one is cut here: of an agent that is at most once a piece.
        """
        states = _states(ask, now)
        wanted = select(
            states.c.agent,
            case((states.c.state.in_(BUSY), 1), else_=0).label("busy"),
            self._piece(states.c.since, ask.bucket_s).label("first"),
            self._piece(states.c.until, ask.bucket_s).label("last"),
            states.c.since,
            states.c.until,
        ).where(states.c.state.in_((*BUSY, AgentState.AVAILABLE)), states.c.until > states.c.since)
        cut = wanted.subquery()
        same = cut.c.first == cut.c.last
        inside = select(
            cut.c.agent, cut.c.busy, cut.c.first, literal(0.0), func.sum(cut.c.until - cut.c.since)
        ).where(same)
        inside = inside.group_by(cut.c.agent, cut.c.busy, cut.c.first)
        over = select(cut.c.agent, cut.c.busy, literal(-1), cut.c.since, cut.c.until).where(~same)
        for agent, busy, piece, since, until in connection.execute(union_all(inside, over)):
            name = "busy_s" if busy else "idle_s"
            pieces = [(piece, until)] if piece >= 0 else _pieces(since, until, ask.bucket_s)
            for number, seconds in pieces:
                keys = ask.keys_of(agent, str(number * ask.bucket_s))
                for key in keys:
                    yield key, {name: float(seconds), f"{name}_once": float(seconds) / len(keys)}

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _pieces(since: float, until: float, bucket_s: int) -> Iterator[tuple[int, float]]:
    for piece in range(int(since // bucket_s), int(until // bucket_s) + 1):
        seconds = min(until, (piece + 1) * bucket_s) - max(since, piece * bucket_s)
        if seconds > 0:
            yield piece, seconds


def _count(*conditions: Expression) -> Expression:
    condition = conditions[0]
    for each in conditions[1:]:
        condition = condition & each
    return func.sum(case((condition, 1), else_=0))


def _sums(ask: Ask) -> dict[str, Expression]:
    queued, answered = R.queue != "", R.connected_at.is_not(None)
    abandoned = (R.reason == str(EndReason.ABANDONED)) & R.connected_at.is_(None)
    in_time = R.wait_s <= ask.threshold_s
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


def _states(ask: Ask, now: float) -> Any:
    """Each agent's states from `since` to `until`: the next one ends it, or what may be believed of it."""
    S = agent_states.c
    ends = func.lead(S.at).over(partition_by=S.agent, order_by=(S.at, S.seq))
    longest = S.at + LONGEST_STATE_S
    end = min(ask.until, now)
    followed = func.coalesce(ends, end)
    query = select(
        S.agent,
        S.state,
        case((S.at < ask.since, ask.since), else_=S.at).label("since"),
        _least(_least(followed, longest), literal(end)).label("until"),
    ).where(S.at >= ask.since - LONGEST_STATE_S, S.at < ask.until)
    if Dimension.AGENT in ask.only:
        query = query.where(S.agent == ask.only[Dimension.AGENT])
    if ask.within.agents is not None:
        query = query.where(S.agent.in_(sorted(ask.within.agents)))
    return query.subquery()


def _least(one: Expression, other: Expression) -> Expression:
    return case((one < other, one), else_=other)


def _wrap_ups(ask: Ask) -> Any:
    """How long calls were wrapped up after: those that the agent talked in before."""
    S = agent_states.c
    ends = func.lead(S.at).over(partition_by=S.agent, order_by=(S.at, S.seq))
    before = func.lag(S.call).over(partition_by=S.agent, order_by=(S.at, S.seq))
    last = ask.until + LONGEST_CALL_S
    each = select(before.label("call"), S.state, S.at, ends.label("until"))
    found = each.where(S.at >= ask.since, S.at < last).subquery()
    lasted = _least(found.c.until - found.c.at, literal(LONGEST_WRAP_UP_S))
    query = select(found.c.call, func.sum(lasted).label("wrap_up_s"))
    query = query.where(found.c.state == str(AgentState.WRAP_UP), found.c.call != "")
    return query.group_by(found.c.call).subquery()


def _lags(ask: Ask) -> Any:
    spoke = interpreted.c
    query = select(spoke.call, func.count().label("n"), func.sum(spoke.lag_s).label("total"))
    query = query.where(spoke.at >= ask.since, spoke.at < ask.until + LONGEST_CALL_S)
    return query.group_by(spoke.call).subquery()


def _filtered(query: Select[Any], ask: Ask, key: Any) -> Select[Any]:
    """Only what is asked for."""
    query = query.where(R.offered_at >= ask.since, R.offered_at < ask.until)
    for dimension, value in ask.only.items():
        query = query.where(key(ask, dimension) == value)
    return query.where(*within(R, ask.within))
