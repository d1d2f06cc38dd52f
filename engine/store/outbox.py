"""What hooks are yet to be told, in the store: put there from the journal, with how far it was read, in one
transaction; taken out when it was told.

The journal is what makes an event durable; the outbox follows it, in the order of a node's own numbers. So
nothing is lost in a crash, and what was told but not taken out is told again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from config.hook import HookSettings
from engine.events import CallArrived, CallCrossed, CallOffered, CallQueued, CallTaken
from engine.hooks.cloud_event import cloud_event, wants
from engine.store.errors import StoreUnavailable
from engine.store.rows import Entry, entry_of
from engine.store.schema import hook_cursors, hook_outbox, journal

READ = 500  # journal entries at a time
MOST_WAITING = 50_000  # of one node; beyond them the journal is not read on
MOST_CALLS = 10_000  # whose queue and market are remembered
MOST_TOLD = 200  # letters of one answer
DAY_S = 86_400.0

BOX, LOG = hook_outbox.c, journal.c
MARKETS = frozenset({CallArrived.kind, CallTaken.kind})
QUEUES = frozenset({CallQueued.kind, CallOffered.kind, CallCrossed.kind})


@dataclass(frozen=True, slots=True)
class Letter:
    """An event for a hook, as it is sent. until: epoch seconds, when it is given up."""

    hook: str
    node: str
    seq: int
    at: float
    call: str
    kind: str
    body: str
    tries: int
    until: float
    error: str = ""

    @property
    def id(self) -> str:
        return f"{self.node}-{self.seq}"


@dataclass(frozen=True, slots=True)
class Failed:
    """A letter that was not taken. again: when to try again, None to put it aside."""

    letter: Letter
    error: str
    again: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of one hook. oldest: when the event happened that has waited longest, epoch seconds."""

    waiting: int = 0
    oldest: float | None = None
    dead: int = 0


