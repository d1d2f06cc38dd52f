"""The store's tables and how they come to be."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from engine.events import CallRecord
from engine.store import database, migrate, schema
from engine.store.errors import StoreTooNew, StoreUnavailable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = database.connect(f"sqlite:///{tmp_path}/a folder with 100%/isogloss.db")
    migrate.upgrade(engine)
    return engine


def test_the_migrations_make_exactly_the_tables_the_code_uses(engine: Engine) -> None:
    with engine.connect() as connection:
        assert (
            compare_metadata(
                MigrationContext.configure(connection, opts={"include_name": schema.modelled}),
                schema.metadata,
            )
            == []
        )


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        before = migrate.current(connection)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.current(connection) == before


def test_a_store_of_a_later_release_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(StoreTooNew) as caught:
        migrate.upgrade(engine)
    assert "release" in caught.value.remedy


def test_the_migrations_can_be_taken_back(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(migrate.configuration(connection), "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}


def test_a_call_record_has_a_column_for_each_of_its_fields() -> None:
    assert [column.name for column in schema.call_records.columns] == [
        item.name for item in fields(CallRecord)
    ]


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    assert stat.S_IMODE((tmp_path / "isogloss.db").stat().st_mode) == 0o600


LOOK = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute("SELECT count(*) FROM sqlite_master").fetchone()
store.close()
"""


def test_a_program_that_looks_at_it_takes_no_wal_away(engine: Engine, tmp_path: Path) -> None:
    file = Path(engine.url.database or "")
    wal = file.with_name(f"{file.name}-wal")
    with engine.connect() as connection:  # as a node has some open when it opens the store once more
        connection.execute(text("SELECT count(*) FROM journal"))
        again = database.connect(f"sqlite:///{file}")
        before = wal.stat().st_ino
        subprocess.run([sys.executable, "-c", LOOK, str(file)], check=True, timeout=30)
        assert wal.exists() and wal.stat().st_ino == before
        again.dispose()


def test_readers_do_not_wait_for_the_writer(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "no url at all", "postgresql+nothing://h/n ame"],
)
def test_a_store_that_cannot_be_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(database.UnfitStore) as caught:
        database.parse("mysql://h/n" if url.startswith("postgresql") else url)
    assert "sqlite:" in caught.value.remedy


def test_a_password_in_a_url_is_in_no_error() -> None:
    with pytest.raises(database.UnfitStore) as caught:
        database.parse("oracle://joe:hunter2@host/name")
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable_not_broken() -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver psycopg is not installed")
    engine = database.connect("postgresql://isogloss@127.0.0.1:1/isogloss")
    with pytest.raises(StoreUnavailable):
        migrate.upgrade(engine)


PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from engine.store import database, migrate
engine = database.connect("sqlite:///" + sys.argv[2])
migrate.upgrade(engine)
with engine.connect() as connection:
    print(json.dumps([migrate.__file__, migrate.current(connection)]))
"""


def test_the_migrations_run_from_a_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed, so no wheel can be built")
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    tree = next((tmp_path / "site").rglob("_tree"))
    out = subprocess.run(
        [sys.executable, "-P", "-c", PROBE, str(tree), str(tmp_path / "wheel.db")],
        capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path,
    ).stdout  # fmt: skip
    file, revision = json.loads(out)
    assert file.startswith(str(tree))
    assert revision == "r0015"
