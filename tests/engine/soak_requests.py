"""Many odd requests against every route, from everybody: `python -m tests.engine.soak_requests --count 200`.

count: of each operation. What test_api_schemathesis.py asks a few times, as often as wanted.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="requests of each operation and person")
    os.environ["ISOGLOSS_REQUESTS"] = str(parser.parse_args().count)
    return pytest.main(["-q", "-x", str(Path(__file__).with_name("test_api_schemathesis.py"))])


if __name__ == "__main__":
    sys.exit(main())
