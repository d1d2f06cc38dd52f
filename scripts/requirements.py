"""Print what pyproject.toml asks for, one requirement a line: `requirements.py [EXTRA…]`.

The project itself is never installed in a checkout (folder paths are import paths), so pip is given its
dependencies alone. Runs on a bare Python, before anything is installed.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(extras: list[str]) -> list[str]:
    """The runtime dependencies and those of the named extras."""
    project = tomllib.loads(Path(__file__).parent.with_name("pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return wanted


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
