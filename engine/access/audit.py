"""The audit log's writer: entries go into a bounded queue, a thread makes them durable.

    entry ──► queue ──► thread ─┬► a transaction ──► the store, behind the chain's last row ──► anchor
                                └► spill file while the store fails; brought into the chain when it is back

Who reads personal data waits until the entry is in the store or spilled (`keep`), and is refused when it is
in neither. What is only to be told of (`note`) waits for nobody; what finds neither store nor disk is held,
up to a bound, and counted as lost beyond it.

The newest row that this node saw committed is remembered, in memory and in the anchor's file. After each
write the store is asked for it again: where it is gone, the log was cut off or written anew, and what was
remembered stays as it is, in both, for else the next row would cover the gap.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import structlog

from engine.access.anchor import read_anchor, write_anchor, wrote
from engine.access.chain import Anchor, Entry, detail_of
from engine.access.errors import AuditUnavailable
from engine.store.errors import StoreUnavailable
from engine.store.spill import SpillFile
from engine.store.trail import Trail
from engine.views import Check, Health

LIMIT = 10_000  # entries in memory
BATCH = 500
FIRST_RETRY_S, LAST_RETRY_S = 0.1, 5.0
PATIENCE_S = 3.0  # that a reader waits for an entry
ANCHOR_S = 60.0  # between two anchors in the log
SAME_LIST_S = 60.0  # a list that is asked again and again is told of once in so long
MOST_LISTS = 2000

log = structlog.get_logger("audit")


class Told:
    """Somebody waits for an entry."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[bool] = self.loop.create_future()

    def answer(self, durable: bool) -> None:
        try:
            self.loop.call_soon_threadsafe(self._set, durable)
        except RuntimeError:
            log.debug("nobody waits any more: the loop is over")

    def _set(self, durable: bool) -> None:
        if not self.future.done():
            self.future.set_result(durable)


