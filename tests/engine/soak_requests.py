"""Many odd requests against every route, from everybody: `python -m tests.engine.soak_requests --count 200`.

What test_api_schemathesis.py asks a few times, as often as wanted, with every bound of every parameter. It
takes hours; with --passed FILE it goes on where an earlier run ended, and asks anew what failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest


class Passed:
    """Operations that came through, a line each in a file; they are not asked again."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        known = set(self.file.read_text("utf-8").splitlines()) if self.file.exists() else set()
        config.hook.pytest_deselected(items=[each for each in items if _operation(each) in known])
        items[:] = [each for each in items if _operation(each) not in known]

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.when == "call" and call.excinfo is None:
            with self.file.open("a", encoding="utf-8") as file:
                print(_operation(item), file=file)


def _operation(item: pytest.Item) -> str:
    """Such as `GET /v1/calls`: what Schemathesis names its tests by."""
    return str(getattr(item, "operation_label", item.name))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="requests of each operation and person")
    parser.add_argument("--passed", type=Path, help="file of operations that came through, to go on after")
    options = parser.parse_args()
    os.environ["ISOGLOSS_REQUESTS"] = str(options.count)
    tests = str(Path(__file__).with_name("test_api_schemathesis.py"))
    plugins = [Passed(options.passed)] if options.passed is not None else []
    # An operation of many bounds takes longer than any other test may.
    return pytest.main(["-q", "--timeout=3600", "--durations=10", tests], plugins)


if __name__ == "__main__":
    sys.exit(main())
