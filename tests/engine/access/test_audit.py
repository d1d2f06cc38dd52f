"""The audit log's writer: into the store, on disk while that fails, and nothing is shown where both do."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from engine.access import audit as module
from engine.access.anchor import read_anchor, write_anchor
from engine.access.chain import Anchor, Entry, verify
from engine.access.errors import AuditUnavailable
from engine.store.schema import audit
from engine.store.spill import SpillFile
from engine.views import Health
from tests.engine.access.stand import Stand, standing


@contextmanager
def locked(stand: Stand) -> Iterator[None]:
    """Another program has the store."""
    other = sqlite3.connect(stand.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full_disk(spill: SpillFile[Any]) -> Iterator[None]:
    kept = os.dup(spill._file)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, spill._file)
    os.close(full)
    try:
        yield
    finally:
        os.dup2(kept, spill._file)
        os.close(kept)


def keep(stand: Stand, *objects: str) -> None:
    """Until each is durable."""

    async def all_of() -> None:
        made = [stand.audit.entry("maria", "password", "get_record", each) for each in objects]
        await asyncio.gather(*map(stand.audit.keep, made))

    asyncio.run(all_of())


def stored(stand: Stand) -> list[str]:
    return [row.entry.object for row in stand.trail.rows() if row.entry.object]


def whole(stand: Stand) -> bool:
    anchor = read_anchor(stand.folder / "audit.anchor")
    assert anchor is not None
    return verify(stand.trail.rows(), [anchor]).whole


def test_an_entry_is_in_the_store_when_the_reader_goes_on(stand: Stand) -> None:
    keep(stand, "r1", "r2", "r3")
    assert sorted(stored(stand)) == ["r1", "r2", "r3"]
    assert whole(stand) and stand.audit.check().status is Health.OK


def test_what_is_only_noted_comes_before_what_is_kept_later(stand: Stand) -> None:
    stand.audit.note(stand.audit.entry("maria", "password", "hangup_call", "c1"))
    keep(stand, "r1")
    assert stored(stand) == ["c1", "r1"]


def test_while_the_store_fails_entries_are_on_disk_and_come_into_the_chain_later(stand: Stand) -> None:
    keep(stand, "r1")
    with locked(stand):
        keep(stand, "r2")
        keep(stand, "r3")
        assert stand.audit.check().status is Health.DEGRADED
        assert (stand.folder / "audit.spill").stat().st_size > 0
    until(stand, lambda: stand.audit.check().status is Health.OK)
    assert stored(stand) == ["r1", "r2", "r3"] and whole(stand)
    assert (stand.folder / "audit.spill").stat().st_size == 0


def until(stand: Stand, true: Any) -> None:
    pause = threading.Event()  # the store is tried again by a clock of the writer's own
    for _ in range(1000):
        if true():
            return
        stand.settle()
        pause.wait(0.01)
    raise AssertionError("it never came to be")


def test_where_neither_store_nor_disk_takes_entries_nothing_is_shown(stand: Stand) -> None:
    with locked(stand), full_disk(stand.audit._spill):
        with pytest.raises(AuditUnavailable):
            keep(stand, "r1")
        stand.audit.note(stand.audit.entry("maria", "password", "hangup_call", "c1"))
        with pytest.raises(AuditUnavailable):
            keep(stand, "r2")
        assert stand.audit.check().status is Health.FAILING
    until(stand, lambda: stand.audit.check().status is Health.OK)
    assert stored(stand) == ["c1"]  # what was not shown was not read
    assert stand.audit.lost == 0


def test_what_finds_no_room_is_counted_as_lost_and_no_read_goes_unseen(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT", 0)
    stand.audit.note(stand.audit.entry("maria", "password", "hangup_call", "c1"))
    with pytest.raises(AuditUnavailable):
        keep(stand, "r1")
    assert stand.audit.lost == 1 and "1 entries lost" in stand.audit.check().detail


def test_an_earlier_lifes_entries_come_in_once_though_they_were_written_before(tmp_path: Any) -> None:
    with standing(tmp_path) as stand:
        entries = [stand.audit.entry("maria", "password", "get_record", f"r{each}") for each in range(3)]
        stand.trail.append(entries[:2])
    spill = SpillFile(tmp_path / "audit.spill", type(entries[0]))
    spill.append(entries)
    spill.close()
    with standing(tmp_path) as stand:
        stand.settle()
        assert stored(stand) == ["r0", "r1", "r2"] and whole(stand)


def test_two_nodes_of_one_store_write_one_chain(stand: Stand, tmp_path: Any) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "isogloss.db").symlink_to(stand.file)
    with standing(other) as second:
        for number in range(8):
            keep(stand if number % 2 else second, f"r{number}")
        assert len(stored(stand)) == 8 and whole(stand)
        assert verify(second.trail.rows()).whole


def cut_off(stand: Stand, after: int) -> list[Any]:
    """The rows behind this one, which are gone then."""
    with stand.engine.begin() as connection:
        gone = connection.execute(select(audit).where(audit.c.seq > after)).all()
        connection.execute(delete(audit).where(audit.c.seq > after))
    return gone


def told(stand: Stand) -> tuple[Health, str]:
    check = stand.access.check()
    return check.status, check.detail


def test_a_log_that_was_cut_off_is_told_at_the_next_row_which_does_not_cover_the_gap(stand: Stand) -> None:
    keep(stand, *(f"r{number}" for number in range(6)))
    gone = cut_off(stand, 4)
    (stand.folder / "audit.anchor").unlink()
    for _ in range(5):
        keep(stand, "later")
        status, words = told(stand)
        assert status is Health.DEGRADED and words.startswith("it is not whole: row 6 is gone"), words
    kept = read_anchor(stand.folder / "audit.anchor")
    assert kept == stand.audit.newest and kept is not None and kept.seq == 6
    cut_off(stand, 4)
    with stand.engine.begin() as connection:
        connection.execute(insert(audit), [row._asdict() for row in gone])
    keep(stand, "later")
    assert told(stand) == (Health.OK, "") and stand.audit.newest.seq == 7 and whole(stand)


def test_what_was_cut_off_while_the_node_was_stopped_is_told_as_well(tmp_path: Path) -> None:
    with standing(tmp_path) as stand:
        keep(stand, "r0", "r1", "r2")
    with standing(tmp_path) as stand:
        cut_off(stand, 1)
        keep(stand, "r3")
        assert told(stand)[1].startswith("it is not whole: row 3 is gone")


@pytest.mark.parametrize("left", [None, b"{}"])
def test_an_anchor_that_is_gone_at_the_start_is_told_until_the_next(
    tmp_path: Path, left: bytes | None
) -> None:
    with standing(tmp_path) as stand:
        keep(stand, "r0", "r1")
        assert told(stand) == (Health.OK, "")
    (tmp_path / "audit.anchor").unlink()
    if left is not None:
        (tmp_path / "audit.anchor").write_bytes(left)
    with standing(tmp_path) as stand:
        keep(stand, "r2")
        status, words = told(stand)
        assert status is Health.DEGRADED and "at the start" in words
    with standing(tmp_path) as stand:
        keep(stand, "r3")
        assert told(stand) == (Health.OK, "")


def test_a_node_of_which_others_and_the_command_line_alone_wrote_has_no_anchor(stand: Stand) -> None:
    others = [
        Entry("1", 1.0, "n2", "maria", "password", "get_record", "records/r1", "done"),
        Entry("2", 2.0, "n1", "root", "command", "create_user", "users/maria", "done"),
    ]
    stand.trail.append(others)
    keep(stand, "r0")
    assert told(stand) == (Health.OK, "") and whole(stand)


def test_closing_writes_what_waits(tmp_path: Any) -> None:
    with standing(tmp_path) as stand:
        for number in range(30):
            stand.audit.note(stand.audit.entry("maria", "password", "hangup_call", f"c{number}"))
    with standing(tmp_path) as stand:
        assert len(stored(stand)) == 30 and whole(stand)


def test_texts_that_no_database_keeps_are_hashed_as_they_are_kept(stand: Stand) -> None:
    keep(stand, "a\0b\ud800 \u2028")
    assert stored(stand) == ["a\ufffdb? \u2028"] and whole(stand)


def test_a_list_that_is_asked_again_is_told_of_once_a_minute(stand: Stand) -> None:
    log = stand.audit
    assert not log.again("maria list_calls", 0.0) and not log.again("maria list_calls", 0.0)
    log.listed("maria list_calls", 0.0)  # the log has it
    assert log.again("maria list_calls", 59.0)
    assert not log.again("maria list_records", 59.0)
    assert not log.again("maria list_calls", 60.0)


def test_an_anchor_is_read_as_it_was_written_or_not_at_all(tmp_path: Any) -> None:
    file = tmp_path / "audit.anchor"
    assert read_anchor(file) is None
    write_anchor(file, Anchor(7, "ab", 1.5))
    assert read_anchor(file) == Anchor(7, "ab", 1.5)
    assert file.stat().st_mode & 0o077 == 0
    given = ("{'row': 7}", "[1]", "9", '{"row": 7, "hash": 1, "at": 2}', "[" * 100_000)
    rows = ('"7"', "0", "-1", "7.0", "true", "null", "1e999", "NaN", str(2**63))
    given += tuple(f'{{"row": {row}, "hash": "ab", "at": 1.5}}' for row in rows)
    given += tuple(f'{{"row": 7, "hash": "ab", "at": {at}}}' for at in ('"x"', "1e999", "NaN", "true"))
    for broken in (b"", b"{}", b"\xff", *map(str.encode, given)):
        file.write_bytes(broken)
        with pytest.raises(ValueError):
            read_anchor(file)
