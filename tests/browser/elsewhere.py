"""A machine elsewhere: Chromium in a network namespace of its own, whose address can change.

Only root can make one. Where that is not so, or `ip` and `nsenter` are missing, what needs it is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import pytest

HERE = "198.18.77.1"  # of a network that is nobody's (RFC 2544)
THERE = ("198.18.77.2", "198.18.77.3")
WIDTH = 29
OURS, THEIRS = "isogloss-here", "isogloss-there"


class Elsewhere:
    """See the module."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "nsenter", "unshare"))):
            pytest.skip("another network namespace needs root, `ip`, `nsenter` and `unshare`")
        self._folder = folder
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        self._addresses = cycle(THERE)
        self._address = ""
        try:
            self._link()
        except subprocess.CalledProcessError as fault:
            self.close()
            pytest.skip(f"no other network namespace here: {fault.stderr.decode().strip()}")

    def _link(self) -> None:
        """A cable between here and there."""
        there = str(self._holder.pid)
        while os.path.samefile(f"/proc/{there}/ns/net", "/proc/self/ns/net"):
            os.sched_yield()  # unshare is on its way
        run("ip", "link", "add", OURS, "type", "veth", "peer", "name", THEIRS, "netns", there)
        run("ip", "address", "add", f"{HERE}/{WIDTH}", "dev", OURS)
        run("ip", "link", "set", OURS, "up")
        self._run("ip", "link", "set", THEIRS, "up")
        self.move()

    def move(self) -> None:
        """Have another address, and no other."""
        former, self._address = self._address, next(self._addresses)
        if former:
            self._run("ip", "address", "del", f"{former}/{WIDTH}", "dev", THEIRS)
        self._run("ip", "address", "add", f"{self._address}/{WIDTH}", "dev", THEIRS)

    def chromium(self, origin: str) -> str:
        """A command that runs it there; pages of that origin may have the microphone."""
        return chromium_there(self._folder, ["nsenter", "--target", str(self._holder.pid), "--net"], [origin])

    def _run(self, *command: str) -> None:
        run("nsenter", "--target", str(self._holder.pid), "--net", *command)

    def close(self) -> None:
        """The namespace goes with its last process, and the cable with it."""
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(10)


def chromium_there(folder: Path, enter: Sequence[str], origins: Sequence[str]) -> str:
    """A command that runs Chromium elsewhere. enter: what leads there. origins: whose pages may have the
    microphone.
    """
    script = folder / "chromium-elsewhere"
    command = f"{shutil.which('chromium')} --unsafely-treat-insecure-origin-as-secure={','.join(origins)}"
    script.write_text(f'#!/bin/sh\nexec {" ".join(enter)} {command} "$@"\n')
    script.chmod(0o700)
    return str(script)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
