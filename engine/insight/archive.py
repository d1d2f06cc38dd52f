"""Where the traces of calls go when they are over: a thread takes secrets out, packs them and keeps them.

    Look ── offer ──► bounded line ──► thread, a batch at a time ──► store

Calls never wait for it. What it costs is bounded: of calls that went well no more than so many a second are
kept, at the rest it only looks. Calls with troubles are always kept, as far as the line is long.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from engine.insight.trace import Look, Trace, joined, pack, unpack
from engine.store.errors import StoreUnavailable
from engine.store.traces import Row, TraceStore

MOST = 2000  # calls that wait
BATCH = 100  # calls of one transaction
TOGETHER_S = 0.5  # that calls are waited for, to be written together
RETRY_S = 2.0
CLEAN_S = 3600.0  # between two looks for what is too old
DAY_S = 86_400.0

log = structlog.get_logger("insight")


@dataclass(frozen=True, slots=True)
class Terms:
    """days: how long traces are kept, 0 for not at all. per_s: of calls that went well."""

    days: float = 14.0
    per_s: float = 10.0


class Archive:
    """`start` and `close` belong to whoever owns it."""

    def __init__(
        self,
        store: TraceStore,
        terms: Callable[[], Terms] = Terms,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.kept = self.thinned = self.lost = 0
        self._store, self._terms, self._clock, self._wall = store, terms, clock, wall
        self._line: OrderedDict[str, Look] = OrderedDict()
        self._wake = threading.Condition()
        self._closing = False
        self._tokens, self._since = 0.0, clock() - 1.0
        self._cleaned = 0.0
        self._thread: threading.Thread | None = None

    # --- the engine's side --------------------------------------------------------------------------

    def offer(self, look: Look) -> None:
        """A call is over. Never blocks for longer than it takes to put it in the line."""
        terms = self._terms()
        if not terms.days:
            return
        if not (look.troubled or self._may(terms.per_s)):
            self.thinned += 1
            return
        with self._wake:
            self._line[look.call] = look
            while len(self._line) > MOST:
                self._give_up()
            self._wake.notify()

    def look(self, call: str) -> Look | None:
        """A call that waits to be written."""
        return self._line.get(call)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what waits. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def get(self, call: str) -> Trace | None:
        """A call that is over, from the store. Blocks; raises StoreUnavailable."""
        found = []
        for packed in self._store.get(call):
            try:
                found.append(unpack(packed))
            except ValueError as broken:
                log.error("a call's trace cannot be read", call=call, why=str(broken))
        return joined(found)

    def _may(self, per_s: float) -> bool:
        now = self._clock()
        self._tokens = min(max(per_s, 1.0), self._tokens + (now - self._since) * per_s)
        self._since = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _give_up(self) -> None:
        """The oldest that went well goes first, else the oldest."""
        gone = next((call for call, look in self._line.items() if not look.troubled), next(iter(self._line)))
        del self._line[gone]
        self.lost += 1

    # --- the thread's side --------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._line or self._closing, CLEAN_S)
                if not self._closing:
                    self._wake.wait_for(lambda: self._closing, TOGETHER_S)
                batch = list(self._line.values())[:BATCH]
                if self._closing and not batch:
                    return
            self._keep(batch)
            self._clean(self._wall())

    def _keep(self, batch: list[Look]) -> None:
        rows = [row for look in batch if (row := self._packed(look)) is not None]
        while True:
            try:
                self._store.keep(rows)
                self.kept += len(rows)
                break
            except StoreUnavailable as fault:
                log.warning("traces wait for the store", calls=len(rows), why=str(fault))
                with self._wake:
                    if self._wake.wait_for(lambda: self._closing, RETRY_S):
                        self.lost += len(rows)
                        break
        with self._wake:
            for look in batch:
                if self._line.get(look.call) is look:
                    del self._line[look.call]

    def _packed(self, look: Look) -> Row | None:
        try:
            return Row(look.call, look.ended or look.began, pack(look.trace()))
        except Exception:  # one odd call must not take the others' traces with it
            self.lost += 1
            log.exception("a call's trace is not kept", call=look.call)
            return None

    def _clean(self, wall: float) -> None:
        """Now and then: erase what is older than it may be; where nothing is to be kept, all of it."""
        days, now = self._terms().days, self._clock()
        if self._cleaned and now - self._cleaned < CLEAN_S:
            return
        self._cleaned = now
        try:
            erased = self._store.erase_before(wall - days * DAY_S)
        except StoreUnavailable as fault:
            log.warning("old traces cannot be erased now", why=str(fault))
            return
        if erased:
            log.info("traces erased", calls=erased, older_than_days=days)
