"""Places in queues at work: who waits, who is back at hers, and those that other nodes tell of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.timers import Timer, Timers
from routing.estimate import Estimate
from routing.queue import Place, Queue, QueueSpec

if TYPE_CHECKING:
    from engine.cluster.sharing import Sharing

SERVICE_S = 20.0
NOBODY = "-"  # no agent is called so: whom callers are left to who are out of reach


@dataclass
class Tally:
    """What a queue has seen since the node started."""

    answered: int = 0
    abandoned: int = 0
    in_time: int = 0  # answered within SERVICE_S

    @property
    def service_level(self) -> float | None:
        """Share of the callers who left the queue, one way or the other, that were answered in time."""
        left = self.answered + self.abandoned
        return self.in_time / left if left else None


class Places:
    """Knows callers by their call ids alone."""

    def __init__(self, queues: Iterable[QueueSpec], timers: Timers) -> None:
        self.queues: dict[str, Queue] = {spec.name: Queue(spec) for spec in queues}
        self.tallies = {name: Tally() for name in self.queues}
        self.timers = timers
        self.others: Sharing | None = None  # nodes that the queues are shared with
        self._estimates = {name: Estimate() for name in self.queues}
        self._kept: dict[str, Timer] = {}  # places of callers whose calls broke off
        self._dirty = False  # there may be something to offer

    # --- callers ----------------------------------------------------------------------------------

    def enqueue(self, queue: str, call: str, now: float, caller: str = "") -> bool:
        """caller: who she is; whether a place was kept for her, which she has then. Raises QueueFull."""
        before = self.queues[queue]
        kept = before.kept_for(caller)
        self._dirty = True
        if kept is not None and not before.position(call):
            self._take_up(before, kept, call, now)
            return True
        self._set(before.enqueue(call, now, caller=caller), call)
        return False

    def enqueue_first(self, queue: str, call: str, now: float, caller: str = "") -> None:
        """Before all others of her priority."""
        self._set(self.queues[queue].enqueue(call, now, at_head=True, caller=caller), call)
        self._dirty = True

    def keep(self, queue: str, call: str, now: float) -> None:
        """Her call broke off while she waited: she has the place again if she calls soon."""
        place, keep_s = self.queues[queue].place(call), self.queues[queue].spec.keep_place_s
        if place is None or not place.caller or not keep_s:
            self.leave(queue, call, now, served=False)
            return
        until = now + keep_s
        self._kept[call] = self.timers.at(until, lambda at: self.leave(queue, call, at, served=False))
        self._set(self.queues[queue].keep(call, until), call)
        self._reclaim(queue, place.caller, now)

    def _reclaim(self, queue: str, caller: str, now: float) -> None:
        """She may have called again before anybody noticed that she was gone."""
        known = self.queues[queue]
        kept = known.kept_for(caller)
        mine = (p for p in known.places if p.caller == caller and not p.node and p.kept_until is None)
        again = next(mine, None)
        if kept is not None and again is not None and kept.order < again.order:
            self._take_up(known, kept, again.call, now)

    def _take_up(self, queue: Queue, kept: Place, call: str, now: float) -> None:
        timer = self._kept.pop(kept.call, None)
        if timer is not None:
            timer.cancel()
        self._set(queue.taken_up(kept, call), call)
        if self.others is not None:
            if not kept.node:
                self.others.call_changed(kept.call, queue.name)
            self.others.took_up(kept, call, now)

    def give_back(self, queue: str, place: Place, now: float) -> None:
        """A caller waits on, at the place that she had at another node."""
        before = self.queues[queue].place(place.call)
        known = self.queues[queue].leave(place.call)
        stood = known.enqueue(
            place.call,
            now,
            priority=place.priority,
            joined_at=place.joined_at,
            rank=place.rank,
            caller=place.caller or (before.caller if before is not None else ""),
        )
        self._set(stood, place.call)
        self._dirty = True

    def order(self, queue: str, call: str, *, priority: int | None = None, picked: str | None = None) -> None:
        """Somebody wants her served otherwise. Raises NotWaiting."""
        self._set(self.queues[queue].ordered(call, priority=priority, picked=picked), call)
        self._dirty = True

    def restore(self, queue: str, call: str) -> None:
        self._set(self.queues[queue].restored(call), call)
        self._dirty = True

    def _set(self, queue: Queue, call: str) -> None:
        """The queue as it is now; the place of that call has changed."""
        self.queues[queue.name] = queue
        if self.others is not None:
            self.others.call_changed(call, queue.name)

    def pass_over(self, queue: str, call: str) -> None:
        """She keeps her place and is offered to nobody, until restored: she is out of reach."""
        self._set(self.queues[queue].offered(call, NOBODY), call)

    def surrender(self, queue: str, call: str) -> None:
        """She waits at another node now: no loss of this one's."""
        self._set(self.queues[queue].leave(call), call)

    def leave(self, queue: str, call: str, now: float, *, served: bool) -> None:
        """The caller waits no more; safe when there is no such place."""
        known = self.queues.get(queue)
        place = known.place(call) if known is not None else None
        if known is None or place is None:
            return
        timer = self._kept.pop(call, None)
        if timer is not None:
            timer.cancel()
        self._set(known.leave(call), call)
        if served:
            self.tallies[queue].answered += 1
            self.tallies[queue].in_time += place.wait_s(now) <= SERVICE_S
            self._estimates[queue] = self._estimates[queue].answered(place.wait_s(now), now)
        else:
            self.tallies[queue].abandoned += 1

    # --- callers of other nodes -------------------------------------------------------------------

    def put(self, queue: str, place: Place, now: float) -> None:
        """Another node says how one of its callers waits."""
        known = self.queues[queue].place(place.call)
        if known is not None and not known.node and known.kept_until is None:
            return  # it is ours
        self.queues[queue] = self.queues[queue].put(place)
        if place.kept_until is not None:
            self._reclaim(queue, place.caller, now)

    def forget(self, queue: str, call: str) -> None:
        """A caller of another node waits no more, or took up a place that was kept here."""
        known = self.queues.get(queue)
        place = known.place(call) if known is not None else None
        if known is None or place is None or not (place.node or place.kept_until is not None):
            return
        timer = self._kept.pop(call, None)
        if timer is not None:
            timer.cancel()
        self.queues[queue] = known.leave(call)
        if not place.node and self.others is not None:
            self.others.call_changed(call, queue)

    def put_back(self, queue: str, call: str, joined_at: float) -> None:
        """The place that a call of ours had taken up is another's: it has its own, since it came."""
        known = self.queues.get(queue)
        place = known.place(call) if known is not None else None
        if known is not None and place is not None:
            own = replace(place, joined_at=joined_at, rank=0, priority=known.spec.priority)
            self._set(known.put(own), call)

    def look_again(self) -> None:
        """Something has changed elsewhere."""
        self._dirty = True
