"""The append-only record of what happened. The engine says what it did; a thread of the journal's own makes
it durable.

    engine ── append(event) ──► bounded queue ──► writer thread, every 20 ms ─┬► one transaction ──► store
                                                                           └► spill file while the store fails

`append` and `finish` put a value in a queue and return: they never block, never raise and cost the event loop
about a microsecond. What was appended is in the store (or spilled) `interval_s` and one commit later, and
survives the process from then on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import structlog

from engine.events import CallEnded, CallHandedOver, CallRecord, EndReason, Event, Side
from engine.store import database
from engine.store.accounts import Accounts
from engine.store.checkpoint import Checkpointer
from engine.store.closing import closing_record
from engine.store.drill import Drill
from engine.store.errors import StoreUnavailable
from engine.store.keeper import Item, Keeper, Keeping
from engine.store.line_sums import LineSums
from engine.store.migrate import upgrade
from engine.store.records import OpenCall, RecordFilter, RecordPage, Records
from engine.store.rows import Entry
from engine.store.scorecards import Scorecards
from engine.store.shares import Shares
from engine.store.sink import Sink
from engine.store.spill import Spill
from engine.store.traces import TraceStore
from engine.store.trail import Trail
from engine.store.transcripts import Transcripts
from engine.views import Check, Health

INTERVAL_S = 0.020
LIMIT = 100_000
RETRY_LOOK_S = 0.05  # how often a failing store is looked at when no event comes
FLUSH_S = 5.0

log = structlog.get_logger("journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """How the journal does. `waiting` events are in memory alone; `lag_s` bounds the age of the oldest of
    them.
    """

    keeping: Keeping
    waiting: int
    spilled_bytes: int
    lost: int
    refused: int
    lag_s: float
    fault: str


class _Mark:
    """A place in the queue that somebody waits for."""

    def __init__(self) -> None:
        self.passed = threading.Event()
        self.durable = False


class Journal:
    """One node's journal over its store.

    store_url: SQLAlchemy URL, SQLite (a file) or PostgreSQL. spill: the file events wait in while the store
    fails; by default beside the SQLite file. limit: events in the queue before further ones are lost.
    Raises StoreError with a remedy when the store cannot be opened, OSError when the spill file cannot.
    """

    def __init__(
        self,
        store_url: str,
        node: str,
        *,
        spill: Path | None = None,
        interval_s: float = INTERVAL_S,
        limit: int = LIMIT,
    ) -> None:
        self.node = node
        self._engine = database.connect(store_url)
        self.store = self._engine
        self._records = Records(self._engine)
        self.lines = LineSums(self._engine)
        self.drill = Drill(self._engine)
        self.transcripts = Transcripts(self._engine)
        self.shares = Shares(self._engine)
        self.scorecards = Scorecards(self._engine)
        self.accounts = Accounts(self._engine)
        self.trail = Trail(self._engine)
        self.traces = TraceStore(self._engine, node)
        self._keeper = Keeper(Sink(self._engine), Spill(_spill_path(store_url, spill)), node, hold=limit)
        with ExitStack() as undo:
            undo.callback(self._engine.dispose)
            undo.callback(self._keeper.close)
            upgrade(self._engine)
            self._keeper.begin()
            self._orphans = self._records.open_calls(node)
            self._last_sign = self._records.last_sign(node)
            undo.pop_all()
        file = database.sqlite_file(self._engine.url)
        self._checkpointer = Checkpointer(self._engine, file) if file else None
        self._limit = limit
        self._interval_s = interval_s
        self._queue: deque[Event | tuple[CallEnded, CallRecord] | _Mark] = deque()
        self._wake = threading.Event()
        self._asleep = False
        self._closing = False
        self._urgent = False
        self._overrun = 0
        self._since: float | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------------ the engine's side

    def append(self, event: Event) -> None:
        """Keep the event. Never blocks, never raises; beyond `limit` waiting events it is lost, and
        counted.
        """
        queue = self._queue
        if len(queue) >= self._limit:
            self._overrun += 1
            return
        queue.append(event)
        if self._asleep:
            self._wake.set()

    def finish(self, ended: CallEnded, record: CallRecord) -> None:
        """Keep a call's last event and its record in one transaction. A record has twice the room of an
        event.
        """
        queue = self._queue
        if len(queue) >= 2 * self._limit:
            self._overrun += 1
            return
        queue.append((ended, record))
        if self._asleep:
            self._wake.set()

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Wait until what was appended before is in the store or spilled; False when it is not by then.

        Blocks the calling thread: not for the event loop.
        """
        if not self._thread.is_alive():
            return False
        mark = _Mark()
        self._queue.append(mark)
        self._urgent = True
        self._wake.set()
        return mark.passed.wait(timeout_s) and mark.durable

    def close(self, timeout_s: float = FLUSH_S) -> None:
        """Write what waits, then let go of the store and the spill file. Events appended later are lost, and
        counted.
        """
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        self._limit = 0
        if self._thread.is_alive():
            log.error("the journal's writer does not end; what it holds is lost", waiting=self.waiting)
            return
        if self._checkpointer:
            self._checkpointer.close()
        self._keeper.close()
        self._engine.dispose()

    @property
    def waiting(self) -> int:
        """Events in memory alone; a node refuses new calls before this reaches `limit`."""
        return len(self._queue) + self._keeper.held

    def state(self) -> JournalState:
        since = self._since
        return JournalState(
            keeping=self._keeper.keeping,
            waiting=self.waiting,
            spilled_bytes=self._keeper.spilled_bytes,
            lost=self._keeper.lost + self._overrun,
            refused=self._keeper.refused + self._keeper.broken,
            lag_s=time.monotonic() - since if since is not None else 0.0,
            fault=self._keeper.fault,
        )

    def check(self) -> Check:
        """The journal's line in the node's health."""
        state = self.state()
        if not self._thread.is_alive() or state.keeping is Keeping.HELD:
            return Check(name="journal", status=Health.FAILING, detail="neither store nor disk takes events")
        if state.keeping is Keeping.SPILLED:
            return Check(
                name="journal", status=Health.DEGRADED, detail="the store fails; events wait on disk"
            )
        if state.lost or state.refused:
            detail = f"since start {state.lost} events lost, {state.refused} refused"
            return Check(name="journal", status=Health.DEGRADED, detail=detail)
        return Check(name="journal", status=Health.OK)

    # ---------------------------------------------------------------------------------------- after a crash

    def open_calls(self) -> list[OpenCall]:
        """Calls of this node with a first event and no last one, as committed so far."""
        return self._records.open_calls(self.node)

    @property
    def orphans(self) -> list[str]:
        """The calls that an earlier life of this node left open."""
        return [orphan.call for orphan in self._orphans]

    def recover(self, now: float, taken: Mapping[str, str] | None = None) -> list[CallRecord]:
        """Close the calls an earlier life of this node left open, and return their records.

        now: epoch seconds. taken: calls that go on, or went on, and the nodes that have them: those nodes
        write their records. The node's last event before this start is taken for the time of its death. Calls
        that began since the start are none of this. Raises StoreUnavailable; calling it again is safe.
        """
        left = {orphan.call for orphan in self.open_calls()}
        written = []
        for orphan in self._orphans:
            has = taken.get(orphan.call) if taken else None
            if has is not None and has != self.node and orphan.call in left:
                self.append(CallHandedOver(at=now, call=orphan.call, node=has))
            if has is not None or orphan.call not in left:
                continue
            ended = min(self._last_sign if self._last_sign is not None else orphan.at, now)
            record = closing_record(orphan.call, orphan.node, orphan.at, self.events(orphan.call), ended)
            event = CallEnded(
                at=record.ended_at, call=record.call, by=Side.ENGINE, reason=EndReason.NODE_LOST
            )
            self.finish(event, record)
            written.append(record)
        if written and not self.flush():
            raise StoreUnavailable("the closing records are not written yet")
        return written

    # ---------------------------------------------------------------------------------------------- reading

    def records(
        self, wanted: RecordFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> RecordPage:
        """Finished calls, newest first. Blocks; raises BadCursor, StoreUnavailable."""
        return self._records.page(wanted, cursor=cursor, limit=limit)

    def record(self, call: str) -> CallRecord | None:
        """One finished call. Blocks; raises StoreUnavailable."""
        return self._records.get(call)

    def events(self, call: str) -> list[Entry]:
        """What happened to a call, in order. Blocks; raises StoreUnavailable."""
        return self._records.entries(call)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------------ the writer's side

    def _run(self) -> None:
        while not (self._closing and not self._queue):
            self._wait()
            began = time.monotonic()
            items, marks = self._drain()
            try:
                self._keeper.keep(items, began)
            except Exception as fault:  # the thread must outlive any fault of one batch
                log.exception("a fault of the journal; events go to the spill file", events=len(items))
                self._keeper.set_back(f"a fault of the journal: {fault}", began)
            self._since = began if self._queue else None
            for mark in marks:
                mark.durable = self._keeper.keeping is not Keeping.HELD
                mark.passed.set()

    def _wait(self) -> None:
        """Until there is something to write; then a moment longer, so that what comes together is written
        together.
        """
        if not self._queue and self._keeper.keeping is Keeping.STORED:
            self._asleep = True
            if not self._queue and not self._closing:
                self._wake.wait()
            self._asleep = False
        if self._since is None:
            self._since = time.monotonic()
        self._wake.clear()
        if not self._closing and not self._urgent:
            self._wake.wait(self._interval_s if self._queue else RETRY_LOOK_S)

    def _drain(self) -> tuple[list[Item], list[_Mark]]:
        self._urgent = False
        items: list[Item] = []
        marks: list[_Mark] = []
        for _ in range(len(self._queue)):
            entry = self._queue.popleft()
            if isinstance(entry, Event):
                items.append((entry, None))
            elif isinstance(entry, _Mark):
                marks.append(entry)
            else:
                items.append(entry)
        return items, marks


def _spill_path(store_url: str, given: Path | None) -> Path:
    if given is not None:
        return given
    file = database.sqlite_file(database.parse(store_url))
    if file is None:
        raise database.UnfitStore("a database server needs a spill file beside it: give `spill`")
    return file.with_name("journal.spill")
