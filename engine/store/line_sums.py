"""What lines did, added up by the database into the cells of routing.report; and the newest probes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, case, cast, func, select
from sqlalchemy.exc import DBAPIError

from engine.line_events import LineProbed
from engine.store.errors import StoreUnavailable
from engine.store.schema import line_probes, line_uses
from routing.cost import Use
from routing.report import COLUMNS, HOUR_S, PDD_S, Cell
from routing.response import Blame

MAX_HOURS = 24 * 31
MAX_PROBES = 200

USES, PROBES = line_uses.c, line_probes.c
OUT = USES.direction == "out"


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _use_sums() -> dict[str, ColumnElement[Any]]:
    """What each column of a cell is, where calls tell it."""
    decided = OUT & (USES.blame != str(Blame.NOTHING))
    talked = USES.answered
    sums = {
        "calls": func.count(),
        "decided": _count(decided),
        "answered": _count(decided & talked),
        "carried": _count(talked),
        "dropped": _count(USES.dropped),
        "talk_s_n": _count(talked),
        "talk_s_sum": func.sum(USES.talk_s),
    }
    for name in ("pdd_s", "setup_s", "mos", "loss", "jitter_ms", "rtt_ms"):
        sums[f"{name}_n"], sums[f"{name}_sum"] = func.count(USES[name]), func.sum(USES[name])
    for bound in PDD_S:
        sums[f"pdd_under_{bound:g}"] = _count(USES.pdd_s <= bound)
    return sums


def _probe_sums() -> dict[str, ColumnElement[Any]]:
    """The same, where probes do."""
    return {
        "probes": func.count(),
        "passed": _count(PROBES.passed),
        "delay_ms_n": func.count(PROBES.delay_ms),
        "delay_ms_sum": func.sum(PROBES.delay_ms),
        "probe_mos_n": func.count(PROBES.mos),
        "probe_mos_sum": func.sum(PROBES.mos),
    }


class LineSums:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cells(self, since: float, until: float) -> list[Cell]:
        """Epoch seconds, since ≤ began < until; at most MAX_HOURS back from `until`."""
        since = max(since, until - MAX_HOURS * HOUR_S)
        with self._reading() as connection:
            cells = self._added(connection, USES.began, line_uses, _use_sums(), since, until)
            cells += self._added(connection, PROBES.at, line_probes, _probe_sums(), since, until)
        return cells

    def uses(self, since: float, until: float) -> dict[str, list[Use]]:
        """Calls out that were answered, by line: what they cost follows from it."""
        since = max(since, until - MAX_HOURS * HOUR_S)
        hour = USES.began / HOUR_S
        with self._reading() as connection:
            hour = cast(func.floor(hour) if connection.dialect.name == "postgresql" else hour, BigInteger)
            keys = (USES.line, USES.destination, hour.label("hour"))
            query = select(*keys, func.count(), func.sum(USES.talk_s)).where(OUT, USES.answered)
            query = query.where(USES.began >= since, USES.began < until).group_by(*keys[:2], hour)
            found: dict[str, list[Use]] = {}
            for line, destination, began, calls, seconds in connection.execute(query):
                use = Use(destination, int(began) * HOUR_S, int(calls), float(seconds))
                found.setdefault(line, []).append(use)
        return found

    def probes(self, line: str, *, limit: int = 50) -> list[LineProbed]:
        """Of one line, the newest first."""
        query = select(line_probes).where(PROBES.line == line).order_by(PROBES.at.desc())
        with self._reading() as connection:
            rows = connection.execute(query.limit(min(limit, MAX_PROBES)))
            return [_probe(row._mapping) for row in rows]

    def newest(self, since: float) -> dict[str, LineProbed]:
        """The newest probe of each line since then."""
        last = select(PROBES.line, func.max(PROBES.at).label("at")).where(PROBES.at >= since)
        newest = last.group_by(PROBES.line).subquery()
        query = select(line_probes).join(newest, (PROBES.line == newest.c.line) & (PROBES.at == newest.c.at))
        with self._reading() as connection:
            return {row.line: _probe(row._mapping) for row in connection.execute(query)}

    def _added(
        self, connection: Connection, when: Any, table: Any, sums: Any, since: float, until: float
    ) -> list[Cell]:
        hour = when / HOUR_S
        hour = cast(func.floor(hour) if connection.dialect.name == "postgresql" else hour, BigInteger)
        keys = (table.c.line, table.c.region, hour.label("hour"))
        query = select(*keys, *sums.values()).where(when >= since, when < until)
        at = [COLUMNS.index(name) for name in sums]
        found = []
        for line, region, began, *values in connection.execute(query.group_by(*keys[:2], hour)):
            row = np.zeros(len(COLUMNS))
            row[at] = [float(value or 0) for value in values]
            found.append(Cell(line, region, int(began), row))
        return found

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _probe(row: Any) -> LineProbed:
    values = {name: row[name] for name in row if name not in ("node", "seq")}
    return LineProbed(**values | {"passed": bool(row["passed"])})
