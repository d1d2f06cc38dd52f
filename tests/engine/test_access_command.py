"""`isogloss users` and `isogloss audit verify`, on a store of their own."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine.access.audit import write_anchor
from engine.access.chain import Anchor
from engine.access.desk import AccessDesk
from engine.access_command import Books, proof
from engine.cli import main
from engine.store import database
from engine.store.accounts import Accounts
from engine.store.trail import Trail
from tests.engine.access.stand import Stand, run, standing

Out = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for data whose store is there already, for the tables take their time."""
    with standing(tmp_path):
        return tmp_path


def said(data: Path, out: Out, *words: str) -> tuple[int, str]:
    out.readouterr()
    status = main([*words, "--data", str(data)])
    captured = out.readouterr()
    return status, captured.out + captured.err


def told(data: Path, out: Out, *words: str) -> Any:
    status, text = said(data, out, *words, "--json")
    assert status == 0, text
    return json.loads(text)


def signs_in(data: Path, name: str, password: str) -> str:
    with standing(data) as stand:
        real = AccessDesk(stand.accounts, stand.audit)  # passwords at their full cost
        return run(real.login(name, password, "", "192.0.2.7")).principal.who


def test_who_is_made_signs_in_with_the_password_that_was_printed_once(data: Path, capsys: Out) -> None:
    made = told(
        data, capsys, "users", "add", "maria", "--role", "supervisor", "--market", "de", "--market", "us"
    )
    assert (made["role"], made["markets"]) == ("supervisor", ["de", "us"])
    assert signs_in(data, "maria", made["password"]) == "maria"
    status, text = said(data, capsys, "users", "list")
    assert status == 0 and text == "maria                supervisor markets: de, us\n"
    assert "argon2" not in json.dumps(told(data, capsys, "users", "list"))
    with standing(data) as stand:
        assert stand.told()[0][1:] == ("create_user", "done")


def test_a_password_may_be_typed(data: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse staple\n"))
    status, text = said(data, capsys, "users", "add", "maria", "--role", "admin", "--ask")
    assert (status, text) == (0, "maria may sign in as admin.\n")
    assert signs_in(data, "maria", "correct horse staple") == "maria"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    status, text = said(data, capsys, "users", "passwd", "maria", "--ask")
    assert status == 2 and "12 to 256 characters" in text


def test_passwords_are_set_people_shut_out_and_second_factors_taken_away(data: Path, capsys: Out) -> None:
    with standing(data) as stand:
        stand.user("maria", totp="JBSWY3DPEHPK3PXP", totp_on=True)
        stand.user("admin")
    assert told(data, capsys, "users", "totp-reset", "maria")["totp_on"] is False
    password = told(data, capsys, "users", "passwd", "maria")["password"]
    assert signs_in(data, "maria", password) == "maria"
    assert told(data, capsys, "users", "disable", "maria")["disabled"] is True
    assert "shut out" in said(data, capsys, "users", "list")[1]
    assert told(data, capsys, "users", "disable", "maria", "--end")["disabled"] is False


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "admin", "--role", "agent"), "already"),
        (("add", "No Name", "--role", "agent"), "a name has"),
        (("passwd", "nobody"), "no user"),
        (("disable", "admin"), "last administrator"),
        (("totp-reset", "nobody"), "no user"),
    ],
)
def test_what_cannot_be_done_is_said(data: Path, capsys: Out, words: tuple[str, ...], why: str) -> None:
    with standing(data) as stand:
        stand.user("admin")
    status, text = said(data, capsys, "users", *words)
    assert status == 2 and text.startswith("isogloss users: ") and why in text


# --- the audit log ------------------------------------------------------------------------------------


def fill(stand: Stand, count: int) -> None:
    for number in range(count):
        stand.audit.note(stand.audit.entry("maria", "password", "get_record", f"records/r{number}"))
    stand.settle()


def proved(data: Path) -> Any:
    """What the command would say, without its reading the configuration each time."""
    engine = database.connect(f"sqlite:///{data}/isogloss.db")
    try:
        return proof(Books(Accounts(engine), Trail(engine), "n1", data))
    finally:
        engine.dispose()


@pytest.fixture
def log(data: Path) -> Path:
    with standing(data) as stand:
        fill(stand, 9)  # and one more, by which it is known that they are written
    return data


def test_a_log_that_is_whole_is_said_to_be(log: Path, capsys: Out) -> None:
    assert said(log, capsys, "audit", "verify") == (
        0,
        "The audit log is whole: 10 rows, anchored at row 10.\n",
    )
    assert told(log, capsys, "audit", "verify") == {
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
    assert not found["whole"] and (found["first_bad"], why in found["why"]) == (bad, True)


def test_a_log_that_is_not_whole_is_said_not_to_be(log: Path, capsys: Out) -> None:
    with sqlite3.connect(log / "isogloss.db") as raw:
        raw.execute("UPDATE audit SET who = 'nobody' WHERE seq = 4")
    text = "The audit log is not whole: row 4 was changed. 3 rows before it are right.\n"
    assert said(log, capsys, "audit", "verify") == (1, text)


def test_an_anchor_that_was_changed_is_found_too(log: Path) -> None:
    file = log / "audit.anchor"
    good = file.read_bytes()
    for at in range(len(good)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        proves_nothing = b'"at": ' in good[:at]  # when it was anchored
        assert proves_nothing or not proved(log)["whole"], at
    write_anchor(file, Anchor(11, "0" * 64, 0.0))
    assert proved(log)["first_bad"] == 11


def test_entries_that_wait_on_disk_are_told_of(log: Path, capsys: Out) -> None:
    (log / "audit.spill").write_text("[]\n")
    assert "wait on disk" in said(log, capsys, "audit", "verify")[1]
