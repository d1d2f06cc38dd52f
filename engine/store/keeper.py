"""What becomes of events on their way to the store: numbered, encoded, written; spilled when the store fails.

    store well       every batch is one transaction
    store failing    every batch goes to the spill file at once, so that a crash loses nothing then either;
                     the store is tried with back-off, and gets the spilled lines before any newer one
    disk full too    lines are held in memory, up to `hold`; beyond that the oldest are lost, and counted,
                     those with a call's record last of all
    rows refused     the store is well but not with these: the rest is written, they go to a file of their own

No thread and no clock here: engine/journal.py has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import structlog

from engine.events import CallRecord, Event
from engine.store.errors import RowsRefused, StoreUnavailable
from engine.store.rows import Line, clean, encode, record_values
from engine.store.sink import Sink
from engine.store.spill import Spill

FIRST_RETRY_S = 0.05
LAST_RETRY_S = 5.0
DISK_RETRY_S = 1.0
BATCH = 2_000  # lines a transaction; a longer one keeps other programs waiting for the lock
MAX_REFUSED_BYTES = 64 * 1024 * 1024

Item = tuple[Event, CallRecord | None]

log = structlog.get_logger("journal")


class Keeping(StrEnum):
    STORED = "stored"  # all is in the store
    SPILLED = "spilled"  # some is in the spill file
    HELD = "held"  # some is in memory alone


class Keeper:
    """`keep` never raises for a failing store or disk. Not for two threads at once."""

    def __init__(self, sink: Sink, spill: Spill, node: str, *, hold: int) -> None:
        self._sink = sink
        self._spill = spill
        self._node = clean(node)
        self._hold = hold
        self._seq = 0
        self._held: list[Line] = []
        self._doubt = False  # whether some held lines may have been written before
        self._retry_at = 0.0
        self._retry_s = FIRST_RETRY_S
        self._disk_retry_at = 0.0
        self._refused = spill.path.with_suffix(".refused")
        self.lost = 0
        self.refused = 0
        self.fault = ""

    def begin(self) -> None:
        """Bring what an earlier life spilled into the store, then number on. Raises StoreUnavailable."""
        self._import()
        self._seq = self._sink.last_seq(self._node)

    def keep(self, items: Sequence[Item], now: float) -> None:
        """Store or spill the items; `now` is monotonic seconds."""
        self._held.extend(line for item in items if (line := self._line(item)) is not None)
        if now >= self._retry_at:
            self._store(now)
        if self._held and now >= self._disk_retry_at:
            self._to_spill(now)
        self._bound()

    def retry(self, now: float) -> None:
        """Try a failing store again when it is time."""
        if now >= self._retry_at and (self._held or self._spill):
            self.keep((), now)

    def set_back(self, why: str, now: float) -> None:
        """After a fault that nothing foresaw: keep what is held safe on disk, and the store unasked for a
        while.
        """
        self._failed(StoreUnavailable(why), now)
        if self._held:
            self._to_spill(now)
        self._bound()

    @property
    def keeping(self) -> Keeping:
        if self._held:
            return Keeping.HELD
        return Keeping.SPILLED if self._spill else Keeping.STORED

    @property
    def held(self) -> int:
        """Lines in memory alone."""
        return len(self._held)

    @property
    def spilled_bytes(self) -> int:
        return self._spill.size

    @property
    def broken(self) -> int:
        """Spilled lines that could not be read back."""
        return self._spill.broken

    def close(self) -> None:
        self._sink.close()
        self._spill.close()

    def _line(self, item: Item) -> Line | None:
        event, record = item
        try:
            data, person = encode(event)
            values = record_values(record) if record is not None else None
        except (TypeError, ValueError, AttributeError) as error:
            self.refused += 1
            log.error("event refused", kind=event.kind, call=event.call, why=str(error))
            return None
        self._seq += 1
        return Line(self._node, self._seq, event.at, clean(event.call), event.kind, data, person, values)

    def _store(self, now: float) -> None:
        try:
            if self._spill:
                self._import()
            while self._held:
                batch = self._held[:BATCH]
                self._write(batch)
                del self._held[: len(batch)]
        except StoreUnavailable as error:
            self._failed(error, now)
            return
        self._doubt = False
        self._retry_s, self._retry_at, self._disk_retry_at = FIRST_RETRY_S, 0.0, 0.0
        if self.fault:
            log.info("the store takes events again")
            self.fault = ""

    def _failed(self, error: StoreUnavailable, now: float) -> None:
        self._doubt = True
        self._retry_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, LAST_RETRY_S)
        if not self.fault:
            log.error("the store does not take events; spilling", why=str(error), remedy=error.remedy)
        self.fault = str(error)

    def _write(self, batch: list[Line]) -> None:
        try:
            self._sink.write(batch, again=self._doubt)
            return
        except RowsRefused:
            self._renumber(batch)
        self._write_each(batch, again=self._doubt)

    def _renumber(self, batch: list[Line]) -> None:
        """Numbers may be taken: another process wrote as this node, which the spill file's lock cannot see
        from afar.
        """
        last = self._sink.last_seq(self._node)
        if self._doubt or last < batch[0].seq:
            return
        log.error("another process writes to the store as this node", node=self._node)
        for line in self._held:
            last += 1
            line.seq = last
        self._seq = last

    def _write_each(self, batch: Sequence[Line], *, again: bool) -> None:
        for line in batch:
            try:
                self._sink.write([line], again=again)
            except RowsRefused as error:
                self._set_aside(line, error)

    def _import(self) -> None:
        """Write what was spilled; lines that a crash let be written before stay as they are."""
        for lines in self._spill.chunks():
            try:
                self._sink.write(lines, again=True)
            except RowsRefused:
                self._write_each(lines, again=True)
        self._spill.clear()

    def _set_aside(self, line: Line, error: RowsRefused) -> None:
        self.refused += 1
        log.error(
            "the store refused a row", kind=line.kind, call=line.call, why=str(error), remedy=error.remedy
        )
        try:
            _append(self._refused, msgspec.json.encode(line) + b"\n")
        except OSError as fault:
            log.error("a refused row could not be set aside", why=str(fault))

    def _to_spill(self, now: float) -> None:
        try:
            self._spill.append(self._held)
        except OSError as error:
            if not self._disk_retry_at:
                log.error("the spill file cannot be written; events are held in memory", why=str(error))
            self._disk_retry_at = now + DISK_RETRY_S
            return
        self._held.clear()
        self._disk_retry_at = 0.0

    def _bound(self) -> None:
        """Give up lines that memory has no room for: first those that are not a call's last, then the
        oldest.
        """
        over = len(self._held) - self._hold
        if over <= 0:
            return
        plain = sum(line.record is None for line in self._held)
        drop = min(over, plain)
        kept = []
        for line in self._held:
            if drop and line.record is None:
                drop -= 1
            else:
                kept.append(line)
        kept = kept[-self._hold :]
        if not self.lost:
            log.error("events are lost from here on: neither store nor disk takes them")
        self.lost += len(self._held) - len(kept)
        self._held = kept


def _append(path: Path, data: bytes) -> None:
    """Keep a refused row, up to a bound: a fault that refuses every row must not fill the disk."""
    if path.exists() and path.stat().st_size > MAX_REFUSED_BYTES:
        return
    with path.open("ab") as file:
        path.chmod(0o600)
        file.write(data)
