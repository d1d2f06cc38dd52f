"""Two rows of tests beside each other: what listens to a clock and to ports takes turns, the rest fills it.

A call over real sockets waits far more than it computes, so that a core is free beside it; two such calls at
once would measure each other. Files stay whole, for what a module sets up is set up once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGES_S = 120.0
LIVE = ("browser", "interop")  # rooms whose tests run one after the other


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in a hook of its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Who takes turns with whom, where tests are run by several (pytest-xdist); the live row begins first."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):  # Playwright's loop would swallow a signal
            item.add_marker(pytest.mark.timeout(PAGES_S, method="thread"))
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        file = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group("live" if file.parts[0] in LIVE else str(file)))
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] not in LIVE)