class Outbox:
    """One node's. Blocks; for one thread at a time, but for `dead` and `replay`. Raises StoreUnavailable."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self._node = node
        self._calls: OrderedDict[str, tuple[str, str]] = OrderedDict()  # queue and market

    def begin(self, *, anew: bool) -> None:
        """Read the journal on from where that was left, or, for the first time or `anew`, from its end."""
        with self._asking() as connection:
            last = select(func.max(LOG.seq)).where(LOG.node == self._node)
            known = select(hook_cursors.c.seq).where(hook_cursors.c.node == self._node)
            if connection.execute(known).scalar() is None:
                values = {"node": self._node, "seq": connection.execute(last).scalar() or 0}
                connection.execute(insert(hook_cursors).values(values))
            elif anew:
                self._move(connection, connection.execute(last).scalar() or 0)

    def fill(self, hooks: Mapping[str, HookSettings], now: float) -> int:
        """Read the journal on; how many entries were. now: epoch seconds."""
        with self._asking() as connection:
            if self._waits(connection) >= MOST_WAITING:
                return 0
            known = select(hook_cursors.c.seq).where(hook_cursors.c.node == self._node)
            cursor = connection.execute(known).scalar() or 0
            query = (
                select(journal).where(LOG.node == self._node, LOG.seq > cursor).order_by(LOG.seq).limit(READ)
            )
            entries = [entry_of(row) for row in connection.execute(query)]
            if not entries:
                return 0
            rows = [row for entry in entries for row in self._rows(connection, entry, hooks, now)]
            if rows:
                connection.execute(insert(hook_outbox), rows)
            self._move(connection, entries[-1].seq)
        return len(entries)

    def due(self, hook: str, now: float, limit: int) -> list[Letter]:
        """What may be sent to a hook now: of each call the first that waits, so that they come in order."""
        earlier = hook_outbox.alias()
        before = select(earlier.c.seq).where(
            earlier.c.hook == BOX.hook,
            earlier.c.node == BOX.node,
            earlier.c.call == BOX.call,
            earlier.c.seq < BOX.seq,
            ~earlier.c.dead,
        )
        query = select(hook_outbox).where(
            BOX.hook == hook, BOX.node == self._node, ~BOX.dead, BOX.next_at <= now
        )
        query = query.where((BOX.call == "") | ~before.exists()).order_by(BOX.seq).limit(limit)
        with self._asking() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def settle(self, told: Sequence[Letter], failed: Sequence[Failed]) -> None:
        """What became of letters that were sent."""
        with self._asking() as connection:
            for letter in told:
                connection.execute(delete(hook_outbox).where(*_same(letter)))
            for each in failed:
                values: dict[str, Any] = {"tries": each.letter.tries + 1, "error": each.error}
                values |= {"dead": True} if each.again is None else {"next_at": each.again}
                connection.execute(update(hook_outbox).where(*_same(each.letter)).values(values))

    def waiting(self) -> dict[str, Waiting]:
        """By hook; those of which nothing waits are left out."""
        query = select(BOX.hook, BOX.dead, func.count(), func.min(BOX.at)).where(BOX.node == self._node)
        found: dict[str, Waiting] = {}
        with self._asking() as connection:
            for hook, dead, count, oldest in connection.execute(query.group_by(BOX.hook, BOX.dead)):
                was = found.get(hook, Waiting())
                found[hook] = (
                    Waiting(was.waiting, was.oldest, count) if dead else Waiting(count, oldest, was.dead)
                )
        return found

    def clean(self, before: float) -> None:
        """Forget what was put aside and happened before that."""
        with self._asking() as connection:
            connection.execute(delete(hook_outbox).where(BOX.node == self._node, BOX.dead, BOX.at < before))

    def dead(self, hook: str) -> list[Letter]:
        """What was put aside, the oldest first, MOST_TOLD of them."""
        query = select(hook_outbox).where(BOX.hook == hook, BOX.node == self._node, BOX.dead)
        with self._asking() as connection:
            return [_letter(row) for row in connection.execute(query.order_by(BOX.seq).limit(MOST_TOLD))]

    def replay(self, hook: str, seqs: Sequence[int] | None, now: float, until: float) -> int:
        """Try again what was put aside, all of it or some; how many there are."""
        change = update(hook_outbox).where(BOX.hook == hook, BOX.node == self._node, BOX.dead)
        if seqs is not None:
            change = change.where(BOX.seq.in_(seqs))
        with self._asking() as connection:
            values = {"dead": False, "next_at": now, "until": until}
            return connection.execute(change.values(values)).rowcount

    # --- from the journal ---------------------------------------------------------------------------

    def _rows(
        self, connection: Connection, entry: Entry, hooks: Mapping[str, HookSettings], now: float
    ) -> Iterator[dict[str, Any]]:
        queue, market = self._place(connection, entry)
        for name, hook in hooks.items():
            until = entry.at + hook.keep_days * DAY_S
            if wants(hook, entry.kind, queue, market) and until > now:
                yield {
                    "hook": name,
                    "node": entry.node,
                    "seq": entry.seq,
                    "at": entry.at,
                    "call": entry.call,
                    "kind": entry.kind,
                    "body": cloud_event(hook, entry, queue, market).decode(),
                    "tries": 0,
                    "next_at": now,
                    "until": until,
                    "dead": False,
                    "error": "",
                }

    def _place(self, connection: Connection, entry: Entry) -> tuple[str, str]:
        """Queue and market of the entry's call by then; both "" for an entry of none."""
        if not entry.call:
            return "", ""
        if entry.call not in self._calls and entry.kind not in MARKETS:
            query = select(journal).where(
                LOG.call == entry.call, LOG.kind.in_(MARKETS | QUEUES), LOG.seq < entry.seq
            )
            for row in connection.execute(query.order_by(LOG.at)):
                self._remember(entry_of(row))
        self._remember(entry)
        return self._calls[entry.call]

    def _remember(self, entry: Entry) -> None:
        queue, market = self._calls.get(entry.call, ("", ""))
        queue = entry.data.get("queue", queue) if entry.kind in QUEUES else queue
        market = entry.data.get("market", market) if entry.kind in MARKETS else market
        self._calls[entry.call] = queue, market
        self._calls.move_to_end(entry.call)
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)

    def _waits(self, connection: Connection) -> int:
        query = select(func.count()).where(BOX.node == self._node, ~BOX.dead)
        return connection.execute(query).scalar() or 0

    def _move(self, connection: Connection, seq: int) -> None:
        change = update(hook_cursors).where(hook_cursors.c.node == self._node)
        connection.execute(change.values(seq=seq))

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _same(letter: Letter) -> tuple[Any, ...]:
    return BOX.hook == letter.hook, BOX.node == letter.node, BOX.seq == letter.seq


def _letter(row: Any) -> Letter:
    names = ("hook", "node", "seq", "at", "call", "kind", "body", "tries", "until", "error")
    return Letter(*(getattr(row, name) for name in names))
