"""What a node tells the others: whatever has changed since it last spoke, or all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from engine.cluster import news
from engine.cluster.news import MOST, AgentNote, News, PlaceNote
from engine.timers import Timer
from routing.queue import Place

if TYPE_CHECKING:
    from engine.acd import Acd
    from engine.cluster.sharing import Sharing

PAUSE_S = 0.02  # what changes within so long is told together


class Telling:
    """One node's. tell: say something to all nodes, whoever hears it."""

    def __init__(
        self, sharing: Sharing, acd: Acd, node: str, life: str, tell: Callable[[bytes, float], None]
    ) -> None:
        self.agents: set[str] = set(acd.agents)  # that changed
        self.took: dict[str, tuple[str, float]] = {}  # our calls: whose place they have, when they came
        self.whole = True  # the next news tells all
        self.owing = False  # somebody waits to be heard, whether or not anything has changed
        self.version = 0
        self.node = node
        self.life = life
        self._sharing = sharing
        self._acd = acd
        self._tell = tell
        self._calls: dict[str, dict[str, None]] = {}  # that changed, with the queues they were in
        self._next_at = float("-inf")
        self._pause: Timer | None = None

    @property
    def epoch(self) -> float:
        return self._acd.wall(0.0)

    def call_changed(self, call: str, queue: str) -> None:
        self._calls.setdefault(call, {})[queue] = None

    @property
    def changed(self) -> bool:
        return bool(self._calls or self.agents or self.whole)

    @property
    def next_version(self) -> int:
        """What is changed now will be told under this number."""
        return self.version + 1

    def speak(self, now: float) -> None:
        """Tell what has changed; several changes in short order together."""
        if not (self.changed or self.owing):
            return
        if now >= self._next_at:
            self.tell(now)
        elif self._pause is None or not self._pause.pending:
            self._pause = self._acd.timers.at(self._next_at, self.speak)

    def tell(self, now: float) -> None:
        """Tell it now, also that nothing has changed."""
        self._next_at = now + PAUSE_S
        since = self.version
        self.version += self.changed
        self.owing = False
        calls, self._calls = self._calls, {}
        names, self.agents = self.agents, set()
        if self.whole:
            since, self.whole = 0, False
            names = set(self._acd.agents)
            there, gone = self._places(), []
        else:
            found = [(call, self._place(call, queues)) for call, queues in calls.items()]
            there = [note for _, note in found if note is not None]
            gone = [call for call, note in found if note is None]
        for name in names:
            self._sharing.homes.told(name, self.version)
        self._tell(news.encode(self._news(now, since, there, gone, sorted(names))), now)

    def page(self, now: float) -> bytes:
        """All there is, for whoever comes later."""
        return news.encode(self._news(now, 0, self._places(), [], sorted(self._acd.agents)))

    def _news(
        self, now: float, since: int, places: list[PlaceNote], gone: list[str], agents: list[str]
    ) -> News:
        sharing = self._sharing
        peers = sharing.peers.values()
        return News(
            node=self.node,
            life=self.life,
            since=since,
            version=self.version,
            at=self.epoch + now,
            places=places[:MOST],
            gone=gone[:MOST],
            agents=[self._agent(name) for name in agents[:MOST]],
            seen={peer.node: (peer.life, peer.version) for peer in peers if not peer.behind},
            rtt_ms=dict(sharing.rtt_ms),
            cut=sorted(sharing.cut),
            ask=[peer.node for peer in peers if peer.behind and not peer.lost],
        )

    def _places(self) -> list[PlaceNote]:
        queues = self._acd.queues.values()
        return [self._note(place, queue.name) for queue in queues for place in queue.places if not place.node]

    def _place(self, call: str, queues: Iterable[str]) -> PlaceNote | None:
        for name in queues:
            queue = self._acd.queues.get(name)
            place = queue.place(call) if queue is not None else None
            if place is not None and not place.node:
                return self._note(place, name)
        self.took.pop(call, None)
        return None

    def _note(self, place: Place, queue: str) -> PlaceNote:
        until = place.kept_until
        return PlaceNote(
            call=place.call,
            queue=queue,
            joined_at=self.epoch + place.joined_at,
            priority=place.priority,
            rank=place.rank,
            offered_to=place.offered_to,
            caller=place.caller,
            kept_until=None if until is None else self.epoch + until,
            was=self.took.get(place.call, ("", 0.0))[0],
            picked=place.picked,
        )

    def _agent(self, name: str) -> AgentNote:
        agent = self._acd.agents.get(name)
        if agent is None:
            return AgentNote(name)
        homes = self._sharing.homes
        held = agent.name in homes.held
        return AgentNote(
            name=agent.name,
            queues=agent.queues,
            free=agent.free and held and not self._sharing.draining,
            working=agent.working,
            idle_since=self.epoch + agent.idle_since,
            claim=homes.claim(agent.name),
            held=held,
        )
