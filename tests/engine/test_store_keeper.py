"""What becomes of events when the store, and then the disk, fail: on a virtual clock, with real locks and
full disks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, select, text

from engine.events import Event
from engine.store import database, migrate, schema
from engine.store.keeper import LAST_RETRY_S, Item, Keeper, Keeping
from engine.store.records import Records
from engine.store.rows import Line
from engine.store.sink import Sink
from engine.store.spill import Spill
from tests.engine.store_samples import NODE, arrived, ended, full_disk, record, talk


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    return engine


@pytest.fixture
def keeper(engine: Engine, tmp_path: Path) -> Iterator[Keeper]:
    keeper = make(engine, tmp_path / "journal.spill")
    yield keeper
    keeper.close()


def make(engine: Engine, spill: Path, hold: int = 1000) -> Keeper:
    keeper = Keeper(Sink(engine), Spill(spill), NODE, hold=hold)
    keeper.begin()
    return keeper


def items(*events: Event) -> list[Item]:
    return [(event, None) for event in events]


def whole(call: str) -> list[Item]:
    return [*items(*talk(call)), (ended(call), record(call))]


def seqs(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(select(schema.journal.c.seq).order_by(schema.journal.c.seq)).scalars())


@contextmanager
def locked(tmp_path: Path) -> Iterator[None]:
    """Another program holds the database's write lock."""
    other = sqlite3.connect(tmp_path / "isogloss.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_events_are_numbered_in_the_order_they_were_kept(keeper: Keeper, engine: Engine) -> None:
    keeper.keep(items(*talk("c1")), 0.0)
    keeper.keep(items(*talk("c2")), 1.0)
    assert seqs(engine) == list(range(1, 15))


def test_numbers_go_on_after_a_restart(keeper: Keeper, engine: Engine, tmp_path: Path) -> None:
    keeper.keep(items(arrived()), 0.0)
    keeper.close()
    again = make(engine, tmp_path / "journal.spill")
    again.keep(items(ended()), 0.0)
    again.close()
    assert seqs(engine) == [1, 2]


def test_while_the_store_is_locked_events_go_to_disk_at_once(
    keeper: Keeper, engine: Engine, tmp_path: Path
) -> None:
    with locked(tmp_path):
        keeper.keep(whole("c1"), 0.0)
        assert keeper.keeping is Keeping.SPILLED
        assert keeper.held == 0 and keeper.spilled_bytes > 0
    assert "locked" in keeper.fault
    assert seqs(engine) == []


def test_the_store_gets_what_was_spilled_before_anything_newer(
    keeper: Keeper, engine: Engine, tmp_path: Path
) -> None:
    with locked(tmp_path):
        keeper.keep(items(*talk("c1")), 0.0)
    keeper.keep([(ended("c1"), record("c1"))], 10.0)
    assert keeper.keeping is Keeping.STORED and keeper.fault == ""
    assert [entry.kind for entry in Records(engine).entries("c1")][-2:] == ["call.resumed", "call.ended"]
    assert Records(engine).get("c1") == record("c1")
    assert Records(engine).open_calls(NODE) == []


def test_a_failing_store_is_tried_again_with_growing_patience(keeper: Keeper, tmp_path: Path) -> None:
    tried = []
    with locked(tmp_path):
        now = 0.0
        for _ in range(9):
            keeper.keep(items(arrived(f"c{now}")), now)
            tried.append(keeper._retry_at - now)
            now = keeper._retry_at
    assert tried == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LAST_RETRY_S, LAST_RETRY_S])


def test_between_tries_a_failing_store_is_not_asked(keeper: Keeper, engine: Engine, tmp_path: Path) -> None:
    with locked(tmp_path):
        keeper.keep(items(arrived("c1")), 0.0)
    keeper.keep(items(arrived("c2")), 0.01)
    assert seqs(engine) == [] and keeper.keeping is Keeping.SPILLED
    keeper.retry(0.02)
    assert seqs(engine) == []
    keeper.retry(1.0)
    assert seqs(engine) == [1, 2] and keeper.keeping is Keeping.STORED


def test_what_an_earlier_life_spilled_is_stored_at_start(
    keeper: Keeper, engine: Engine, tmp_path: Path
) -> None:
    with locked(tmp_path):
        keeper.keep(whole("c1"), 0.0)
        keeper.close()
    again = make(engine, tmp_path / "journal.spill")
    again.keep(items(arrived("c2")), 0.0)
    again.close()
    assert seqs(engine) == list(range(1, 10))
    assert Records(engine).get("c1") == record("c1")


