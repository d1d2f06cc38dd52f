"""The import rules bite: a tree that breaks one is refused by the very command that lint runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.tree import ROOMS, ROOT

LINTER = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdict(tree: Path) -> tuple[int, str]:
    """What import-linter says of a tree: its exit status and its report."""
    wide = {**os.environ, "COLUMNS": "250"}  # a rule's name and its verdict on one line
    command = [LINTER, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=tree, env=wide, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_tree_as_it_is_keeps_every_rule(copy: Path):
    status, report = verdict(copy)
    assert status == 0, report
    assert "4 kept, 0 broken" in report


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("sip/message.py", "import media", "Imports go one way"),
        ("routing/queue.py", "import config", "Imports go one way"),
        ("media/core.py", "import sip.message", "Imports go one way"),
        ("config/load.py", "import engine", "Imports go one way"),
        ("sip/agent.py", "import asyncio", "The cores do no I/O"),
        ("routing/select.py", "import time", "The cores do no I/O"),
        ("media/playout.py", "import threading", "The cores do no I/O"),
        ("media/core.py", "import media.io.udp", "Only the engine imports the shells"),
        ("sip/agent.py", "import sip.io", "Only the engine imports the shells"),
        ("config/load.py", "import socket", "The configuration is read and checked"),
    ],
)
def test_a_broken_rule_is_found(copy: Path, module: str, line: str, rule: str):
    path = copy / module
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", encoding="utf-8")
    status, report = verdict(copy)
    assert status == 1
    broken = [entry for entry in report.splitlines() if " BROKEN" in entry]
    assert [entry for entry in broken if entry.startswith(rule)]
