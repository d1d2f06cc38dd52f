"""What SIM cards remember of challenges, over restarts: a small file a card under data_dir/cards.

A card that forgot would take a recorded challenge once more. What it has taken is on the disk before its
answer leaves; where the disk refuses, the line goes on and the log says so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import structlog

from sip.aka import AkaCredentials
from sip.digest import Account

log = structlog.get_logger("lines")


class Cards:
    """folder: made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def attend(self, account: Account | None) -> None:
        """Have an account's card, where it has one, go on from what is kept of it, and kept from now on."""
        if isinstance(account, AkaCredentials):
            path = self._folder / f"{hashlib.sha256(account.user.encode()).hexdigest()[:24]}.json"
            account.card.resume(_read(path), partial(self._keep, path))

    def _keep(self, path: Path, seen: Sequence[int]) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            with draft.open("wb") as file:
                file.write(msgspec.json.encode(seen))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync(self._folder)
        except OSError as fault:
            log.error(
                "a card's sequence numbers are not kept: after a restart it would take an old challenge; "
                "make room, or let the node write there",
                file=str(path),
                why=str(fault),
            )


def _read(path: Path) -> Sequence[int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[int])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as fault:
        log.error("a card's sequence numbers cannot be read: it begins anew", file=str(path), why=str(fault))
        return ()


def _sync(folder: Path) -> None:
    """The new name is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
