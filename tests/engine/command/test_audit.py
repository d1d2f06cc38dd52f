"""`isogloss audit verify`: whatever was done to the log is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.access.anchor import write_anchor
from engine.access.chain import Anchor
from engine.access.proof import Proof, proof, told
from engine.store import database
from engine.store.trail import Trail
from tests.engine.access.stand import Stand, standing
from tests.engine.command.stand import Shell


def said(data: Path, shell: Shell, *words: str) -> tuple[int, str]:
    done = shell(*words, "--data", data)
    return done.status, done.out + done.err


def fill(stand: Stand, count: int) -> None:
    for number in range(count):
        stand.audit.note(stand.audit.entry("maria", "password", "get_record", f"records/r{number}"))
    stand.settle()


def proved(data: Path) -> Proof:
    """What the command would say, without its reading the configuration each time."""
    engine = database.connect(f"sqlite:///{data}/isogloss.db")
    try:
        return proof(Trail(engine), data, "n1")
    finally:
        engine.dispose()


@pytest.fixture
def log(data: Path) -> Path:
    with standing(data) as stand:
        fill(stand, 9)  # and one more, by which it is known that they are written
    return data


def test_a_log_that_is_whole_is_said_to_be(log: Path, shell: Shell) -> None:
    assert said(log, shell, "audit", "verify") == (
        0,
        "The audit log is whole: 10 rows, anchored at row 10.\n",
    )
    assert shell("audit", "verify", "--data", log, "--json").json == {
        "whole": True,
        "rows": 10,
        "first_bad": None,
        "why": "",
        "anchored": 10,
        "spilled_bytes": 0,
    }


TAMPERED = [
    ("UPDATE audit SET who = 'nobody' WHERE seq = 4", 4, "was changed"),
    ("UPDATE audit SET at = at + 0.000001 WHERE seq = 1", 1, "was changed"),
    ("UPDATE audit SET detail = '{ }' WHERE seq = 10", 10, "was changed"),
    ("UPDATE audit SET hash = upper(hash) WHERE seq = 5", 5, "was changed"),
    ("UPDATE audit SET prev = upper(prev) WHERE seq = 5", 5, "does not follow"),
    ("DELETE FROM audit WHERE seq = 6", 6, "is missing"),
    ("DELETE FROM audit WHERE seq = 1", 1, "is missing"),
    ("DELETE FROM audit WHERE seq > 7", 8, "cut off"),
    ("DELETE FROM audit", 1, "cut off"),
    ("UPDATE audit SET seq = -seq WHERE seq = 3", -3, "twice"),
    (
        "INSERT INTO audit SELECT 11, 'x', at, node, who, how, what, object, outcome, detail, prev, hash "
        "FROM audit WHERE seq = 10",
        11,
        "does not follow",
    ),
    (
        "UPDATE audit SET seq = 99 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; "
        "UPDATE audit SET seq = 5 WHERE seq = 99",
        4,
        "does not follow",
    ),
]


@pytest.mark.parametrize(("script", "bad", "why"), TAMPERED)
def test_whatever_was_done_to_it_is_found_at_the_first_row(
    log: Path, script: str, bad: int, why: str
) -> None:
    with sqlite3.connect(log / "isogloss.db") as raw:
        raw.executescript(script)
    found = proved(log)
    assert not found.whole and (found.first_bad, why in found.why) == (bad, True)


def test_a_log_that_is_not_whole_is_said_not_to_be(log: Path, shell: Shell) -> None:
    with sqlite3.connect(log / "isogloss.db") as raw:
        raw.execute("UPDATE audit SET who = 'nobody' WHERE seq = 4")
    text = "The audit log is not whole: row 4 was changed. 3 rows before it are right.\n"
    assert said(log, shell, "audit", "verify") == (1, text)


def test_an_anchor_that_was_changed_is_found_too(log: Path) -> None:
    file = log / "audit.anchor"
    good = file.read_bytes()
    for at in range(len(good)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        proves_nothing = b'"at": ' in good[:at]  # when it was anchored
        assert proves_nothing or not proved(log).whole, at
    write_anchor(file, Anchor(11, "0" * 64, 0.0))
    assert proved(log).first_bad == 11


def test_an_anchor_that_was_removed_is_missed_where_the_node_has_written(log: Path, shell: Shell) -> None:
    with sqlite3.connect(log / "isogloss.db") as raw:
        raw.execute("DELETE FROM audit WHERE seq > 4")
    (log / "audit.anchor").unlink()
    found = proved(log)
    assert (found.whole, found.first_bad, found.rows, found.anchored) == (False, 0, 4, None)
    assert "the anchor is missing" in told(found) and "4 rows follow one another" in told(found)


def test_rows_of_the_command_line_need_no_anchor(data: Path, shell: Shell) -> None:
    assert shell("users", "add", "maria", "--role", "admin", "--data", data).status == 0
    text = "The audit log is whole: 1 rows, anchored nowhere on this machine.\n"
    assert said(data, shell, "audit", "verify") == (0, text)


def test_entries_that_wait_on_disk_are_told_of(log: Path, shell: Shell) -> None:
    (log / "audit.spill").write_text("[]\n")
    assert "wait on disk" in said(log, shell, "audit", "verify")[1]
