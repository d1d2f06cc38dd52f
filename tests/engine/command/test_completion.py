"""What zsh and fish make of the completions: asked in the shells themselves, as by somebody who presses Tab.

Of bash there is a test where its commands are, test_parser.py.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from argcomplete.shell_integration import shellcode

from tests.interop.node import ROOT

PATIENCE_S = 60.0
TERMINAL = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])|\x07")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Of somebody who has done what docs/cli.md says, with `isogloss` on the path."""
    program = tmp_path / "bin" / "isogloss"
    places = {
        "zsh": tmp_path / "functions" / "_isogloss",
        "fish": tmp_path / "config" / "fish" / "completions" / "isogloss.fish",
    }
    for shell, file in places.items():
        file.parent.mkdir(parents=True)
        file.write_text(shellcode(["isogloss"], shell=shell))
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m engine "$@"\n')
    program.chmod(0o755)
    (tmp_path / "node.backup").touch()
    zsh = (
        "fpath=(~/functions $fpath)\nautoload -Uz compinit\ncompinit -u -d ~/dump\nunsetopt BEEP\nPS1='> '\n"
    )
    (tmp_path / ".zshrc").write_text(zsh)
    return tmp_path


def around(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "ZDOTDIR": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }


class Zsh:
    """A shell at a terminal."""

    def __init__(self, home: Path) -> None:
        self.read = ""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe("zsh", ["zsh", "-d", "-i"], around(home))
        self.until("> ")

    def types(self, keys: str, until: str) -> str:
        """What is on the screen by then."""
        self.read = ""
        os.write(self.handle, keys.encode())
        return self.until(until)

    def until(self, words: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.read:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.handle], [], [], left)[0]:
                raise AssertionError(f"no {words!r} in {self.read!r}")
            self.read += TERMINAL.sub("", os.read(self.handle, 65_536).decode())
        return self.read

    def close(self) -> None:
        os.close(self.handle)
        os.waitpid(self.pid, 0)


@pytest.fixture
def zsh(home: Path) -> Iterator[Zsh]:
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed (Debian: zsh)")
    shell = Zsh(home)
    yield shell
    shell.close()


def test_zsh_completes_commands_flags_and_files(zsh: Zsh) -> None:
    zsh.types("isogloss que\t", "isogloss queues ")
    zsh.types("--js\t", "--json ")
    listed = zsh.types("\x15isogloss audit v\t\x15isogloss cal\t\t", "call ")
    assert "calls" in zsh.until("calls") and "audit verify " in listed
    zsh.types("\x15isogloss restore nod\t", "node.backup")


def test_fish_completes_commands_flags_and_files(home: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed (Debian: fish)")
    typed = ("isogloss que", "isogloss calls --js", "isogloss audit ver", "isogloss restore nod")
    script = "\n".join(f"complete -C '{each}'" for each in typed)
    said = subprocess.run(
        ["fish", "-c", script],
        cwd=home,
        env=around(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stderr == ""
    found = [line.partition("\t") for line in said.stdout.splitlines()]
    assert [each[0] for each in found] == ["queues", "--json", "verify", "node.backup"]
    assert all(each[2] for each in found[:3]), "with what they are"
