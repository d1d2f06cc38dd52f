"""Commands on a configuration where no node answers; with one: tests/interop/test_reload.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.running import Address, Running
from tests.engine.operating_stand import Stand, shipped


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """A folder of files and what was kept when a node ran from it, which runs no more."""
    return Stand(shipped(tmp_path / "config"), tmp_path / "data")


def run(stand: Stand, command: str, *more: str) -> int:
    nowhere = ["--api", "http://127.0.0.1:9"]
    return main([command, *more, "--config", str(stand.folder), "--data", str(stand.data), *nowhere])


def test_a_plan_without_a_node_compares_with_the_version_that_ran(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", "a token that nobody asks for")
    stand.line("telecom-a", "max_calls: 30")
    stand.again()
    stand.line("telecom-a", "max_calls: 60")
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.edit("api.yaml", "port: 8080", "port: 8081")
    assert run(stand, "plan") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "What these files change, from version 2:",
        "At once, calls in progress included:",
        "  queue support: ring_timeout_s: 20 → 25",
        "With the next call:",
        "  line telecom-a: up to 60 calls instead of 30",
        "After a restart:",
        "  api.port: 8080 → 8081",
    ]
    assert "no node answers at http://127.0.0.1:9" in said.err


def test_a_plan_may_be_made_since_any_version(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    for seconds in (21, 22):
        stand.edit("queues.yaml", f"ring_timeout_s: {seconds - 1}", f"ring_timeout_s: {seconds}")
        stand.again()
    assert run(stand, "plan", "--since", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["words"] for each in told["changes"]] == ["queue support: ring_timeout_s: 20 → 22"]
    assert run(stand, "plan", "--since", "3") == 0
    assert capsys.readouterr().out == "Version 3 has all that these files say.\n"
    assert run(stand, "plan", "--since", "9") == 2
    assert "no version 9 is kept" in capsys.readouterr().err


def test_a_plan_that_would_be_refused_says_so_by_its_status(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", "a token that nobody asks for")
    stand.line("telecom-a")
    stand.again()
    (stand.folder / "lines" / "telecom-a.yaml").unlink()
    assert run(stand, "plan") == 1
    said = capsys.readouterr().out
    assert "Refused without --force:\n  all numbers outside would have no line any more\n" in said


@pytest.mark.parametrize("command", ["plan", "check"])
def test_faults_are_named_before_anybody_is_asked(
    stand: Stand, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeuot_s: 20")
    assert main([command, str(stand.folder)]) == 2
    assert f"{stand.folder / 'queues.yaml'}:12: support.ring_timeuot_s: is no" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["apply", "rollback", "history"])
def test_a_node_that_does_not_answer_is_said_not_to(
    stand: Stand, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", "a token that nobody asks for")
    assert run(stand, command) == 2
    assert f"isogloss {command}: no node answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_who_has_no_token_is_told_where_one_comes_from(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ISOGLOSS_API_TOKEN", raising=False)
    assert run(stand, "history") == 2
    assert "set ISOGLOSS_API_TOKEN or ISOGLOSS_API_TOKEN_FILE" in capsys.readouterr().err


def test_a_node_says_where_it_is_while_it_runs(tmp_path: Path) -> None:
    running = Running(tmp_path)
    assert running.look() is None
    running.tell("http://127.0.0.1:8080")
    found = Running(tmp_path).look()
    assert isinstance(found, Address) and found.api == "http://127.0.0.1:8080"
    running.forget()
    running.forget()
    assert running.look() is None
