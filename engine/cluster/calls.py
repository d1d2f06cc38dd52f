"""This node's calls as others would go on with them, and others' calls as this one does."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from engine.cluster import replica
from engine.cluster.capture import capture
from engine.cluster.inherited import Claimable
from engine.cluster.kept import Kept
from engine.cluster.replica import BadReplica, CallReplica
from engine.cluster.revival import revive
from engine.cluster.seal import Seals
from engine.cluster.store import Answer, Store
from engine.cluster.surrender import surrender
from engine.events import CallEnded, CallHandedOver, CallRecord

if TYPE_CHECKING:
    from engine.call import Call
    from engine.switch import Switch

MOST_HELD = 20_000  # records that wait for the store
AT_ONCE = 16  # calls revived before others have their turn

log = structlog.get_logger("takeover")


class Calls:
    """Is the switch's `replicas` (engine.ports.ReplicaPort) and a part of what nodes inherit."""

    word = "calls"

    def __init__(self, switch: Switch, store: Store, life: str, now: float, seals: Seals) -> None:
        self.taken = 0
        self._switch = switch
        self._store = store
        self._seals = seals
        self._due: deque[tuple[CallReplica, str]] = deque()
        self._held: OrderedDict[str, tuple[CallEnded, CallRecord]] = OrderedDict()
        self.kept = Kept(
            self.word, life, store, switch.timers, describe=self._describe, all=self.present, now=now
        )
        self.kept.removed = self._write
        switch.replicas = self
        self.kept.forgot.append(lambda at: self._store_changed(True, at))
        store.watch(self._store_changed)

    # --- ours ---------------------------------------------------------------------------------------

    def touched(self, call: Call, now: float) -> None:
        self.kept.touched(call.id, now)

    def finish(self, ended: CallEnded, record: CallRecord) -> None:
        """Records of calls that others could take over wait until the store has let go of them: else a node
        that dies meanwhile, or is out of everybody's reach, would leave two. While the store is away they
        stay here; should the node die so, it closes those calls as lost when it comes back.
        """
        if not self.kept.knows(record.call):
            self._switch.journal.finish(ended, record)
            return
        if len(self._held) >= MOST_HELD:
            log.error("too many records wait for the store; the oldest is written", calls=len(self._held))
            self._write(next(iter(self._held)), 0.0)
        self._held[record.call] = ended, record
        self.kept.touched(record.call, self._switch.instant(record.ended_at))

    def _write(self, id: str, now: float) -> None:
        """The store has let go of a call."""
        held = self._held.pop(id, None)
        if held is not None:
            self._switch.journal.finish(*held)

    def leave(self, now: float) -> None:
        """This node stops, and has ended its calls: none is to be taken over."""

        def left(answer: Answer, at: float) -> None:
            if isinstance(answer, int):
                for id in list(self._held):
                    self._write(id, at)

        self._store.ask("DEL", self.kept.key, now=now, then=left)

    def _describe(self, id: str) -> bytes:
        call = self._switch.calls.get(id)
        return b"" if call is None else self._seals.seal(self.word, id, replica.encode(capture(call)))

    def _store_changed(self, up: bool, now: float) -> None:
        """It may have forgotten who has the calls that were others'."""
        if up:
            for call in self._switch.calls.values():
                for node in call.taken_from:
                    me = self._switch.config.node.name
                    self._store.ask("HSET", self._store.key("taken", node), call.id, me, now=now)

    # --- others' ------------------------------------------------------------------------------------

    def room(self) -> int:
        """How many more this node can have."""
        if self._switch.media.place() is None:
            return 0
        limit = self._switch.config.node.limits.max_calls
        return max(0, limit - len(self._switch.calls) - len(self._due))

    def read(self, found: Mapping[str, bytes]) -> list[Claimable]:
        """Those that this release can go on with; others are left to whoever can."""
        calls: list[Claimable] = []
        for id, data in found.items():
            written = self._seals.open(self.word, id, data)
            if written is None:
                log.error("a call in the store is none of this cluster's", call=id)
                continue
            try:
                call = replica.decode(written)
            except BadReplica as fault:
                log.warning("a call cannot be read", call=id, why=str(fault))
                continue
            if call.id == id:
                calls.append(Claimable(id, call.key, call.market, call.told.arrived, data, call, call.near))
        return calls

    def have(self, claimed: Sequence[Claimable], former: str, now: float) -> None:
        """They are ours now; former: the node that had them. Their agents are busy from this moment, before
        any phone of theirs counts as registered here.
        """
        for each in claimed:
            assert isinstance(each.value, CallReplica)
            self.kept.has(each.id, each.data)
            self._due.append((each.value, former))
            for name, queue in each.value.agents:
                self._switch.acd.resume(name, each.id, queue, now)
        self._revive(now)

    def _revive(self, now: float) -> None:
        """So many, then others have their turn: who takes over thousands still answers its phones."""
        for _ in range(min(AT_ONCE, len(self._due))):
            call, former = self._due.popleft()
            if call.id not in self._switch.calls:
                self.taken += 1
                revive(self._switch, call, former, now)
                self.kept.touched(call.id, now)  # where it became part of another
        self._switch.assign(now)
        if self._due:
            self._switch.timers.at(now, self._revive)

    # --- ours no more -------------------------------------------------------------------------------

    def present(self) -> list[str]:
        return [*self._switch.calls, *self._held]

    def surrender(self, id: str, node: str, now: float) -> None:
        """Another node has it, and writes its record."""
        call = self._switch.calls.get(id)
        if self._held.pop(id, None) is not None:
            self._switch.note(CallHandedOver(at=self._switch.wall(now), call=id, node=node))
        if call is not None:
            surrender(call, node, now)
