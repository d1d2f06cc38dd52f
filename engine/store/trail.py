"""The audit log in the store: rows added behind the last one, and read again.

All nodes of one store write one chain. Whoever writes holds a lock from reading the last row to committing
the next, SQLite's for writing or one of PostgreSQL's own, so that two never follow the same row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Select, and_, cast, func, insert, or_, select, text
from sqlalchemy.exc import DBAPIError

from engine.access.chain import GENESIS, TEXTS, Anchor, Entry, Row, follow
from engine.store.errors import StoreUnavailable
from engine.store.rows import clean
from engine.store.schema import audit

PG_LOCK = 0x15_06_10_56  # any number that is only ours
MAX_PAGE = 1000
READ_AT_ONCE = 5000
NAMES = Entry.__struct_fields__
LAST_AT = 253_402_300_800.0  # the year 10000, which no calendar has
# SQLite takes texts and bytes for numbers, beyond all that are, and halves.
NUMBERED = and_(audit.c.seq <= 2**63 - 1, cast(audit.c.seq, BigInteger) == audit.c.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which rows; None asks nothing. since, until: epoch seconds, since ≤ at < until. about: what the object
    has in it. doing: reads, changes or sessions.
    """

    since: float | None = None
    until: float | None = None
    who: str | None = None
    what: str | None = None
    object: str | None = None
    outcome: str | None = None
    node: str | None = None
    about: str | None = None
    doing: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often somebody did something. at: the last time, epoch seconds."""

    who: str
    what: str
    count: int
    at: float


# What an operation is by its name: the API's are named by what they do (`get_recording`), reads alone so.
READS = ("get_", "list_", "search_", "look_", "listen_", "watch_", "export_", "open_", "read_", "hear_")
SESSIONS = ("login", "logout")


class Trail:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    def close(self) -> None:
        self._engine.dispose()

    def append(self, entries: Sequence[Entry], *, again: bool = False, now: float = 0.0) -> Anchor:
        """Add them in their order, all or none; what the last row is then. again: some may be there already,
        and stay as they are. now: epoch seconds, for the anchor.
        """
        with self._asking(writes=True) as connection:
            found = connection.execute(
                select(audit.c.seq, audit.c.hash).where(NUMBERED).order_by(audit.c.seq.desc()).limit(1)
            )
            last = found.first()
            seq, prev = (last.seq, last.hash) if last else (0, GENESIS)
            if again:
                ids = select(audit.c.id).where(audit.c.id.in_([each.id for each in entries]))
                known = set(connection.scalars(ids))
                entries = [each for each in entries if each.id not in known]
            rows = follow(seq, prev, map(_storable, entries))
            if rows:
                connection.execute(insert(audit), [_values(row) for row in rows])
                seq, prev = rows[-1].seq, rows[-1].hash
        return Anchor(seq, prev, now)

    def page(
        self, wanted: TrailFilter, *, before: int | None = None, limit: int = 50
    ) -> tuple[list[Row], int | None]:
        """Newest first, and the number that the next page begins before. What somebody made unreadable is
        shown as far as it goes.
        """
        limit = max(1, min(limit, MAX_PAGE))
        query = _filtered(select(audit).where(NUMBERED), wanted)
        if before is not None:
            query = query.where(audit.c.seq < before)
        with self._asking() as connection:
            found = connection.execute(query.order_by(audit.c.seq.desc()).limit(limit + 1)).mappings().all()
        rows = [_row({**each, **_readable(each)}) for each in found[:limit]]
        return rows, rows[-1].seq if len(found) > limit else None

    def tallies(self, wanted: TrailFilter, *, limit: int = 50) -> list[Tally]:
        """Who did what how often, the most frequent first."""
        count, last = func.count().label("count"), func.max(audit.c.at)
        query = _filtered(select(audit.c.who, audit.c.what, count, last), wanted)
        query = query.group_by(audit.c.who, audit.c.what).order_by(count.desc(), audit.c.who, audit.c.what)
        with self._asking() as connection:
            return [Tally(*row) for row in connection.execute(query.limit(limit))]

    def last(self) -> int:
        """The number of the last row; 0 where there is none."""
        with self._asking() as connection:
            return int(connection.scalar(select(func.max(audit.c.seq)).where(NUMBERED)) or 0)

    def holds(self, anchor: Anchor) -> bool:
        """Whether the row that was anchored is there as it was."""
        with self._asking() as connection:
            found = connection.scalar(select(audit.c.hash).where(audit.c.seq == anchor.seq))
        return bool(found == anchor.hash)

    def wrote(self, node: str, *, but: str) -> bool:
        """Whether there is a row of this node's, shown otherwise than `but`."""
        mine = select(audit.c.seq).where(audit.c.node == node, audit.c.how != but)
        with self._asking() as connection:
            return connection.scalar(mine.limit(1)) is not None

    def rows(self) -> Iterator[Row]:
        """All of them as they are, in the order of their numbers, some at a time."""
        after = -(2**63)
        while True:
            query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(READ_AT_ONCE)
            with self._asking() as connection:
                found = connection.execute(query).mappings().all()
            yield from map(_row, found)
            if len(found) < READ_AT_ONCE:
                return
            after = found[-1]["seq"]

    @contextmanager
    def _asking(self, *, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                if writes and self._sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                elif writes:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PG_LOCK})
                with self._any_text(connection):
                    yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error

    @contextmanager
    def _any_text(self, connection: Connection) -> Iterator[None]:
        """A text that is none, as only somebody who changed the file can have put there, is no fault of the
        store: SQLite gives it, and it comes as bytes.
        """
        driver: Any = connection.connection.driver_connection if self._sqlite else None
        if driver is not None:
            driver.text_factory = _text
        try:
            yield
        finally:
            if driver is not None:
                driver.text_factory = str


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _readable(found: Any) -> dict[str, Any]:
    texts = {name: found[name] for name in (*TEXTS, "prev", "hash")}
    told = {
        name: each.decode(errors="backslashreplace") if isinstance(each, bytes) else str(each)
        for name, each in texts.items()
    }
    at = found["at"]
    return {**told, "at": at if isinstance(at, float) and 0 <= at < LAST_AT else 0.0}


def _filtered(query: Select[Any], wanted: TrailFilter) -> Select[Any]:
    A = audit.c
    for name in ("who", "what", "object", "outcome", "node"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(A[name] == value)
    if wanted.since is not None:
        query = query.where(A.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(A.at < wanted.until)
    if wanted.about is not None:
        query = query.where(A.object.contains(wanted.about, autoescape=True))
    reads = or_(*(A.what.startswith(each, autoescape=True) for each in READS))
    doing = {"reads": reads, "sessions": A.what.in_(SESSIONS), "changes": ~reads & A.what.not_in(SESSIONS)}
    return query if wanted.doing is None else query.where(doing[wanted.doing])


def _storable(entry: Entry) -> Entry:
    """As the database will give it back, or its hash would not be right then."""
    texts = {name: clean(getattr(entry, name)) for name in TEXTS}
    return Entry(at=entry.at, **texts)


def _values(row: Row) -> dict[str, Any]:
    entry = {name: getattr(row.entry, name) for name in NAMES}
    return {"seq": row.seq, "prev": row.prev, "hash": row.hash, **entry}


def _row(found: Any) -> Row:
    entry = Entry(*(found[name] for name in NAMES))
    return Row(found["seq"], entry, found["prev"], found["hash"])