class Audit:
    """One node's. Raises SpillInUse, OSError when the spill file cannot be opened."""

    def __init__(self, trail: Trail, node: str, spill: Path, anchor: Path) -> None:
        self._trail = trail
        self._node = node
        self._spill = SpillFile(spill, Entry)
        self._anchor_file = anchor
        self._queue: deque[tuple[Entry, Told | None]] = deque()
        self._held: list[Entry] = []  # in memory alone, and nobody waits for them
        self._lists: OrderedDict[str, float] = OrderedDict()
        self._wake = threading.Event()
        self._closing = False
        self._retry_at, self._retry_s = 0.0, FIRST_RETRY_S
        self._doubt = True  # whether spilled entries may have been written before
        self._anchored_at = 0.0
        self.newest: Anchor | None = None  # as remembered
        self.cut = False  # whether that is gone from the store
        self.unanchored = ""  # why an earlier life's was not found
        self._recall()
        self._sought = self.newest is not None or bool(self.unanchored)
        self.lost = 0
        self.fault = ""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def anchor(self) -> Path:
        """The file where the newest row is kept outside of the store."""
        return self._anchor_file

    def _recall(self) -> None:
        try:
            self.newest = read_anchor(self._anchor_file)
        except (ValueError, OSError) as error:
            self.unanchored = "the anchor could not be read at the start"
            log.error("the audit log's anchor cannot be read", why=str(error))

    # --- the loop's side ----------------------------------------------------------------------------

    def entry(
        self,
        who: str,
        how: str,
        what: str,
        object: str = "",
        outcome: str = "done",
        detail: Mapping[str, Any] | None = None,
    ) -> Entry:
        """detail: without personal data and secrets."""
        return Entry(
            token_hex(12), time.time(), self._node, who, how, what, object, outcome, detail_of(detail or {})
        )

    def note(self, entry: Entry) -> None:
        """Keep it; never blocks, never raises."""
        if len(self._queue) + len(self._held) >= LIMIT:
            self._lose(1)
            return
        self._queue.append((entry, None))
        self._wake.set()

    async def keep(self, entry: Entry) -> None:
        """Until it is in the store or spilled. Raises AuditUnavailable."""
        if self._closing or len(self._queue) >= LIMIT:
            raise AuditUnavailable("the audit log takes no entries now")
        told = Told()
        self._queue.append((entry, told))
        self._wake.set()
        try:
            durable = await asyncio.wait_for(told.future, PATIENCE_S)
        except TimeoutError:
            durable = False
        if not durable:
            raise AuditUnavailable("neither the store nor the disk takes entries of the audit log")

    def again(self, key: str, now: float) -> bool:
        """Whether the same list was told of a moment ago. now: seconds of a clock that never leaps."""
        at = self._lists.get(key)
        return at is not None and now - at < SAME_LIST_S

    def listed(self, key: str, now: float) -> None:
        """It was told of, and is kept: who asks while that is under way is told of as well."""
        self._lists[key] = now
        self._lists.move_to_end(key)
        while len(self._lists) > MOST_LISTS:
            self._lists.popitem(last=False)

    def check(self) -> Check:
        """The line in the node's health."""
        if self._held or not self._thread.is_alive():
            detail = "neither store nor disk takes entries; personal data is not shown"
            return Check(name="audit", status=Health.FAILING, detail=detail)
        if self.fault:
            return Check(name="audit", status=Health.DEGRADED, detail="the store fails; entries wait on disk")
        if self.cut and self.newest is not None:
            detail = f"it is not whole: row {self.newest.seq} is gone or another (isogloss audit verify)"
            return Check(name="audit", status=Health.DEGRADED, detail=detail)
        if self.unanchored:
            detail = f"{self.unanchored}: what was cut off its end before is not known"
            return Check(name="audit", status=Health.DEGRADED, detail=detail)
        if self.lost:
            detail = f"since start {self.lost} entries lost"
            return Check(name="audit", status=Health.DEGRADED, detail=detail)
        return Check(name="audit", status=Health.OK)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, then let go of the spill file."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._lose(len(self._held))
            self._spill.close()
            self._trail.close()

    # --- the thread's side --------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            waits = bool(self._spill) or bool(self._held)
            if not self._queue and not self._closing:
                self._wake.wait(max(0.02, self._retry_at - time.monotonic()) if waits else None)
            self._wake.clear()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
            try:
                self._work(batch)
            except Exception as fault:  # the thread must outlive any fault of one batch
                log.exception("a fault of the audit log", entries=len(batch))
                self._failed(str(fault), time.monotonic())
                self._answer(batch, self._spilled([entry for entry, _ in batch]))
            if self._closing and not self._queue:
                return

    def _work(self, batch: list[tuple[Entry, Told | None]]) -> None:
        entries = [entry for entry, _ in batch]
        due = self._closing or time.monotonic() >= self._retry_at
        if due and self._stored(entries):
            self._answer(batch, True)
            return
        self._answer(batch, self._spilled(entries))

    def _answer(self, batch: list[tuple[Entry, Told | None]], durable: bool) -> None:
        """Tell who waits; what nobody waits for is held for a better time."""
        for entry, told in batch:
            if told is not None:
                told.answer(durable)
            elif not durable:
                self._held.append(entry)
        over = len(self._held) - LIMIT
        if over > 0:
            del self._held[:over]
            self._lose(over)

    def _stored(self, entries: list[Entry]) -> bool:
        try:
            anchor, cut = None, False
            self._seek()
            if self._spill:
                for chunk in self._spill.chunks():
                    anchor = self._trail.append(chunk, again=True, now=time.time())
                self._spill.clear()
            if waiting := [*self._held, *entries]:
                anchor = self._trail.append(waiting, again=self._doubt, now=time.time())
            if anchor is not None and self.newest is not None:
                cut = not self._trail.holds(self.newest)
        except StoreUnavailable as error:
            self._failed(str(error), time.monotonic())
            return False
        self._held.clear()
        self._doubt, self._retry_at, self._retry_s = False, 0.0, FIRST_RETRY_S
        if self.fault:
            log.info("the store takes the audit log again")
            self.fault = ""
        if anchor is not None:
            self._anchor(anchor, cut)
        return True

    def _seek(self) -> None:
        """Once, before the first row: whether an earlier life wrote some and its anchor is gone."""
        if self._sought:
            return
        if wrote(self._trail, self._node):
            self.unanchored = "the anchor was missing at the start, though this node had written rows"
            log.error("the audit log's anchor is missing", file=str(self._anchor_file))
        self._sought = True

    def _failed(self, why: str, now: float) -> None:
        self._doubt = True
        self._retry_at, self._retry_s = now + self._retry_s, min(2 * self._retry_s, LAST_RETRY_S)
        if not self.fault:
            log.error("the store does not take the audit log; spilling", why=why)
        self.fault = why

    def _spilled(self, entries: list[Entry]) -> bool:
        """Whether these and all that is held are in the spill file."""
        try:
            if waiting := [*self._held, *entries]:
                self._spill.append(waiting)
        except OSError as error:
            log.error("the audit log cannot be spilled; personal data is not shown", why=str(error))
            return False
        self._held.clear()
        return True

    def _anchor(self, anchor: Anchor, cut: bool) -> None:
        """Say outside of the store what its last row is: in a file, and in the log now and then. cut: what
        was said before is gone, and goes on to be said.
        """
        if cut and not self.cut and self.newest is not None:
            log.error("rows of the audit log are gone", row=self.newest.seq, hash=self.newest.hash)
        self.cut = cut
        if self.newest is None or not cut:
            self.newest = anchor
        now = time.monotonic()
        if not self._anchored_at or now - self._anchored_at >= ANCHOR_S or self._closing:
            self._anchored_at = now
            log.info("audit log anchored", row=anchor.seq, hash=anchor.hash)
        try:
            write_anchor(self._anchor_file, self.newest)
        except OSError as error:
            log.warning("the audit log's anchor cannot be written", why=str(error))

    def _lose(self, count: int) -> None:
        if count and not self.lost:
            log.error("entries of the audit log are lost from here on: neither store nor disk takes them")
        self.lost += count
