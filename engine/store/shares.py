"""Links to recordings in the store. A use is counted and refused by the database in one statement, so that
nodes of one store agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from engine.sharing import Share
from engine.store.errors import StoreUnavailable
from engine.store.rows import clean
from engine.store.schema import recording_shares

SHOWN = 200
KEPT_S = 90 * 86_400.0  # after its end


class Shares:
    """See engine.sharing.ShareStore, which this is. Safe from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, share: Share) -> None:
        """Those that ended long ago are let go of."""
        old = recording_shares.c.expires_at < share.made_at - KEPT_S
        with self._asking() as connection:
            connection.execute(delete(recording_shares).where(old))
            connection.execute(insert(recording_shares).values({**asdict(share), "note": clean(share.note)}))

    def of(self, recording: str) -> Sequence[Share]:
        found = select(recording_shares).where(recording_shares.c.recording == recording)
        with self._asking() as connection:
            rows = connection.execute(found.order_by(recording_shares.c.made_at.desc()).limit(SHOWN))
            return [_share(row) for row in rows.mappings()]

    def get(self, id: str) -> Share | None:
        with self._asking() as connection:
            return self._get(connection, id)

    def use(self, id: str, now: float) -> bool:
        columns = recording_shares.c
        counted = (
            update(recording_shares)
            .where(columns.id == id, columns.revoked_at.is_(None), columns.expires_at > now)
            .where(or_(columns.most == 0, columns.uses < columns.most))
            .values(uses=columns.uses + 1, used_at=now)
        )
        with self._asking() as connection:
            return connection.execute(counted).rowcount == 1

    def revoke(self, recording: str, id: str, by: str, now: float) -> Share | None:
        """Twice is once: the first to revoke it stands."""
        columns = recording_shares.c
        mine = (columns.id == id, columns.recording == recording)
        revoked = update(recording_shares).where(*mine, columns.revoked_at.is_(None))
        with self._asking() as connection:
            connection.execute(revoked.values(revoked_at=now, revoked_by=by))
            found = self._get(connection, id)
        return found if found is not None and found.recording == recording else None

    def _get(self, connection: Connection, id: str) -> Share | None:
        query = select(recording_shares).where(recording_shares.c.id == id)
        row = connection.execute(query).mappings().first()
        return _share(row) if row else None

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _share(row: Any) -> Share:
    return Share(**{each.name: row[each.name] for each in fields(Share)})
