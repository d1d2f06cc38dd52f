"""What hooks are yet to be told, in the store: put there from the journal, with how far it was read, in one
transaction; taken out when it was told.

The journal is what makes an event durable; the outbox follows it, in the order of a node's own numbers. So
nothing is lost in a crash, and what was told but not taken out is told again.

    waiting  --told-->  taken out
       |  its time is over, or too many of its hook wait: the oldest first
       v
    aside (`dead`)  --replayed-->  waiting
       |  kept long enough, or too many of its hook are: the oldest first
       v
    dropped; the journal has the event still
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from config.hook import HookSettings
from engine.events import CallArrived, CallCrossed, CallOffered, CallQueued, CallTaken
from engine.hooks.cloud_event import cloud_event, wants
from engine.store.errors import StoreUnavailable
from engine.store.rows import Entry, entry_of
from engine.store.schema import hook_cursors, hook_outbox, journal

READ = 500  # journal entries, or letters, at a time
MOST_WAITING = 50_000  # of one hook; beyond them its oldest are put aside
MOST_ASIDE = 50_000  # of one hook; beyond them its oldest are dropped
STEPS = 100  # a hundredth of those at a time, so that a full hook is looked at and told of seldom
MOST_CALLS = 10_000  # whose queue and market are remembered
MOST_TOLD = 200  # letters of one answer
DAY_S = 86_400.0
TOO_MANY = "too many waited"
TOO_LATE = "not told in time"
TOO_OLD = "was aside for too long"

Conditions = tuple[ColumnElement[bool], ...]  # that letters meet

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
class GivenUp:
    """Letters of a hook that are not tried any more. dropped: nor put aside, but gone out of the outbox."""

    hook: str
    events: int
    why: str
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of one hook. oldest: when the event happened that has waited longest, epoch seconds."""

    waiting: int = 0
    oldest: float | None = None
    dead: int = 0