def test_lines_spilled_and_stored_both_are_there_once(keeper: Keeper, engine: Engine, tmp_path: Path) -> None:
    """A crash between the commit of spilled lines and the emptying of the file."""
    with locked(tmp_path):
        keeper.keep(whole("c1"), 0.0)
    copy = (tmp_path / "journal.spill").read_bytes()
    keeper.retry(10.0)
    keeper.close()
    (tmp_path / "journal.spill").write_bytes(copy)
    make(engine, tmp_path / "journal.spill").close()
    assert seqs(engine) == list(range(1, 9))
    assert Records(engine).open_calls(NODE) == []


def test_with_store_and_disk_gone_events_are_held_and_written_later(engine: Engine, tmp_path: Path) -> None:
    keeper = make(engine, tmp_path / "journal.spill")
    with locked(tmp_path), full_disk(keeper._spill):
        keeper.keep(whole("c1"), 0.0)
        assert keeper.keeping is Keeping.HELD and keeper.held == 8
    keeper.keep(whole("c2"), 10.0)
    assert keeper.keeping is Keeping.STORED and keeper.lost == 0
    assert seqs(engine) == list(range(1, 17))


def test_memory_that_runs_out_gives_up_events_before_records(engine: Engine, tmp_path: Path) -> None:
    keeper = make(engine, tmp_path / "journal.spill", hold=3)
    with locked(tmp_path), full_disk(keeper._spill):
        for call in ("c1", "c2", "c3"):
            keeper.keep(whole(call), 0.0)
        assert keeper.held == 3 and keeper.lost == 21
        keeper.keep(whole("c4"), 0.0)
    keeper.retry(10.0)
    assert keeper.lost == 29
    assert [item.call for item in Records(engine).page().items] == ["c4", "c3", "c2"]


def test_one_bad_row_does_not_hold_up_the_rest(keeper: Keeper, engine: Engine, tmp_path: Path) -> None:
    nameless = replace(record("c2"), number=None)  # type: ignore[arg-type]
    keeper.keep([*whole("c1"), (ended("c2"), nameless), *whole("c3")], 0.0)
    assert keeper.keeping is Keeping.STORED and keeper.refused == 1
    assert len(seqs(engine)) == 16
    set_aside = (tmp_path / "journal.refused").read_bytes()
    assert msgspec.json.decode(set_aside, type=Line).call == "c2"


def test_a_bad_row_among_spilled_lines_does_not_stop_the_import(
    keeper: Keeper, engine: Engine, tmp_path: Path
) -> None:
    with locked(tmp_path):
        keeper.keep([(ended("c1"), replace(record("c1"), queue=None)), *whole("c2")], 0.0)  # type: ignore[arg-type]
    keeper.retry(10.0)
    assert keeper.keeping is Keeping.STORED and keeper.refused == 1
    assert len(seqs(engine)) == 8


def test_a_value_that_no_json_has_costs_its_event_alone(keeper: Keeper, engine: Engine) -> None:
    keeper.keep(items(arrived("c1", language=object()), arrived("c2")), 0.0)
    assert keeper.refused == 1 and seqs(engine) == [1]


def test_a_store_without_its_tables_is_a_failing_store_not_a_bad_row(keeper: Keeper, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE journal RENAME TO elsewhere"))
    keeper.keep(whole("c1"), 0.0)
    assert keeper.keeping is Keeping.SPILLED and keeper.refused == 0
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO journal"))
    keeper.retry(10.0)
    assert keeper.keeping is Keeping.STORED and len(seqs(engine)) == 8


def test_a_stranger_who_writes_as_this_node_costs_no_event(
    keeper: Keeper, engine: Engine, tmp_path: Path
) -> None:
    stranger = make(engine, tmp_path / "elsewhere.spill")
    stranger.keep(whole("theirs"), 0.0)
    stranger.close()
    keeper.keep(whole("ours"), 0.0)
    keeper.keep(whole("ours too"), 1.0)
    assert keeper.refused == 0
    assert seqs(engine) == list(range(1, 25))


def test_the_first_record_of_a_call_stands(keeper: Keeper, engine: Engine) -> None:
    keeper.keep(whole("c1"), 0.0)
    keeper.keep([(ended("c1"), record("c1", agent="mallory"))], 0.0)
    kept = Records(engine).get("c1")
    assert kept is not None and kept.agent == "alice"
