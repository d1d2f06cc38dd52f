"""`isogloss users`, on a store of its own."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.access.desk import AccessDesk
from tests.engine.access.stand import run, standing
from tests.engine.command.stand import Shell


def said(data: Path, shell: Shell, *words: str) -> tuple[int, str]:
    done = shell(*words, "--data", data)
    return done.status, done.out + done.err


def told(data: Path, shell: Shell, *words: str) -> Any:
    return shell(*words, "--data", data, "--json").json


def signs_in(data: Path, name: str, password: str) -> str:
    with standing(data) as stand:
        real = AccessDesk(stand.accounts, stand.audit)  # passwords at their full cost
        return run(real.login(name, password, "", "192.0.2.7")).principal.who


def test_who_is_made_signs_in_with_the_password_that_was_printed_once(data: Path, shell: Shell) -> None:
    made = told(
        data, shell, "users", "add", "maria", "--role", "supervisor", "--market", "de", "--market", "us"
    )
    assert (made["role"], made["markets"]) == ("supervisor", ["de", "us"])
    assert signs_in(data, "maria", made["password"]) == "maria"
    status, text = said(data, shell, "users", "list")
    assert status == 0 and text.splitlines()[1].split() == ["maria", "supervisor", "de,", "us", "all"]
    assert "argon2" not in json.dumps(told(data, shell, "users", "list"))
    with standing(data) as stand:
        assert stand.told()[0][1:] == ("create_user", "done")


def test_a_user_of_the_machine_without_a_name_is_told_by_number(
    data: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as in a container under any number
    assert said(data, shell, "users", "add", "maria", "--role", "admin")[0] == 0
    with standing(data) as stand:
        assert stand.told()[0] == (f"uid {os.getuid()}", "create_user", "done")


def test_a_password_may_be_typed(data: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse staple\n"))
    status, text = said(data, shell, "users", "add", "maria", "--role", "admin", "--ask")
    assert (status, text) == (0, "maria may sign in as admin.\n")
    assert signs_in(data, "maria", "correct horse staple") == "maria"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    status, text = said(data, shell, "users", "passwd", "maria", "--ask")
    assert status == 2 and "12 to 256 characters" in text


def test_passwords_are_set_people_shut_out_and_second_factors_taken_away(data: Path, shell: Shell) -> None:
    with standing(data) as stand:
        stand.user("maria", totp="JBSWY3DPEHPK3PXP", totp_on=True)
        stand.user("admin")
    assert told(data, shell, "users", "totp-reset", "maria")["totp_on"] is False
    password = told(data, shell, "users", "passwd", "maria")["password"]
    assert signs_in(data, "maria", password) == "maria"
    assert told(data, shell, "users", "disable", "maria")["disabled"] is True
    assert "shut out" in said(data, shell, "users", "list")[1]
    assert told(data, shell, "users", "disable", "maria", "--end")["disabled"] is False


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
def test_what_cannot_be_done_is_said(data: Path, shell: Shell, words: tuple[str, ...], why: str) -> None:
    with standing(data) as stand:
        stand.user("admin")
    status, text = said(data, shell, "users", *words)
    assert status == 2 and text.startswith(f"isogloss users {words[0]}: ") and why in text
