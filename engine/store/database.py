"""Opening the store: SQLite by default, PostgreSQL by URL, each told what a call engine needs of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from config.schema import Config
from engine.store.errors import StoreError

# How long a reader or a migration waits for a lock; the journal's writer has its own, shorter, patience.
BUSY_S = 5.0

SQLITE_PRAGMAS = (
    # Readers never wait for the writer, and a commit survives the death of the process.
    "PRAGMA journal_mode=WAL",
    # A commit costs no fsync; only a power cut can take the last ones.
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    # engine/store/checkpoint.py does that, beside the commits; this is for programs without it.
    "PRAGMA wal_autocheckpoint=20000",
    "PRAGMA journal_size_limit=67108864",
)


class UnfitStore(StoreError):
    """The URL names no database that the store can be kept in."""

    remedy = "write sqlite:////absolute/path.db or postgresql://user:password@host/name"


def url_of(config: Config) -> str:
    """Where a node's store is."""
    if config.store.url is not None:
        return config.store.url.reveal()
    path = config.store.path
    if not path.is_absolute():
        path = config.node.data_dir / path
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{path.resolve()}"


def parse(store_url: str) -> URL:
    """The URL with the driver named. Raises UnfitStore; the message never has the password in it."""
    try:
        url = make_url(store_url)
    except ArgumentError:
        raise UnfitStore("the store's URL cannot be read") from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UnfitStore(f"the store cannot be kept in {backend}")
    if url.database in (None, "", ":memory:"):
        raise UnfitStore("the store needs a file: events in memory die with the process")
    return url.set(drivername="sqlite")


def sqlite_file(url: URL) -> Path | None:
    """The database's file, or None for a server."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def connect(store_url: str, *, readers: int = 4, busy_s: float = BUSY_S) -> Engine:
    """An engine whose connections are set up for the store; connects to nothing yet. busy_s: how long one
    waits for a lock of SQLite. Raises UnfitStore.
    """
    url = parse(store_url)
    try:
        if path := sqlite_file(url):
            _private_file(path)
            # Kept open they cost little; each that is opened anew reads the schema, a millisecond of CPU.
            engine = create_engine(url, pool_size=4 * readers, connect_args={"timeout": busy_s})
            event.listen(engine, "connect", _pragmas(SQLITE_PRAGMAS))
            return engine
        return create_engine(
            url,
            pool_size=readers,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 3, "options": "-c statement_timeout=15000", **_KEEPALIVE},
        )
    except NoSuchModuleError as error:
        raise UnfitStore(f"no driver for this database: {error}") from None
    except ModuleNotFoundError as error:
        raise UnfitStore(f"the database's driver is not installed: {error.name}") from None


# A server that went away in silence is noticed in seconds, not in the kernel's quarter of an hour.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}


def _private_file(path: Path) -> None:
    """Records are personal data: a database made here is its owner's alone.

    One that is there is left alone. To close any handle of it lets go of all locks that this process has on
    it (fcntl(2)), those of connections too: then a program that looks at the store, and ends, takes itself
    for the last and deletes the WAL that the node goes on writing to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass


def _pragmas(statements: tuple[str, ...]) -> Callable[[Any, Any], None]:
    def run(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    return run
