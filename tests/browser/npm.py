"""npm packages that tests use, and nothing else does: `npm.txt` names them, `make browser` installs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(os.environ.get("ISOGLOSS_NPM", ROOT / "var" / "npm")) / "node_modules"


def package(name: str) -> Path:
    """Where it is installed; the test that asks is skipped where it is not."""
    folder = MODULES / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not installed: `make browser`, or npm: {name} in ISOGLOSS_NPM")
    return folder
