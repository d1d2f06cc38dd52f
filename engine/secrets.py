"""Secrets that the node makes for itself: once, under data_dir/secrets, readable by its user alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def generated(folder: Path, name: str) -> str:
    """The kept secret of that name ("agents/alice"), made at the first asking. Raises OSError."""
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    value = secrets.token_urlsafe(24)
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")
    return value
