"""Rows of tests beside each other: those of real calls wait far more than they compute, the rest fills that.

A room of real calls is one row, in which one call begins when the one before is over, for many at once would
measure each other. All others are rows by file, for what a module sets up is set up once, and give way, but
those of files marked `real_time`.

What fails in real time while a host takes the machine's processors away says nothing of the node: it is run
again when the machine is calm, a few times, and only if a clock beside it was late (tests/metronome.py).
The runs are told at the end, and a failure says what the clock saw. Where nobody got a processor for a fifth
of the time nothing can be measured: there it is skipped at last, and says why.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Generator
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import settings

from tests.metronome import metronome

# The same examples every time, and no limit of wall-clock time on any of them.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

LIVE = ("interop", "browser")  # rooms of real calls, the longest first
PAGES_S = 240.0
GIVES_WAY = 10  # how nice a test is that computes
AGAIN = 3  # runs of a test in real time that the machine held up
STARVED = 0.2  # of the time held up
BEGAN = pytest.StashKey[float]()  # of a run, by the monotonic clock


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Live rows begin first. A page that hangs ends the run: Playwright's loop would swallow a signal."""
    ranks = {room: rank for rank, room in enumerate(LIVE)}
    items.sort(key=lambda item: ranks.get(row(item.nodeid), len(LIVE)))
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(PAGES_S, method="thread"))
        if live(item):
            item.add_marker(pytest.mark.flaky(reruns=AGAIN, condition=held_up_as(item)))


def pytest_collection_finish() -> None:
    """Ten thousand tests and their modules stay to the end: no collection of garbage need look at them."""
    gc.collect()
    gc.freeze()


def row(test: str) -> str:
    """What is run by one process, in its order. test: its id."""
    file = PurePosixPath(test.partition("::")[0])
    return file.parts[1] if file.parts[1] in LIVE else str(file)


def live(item: pytest.Item) -> bool:
    """Whether it is measured in real time."""
    return row(item.nodeid) in LIVE or item.get_closest_marker("real_time") is not None


def held_up_as(item: pytest.Item) -> Callable[[], bool]:
    """Whether the machine held anybody up while it ran."""
    return lambda: metronome().delays(item.stash[BEGAN]).count > 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where several run tests, those of real calls have the machine first."""
    if hasattr(item.config, "workerinput"):
        nice = 0 if live(item) else GIVES_WAY
        if nice > os.getpriority(os.PRIO_PROCESS, 0) or os.geteuid() == 0:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
    if live(item):
        if BEGAN in item.stash:
            metronome().wait_for_calm()
        item.stash[BEGAN] = time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and live(item):
        delays = metronome().delays(item.stash[BEGAN])
        report.sections.append(("The machine", str(delays)))
        if delays.share > STARVED and getattr(item, "execution_count", 0) > AGAIN:
            path, line, _ = item.reportinfo()
            report.outcome = "skipped"
            report.longrepr = (str(path), (line or 0) + 1, f"Skipped: not to be measured here: {delays}")
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of pytest-xdist, where tests are run by several."""
    from xdist.scheduler import LoadScopeScheduling

    class Rows(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return row(nodeid)

    return Rows(config, log)
