"""What the kernel tells of processes that run, wait, or are no more."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from media.io.vitals import Vitals, vitals


@pytest.mark.parametrize(
    ("state", "used_s", "starved"),
    [
        ("R", 0.0, True),
        ("R", 0.2, True),
        ("R", 0.3, False),
        ("R", 5.0, False),
        ("S", 0.0, False),
        ("T", 0.0, False),
    ],
)
def test_who_could_run_and_was_not_let_starves(state: str, used_s: float, starved: bool) -> None:
    assert Vitals(state, 7.0 + used_s).starved(Vitals("S", 7.0), 5.0) is starved


def test_who_computes_does_not_starve() -> None:
    then = vitals(os.getpid())
    assert then is not None
    began = time.process_time()
    while time.process_time() < began + 0.1:
        pass
    now = vitals(os.getpid())
    assert now is not None and now.state == "R" and not now.starved(then, 1.0)


def test_one_that_ended_has_none() -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    assert vitals(ended.pid) is None


def test_who_waits_says_so() -> None:
    waits = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(end='x', flush=True); input()"], stdin=-1, stdout=-1
    )
    assert waits.stdout is not None
    waits.stdout.read(1)
    while (now := vitals(waits.pid)) is not None and now.state == "R":
        pass
    assert str(now) == "it waits for something"
    waits.communicate()
