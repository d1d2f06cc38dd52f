"""Where a node that runs is to be asked: a small file in its data folder, for commands beside it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

FILE = "running.json"


class Address(msgspec.Struct, frozen=True):
    """api: its base address, "" where the node has none."""

    pid: int
    api: str


class Running:
    """The file of one node, while it runs."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE

    def tell(self, api: str) -> None:
        try:
            new = self._path.with_suffix(".new")
            new.write_bytes(msgspec.json.encode(Address(os.getpid(), api)))
            new.rename(self._path)
        except OSError as fault:
            import structlog  # a command that only looks must not wait for it

            log = structlog.get_logger("node")
            log.warning("commands have to be told where this node is", file=str(self._path), why=str(fault))

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    def look(self) -> Address | None:
        """None where no node has said so."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Address)
        except (OSError, msgspec.DecodeError):
            return None
