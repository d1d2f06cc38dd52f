"""Calls as supervisors judged them, in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, tuple_
from sqlalchemy.exc import DBAPIError

from engine.scorecards import Answer, CardFilter, CardPage, Scorecard
from engine.store.errors import StoreUnavailable
from engine.store.paged import at_key, cursor_of
from engine.store.rows import clean
from engine.store.schema import scorecards
from engine.store.within import within

MOST_OF_CALL = 50


class Scorecards:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, card: Scorecard) -> None:
        row = {each.name: getattr(card, each.name) for each in fields(Scorecard)}
        row |= {"comment": clean(card.comment), "answers": [asdict(each) for each in card.answers]}
        with self._asking() as connection:
            connection.execute(insert(scorecards).values(row))

    def of_call(self, call: str) -> Sequence[Scorecard]:
        """The newest first."""
        query = select(scorecards).where(scorecards.c.call == call).order_by(scorecards.c.at.desc())
        with self._asking() as connection:
            return [_card(row) for row in connection.execute(query.limit(MOST_OF_CALL)).mappings()]

    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage:
        """The newest first. Raises BadCursor."""
        columns = scorecards.c
        query = select(scorecards).where(*within(columns, wanted.reach))
        for name in ("agent", "form"):
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(columns[name] == value)
        if wanted.since is not None:
            query = query.where(columns.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(columns.at < wanted.until)
        if cursor:
            query = query.where(tuple_(columns.at, columns.id) < at_key(cursor))
        query = query.order_by(columns.at.desc(), columns.id.desc()).limit(limit + 1)
        with self._asking() as connection:
            rows = connection.execute(query).mappings().all()
        items = tuple(map(_card, rows[:limit]))
        return CardPage(items, cursor_of(items[-1].at, items[-1].id) if len(rows) > limit else None)

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _card(row: Any) -> Scorecard:
    values = {each.name: row[each.name] for each in fields(Scorecard)}
    return Scorecard(**{**values, "answers": tuple(Answer(**each) for each in row["answers"])})
