"""The store's own tests on PostgreSQL, in place of SQLite: `python -m tests.engine.soak_postgres`.

Whatever they connect to is a database of its own at a server of its own. What is about SQLite itself (its
file, its locks) is left out; test_store_postgres.py has what each run of the tests asks of PostgreSQL.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engine.store import database

OF_STORE = (
    "drill",
    "line_sums",
    "records",
    "scorecards",
    "sharing",
    "transcripts",
    "store_keeper",
    "journal",
    "after",
)
OF_HOOKS = ("hooks/test_courier.py", "hooks/test_outbox.py")
# They hold the lock of its file themselves, or write in it.
ABOUT_SQLITE = (
    "test_while_the_store_is_locked_events_go_to_disk_at_once",
    "test_a_failing_store_is_tried_again_with_growing_patience",
    "test_between_tries_a_failing_store_is_not_asked",
    "test_with_store_and_disk_gone_events_are_held_and_written_later",
    "test_memory_that_runs_out_gives_up_events_before_records",
    "test_a_locked_store_costs_no_event_and_is_told_in_health",
    "test_with_neither_store_nor_disk_health_fails",
    "test_killed_outright_it_keeps_every_call_finished_50_ms_before",
    "test_an_answered_call_without_an_arrival_does_not_stop_recovery",
)


class OnPostgres:
    """Every path of a file of SQLite's stands for a database."""

    def __init__(self) -> None:
        self.real = database.connect
        self._made: set[str] = set()
        self._engines: list[Engine] = []
        self._url = ""

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[each for each in items if each.name in ABOUT_SQLITE])
        items[:] = [each for each in items if each.name not in ABOUT_SQLITE]

    @pytest.fixture(scope="session", autouse=True)
    def postgres(self) -> Iterator[None]:
        from tests.engine.test_store_postgres import running

        with running() as server, pytest.MonkeyPatch.context() as patch:
            self._url = server.url
            patch.setattr(database, "connect", self.connect)
            yield

    @pytest.fixture(autouse=True)
    def let_go(self) -> Iterator[None]:
        """A server has so many connections, and tests are many."""
        yield
        while self._engines:
            self._engines.pop().dispose()

    def connect(self, store_url: str, **more: Any) -> Engine:
        if not store_url.startswith("sqlite:///"):
            return self.real(store_url, **more)
        name = "t" + hashlib.sha256(store_url.encode()).hexdigest()[:20]
        if name not in self._made:
            self._made.add(name)
            admin = self.real(self._url)
            with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            admin.dispose()
        made = self.real(self._url.replace("/postgres?", f"/{name}?"), **more)
        self._engines.append(made)
        return made


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-k", default="", help="only tests of that name, as pytest's -k")
    options = parser.parse_args()
    here = Path(__file__).parent
    files = [str(here / f"test_{each}.py") for each in OF_STORE] + [str(here / each) for each in OF_HOOKS]
    only = ["-k", options.k] if options.k else []
    return pytest.main(["-q", "--timeout=600", *only, *files], [OnPostgres()])


if __name__ == "__main__":
    sys.exit(main())
