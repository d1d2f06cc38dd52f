"""A desk over a store of its own, with clocks that tests set."""

from __future__ import annotations

import asyncio
import functools
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from engine.access.access import Access
from engine.access.audit import Audit
from engine.access.desk import AccessDesk, Terms
from engine.access.passwords import Passwords
from engine.access.proving import Proving
from engine.access.role import Role
from engine.access.roster import Roster
from engine.store import database
from engine.store.accounts import Accounts, User
from engine.store.migrate import upgrade
from engine.store.trail import Trail

PASSWORD = "correct horse staple"
T0 = 1_760_000_000.0
T = TypeVar("T")


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Gone with the tests."""
    return tempfile.TemporaryDirectory(prefix="isogloss-access-")


@functools.cache
def template() -> Path:
    """An empty store, made once: the migrations take longer than most tests."""
    file = Path(_scratch().name, "template.db")
    engine = database.connect(f"sqlite:///{file}")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


class Clock:
    """Seconds, as tests want them."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Stand:
    """The parts of `Access`, and what a test needs beside it."""

    def __init__(self, folder: Path, terms: Terms | None = None) -> None:
        self.folder = folder
        self.file = folder / "isogloss.db"
        if not self.file.exists():
            shutil.copy(template(), self.file)
        self.url = f"sqlite:///{self.file}"
        self.engine = database.connect(self.url)
        self.accounts = Accounts(self.engine)
        self.trail = Trail(self.engine)
        writes = Trail(database.connect(self.url, readers=1, busy_s=0.05))
        self.audit = Audit(writes, "n1", folder / "audit.spill", folder / "audit.anchor")
        self.wall, self.clock = Clock(T0), Clock(1000.0)
        self.desk = AccessDesk(
            self.accounts, self.audit, terms, passwords=cheap(), wall=self.wall, clock=self.clock
        )
        self.roster = Roster(self.desk)
        proving = Proving(
            self.trail,
            folder / "audit.anchor",
            node="n1",
            held=lambda: self.audit.newest,
            wall=self.wall,
            rest=lambda seconds: None,
        )
        self.access = Access(self.desk, self.roster, self.trail, None, None, proving)

    def user(self, name: str, role: Role = Role.ADMIN, **more: Any) -> User:
        """One whose password is PASSWORD."""
        made = User(name=name, role=role, password=hashed(), made_at=T0, changed_at=T0, **more)
        self.accounts.add(made)
        return made

    def later(self, seconds: float) -> None:
        self.wall.now += seconds
        self.clock.now += seconds

    def told(self) -> list[tuple[str, str, str]]:
        """What the audit log has: who, what and outcome, the oldest first."""
        self.settle()
        rows = (row.entry for row in self.trail.rows())
        return [(each.who, each.what, each.outcome) for each in rows]

    def settle(self) -> None:
        """Until the writer has nothing left to write."""
        asyncio.run(self.audit.keep(self.audit.entry("", "", "settled")))

    def close(self) -> None:
        self.access.close()
        self.engine.dispose()


def cheap() -> Passwords:
    """Argon2 as it is in service, at a hundredth of the cost."""
    return Passwords(passes=1, memory_kib=64)


@functools.cache
def hashed() -> str:
    passwords = cheap()
    try:
        return asyncio.run(passwords.keep(PASSWORD))
    finally:
        passwords.close()


@contextmanager
def standing(folder: Path, terms: Terms | None = None) -> Iterator[Stand]:
    made = Stand(folder, terms)
    try:
        yield made
    finally:
        made.close()


def run(what: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(what)
