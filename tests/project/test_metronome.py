"""What is measured in real time is measured again where the machine held it up, and there alone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.metronome import TICK_S, Delays, Metronome
from tests.project.tree import ROOT

pytest_plugins = ("pytester",)

FAILS = """
from pathlib import Path
from tests import conftest, metronome as clocks
from tests.metronome import metronome
from tests.project.test_metronome import hold_up

clocks.CALM_S = 0.0  # for this machine may never be
conftest.STARVED = {starved}

def test_fails_at_first():
    hold_up(metronome())
    told = Path("told")
    runs = told.read_text().count("run") if told.exists() else 0
    told.write_text("run " * (runs + 1))
    assert runs == {failures}
"""


def hold_up(clock: Metronome) -> Delays:
    """Stop it for ten ticks; what it tells of them."""
    os.kill(clock.pid, signal.SIGSTOP)
    os.waitpid(clock.pid, os.WUNTRACED)
    began = time.monotonic()
    while time.monotonic() < began + 10 * TICK_S:
        pass
    os.kill(clock.pid, signal.SIGCONT)
    while (delays := clock.delays(began)).worst_s < 5 * TICK_S:
        pass
    return delays


def test_a_clock_that_is_held_up_says_how_often_and_by_how_much() -> None:
    clock = Metronome()
    delays = hold_up(clock)
    assert delays.count >= 1 and 0.0 < delays.share < 1.0
    assert clock.delays(time.monotonic()).count == 0
    clock.stop()


def test_it_ends_with_its_keeper() -> None:
    clock = Metronome()
    clock.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(clock.pid, 0)


@pytest.mark.parametrize(
    ("room", "failures", "starved", "wanted"),
    [
        ("interop", 1, 0.0, {"passed": 1, "rerun": 1}),
        ("interop", 9, 1.0, {"failed": 1, "rerun": 3}),
        ("interop", 9, 0.0, {"skipped": 1, "rerun": 3}),
        ("engine", 1, 0.0, {"failed": 1}),
    ],
)
def test_who_was_held_up_in_real_time_runs_again(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    room: str,
    failures: int,
    starved: float,
    wanted: dict[str, int],
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    file = pytester.path / "tests" / room / "test_it.py"
    file.parent.mkdir(parents=True)
    file.write_text(FAILS.format(failures=failures, starved=starved))
    ran = pytester.runpytest_subprocess("-p", "tests.conftest", "-rA", f"tests/{room}")
    assert {kind: count for kind, count in ran.parseoutcomes().items() if kind != "warnings"} == wanted
    assert ("the machine held a clock up" in ran.stdout.str()) == (
        room == "interop" and "passed" not in wanted
    )
