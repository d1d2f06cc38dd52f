"""Isogloss as an installed program: the one name its wheel owns, and the way to the rooms behind it.

In a checkout the rooms (`engine`, `sip`, …) are folders beside this one. In a wheel they lie under `_tree`,
because flat names such as `config` in site-packages are overwritten, and deleted, by other wheels.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["main", "open_tree", "tree"]


def tree() -> Path:
    """The folder whose sub-folders are the import names `engine`, `media`, `sip`, `routing` and `config`."""
    here = Path(__file__).resolve().parent
    packed = here / "_tree"
    return packed if packed.is_dir() else here.parent


def open_tree() -> Path:
    """Put the rooms first on this process's import path, and on that of the processes it starts."""
    folder = tree()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    inherited = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if str(folder) not in inherited:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *inherited])
    return folder


def main() -> int:
    """The console script: what `python -m engine` does in a checkout."""
    open_tree()
    from engine.cli import main as command

    return command()
