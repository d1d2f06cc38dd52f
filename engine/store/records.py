"""Reading the store: call records by filter, newest first and page by page, and the journal of one call.

Pages are found by key, not by count, so the thousandth costs what the first does and a call that ends
meanwhile moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, select, tuple_
from sqlalchemy.exc import DBAPIError

from engine.access.principal import EVERYTHING, Reach
from engine.events import CallRecord, EndReason
from engine.store.errors import StoreUnavailable
from engine.store.paged import BadCursor as BadCursor
from engine.store.paged import at_key, cursor_of
from engine.store.rows import Entry, entry_of, record_from
from engine.store.schema import call_records, journal, open_calls
from engine.store.within import within

MAX_PAGE = 1000
MAX_ENTRIES = 10_000  # of one call
LONGEST_CALL_S = 86_400.0
BOUNDS = frozenset(
    {"since", "until", "arrived_since", "arrived_until", "line", "outcome", "recorded", "reach"}
)


class Outcome(StrEnum):
    """What came of a call, in a word."""

    ANSWERED = "answered"  # somebody talked
    ABANDONED = "abandoned"  # the caller hung up before
    FAILED = "failed"  # it ended otherwise before anybody talked


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records; None asks nothing. `since` and `until` bound `ended_at`: epoch seconds, since ≤ ended_at
    < until; `arrived_since` and `arrived_until` bound `offered_at` likewise. line: that the call came over.
    """

    since: float | None = None
    until: float | None = None
    arrived_since: float | None = None
    arrived_until: float | None = None
    line: str | None = None
    queue: str | None = None
    agent: str | None = None
    market: str | None = None
    region: str | None = None
    customer: str | None = None
    contact: str | None = None
    number: str | None = None
    language: str | None = None
    node: str | None = None
    reason: str | None = None
    outcome: Outcome | None = None
    recorded: bool | None = None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class RecordPage:
    """`next` is the cursor of the page after this one, None on the last."""

    items: tuple[CallRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call whose first event is in the journal and whose last is not."""

    call: str
    node: str
    at: float


class Records:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, wanted: RecordFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> RecordPage:
        """Records newest first. Raises BadCursor."""
        limit = max(1, min(limit, MAX_PAGE))
        query = _filtered(wanted or RecordFilter())
        if cursor:
            query = query.where(tuple_(call_records.c.ended_at, call_records.c.call) < at_key(cursor))
        query = query.order_by(call_records.c.ended_at.desc(), call_records.c.call.desc()).limit(limit + 1)
        with self._reading() as connection:
            found = [record_from(row._mapping) for row in connection.execute(query)]
        more = len(found) > limit
        items = tuple(found[:limit])
        return RecordPage(items, cursor_of(items[-1].ended_at, items[-1].call) if more else None)

    def get(self, call: str) -> CallRecord | None:
        query = select(call_records).where(call_records.c.call == call)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return record_from(row._mapping) if row else None

    def entries(self, call: str) -> list[Entry]:
        """The call's journal in the order it happened, its first MAX_ENTRIES.

        A node's own numbering is the order, since its wall clock may be set back; between nodes only clocks
        can say.
        """
        query = select(journal).where(journal.c.call == call).order_by(journal.c.node, journal.c.seq)
        with self._reading() as connection:
            found = [entry_of(row) for row in connection.execute(query.limit(MAX_ENTRIES))]
        if len({entry.node for entry in found}) > 1:
            found.sort(key=lambda entry: entry.at)
        return found

    def open_calls(self, node: str) -> list[OpenCall]:
        """Calls that the node began and did not end, as committed so far."""
        query = (
            select(open_calls)
            .where(open_calls.c.node == node)
            .where(~select(call_records.c.call).where(call_records.c.call == open_calls.c.call).exists())
            .order_by(open_calls.c.at, open_calls.c.call)
        )
        with self._reading() as connection:
            return [OpenCall(row.call, row.node, row.at) for row in connection.execute(query)]

    def last_sign(self, node: str) -> float | None:
        """When the node last wrote anything, epoch seconds; None when it never did."""
        query = select(journal.c.at).where(journal.c.node == node).order_by(journal.c.seq.desc()).limit(1)
        with self._reading() as connection:
            return connection.execute(query).scalar()

    def ping(self) -> None:
        """Ask the store a question that costs nothing."""
        with self._reading() as connection:
            connection.execute(select(open_calls.c.call).limit(1))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _filtered(wanted: RecordFilter) -> Select[Any]:
    R = call_records.c
    query = select(call_records).where(*within(R, wanted.reach))
    if wanted.since is not None:
        query = query.where(R.ended_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(R.ended_at < wanted.until)
    # The bounds of `ended_at` lead to the index.
    if wanted.arrived_since is not None:
        query = query.where(R.ended_at >= wanted.arrived_since, R.offered_at >= wanted.arrived_since)
    if wanted.arrived_until is not None:
        last = wanted.arrived_until + LONGEST_CALL_S
        query = query.where(R.ended_at < last, R.offered_at < wanted.arrived_until)
    if wanted.line is not None:
        query = query.where(R.source == wanted.line)
    if wanted.outcome is not None:
        query = query.where(*_came_of(wanted.outcome))
    if wanted.recorded is not None:
        query = query.where((R.recording != "") == wanted.recorded)
    for name in RecordFilter.__slots__:
        value = getattr(wanted, name)
        if name not in BOUNDS and value is not None:
            query = query.where(R[name] == value)
    return query


def _came_of(outcome: Outcome) -> list[ColumnElement[bool]]:
    R = call_records.c
    if outcome is Outcome.ANSWERED:
        return [R.connected_at.is_not(None)]
    abandoned = R.reason == str(EndReason.ABANDONED)
    return [R.connected_at.is_(None), abandoned if outcome is Outcome.ABANDONED else ~abandoned]
