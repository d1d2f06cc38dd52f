"""What earlier lives of this node left in its journal, closed off the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from engine.events import CallRecord
from engine.journal import Journal
from engine.store.errors import StoreUnavailable

log = structlog.get_logger("takeover")


class JournalPast:
    """Is engine.cluster.heritage.Past over the journal. closed: is told of each record that is written."""

    def __init__(self, journal: Journal, closed: Callable[[CallRecord], None] = lambda record: None) -> None:
        self._journal = journal
        self._closed = closed
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
        for record in written:
            self._closed(record)
        log.warning("calls of the node's last life closed", calls=len(written), taken_over=len(taken))
