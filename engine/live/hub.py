"""Who reads the tree, and what waits for each: a bounded number of readers, each with a bounded buffer.

A reader is told a snapshot, then deltas. One whose buffer is full is told nothing more until she takes what
waits: then that she has missed something (`resync`), and a snapshot. One who takes nothing for `stall_s` is
to be cut. Nobody waits for a reader.

Ids are `EPOCH-ANGLE-NUMBER`: of the hub's life, of what is seen, and of the tree's step; who asks to see
something else does not go on from where she was. A delta holds all changes after the id `after`, which is the
reader's last one or an older one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from engine.live.angle import Angle
from engine.live.tree import Change, Tree

MOST_READERS = 100
MOST_WAITING = 64  # messages of a reader
MOST_BYTES = 256 * 1024
STALL_S = 10.0

_ID = re.compile(r"([0-9a-f]{1,32}-[0-9a-f]{8})-([0-9]{1,15})")
_encode = msgspec.json.Encoder().encode


class TooManyReaders(Exception):
    """So many read already."""


class Message:
    """One message, as it is sent. kind: snapshot, delta or resync. id: where its reader is after it."""

    __slots__ = ("data", "id", "kind")

    def __init__(self, kind: str, id: str, data: bytes) -> None:
        self.kind = kind
        self.id = id
        self.data = data


class Reader:
    """wake: called when there is something to take; may not raise. cut: called once, when she is to go."""

    __slots__ = ("_bytes", "_waiting", "angle", "cut", "missed", "since", "wake")

    def __init__(self, angle: Angle, wake: Callable[[], None], cut: Callable[[], None]) -> None:
        self.angle = angle
        self.wake = wake
        self.cut = cut
        self.missed = ""  # why a snapshot is due; "" where none is
        self.since: float | None = None  # when what waits began to
        self._waiting: deque[Message] = deque()
        self._bytes = 0

    @property
    def waiting(self) -> int:
        """Bytes."""
        return self._bytes

    def tell(self, message: Message, now: float) -> None:
        if self.missed:
            return
        if len(self._waiting) >= MOST_WAITING or self._bytes + len(message.data) > MOST_BYTES:
            self.miss("slow", now)
            return
        self._waiting.append(message)
        self._bytes += len(message.data)
        self._waits(now)

    def miss(self, why: str, now: float) -> None:
        """Nothing that waits counts; a snapshot is next."""
        self.missed = why
        self._waiting.clear()
        self._bytes = 0
        self._waits(now)

    def take(self) -> list[Message]:
        taken = list(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        self.since = None
        return taken

    def _waits(self, now: float) -> None:
        if self.since is None:
            self.since = now
        self.wake()


class _Group:
    """The readers of one angle. last: number of their last delta, or of the first one's snapshot."""

    __slots__ = ("last", "readers", "snapshot")

    def __init__(self, last: int) -> None:
        self.last = last
        self.readers: list[Reader] = []
        self.snapshot: Message | None = None  # of the tree as it is


class Hub:
    """epoch: a text of hex that no other life of a hub has."""

    def __init__(self, tree: Tree, epoch: str, *, most: int = MOST_READERS, stall_s: float = STALL_S) -> None:
        self.tree = tree
        self.epoch = epoch
        self.most = most
        self.resyncs = 0
        self.cuts = 0
        self._stall_s = stall_s
        self._groups: dict[Angle, _Group] = {}

    @property
    def readers(self) -> int:
        return sum(len(group.readers) for group in self._groups.values())

    def wants(self, topic: str) -> bool:
        """Whether anybody reads it."""
        return any(topic in angle.topics for angle in self._groups)

    def open(
        self, angle: Angle, wake: Callable[[], None], cut: Callable[[], None], now: float, since: str = ""
    ) -> Reader:
        """Begin to read. since: the last id she had, from where she goes on if that is known still; else she
        begins anew. Raises TooManyReaders.
        """
        if self.readers >= self.most:
            raise TooManyReaders(f"{self.most} read already")
        reader = Reader(angle, wake, cut)
        changes = self._known(since, angle)
        if changes is None:
            reader.miss("gap" if since else "begin", now)
        else:  # a delta even where nothing differs, so that she knows where she is
            reader.tell(self._delta(angle, angle.changes(changes), since), now)
        self._join(reader)
        return reader

    def turn(self, reader: Reader, angle: Angle, now: float) -> None:
        """She sees something else from now on."""
        self.close(reader)
        reader.angle = angle
        reader.miss("turned", now)
        self._join(reader)

    def close(self, reader: Reader) -> None:
        """Safe when it was done already."""
        group = self._groups.get(reader.angle)
        if group is None or reader not in group.readers:
            return
        group.readers.remove(reader)
        if not group.readers:
            del self._groups[reader.angle]

    def step(self, now: float) -> int:
        """What was put in the tree is told; how many changes there were."""
        changes = self.tree.step()
        if changes:
            for angle, group in self._groups.items():
                group.snapshot = None
                if seen := angle.changes(changes):
                    delta = self._delta(angle, seen, self._id(angle, group.last))
                    group.last = self.tree.seq
                    for reader in group.readers:
                        reader.tell(delta, now)
        return len(changes)

    def take(self, reader: Reader) -> list[Message]:
        """All that waits for her, which is hers to send."""
        if not reader.missed:
            return reader.take()
        why, reader.missed = reader.missed, ""
        reader.take()
        if why != "slow":
            return [self._snapshot(reader.angle)]
        self.resyncs += 1
        id = self._id(reader.angle, self.tree.seq)
        told = {"type": "resync", "why": why, "id": id}
        return [Message("resync", id, _encode(told)), self._snapshot(reader.angle)]

    def cut_stalled(self, now: float) -> None:
        """Cut who has taken nothing for too long."""
        stalled = [
            reader
            for group in self._groups.values()
            for reader in group.readers
            if reader.since is not None and now - reader.since >= self._stall_s
        ]
        for reader in stalled:
            self.close(reader)
            self.cuts += 1
            reader.cut()

    def _join(self, reader: Reader) -> None:
        self._groups.setdefault(reader.angle, _Group(self.tree.seq)).readers.append(reader)

    def _prefix(self, angle: Angle) -> str:
        return f"{self.epoch}-{hash(angle) & 0xFFFFFFFF:08x}"

    def _id(self, angle: Angle, seq: int) -> str:
        return f"{self._prefix(angle)}-{seq}"

    def _known(self, since: str, angle: Angle) -> Iterable[Change] | None:
        found = _ID.fullmatch(since)
        if found is None or found[1] != self._prefix(angle):
            return None
        return self.tree.since(int(found[2]))

    def _delta(self, angle: Angle, changes: list[dict[str, Any]], after: str) -> Message:
        id = self._id(angle, self.tree.seq)
        return Message("delta", id, _encode({"type": "delta", "id": id, "after": after, "changes": changes}))

    def _snapshot(self, angle: Angle) -> Message:
        group = self._groups.get(angle)
        if group is not None and group.snapshot is not None:
            return group.snapshot
        id = self._id(angle, self.tree.seq)
        whole = angle.whole(self.tree.items)
        made = Message("snapshot", id, _encode({"type": "snapshot", "id": id, "topics": whole}))
        if group is not None:
            group.snapshot = made
        return made
