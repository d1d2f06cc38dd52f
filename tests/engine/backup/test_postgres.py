"""The same of a store in PostgreSQL, where Debian's postgresql is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from config.schema import Config
from config.secret import Secret
from engine.backup import store, writing
from engine.backup.fault import BackupFault, Broken
from engine.backup.restoring import Restored, check, restore
from engine.journal import Journal
from engine.store import database
from tests.engine.backup.stand import House
from tests.engine.store_samples import T0, ended, record, talk
from tests.engine.test_store_postgres import Server
from tests.engine.test_store_postgres import server as server

PASSPHRASE = "correct horse battery staple"


def made_in(server: Server, name: str) -> str:
    """A database of its own; its URL."""
    engine = database.connect(server.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.url.replace("/postgres?", f"/{name}?")


def configured(house: House, url: str) -> Config:
    config = house.config()
    return replace(config, store=replace(config.store, url=Secret("env:STORE", url)))


def put(file: Path, into: Path, url: str, *, force: bool = False) -> Restored:
    return restore(
        file, lambda: PASSPHRASE, into=into, store_url=url, stamp="s", force=force, tell=lambda *_: None
    )


def test_a_store_of_postgresql_comes_back_in_another_database(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.backup.archive._secret", lambda secret, salt: f"{secret} {salt}".ljust(32))
    house = House(tmp_path)
    here, there = made_in(server, "here"), made_in(server, "there")
    house.live(here)
    made = writing.write(configured(house, here), tmp_path / "b", now=T0, passphrase=PASSPHRASE)
    assert made.header.store == "postgresql" and "environment variable STORE" in made.header.needs
    assert check(tmp_path / "b", lambda: PASSPHRASE, lambda *_: None).audit is None
    with Journal(there, "n9", spill=tmp_path / "n9") as busy:
        with pytest.raises(
            BackupFault, match="others are connected to the store's database; stop every node"
        ):
            put(tmp_path / "b", tmp_path / "new", there)
        busy.finish(ended("c9"), record("c9"))
        busy.flush()
    with pytest.raises(BackupFault, match="has tables already; --force"):
        put(tmp_path / "b", tmp_path / "new", there)
    assert not (tmp_path / "new").exists()
    found = put(tmp_path / "b", tmp_path / "new", there, force=True)
    assert found.audit is not None and (found.audit.whole, found.audit.rows) == (True, 5)
    with Journal(there, "n1", spill=tmp_path / "n1") as journal:
        assert [each.event() for each in journal.events("c1")] == [*talk("c1"), ended("c1")]
        assert journal.record("c9") is None
        assert journal.accounts.user("maria") is not None
    assert (tmp_path / "new" / "data" / "secrets" / "api" / "operator").is_file()


def test_a_password_is_shown_to_nobody(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >{seen}\nenv | grep PGPASSWORD >>{seen}\necho no such host >&2\nexit 3\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(BackupFault, match="pg_dump failed: no such host"):
        store.dump_postgres(
            "postgresql://isogloss:hunter2@db.example.com/calls?sslmode=require", tmp_path / "d"
        )
    words, environment = seen.read_text().splitlines()
    assert "hunter2" not in words and environment == "PGPASSWORD=hunter2"
    assert "postgresql://isogloss@db.example.com/calls?sslmode=require" in words


def test_programs_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))
    with pytest.raises(BackupFault, match="pg_dump is not installed; apt-get install postgresql-client"):
        store.dump_postgres("postgresql://u@h/d", tmp_path / "d")


def test_a_dump_that_is_none_is_broken(tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"PGDMP nonsense")
    with pytest.raises(Broken):
        store.check_postgres(tmp_path / "d")
