"""Files that changed are applied by themselves, where the node is to watch them; SIGHUP asks for it once.

Files are looked at by name, size and time of change, over and over: whatever writes them, an editor, a copy
or a mounted volume that is swapped, looks the same. They are taken once they have rested for a while.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from config.fault import ConfigError
from engine.applying import NotReady
from engine.history import HistoryFault, files_of
from engine.operating import Operating, Refused

LOOK_S = 0.25
MOST_TOLD = 20  # faults of one look at the files

Print = tuple[tuple[str, int, int, int], ...]

log = structlog.get_logger("config")


class Settling:
    """Says when files that changed have rested; once for each change. taken: how what runs looked."""

    def __init__(self, taken: Print) -> None:
        self._taken = taken
        self._seen: Print = ()
        self._since = 0.0

    def rested(self, seen: Print, now: float, settle_s: float) -> bool:
        """Whether what is seen now differs from what was taken and has been so for `settle_s`."""
        if seen != self._seen:
            self._seen, self._since = seen, now
        if seen == self._taken or now - self._since < settle_s:
            return False
        self._taken = seen
        return True


def print_of(folder: Path) -> Print:
    """What tells that a folder's files changed, without reading them; what vanishes meanwhile is left out."""
    found = []
    for path in files_of(folder):
        try:
            about = path.stat()
        except OSError:
            continue
        found.append((str(path), about.st_mtime_ns, about.st_size, about.st_ino))
    return tuple(found)


async def watch(operating: Operating) -> None:
    """Apply what changed for as long as the node runs, whenever `changes.watch` is set."""
    settling: Settling | None = None
    while True:
        await asyncio.sleep(LOOK_S)
        terms = operating.engine.config.node.changes
        if not terms.watch:
            settling = None
            continue
        seen = await asyncio.to_thread(print_of, operating.folder)
        if settling is None:  # what changed before anybody looked is a change all the same
            settling = Settling(() if await asyncio.to_thread(operating.differs) else seen)
        if settling.rested(seen, time.monotonic(), terms.settle_s):
            await take(operating, "watching", "the files changed")


async def take(operating: Operating, by: str, why: str) -> None:
    """Apply the files; what keeps them from it is logged, each fault with file and line."""
    try:
        await operating.apply(by, why)
    except ConfigError as error:
        told = [str(fault) for fault in error.faults[:MOST_TOLD]]
        log.error("configuration not applied: the files have faults", by=by, faults=told)
    except Refused as refused:
        log.error("configuration not applied: it takes `isogloss apply --force`", by=by, why=str(refused))
    except (HistoryFault, NotReady) as fault:
        log.error("configuration not applied", by=by, why=str(fault))
    except Exception:  # the loop's edge: a part of ours that failed must not end the watch over the files
        log.exception("configuration not applied: a part of the node failed", by=by)
