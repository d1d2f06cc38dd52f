"""The operator's guide is followed, command by command, in a folder of its own: a node is set up, called, changed, backed up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sip.pjsip.process import Softphone
from tests.interop.conftest import prompts_of
from tests.project.tree import ROOT

GUIDE = (ROOT / "docs" / "operators-guide.md").read_text("utf-8")
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = [(title, block) for title, body in SECTION.findall(GUIDE) for block in BLOCK.findall(body)]
END = "-- done"
PATIENCE_S = 90


class Operator:
    """A shell in which the guide is followed. `isogloss` is this checkout's, on free ports where it serves."""

    def __init__(self, home: Path, prompts: Path) -> None:
        bin = home / "bin"
        bin.mkdir()
        command = bin / "isogloss"
        ports = 'if [ "$1" = serve ]; then set -- "$@" --free-ports; fi'
        command.write_text(f'#!/bin/sh\n{ports}\nexec {sys.executable} -m engine "$@"\n')
        command.chmod(0o755)
        hidden = {name for name in os.environ if name.startswith("ISOGLOSS_")}
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        env |= {
            "PATH": f"{bin}:{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "ISOGLOSS_PROMPTS": str(prompts),
        }
        self.place = home / "callcentre"
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-m"], cwd=home, env=env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip

    def does(self, block: str) -> str:
        """What a block says; it has to be done without a fault."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"set -e\n{block}\nset +e\necho '{END}'\n")
        self._shell.stdin.flush()
        said: list[str] = []
        for line in self._shell.stdout:
            if line.rstrip("\n").endswith(END):
                return "".join([*said, line.rstrip("\n").removesuffix(END)])
            said.append(line)
        raise AssertionError(f"it ended at\n{block}\nwith\n{''.join(said)}")

    def close(self) -> None:
        assert self._shell.stdin is not None
        running = self.place / "data" / "running.json"
        if running.exists():
            os.kill(json.loads(running.read_text())["pid"], 15)
        self._shell.stdin.close()
        self._shell.wait(30)


@pytest.fixture
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Operator]:
    made = Operator(tmp_path, prompts_of(request.config.cache))
    yield made
    made.close()
