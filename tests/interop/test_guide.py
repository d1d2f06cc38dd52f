"""The operator's guide is followed, command by command: a node is set up, called, changed and backed up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.command.parser import MODULES
from sip.pjsip.process import Softphone
from tests.interop.conftest import prompts_of
from tests.project.tree import ROOT

GUIDE = (ROOT / "docs" / "operators-guide.md").read_text("utf-8")
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEPS = [(title, block) for title, body in SECTION.findall(GUIDE) for block in BLOCK.findall(body)]
END = "-- done"


class Operator:
    """A shell in which the guide is followed. `isogloss` is this checkout's, and serves on free ports."""

    def __init__(self, home: Path, prompts: Path) -> None:
        bin = home / "bin"
        bin.mkdir()
        command = bin / "isogloss"
        ports = 'if [ "$1" = serve ]; then set -- "$@" --free-ports; fi'
        command.write_text(f'#!/bin/sh\n{ports}\nexec {sys.executable} -m engine "$@"\n')
        command.chmod(0o755)
        hidden = {name for name in os.environ if name.startswith("ISOGLOSS_")}
        hidden.add("PYTHONDONTWRITEBYTECODE")  # each command would compile all it imports
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


def called(operator: Operator) -> None:
    """Somebody calls the queue, and Alice answers, with phones as the guide has them."""
    log = (operator.place / "node.log").read_text("utf-8")
    found = re.search(r"SIP on \{'udp': (\d+)", log)
    assert found, log
    proxy = f"127.0.0.1:{found[1]}"
    with Softphone("customer") as customer, Softphone("alice") as alice:
        for phone, kind, user in ((alice, "agents", "alice"), (customer, "users", "customer")):
            password = (operator.place / "data" / "secrets" / kind / user).read_text().strip()
            assert phone.register(user, password, "pbx.example.com", proxy)["event"] == "registered"
        call = customer.call("atencion")
        customer.expect("answered", 15, call=call)
        offered = alice.incoming(30)
        alice.answer(offered)
        alice.expect("media", 10, call=offered, state="active")
        customer.hangup(call)
        alice.expect("ended", 15, call=offered)


@pytest.mark.timeout(400)  # some fifty commands, one after the other
def test_the_guide_leads_to_a_call_and_on(operator: Operator) -> None:
    said: dict[str, str] = {}
    for title, block in STEPS:
        if "calls --ended" in block:
            called(operator)
        said[title] = said.get(title, "") + operator.does(block)
    assert "no fault found" in said["The first queue"] and "alice" in said["The first queue"]
    assert "completed" in said["The first call"] and "INVITE" in said["The first call"]
    line = said["The first line"]
    assert "carrier" in line and all(f"Version {number} runs." in line for number in (2, 3, 4))
    assert "maria may sign in as supervisor." in said["People"] and "The audit log is whole" in said["People"]
    assert "After a restart:" in said["TLS"]
    assert "no fault found" in said["NAT"]
    assert "The node takes no new calls" in said["Several nodes"]
    kept = said["Backup"]
    assert "Every file of it is as it was written." in kept and "maria" in kept.splitlines()[-1]
    again = operator.place / "again" / "data" / "secrets" / "agents" / "alice"
    assert again.read_text() == (operator.place / "data" / "secrets" / "agents" / "alice").read_text()
    assert not (operator.place / "data" / "running.json").exists()  # it ended in order


def test_the_guide_shows_commands_that_there_are() -> None:
    shown = {tuple(words.split()[:1]) for words in re.findall(r"`isogloss ([a-z][a-z -]+)", GUIDE)}
    assert {words[0] for words in shown} <= set(MODULES)
