"""How the suite plays: one phone, one sipp, one story."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ims.phone import PATIENCE, Story, Wire, played
from tests.interop.sipp import Sipp

Play = Callable[..., Wire]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("sipp") is None:
        for item in items:
            if "play" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="sipp is not installed (Debian: sip-tester)"))


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Play a scenario of tests/interop/sipp/ims: the wire, as sipp saw it.

    called: sipp is the one who calls. settings: of the phone's agent. transport, calls: sipp's. Everything
    else is a word in [brackets] of the scenario.
    """

    def run(
        scenario: str,
        story: Story,
        *,
        called: bool = False,
        transport: str = "u1",
        calls: int = 1,
        headers: str = "",
        settings: dict[str, Any] | None = None,
        **keys: str,
    ) -> Wire:
        def sipp(remote: str) -> Sipp:
            return Sipp(
                f"ims/{scenario}",
                tmp_path,
                remote=remote,
                caller="+34910601234",
                transport=transport,
                calls=calls,
                keys=keys,
                timeout=int(PATIENCE),
                headers=headers,
            )

        with asyncio.Runner() as runner:
            return runner.run(asyncio.wait_for(played(sipp, story, called, **(settings or {})), 2 * PATIENCE))

    return run
