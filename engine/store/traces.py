"""Traces of calls that are over, as bytes: kept, found again, let go of when they are old or too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import DBAPIError

from engine.store.errors import StoreUnavailable
from engine.store.rows import clean
from engine.store.schema import call_traces

PARTS = 200  # rows that are let go of in one transaction


class Row(NamedTuple):
    """ended_at: epoch seconds."""

    call: str
    ended_at: float
    trace: bytes


class TraceStore:
    """Those that a node keeps, and to read those of all. Safe from any thread; blocks; raises
    StoreUnavailable when the store does not answer.
    """

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self._node = clean(node)

    def keep(self, rows: Sequence[Row]) -> None:
        """In one transaction. A call that is there already, of an earlier life, is kept anew."""
        if not rows:
            return
        calls = [clean(row.call) for row in rows]
        values = [
            {"call": call, "node": self._node, "ended_at": row.ended_at, "trace": row.trace}
            for call, row in zip(calls, rows)
        ]
        before = call_traces.c.call.in_(calls) & (call_traces.c.node == self._node)
        with self._writing() as connection:
            connection.execute(delete(call_traces).where(before))
            connection.execute(insert(call_traces), values)

    def get(self, call: str) -> list[bytes]:
        """What every node saw of a call, the one that ended it last."""
        query = select(call_traces.c.trace).where(call_traces.c.call == call).order_by(call_traces.c.ended_at)
        with self._reading() as connection:
            return [bytes(found) for found in connection.execute(query).scalars()]

    def erase_before(self, at: float) -> int:
        """Let go of what ended before `at`, epoch seconds; how many there were."""
        erased = 0
        while True:
            old = call_traces.c.ended_at < at
            with self._writing() as connection:
                calls = list(connection.execute(select(call_traces.c.call).where(old).limit(PARTS)).scalars())
                connection.execute(delete(call_traces).where(old & call_traces.c.call.in_(calls)))
            erased += len(calls)
            if len(calls) < PARTS:
                return erased

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error
