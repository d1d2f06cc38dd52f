"""Two rows of tests beside each other: what listens to a clock and to ports takes turns, the rest fills it.

A call over real sockets waits far more than it computes, so that a core is free beside it; two such calls at
once would measure each other. Files stay whole, for what a module sets up is set up once.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

LIVE = ("browser", "interop")  # rooms whose tests run one after the other
PAGES_S = 120.0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The live row begins first. A page that hangs ends the run: Playwright's loop would swallow a signal."""
    items.sort(key=lambda item: row(item.nodeid) != "live")
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(PAGES_S, method="thread"))


def row(test: str) -> str:
    """What is run by one process, in its order. test: its id."""
    file = PurePosixPath(test.partition("::")[0])
    return "live" if file.parts[1] in LIVE else str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of pytest-xdist, where tests are run by several."""
    from xdist.scheduler import LoadScopeScheduling

    class Rows(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return row(nodeid)

    return Rows(config, log)