class Outbox:
    """One node's. Blocks; `fill` is for one thread at a time. Raises StoreUnavailable."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self.node = node
        self._calls: OrderedDict[str, tuple[str, str]] = OrderedDict()  # queue and market

    def begin(self, *, anew: bool) -> None:
        """Read the journal on from where that was left, or, for the first time or `anew`, from its end."""
        with self._asking() as connection:
            last = select(func.max(LOG.seq)).where(LOG.node == self.node)
            known = select(hook_cursors.c.seq).where(hook_cursors.c.node == self.node)
            if connection.execute(known).scalar() is None:
                values = {"node": self.node, "seq": connection.execute(last).scalar() or 0}
                connection.execute(insert(hook_cursors).values(values))
            elif anew:
                self._move(connection, connection.execute(last).scalar() or 0)

    def fill(self, hooks: Mapping[str, HookSettings], now: float) -> int:
        """Read the journal on; how many entries were. now: epoch seconds."""
        with self._asking() as connection:
            known = select(hook_cursors.c.seq).where(hook_cursors.c.node == self.node)
            cursor = connection.execute(known).scalar() or 0
            query = (
                select(journal).where(LOG.node == self.node, LOG.seq > cursor).order_by(LOG.seq).limit(READ)
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
        """What may be sent to a hook now: of each call the first that waits, so that they come in order.

        Looked through once and in parts: by a join, a target that refuses all it is told would cost a look
        through all that waits for each of those.
        """
        mine = BOX.hook == hook, BOX.node == self.node
        found: list[int] = []
        with self._asking() as connection:
            for seq, next_at in self._firsts(connection, (*mine, ~BOX.dead)):
                if next_at <= now:
                    found.append(seq)
                    if len(found) == limit:
                        break
            query = select(hook_outbox).where(*mine, BOX.seq.in_(found)).order_by(BOX.seq)
            return [_letter(row) for row in connection.execute(query)] if found else []

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
        query = select(BOX.hook, BOX.dead, func.count(), func.min(BOX.at)).where(BOX.node == self.node)
        found: dict[str, Waiting] = {}
        with self._asking() as connection:
            for hook, dead, count, oldest in connection.execute(query.group_by(BOX.hook, BOX.dead)):
                was = found.get(hook, Waiting())
                found[hook] = (
                    Waiting(was.waiting, was.oldest, count) if dead else Waiting(count, oldest, was.dead)
                )
        return found

    def bound(self, hooks: Iterable[str]) -> list[GivenUp]:
        """Let no more than MOST_WAITING wait and MOST_ASIDE be aside, of each hook by itself."""
        with self._asking() as connection:
            return [each for hook in hooks for each in self._bound(connection, hook)]

    def clean(self, now: float, kept_s: float) -> list[GivenUp]:
        """Put aside what was not told in time, tried or not, whatever became of its hook; drop what was put
        aside and has been of no use for `kept_s` since then.
        """
        mine = BOX.node == self.node
        late = mine, ~BOX.dead, BOX.until <= now
        old = mine, BOX.dead, BOX.until < now - kept_s
        with self._asking() as connection:
            found = [GivenUp(hook, count, TOO_OLD, dropped=True) for hook, count in _by_hook(connection, old)]
            connection.execute(delete(hook_outbox).where(*old))
            for hook, count in _by_hook(connection, late):
                _put_aside(connection, (*late, BOX.hook == hook), TOO_LATE)
                found += [GivenUp(hook, count, TOO_LATE), *self._bound(connection, hook)]
        return found

    def dead(self, hook: str) -> list[Letter]:
        """What was put aside, the oldest first, MOST_TOLD of them."""
        query = select(hook_outbox).where(BOX.hook == hook, BOX.node == self.node, BOX.dead)
        with self._asking() as connection:
            return [_letter(row) for row in connection.execute(query.order_by(BOX.seq).limit(MOST_TOLD))]

    def replay(self, hook: str, seqs: Sequence[int] | None, now: float, until: float) -> int:
        """Try again what was put aside, all of it or some; how many there are."""
        change = update(hook_outbox).where(BOX.hook == hook, BOX.node == self.node, BOX.dead)
        if seqs is not None:
            change = change.where(BOX.seq.in_(seqs))
        with self._asking() as connection:
            values = {"dead": False, "next_at": now, "until": until}
            return connection.execute(change.values(values)).rowcount

    def _firsts(self, connection: Connection, those: Conditions) -> Iterator[tuple[int, float]]:
        """Of each call the first letter, and all that are of no call: number, and when it may be sent."""
        calls: set[str] = set()
        last: int | None = -1
        while last is not None:
            query = select(BOX.seq, BOX.call, BOX.next_at).where(*those, BOX.seq > last)
            last = None
            for last, call, next_at in connection.execute(query.order_by(BOX.seq).limit(READ)):
                if call not in calls:
                    yield last, next_at
                if call:
                    calls.add(call)

    # --- from the journal ---------------------------------------------------------------------------

    def _rows(
        self, connection: Connection, entry: Entry, hooks: Mapping[str, HookSettings], now: float
    ) -> Iterator[dict[str, Any]]:
        queue, market = self._place(connection, entry)
        for name, hook in hooks.items():
            until = entry.at + hook.keep_days * DAY_S
            if wants(hook, entry.kind, queue, market):
                late = until <= now  # the store, or the node, was away for so long
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
                    "dead": late,
                    "error": TOO_LATE if late else "",
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

    # --- within bounds ------------------------------------------------------------------------------

    def _bound(self, connection: Connection, hook: str) -> Iterator[GivenUp]:
        mine = BOX.hook == hook, BOX.node == self.node
        if those := _beyond(connection, (*mine, ~BOX.dead), MOST_WAITING):
            yield GivenUp(hook, _put_aside(connection, those, TOO_MANY), TOO_MANY)
        if those := _beyond(connection, (*mine, BOX.dead), MOST_ASIDE):
            dropped = connection.execute(delete(hook_outbox).where(*those)).rowcount
            yield GivenUp(hook, dropped, TOO_MANY, dropped=True)

    def _move(self, connection: Connection, seq: int) -> None:
        change = update(hook_cursors).where(hook_cursors.c.node == self.node)
        connection.execute(change.values(seq=seq))

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _beyond(connection: Connection, those: Conditions, most: int) -> Conditions:
    """The oldest of those, when they are more than `most`; so many that there is room then. Else ()."""
    newest = select(BOX.seq).where(*those).order_by(BOX.seq.desc()).limit(1)
    if connection.execute(newest.offset(most)).scalar() is None:
        return ()
    last = connection.execute(newest.offset(most - most // STEPS)).scalar()
    return *those, BOX.seq <= last


def _put_aside(connection: Connection, those: Conditions, why: str) -> int:
    """How many they are. What a target answered last says more than `why`, which is for the others."""
    error = case((BOX.error == "", why), else_=BOX.error)
    return connection.execute(update(hook_outbox).where(*those).values(dead=True, error=error)).rowcount


def _by_hook(connection: Connection, those: Conditions) -> list[tuple[str, int]]:
    query = select(BOX.hook, func.count()).where(*those).group_by(BOX.hook).order_by(BOX.hook)
    return [(hook, count) for hook, count in connection.execute(query)]


def _same(letter: Letter) -> Conditions:
    return BOX.hook == letter.hook, BOX.node == letter.node, BOX.seq == letter.seq


def _letter(row: Any) -> Letter:
    names = ("hook", "node", "seq", "at", "call", "kind", "body", "tries", "until", "error")
    return Letter(*(getattr(row, name) for name in names))
