"""A queue of waiting callers: the operator's settings, and the order of places as a frozen value.

A caller's place is decided once, when she joins: higher priority first, then `rank` (below 0 for callers put
at the head), then how long she has waited. While an agent's phone rings for her she keeps her place, marked
with the agent's name, so a missed offer returns her exactly where she was. One whose call broke off keeps her
place for a while, too, and takes it up again when she calls again. Where nodes share a queue, callers of
other nodes have their places in it. Times are seconds on the caller's monotonic clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace

from routing.agent import Offer
from routing.number import Destination


@dataclass(frozen=True, slots=True)
class RecordingTerms:
    """How a queue's calls are recorded. mode: off, on or announce; "" elsewhere: as the node says."""

    mode: str = "off"
    format: str = ""
    directory: str = ""
    key: str = ""

    @property
    def wanted(self) -> bool:
        return self.mode != "off"


@dataclass(frozen=True, slots=True)
class SoundTerms:
    """What is done with the sound of a queue's calls; None: as elsewhere. barge_in: callers may interrupt
    the welcome.
    """

    noise_suppression: bool | None = None
    level_normalisation: bool | None = None
    barge_in: bool = False


@dataclass(frozen=True, slots=True)
class SpeechTerms:
    """What a queue's calls have of speech. voice: off, over the lowered original, or instead of it. detect:
    what callers may turn out to speak.
    """

    captions: bool = False
    voice: str = "off"
    gender: str = ""
    interpreter: str = ""  # number of a person
    detect: tuple[str, ...] = ()

    @property
    def wanted(self) -> bool:
        return self.captions or self.voice != "off"


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """What the operator says of a queue. Durations in seconds; 0 in `announce_every_s`, `max_wait_s`,
    `max_length`, `max_misses` and `keep_place_s` means never, for ever, any number, never and not."""

    name: str
    title: str = ""
    language: str = "en"
    market: str = ""
    welcome: tuple[str, ...] = ()
    music: str = ""
    announce_every_s: float = 30.0
    announce_position: bool = True
    announce_wait: bool = True
    ring_timeout_s: float = 20.0
    max_wait_s: float = 0.0
    max_length: int = 0
    overflow: Destination | None = None
    leave_key: str = "*"
    leave_to: Destination | None = None
    wrap_up_s: float = 10.0
    max_misses: int = 3
    priority: int = 0
    keep_place_s: float = 60.0
    hours: str = ""
    screen_pop: str = ""
    recording: RecordingTerms = RecordingTerms()
    sound: SoundTerms = SoundTerms()
    speech: SpeechTerms = SpeechTerms()

    def offer(self, call: str) -> Offer:
        """This queue's terms for offering `call` to an agent."""
        return Offer(call, self.name, self.ring_timeout_s, self.wrap_up_s, self.max_misses)


