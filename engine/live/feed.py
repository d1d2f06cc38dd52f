"""What happens in the node, put into the tree and told: soon after an event, and by itself now and then.

Events only mark what may have changed; it is looked at once for all readers, at most every `TOGETHER_S`. What
changes without an event, such as how calls sound, is looked at by turns, a part of the calls at a time, so
that no look holds up the node. While nobody reads, and nobody has for `KEEP_S`, an event costs a comparison.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from engine.events import AgentChanged, CallRecord, Event
from engine.line_events import LineChanged, LineUsed
from engine.live.angle import Angle
from engine.live.hub import Hub, Reader
from engine.live.source import Source
from engine.live.tree import Item, Topic
from engine.views import Caption

SOON_S = 0.02  # from an event to its being told, where nothing was told lately
TOGETHER_S = 0.1  # in which what comes together is told together
LOOK_S = 0.2  # between two looks at a part of the calls
PARTS = 10  # of all calls, one a look
REST = 5  # looks between two at all that is not a call
KEEP_S = 30.0  # that a reader who is away has to come back and go on where she was
CAPTIONS = 6  # lines of a call that are kept
MOST_CAPTIONED = 2_000  # calls

log = structlog.get_logger("live")


class Alarm(Protocol):
    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Alarm]


class Feed:
    """clock: monotonic seconds. later: calls something after so many seconds, on the event loop."""

    def __init__(self, hub: Hub, source: Source, clock: Callable[[], float], later: Later) -> None:
        self.hub = hub
        self.lag_s = 0.0  # from the newest step's oldest event to its being told
        self._source = source
        self._clock = clock
        self._later = later
        self._warm = False
        self._calls: set[str] = set()  # that may have changed
        self._topics: set[Topic] = set()
        self._since: float | None = None  # of the oldest event that was not told yet
        self._told = float("-inf")
        self._alarm: Alarm | None = None
        self._looks: Alarm | None = None
        self._looked = 0
        self._left = 0.0  # when the last reader did
        self._turn: list[str] = []  # calls whose turn to be looked at comes yet
        self._captions: OrderedDict[str, OrderedDict[str, Caption]] = OrderedDict()

    # --- what happens -----------------------------------------------------------------------------

    def notice(self, event: Event | CallRecord) -> None:
        """Something happened; about a microsecond."""
        if not self._warm:
            return
        if event.call:
            self._calls.add(event.call)
            self._topics.add(Topic.QUEUES)
        if isinstance(event, AgentChanged):
            self._topics |= {Topic.AGENTS, Topic.QUEUES}
        elif isinstance(event, LineChanged | LineUsed):
            self._topics |= {Topic.LINES, Topic.ALERTS}
        self._soon()

    def captioned(self, caption: Caption) -> None:
        """Somebody said something; a version takes the place of the one before."""
        if not self._warm or not self.hub.wants(Topic.CAPTIONS):
            return
        lines = self._captions.setdefault(caption.call, OrderedDict())
        key = f"{caption.call}/{caption.side}/{caption.line}"
        lines[key] = caption
        self.hub.tree.put(Topic.CAPTIONS, key, self._source.caption(caption))
        while len(lines) > CAPTIONS:
            self.hub.tree.put(Topic.CAPTIONS, lines.popitem(last=False)[0], None)
        while len(self._captions) > MOST_CAPTIONED:
            self._forget(next(iter(self._captions)))
        self._soon()

    # --- readers ----------------------------------------------------------------------------------

    def open(
        self, angle: Angle, wake: Callable[[], None], cut: Callable[[], None], since: str = ""
    ) -> Reader:
        """Raises TooManyReaders."""
        now = self._clock()
        if not self._warm:
            self._begin(now)
        return self.hub.open(angle, wake, cut, now, since)

    def turn(self, reader: Reader, angle: Angle) -> None:
        self.hub.turn(reader, angle, self._clock())

    def close(self, reader: Reader) -> None:
        self.hub.close(reader)
        self._left = self._clock()

    # --- telling ----------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._warm = True
        self._left = now
        self._everything()
        self.hub.step(now)
        self._looks = self._later(LOOK_S, self._look)

    def _everything(self) -> None:
        self.hub.tree.put_all(Topic.CALLS, self._source.calls())
        for topic in (Topic.QUEUES, Topic.AGENTS, Topic.LINES, Topic.NODES, Topic.ALERTS):
            self._put(topic)
        self._calls.clear()
        self._topics.clear()

    def _put(self, topic: Topic) -> None:
        made: Callable[[], dict[str, Item]] = getattr(self._source, topic.value)
        self.hub.tree.put_all(topic, made())

    def _soon(self) -> None:
        if self._since is None:
            self._since = self._clock()
        if self._alarm is None:
            wait = max(SOON_S, self._told + TOGETHER_S - self._clock())
            self._alarm = self._later(wait, self._tell)

    def _tell(self) -> None:
        self._alarm = None
        now = self._clock()
        self._told = now
        calls, self._calls = self._calls, set()
        topics, self._topics = self._topics, set()
        since, self._since = self._since, None
        try:
            self._refresh(calls)
            for topic in topics:
                self._put(topic)
            self.hub.step(now)
        except Exception:  # an observer's edge: a fault here must not end what it observes
            log.exception("what changed could not be told")
        if since is not None:
            self.lag_s = self._clock() - since

    def _refresh(self, calls: Iterable[str]) -> None:
        for id in calls:
            item = self._source.call(id)
            self.hub.tree.put(Topic.CALLS, id, item)
            if item is None and id in self._captions:
                self._forget(id)

    def _forget(self, call: str) -> None:
        for key in self._captions.pop(call, ()):
            self.hub.tree.put(Topic.CAPTIONS, key, None)

    def _look(self) -> None:
        """By turns: a part of the calls each time, the rest now and then."""
        now = self._clock()
        self._looks = None
        if not self.hub.readers and now - self._left >= KEEP_S:
            self._cool()
            return
        self._looks = self._later(LOOK_S, self._look)
        self._looked += 1
        if not self._turn:
            self._turn = list(self.hub.tree.items[Topic.CALLS])
        part = max(1, len(self.hub.tree.items[Topic.CALLS]) // PARTS + 1)
        self._calls.update(self._turn[-part:])
        del self._turn[-part:]
        if self._looked % REST == 0:
            self._topics |= {Topic.QUEUES, Topic.AGENTS, Topic.LINES, Topic.NODES, Topic.ALERTS}
        if self._alarm is None:
            self._tell()
        self.hub.cut_stalled(now)

    def _cool(self) -> None:
        """Nobody reads: nothing is looked at any more. The tree stays, to go on from if somebody comes."""
        self._warm = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._since = None
        for call in list(self._captions):
            self._forget(call)

    def stop(self) -> None:
        for alarm in (self._alarm, self._looks):
            if alarm is not None:
                alarm.cancel()
        self._alarm = self._looks = None
