"""Moving SQLite's write-ahead log into the database, beside the writer instead of inside one of its commits.

Left to itself SQLite does this in whichever commit finds the log full, which then waits for the disk: commits
of 60–110 ms were seen at 2,000 events a second, against 5 ms otherwise. Here most of it is done while the
writer goes on, and only the little that came meanwhile keeps it waiting.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

LOOK_S = 1.0
FULL_BYTES = 8 * 1024 * 1024  # about 15 s of the busiest node
WRITER_WAITS_MS = 20

log = structlog.get_logger("journal")


class Checkpointer:
    """A thread that keeps the log of one SQLite file short."""

    def __init__(self, engine: Engine, file: Path) -> None:
        self._engine = engine
        self._wal = file.with_name(file.name + "-wal")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-checkpoint", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                if self._wal.stat().st_size >= FULL_BYTES:
                    shorten(self._engine)
            except FileNotFoundError:
                continue  # nothing was written since the file was opened
            except (DBAPIError, sqlite3.Error) as error:
                log.warning("the write-ahead log cannot be shortened now", why=str(error))


def shorten(engine: Engine) -> None:
    """Move the log into the database and let the writer begin it anew.

    PASSIVE does the bulk without a lock; TRUNCATE finishes under the writer's lock, else a log that is always
    written to would grow for ever. It gives up rather than keep the writer waiting for a slow reader.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        cursor.execute(f"PRAGMA busy_timeout={WRITER_WAITS_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        connection.invalidate()