Order = tuple[int, int, float, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One caller's place. `offered_to` names the agent whose phone rings for her now.

    node: the other node that has the call, "" for this one. caller: who may take the place up again, "" for
    nobody. kept_until: her call broke off, and the place is kept for so long. picked: the agent whom somebody
    chose for her by hand, "" for whoever is next (routing/pick.py).
    """

    call: str
    joined_at: float
    priority: int = 0
    rank: int = 0
    offered_to: str = ""
    node: str = ""
    caller: str = ""
    kept_until: float | None = None
    picked: str = ""

    @property
    def order(self) -> Order:
        """What places are sorted by, in a queue and across queues: smaller is served sooner. All nodes must
        agree, whose clocks round differently: who came within a millisecond is sorted by her call.
        """
        return (-self.priority, self.rank, round(self.joined_at, 3), self.call)

    @property
    def waits(self) -> bool:
        """Whether she is there, and no phone rings for her."""
        return not self.offered_to and self.kept_until is None

    def wait_s(self, now: float) -> float:
        return max(0.0, now - self.joined_at)


class QueueFull(Exception):
    """The queue has `max_length` callers; the newcomer is for the overflow target."""

    def __init__(self, queue: str, length: int) -> None:
        super().__init__(f"queue {queue} is full: {length} callers wait")
        self.queue = queue
        self.length = length


class NotWaiting(Exception):
    """The call has no place in this queue."""

    def __init__(self, queue: str, call: str) -> None:
        super().__init__(f"call {call} does not wait in queue {queue}")
        self.queue = queue
        self.call = call


@dataclass(frozen=True, slots=True)
class Queue:
    """The callers of one queue, in the order they will be served; `places` is sorted by `Place.order`."""

    spec: QueueSpec
    places: tuple[Place, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.spec.name

    def __len__(self) -> int:
        return len(self.places)

    @property
    def waiting(self) -> tuple[Place, ...]:
        """Callers for whom no phone rings."""
        return tuple(place for place in self.places if place.waits)

    @property
    def head(self) -> Place | None:
        """The caller to be offered next."""
        return next((place for place in self.places if place.waits), None)

    @property
    def full(self) -> bool:
        return 0 < self.spec.max_length <= len(self.places)

    def place(self, call: str) -> Place | None:
        return next((place for place in self.places if place.call == call), None)

    def position(self, call: str) -> int:
        """1 for the head; 0 when the call does not wait here."""
        return next((at for at, place in enumerate(self.places, start=1) if place.call == call), 0)

    def enqueue(
        self,
        call: str,
        now: float,
        *,
        priority: int | None = None,
        at_head: bool = False,
        joined_at: float | None = None,
        rank: int | None = None,
        caller: str = "",
    ) -> Queue:
        """The queue with `call` in it; the same queue when she already waits here.

        joined_at, rank: of a place that she had already, elsewhere or before a restart: such a one is never
        refused for length. at_head: before all others of her priority, and not refused either. caller: who
        may have the place again should the call break off. Raises QueueFull.
        """
        if self.position(call):
            return self
        if self.full and not at_head and joined_at is None:
            raise QueueFull(self.name, len(self.places))
        level = self.spec.priority if priority is None else priority
        if rank is None:
            rank = min((p.rank for p in self.places if p.priority == level), default=0) - 1 if at_head else 0
        joined = now if joined_at is None else joined_at
        return self._with(Place(call, joined, level, rank, caller=caller))

    def offered(self, call: str, agent: str) -> Queue:
        """`call` rings at `agent`; she keeps her place but is not chosen again. Raises NotWaiting."""
        return self._mark(call, agent)

    def restored(self, call: str) -> Queue:
        """The offer came to nothing: `call` waits again, where she was. Raises NotWaiting."""
        return self._mark(call, "")

    def keep(self, call: str, until: float) -> Queue:
        """Her call broke off: the place is the caller's until then. Raises NotWaiting."""
        place = self.place(call)
        if place is None:
            raise NotWaiting(self.name, call)
        return self.put(replace(place, offered_to="", kept_until=until))

    def kept_for(self, caller: str) -> Place | None:
        """The best place that is kept for a caller."""
        kept = (place for place in self.places if place.kept_until is not None and place.caller == caller)
        return next(kept, None) if caller else None

    def taken_up(self, kept: Place, call: str) -> Queue:
        """The caller is back by another call, which has the kept place from now on, whatever it had."""
        now = self.place(call)
        offered = now.offered_to if now is not None else ""
        back = replace(kept, call=call, node="", kept_until=None, offered_to=offered)
        return self.leave(kept.call).put(back)

    def ordered(self, call: str, *, priority: int | None = None, picked: str | None = None) -> Queue:
        """`call` with another priority, among those of which her time of waiting counts, or for another
        agent; None leaves it. Raises NotWaiting.
        """
        place = self.place(call)
        if place is None:
            raise NotWaiting(self.name, call)
        level = place.priority if priority is None else priority
        rank = place.rank if level == place.priority else 0
        agent = place.picked if picked is None else picked
        return self.put(replace(place, priority=level, rank=rank, picked=agent))

    def put(self, place: Place) -> Queue:
        """The queue with this very place in it, instead of the call's former one."""
        return self.leave(place.call)._with(place)

    def leave(self, call: str) -> Queue:
        """The queue without `call`: answered, abandoned, overflowed. Safe when she is not in it."""
        if not self.position(call):
            return self
        return replace(self, places=tuple(place for place in self.places if place.call != call))

    def overdue(self, now: float) -> tuple[Place, ...]:
        """Callers who have waited `max_wait_s`. One whose phone rings at an agent is left to that offer."""
        limit = self.spec.max_wait_s
        return tuple(p for p in self.waiting if p.wait_s(now) >= limit) if limit > 0 else ()

    def next_timeout(self) -> float | None:
        """When the next caller becomes overdue; None when the queue has no limit or nobody waits."""
        if self.spec.max_wait_s <= 0:
            return None
        return min((place.joined_at + self.spec.max_wait_s for place in self.waiting), default=None)

    def _with(self, place: Place) -> Queue:
        at = bisect_right(self.places, place.order, key=lambda other: other.order)
        return replace(self, places=(*self.places[:at], place, *self.places[at:]))

    def _mark(self, call: str, agent: str) -> Queue:
        at = self.position(call) - 1
        if at < 0:
            raise NotWaiting(self.name, call)
        place = self.places[at]
        marked = replace(place, offered_to=agent, picked="" if agent == place.picked else place.picked)
        return replace(self, places=(*self.places[:at], marked, *self.places[at + 1 :]))
