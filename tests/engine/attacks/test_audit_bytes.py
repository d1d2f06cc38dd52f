"""Somebody with the store's file at hand changes the audit log: any byte, any row, its order or its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from engine.access.audit import read_anchor
from engine.access.chain import GENESIS, Entry, Row, Verdict, detail_of, digest, verify
from tests.engine.access.stand import standing

TEXTS = ("id", "node", "who", "how", "what", "object", "outcome", "detail", "prev", "hash")
ROWS = 40
SAMPLE = (1, 2, 20, 39, 40)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose log has some rows and an anchor, and is closed."""
    folder = tmp_path_factory.mktemp("audit")
    with standing(folder) as stand:
        for number in range(ROWS - 1):
            detail = {"query": {"words": f"señor 张 {number}"}}
            stand.audit.note(
                stand.audit.entry("maria", "password", "get_record", f"records/r{number}", detail=detail)
            )
        stand.settle()
    return folder


class Thief:
    """Has the file open, and looks what the verifier says after each change, which is taken back."""

    def __init__(self, folder: Path) -> None:
        self.file = sqlite3.connect(folder / "isogloss.db", isolation_level=None)
        anchor = read_anchor(folder / "audit.anchor")
        assert anchor is not None and anchor.seq == ROWS
        self.anchors = [anchor]

    def verdict(self, *changes: tuple[str, tuple[object, ...]]) -> Verdict:
        self.file.execute("BEGIN")
        for sql, values in changes:
            assert self.file.execute(sql, values).rowcount > 0
        found = verify(self.rows(), self.anchors)
        self.file.execute("ROLLBACK")
        return found

    def rows(self) -> Iterator[Row]:
        names = ", ".join(("seq", *Entry.__struct_fields__, "prev", "hash"))
        for seq, *entry, prev, hash in self.file.execute(f"SELECT {names} FROM audit ORDER BY seq"):
            yield Row(seq, Entry(*entry), prev, hash)

    def value(self, name: str, seq: int) -> str:
        (found,) = self.file.execute(f"SELECT {name} FROM audit WHERE seq = ?", (seq,)).fetchone()
        return str(found)


@pytest.fixture(scope="module")
def thief(written: Path) -> Thief:
    return Thief(written)


def test_the_log_as_it_lies_there_is_whole(thief: Thief) -> None:
    assert thief.verdict() == Verdict(ROWS)


@pytest.mark.parametrize("name", TEXTS)
def test_every_byte_of_a_row_counts(thief: Thief, name: str) -> None:
    rng = Random(7)
    for seq in SAMPLE:
        held = thief.value(name, seq).encode()
        for at in range(len(held)):
            other = bytearray(held)
            other[at] ^= 1 << rng.randrange(8)
            text = other.decode("utf-8", "replace").replace("\0", "\1")
            if text.encode() == held or (name == "id" and text == thief.value("id", seq)):
                continue
            found = thief.verdict((f"UPDATE audit SET {name} = ? WHERE seq = ?", (text, seq)))
            assert found.bad in (seq, seq + 1), (name, seq, at)


@pytest.mark.parametrize("seq", SAMPLE)
def test_a_time_by_the_least_and_a_number_count(thief: Thief, seq: int) -> None:
    assert thief.verdict(("UPDATE audit SET at = at + 0.0001 WHERE seq = ?", (seq,))).bad == seq
    assert not thief.verdict(("UPDATE audit SET seq = -seq WHERE seq = ?", (seq,))).whole


@pytest.mark.parametrize("seq", SAMPLE)
def test_a_row_that_is_taken_out_is_missed(thief: Thief, seq: int) -> None:
    assert thief.verdict(("DELETE FROM audit WHERE seq = ?", (seq,))).bad == seq
    closed = (
        ("DELETE FROM audit WHERE seq = ?", (seq,)),
        ("UPDATE audit SET seq = -(seq - 1) WHERE seq > ?", (seq,)),
        ("UPDATE audit SET seq = -seq WHERE seq < 0", ()),
    )
    assert not thief.verdict(*(closed if seq < ROWS else closed[:1])).whole


@pytest.mark.parametrize("seq", SAMPLE[:-1])
def test_rows_that_changed_places_are_found(thief: Thief, seq: int) -> None:
    swapped = (
        ("UPDATE audit SET seq = -1 WHERE seq = ?", (seq,)),
        ("UPDATE audit SET seq = ? WHERE seq = ?", (seq, seq + 1)),
        ("UPDATE audit SET seq = ? WHERE seq = -1", (seq + 1,)),
    )
    assert thief.verdict(*swapped).bad == seq


@pytest.mark.parametrize("left", [0, 1, 20, 39])
def test_an_end_that_is_cut_off_is_missed(thief: Thief, left: int) -> None:
    assert thief.verdict(("DELETE FROM audit WHERE seq > ?", (left,))).bad == left + 1


@pytest.mark.parametrize("seq", SAMPLE)
def test_a_log_that_was_written_anew_by_the_rules_is_not_the_one_that_was_anchored(
    thief: Thief, seq: int
) -> None:
    """He knows how hashes are made, and makes right ones for all that follows."""
    changes: list[tuple[str, tuple[object, ...]]] = []
    prev = GENESIS
    for row in list(thief.rows()):
        entry = row.entry
        if row.seq == seq:
            entry = Entry(
                *(getattr(entry, name) for name in Entry.__struct_fields__[:-1]), detail_of({"other": 1})
            )
        hash = digest(row.seq, entry, prev)
        changes.append(
            (
                "UPDATE audit SET detail = ?, prev = ?, hash = ? WHERE seq = ?",
                (entry.detail, prev, hash, row.seq),
            )
        )
        prev = hash
    assert thief.verdict(*changes).bad == ROWS


def test_who_puts_a_row_in_is_found(thief: Thief) -> None:
    same = "at, node, who, how, what, object, outcome, detail, prev, hash"
    copied = f"INSERT INTO audit SELECT ?, ?, {same} FROM audit WHERE seq = ?"
    last = list(thief.rows())[-1]
    assert thief.verdict((copied, (0, "x", 1))).bad is not None
    assert thief.verdict((copied, (ROWS + 1, "x", ROWS))).bad == ROWS + 1
    assert last.seq == ROWS
