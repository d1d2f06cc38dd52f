"""A node's store for a backup: taken while it is written to, looked at, and put back.

SQLite by its online backup API; PostgreSQL by pg_dump and pg_restore, which have to be as new as the server.
A password is never among a program's arguments, where other users of the machine would see it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from engine.backup.fault import BackupFault, Broken
from engine.store import database

PAGES = 4096  # copied at a time, 16 MiB
BUSY_S = 30.0
PATIENCE_S = 6 * 3600.0

Progress = Callable[[int, int], None]  # done, of


# --- SQLite ---------------------------------------------------------------------------------------


def copy_sqlite(source: Path, to: Path, tell: Progress) -> None:
    """A copy as of this moment, whatever is written meanwhile. Raises BackupFault."""
    if not source.is_file():
        raise BackupFault(f"there is no store at {source}; has a node ever run from this folder?")
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True, timeout=BUSY_S)) as store,
            closing(sqlite3.connect(to, timeout=BUSY_S)) as copy,
        ):
            store.execute("BEGIN")  # what others write from now on is not seen, and holds nobody up
            store.execute("SELECT count(*) FROM sqlite_master").fetchone()
            store.backup(copy, pages=PAGES, progress=lambda _, left, of: tell(of - left, of))
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupFault(f"the store {source} cannot be copied ({error})") from error


def check_sqlite(file: Path) -> None:
    """Raises Broken."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as copy:
            (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise Broken(f"the copy of the store is damaged ({said})")


# --- PostgreSQL -----------------------------------------------------------------------------------


def dump_postgres(store_url: str, to: Path) -> None:
    """Raises BackupFault."""
    _run("pg_dump", store_url, ["--format=custom", "--no-owner", "--no-privileges", f"--file={to}"])


def check_postgres(file: Path) -> None:
    """Raises Broken, BackupFault without pg_restore."""
    try:
        _run("pg_restore", None, ["--list", str(file)])
    except BackupFault as fault:
        if "is not installed" in str(fault):
            raise
        raise Broken(f"the dump of the store is damaged ({fault})") from fault


def fill_postgres(store_url: str, file: Path, *, force: bool) -> None:
    """All or nothing. Raises BackupFault where somebody uses the database, or something is in it that nobody
    forces.
    """
    others, tables = _standing(store_url)
    if others:
        raise BackupFault(f"{others} others are connected to the store's database; stop every node first")
    if tables and not force:
        raise BackupFault("the store's database has tables already; --force has them given up")
    _run(
        "pg_restore", store_url,
        ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", str(file)],
    )  # fmt: skip


def _standing(store_url: str) -> tuple[int, int]:
    """How many others are connected, and how many tables there are."""
    engine = create_engine(database.parse(store_url), connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            others = connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            )
            tables = connection.scalar(
                text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
            )
    except DBAPIError as error:
        raise BackupFault(f"the store's database does not answer ({error.orig})") from error
    finally:
        engine.dispose()
    return int(others or 0), int(tables or 0)


def _run(program: str, store_url: str | None, args: list[str]) -> None:
    """store_url: the database it works on, None for none. Raises BackupFault."""
    command, env = [str(_found(program)), "--no-password"], dict(os.environ)
    if store_url is not None:
        url = database.parse(store_url)
        if url.password is not None:
            env["PGPASSWORD"] = str(url.password)
        command += ["--dbname", _told(url)]
    elif program == "pg_restore":
        command.remove("--no-password")
    try:
        done = subprocess.run(
            [*command, *args], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupFault(f"{program} did not end ({error})") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupFault(f"{program} failed: {'; '.join(said[-3:]) or done.returncode}")


def _told(url: URL) -> str:
    """Where the database is, for a program's arguments."""
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return bare.render_as_string(hide_password=False)


def _found(program: str) -> Path:
    """Raises BackupFault."""
    if found := shutil.which(program):
        return Path(found)
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda each: each.parts[-3])
    if newest:
        return newest[-1]
    raise BackupFault(
        f"the store is in PostgreSQL and {program} is not installed; apt-get install postgresql-client, as "
        "new as the server"
    )
