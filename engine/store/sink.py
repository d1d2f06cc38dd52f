"""The one connection that writes: batches of ready rows, each batch one transaction.

Statements go to the driver as they are. A batch is a few INSERTs of many rows rather than many of one,
because each statement gives up the interpreter's lock and has to win it back from the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import structlog
from msgspec.structs import astuple
from sqlalchemy import Engine, Table
from sqlalchemy.exc import DBAPIError

from engine.events import AgentChanged, CallArrived, CallEnded, CallHandedOver, CallTaken
from engine.line_events import LineProbed, LineUsed
from engine.speech_events import InterpreterSpoke
from engine.store import schema
from engine.store.errors import RowsRefused, StoreUnavailable
from engine.store.rows import RECORD_FIELDS, Line, drawn

JOURNAL_FIELDS = ("node", "seq", "at", "call", "kind", "data", "person")
OPEN_FIELDS = ("call", "node", "at")
# Events that have a table of their own beside the journal: the table, and the event's fields in it.
DRAWN = {
    kind.kind: (table, tuple(column.name for column in table.columns))
    for kind, table in (
        (LineUsed, schema.line_uses),
        (LineProbed, schema.line_probes),
        (AgentChanged, schema.agent_states),
        (InterpreterSpoke, schema.interpreted),
    )
}

WRITER_PATIENCE_MS = 250  # how long a batch waits for another program's lock before it is spilled
CHUNKS = (64, 16, 4, 1)  # rows a statement; few sizes, so that each is prepared once

log = structlog.get_logger("journal")


class Sink:
    """Not for two threads at once. Every failure comes out as StoreUnavailable or RowsRefused."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._sql: dict[tuple[str, int, bool], str] = {}
        self._as_json = engine.dialect.name == "postgresql"
        self._mark = "%s" if engine.dialect.paramstyle in ("format", "pyformat") else "?"

    def write(self, lines: Sequence[Line], *, again: bool = False) -> None:
        """Write all lines and their records, or none. `again`: some may have been written before; those stay
        as they are.
        """
        try:
            cursor = self._cursor()
            rows = [astuple(line)[: len(JOURNAL_FIELDS)] for line in lines]
            arrived = [(line.call, line.node, line.at) for line in lines if line.kind == CallArrived.kind]
            records = [_record_row(line.record) for line in lines if line.record]
            taken = [(line.call, line.node, began(line)) for line in lines if line.kind == CallTaken.kind]
            ended = [line.call for line in lines if line.kind == CallEnded.kind]
            handed = [(line.call, line.node) for line in lines if line.kind == CallHandedOver.kind]
            self._insert(cursor, schema.journal, JOURNAL_FIELDS, rows, again)
            self._insert(cursor, schema.open_calls, OPEN_FIELDS, arrived, True)
            self._close_calls(cursor, [call for call, _, _ in taken])  # of the node that had them before
            self._insert(cursor, schema.open_calls, OPEN_FIELDS, taken, True)
            self._insert(cursor, schema.call_records, RECORD_FIELDS, records, True)
            for kind, (table, names) in DRAWN.items():
                own = [drawn(line, names) for line in lines if line.kind == kind]
                self._insert(cursor, table, names, own, True)
            self._close_calls(cursor, ended)
            self._leave_calls(cursor, handed)
            self._connection.commit()
        except (self._engine.dialect.loaded_dbapi.Error, DBAPIError) as error:
            raise self._verdict(error) from error
        except (OverflowError, ValueError, TypeError, KeyError) as error:
            self._abandon()
            raise RowsRefused(str(error)) from error

    def last_seq(self, node: str) -> int:
        """The number of the node's last event, 0 before the first."""
        text = f"SELECT MAX(seq) FROM {self._name(schema.journal)} WHERE node = {self._mark}"
        try:
            cursor = self._cursor()
            cursor.execute(text, (node,))
            found = cursor.fetchone()[0]
            self._connection.rollback()
        except (self._engine.dialect.loaded_dbapi.Error, DBAPIError) as error:
            raise self._verdict(error) from error
        return int(found or 0)

    def close(self) -> None:
        self._abandon()

    def _cursor(self) -> Any:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            if self._engine.dialect.name == "sqlite":
                self._connection.cursor().execute(f"PRAGMA busy_timeout={WRITER_PATIENCE_MS}")
        return self._connection.cursor()

    def _insert(
        self, cursor: Any, table: Table, names: tuple[str, ...], rows: list[tuple[Any, ...]], again: bool
    ) -> None:
        if rows and self._as_json:
            text = msgspec.json.encode([dict(zip(names, row)) for row in rows]).decode()
            cursor.execute(self._prepared(table, names, 0, again), (text,))
            return
        for part in _parts(rows):
            sql = self._prepared(table, names, len(part), again)
            cursor.execute(sql, list(chain.from_iterable(part)))

    def _close_calls(self, cursor: Any, calls: list[str]) -> None:
        table, call = self._name(schema.open_calls), self._quote("call")
        for part in _parts(calls):
            marks = ",".join([self._mark] * len(part))
            cursor.execute(f"DELETE FROM {table} WHERE {call} IN ({marks})", part)

    def _leave_calls(self, cursor: Any, calls: list[tuple[str, str]]) -> None:
        """Calls that other nodes have are not open at this one; what those say of them stays."""
        table, call, node = self._name(schema.open_calls), self._quote("call"), self._quote("node")
        for pair in calls:
            cursor.execute(f"DELETE FROM {table} WHERE {call} = {self._mark} AND {node} = {self._mark}", pair)

    def _prepared(self, table: Table, names: tuple[str, ...], rows: int, again: bool) -> str:
        sql = self._sql.get((table.name, rows, again))
        if sql is None:
            source = self._values(names, rows) if rows else self._recordset(table, names)
            columns = ", ".join(self._quote(name) for name in names)
            sql = f"INSERT INTO {self._name(table)} ({columns}) {source}"
            sql += " ON CONFLICT DO NOTHING" if again else ""
            self._sql[table.name, rows, again] = sql
        return sql

    def _values(self, names: tuple[str, ...], rows: int) -> str:
        row = "(" + ", ".join([self._mark] * len(names)) + ")"
        return f"VALUES {', '.join([row] * rows)}"

    def _recordset(self, table: Table, names: tuple[str, ...]) -> str:
        """Rows of one JSON parameter: four times cheaper for the client than a parameter for every value."""
        kinds = {name: table.c[name].type.compile(self._engine.dialect) for name in names}
        values = (f"{self._quote(name)}::{kinds[name]}" for name in names)
        shape = (f"{self._quote(name)} {'TEXT' if kinds[name] == 'JSONB' else kinds[name]}" for name in names)
        return f"SELECT {', '.join(values)} FROM json_to_recordset({self._mark}) AS row({', '.join(shape)})"

    def _verdict(self, error: Exception) -> StoreUnavailable | RowsRefused:
        """Rows are at fault only when the store says so of them, and answers a plain question right after."""
        self._abandon()
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        dbapi = self._engine.dialect.loaded_dbapi
        refusals = (dbapi.IntegrityError, dbapi.DataError, dbapi.ProgrammingError, dbapi.NotSupportedError)
        if isinstance(cause, refusals) and self._answers():
            return RowsRefused(str(cause))
        return StoreUnavailable(f"{type(cause).__name__}: {cause}")

    def _answers(self) -> bool:
        try:
            cursor = self._cursor()
            for table in schema.metadata.sorted_tables:
                cursor.execute(f"SELECT * FROM {self._name(table)} WHERE 1 = 0")
            self._connection.rollback()
        except (self._engine.dialect.loaded_dbapi.Error, DBAPIError):
            self._abandon()
            return False
        return True

    def _abandon(self) -> None:
        """Let go of the connection and of what it had begun; the next use opens another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                # Closing alone is not enough: SQLite keeps the lock while any cursor of a traceback lives.
                connection.rollback()
            except self._engine.dialect.loaded_dbapi.Error as error:
                log.debug("nothing to roll back", why=str(error))
            connection.invalidate()

    def _name(self, table: Table) -> str:
        return self._quote(table.name)

    def _quote(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote(name)


def began(line: Line) -> float:
    """When a call arrived that this node took over."""
    return float(msgspec.json.decode(line.data).get("began", line.at))


def _record_row(record: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in RECORD_FIELDS)


def _parts(rows: list[Any]) -> Iterator[list[Any]]:
    at = 0
    for size in CHUNKS:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size
