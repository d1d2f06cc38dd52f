"""What earlier lives of this node left in its journal, closed off the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog

from engine.journal import Journal
from engine.store.errors import StoreUnavailable

log = structlog.get_logger("takeover")


class JournalPast:
    """Is engine.cluster.heritage.Past over the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._closing: asyncio.Task[None] | None = None

    @property
    def orphans(self) -> Sequence[str]:
        return self._journal.orphans

    def close(self, taken: Mapping[str, str]) -> None:
        self._closing = asyncio.get_running_loop().create_task(self._close(dict(taken)))

    async def _close(self, taken: Mapping[str, str]) -> None:
        try:
            written = await asyncio.to_thread(self._journal.recover, time.time(), taken)
        except StoreUnavailable as fault:  # the next start closes them
            log.error("calls of the node's last life are not closed yet", why=str(fault))
            return
        log.warning("calls of the node's last life closed", calls=len(written), taken_over=len(taken))
