"""Set-up says what it would need, installs only what is missing, and never asks apt without the right to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.tree import ROOT

PLAIN = "basename bash cat dirname env grep head id mktemp printf readlink rm sed tail touch uname".split()


class Machine:
    """A machine that has only the commands it is given; apt is one that writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.tree = folder / "tree"
        shutil.copytree(ROOT / "scripts", self.tree / "scripts")
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.tree)
        for name in PLAIN:
            (self.bin / name).symlink_to(shutil.which(name) or name)
        self.has("python3", f'exec {sys.executable} "$@"')
        self.asked = folder / "asked"

    def has(self, name: str, script: str = ":") -> None:
        """Give the machine a command; one it has is replaced."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def is_used_by(self, uid: int) -> None:
        self.has("id", f"echo {uid}")

    def set_up(self, target: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.bin), "HOME": str(self.tree), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
        command = ["bash", str(self.tree / "scripts/setup.sh"), target]
        return subprocess.run(
            command, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_who_may_not_install_is_told_the_exact_line(machine: Machine):
    machine.has("apt-get", "exit 99")
    machine.is_used_by(1000)
    done = machine.set_up("demo")
    assert done.returncode == 1
    assert (
        "    apt-get update && apt-get install -y --no-install-recommends espeak-ng apertium\n" in done.stderr
    )


def test_without_apt_the_packages_are_named(machine: Machine):
    machine.is_used_by(0)
    done = machine.set_up("run")
    assert done.returncode == 1
    assert "no apt-get" in done.stderr
    assert "espeak-ng" in done.stderr


def test_the_demo_asks_for_less_than_the_tests(machine: Machine):
    machine.is_used_by(1000)
    machine.has("apt-get")
    demo, test = machine.set_up("demo").stderr, machine.set_up("test").stderr
    for package in ("sip-tester", "baresip-core", "coturn", "kamailio", "redis-server", "gcc"):
        assert package not in demo
        assert package in test


def test_root_installs_and_the_failure_of_apt_is_shown(machine: Machine):
    machine.is_used_by(0)
    machine.has(
        "apt-get", f'echo "$@" >> {machine.asked}; [ "$1" != install ] || {{ echo no space; exit 100; }}'
    )
    done = machine.set_up("demo")
    assert done.returncode == 1
    assert "no space" in done.stderr
    assert machine.asked.read_text().splitlines()[1] == (
        "install -y --no-install-recommends espeak-ng apertium"
    )


def test_a_python_that_is_too_old_is_not_used(machine: Machine):
    machine.is_used_by(1000)
    machine.has("apt-get")
    machine.has("espeak-ng")
    machine.has("apertium")
    machine.has("python3", "exit 1")
    assert "install -y --no-install-recommends python3 python3-venv" in machine.set_up("run").stderr


def test_an_unknown_target_is_refused(machine: Machine):
    assert "unknown target 'dance'" in machine.set_up("dance").stderr


def test_what_is_asked_of_pip_is_what_the_project_declares():
    command = [sys.executable, ROOT / "scripts/requirements.py"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    more = subprocess.run([*command, "softphone"], capture_output=True, text=True, check=True).stdout
    assert any(line.startswith("numpy") for line in plain)
    assert not any(line.startswith("pjsua2") for line in plain)
    assert "pjsua2-python" in more
