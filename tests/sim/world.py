"""A world in memory: one virtual clock, a seeded network, and hosts that speak SIP over it."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from sip.agent import UserAgent
from sip.hop import Hop
from sip.ladder import Ladders


@dataclass(frozen=True)
class Weather:
    """What the network does to datagrams. delay and jitter in seconds; the rest are shares of packets."""

    delay: float = 0.02
    jitter: float = 0.01
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0


class World:
    """Everything happens in `run`, in order of time; equal times in order of asking."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.rng = random.Random(seed)
        self.weather = weather
        self.now = 1000.0
        self.hosts: dict[tuple[str, int], Host] = {}
        self.parted: set[frozenset[str]] = set()
        self.steps = 0
        self.after_step: list[Callable[[], None]] = []
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (when, next(self._order), what))

    def after(self, delay: float, what: Callable[[], None]) -> None:
        self.at(self.now + delay, what)

    def run(self, until: float) -> None:
        while self._heap and self._heap[0][0] <= until:
            when, _, what = heapq.heappop(self._heap)
            self.now = max(self.now, when)
            what()
            self.steps += 1
            for check in self.after_step:
                check()
        self.now = max(self.now, until)

    def send(self, source: Host, data: bytes, hop: Hop) -> None:
        """One datagram, or one message of a stream, which is neither lost nor repeated."""
        target = self.hosts.get((hop.host, hop.port))
        if target is None or frozenset((source.address, hop.host)) in self.parted:
            return
        weather, rng = self.weather, self.rng
        copies = 1
        if hop.transport == "udp":
            if rng.random() < weather.loss:
                return
            copies += rng.random() < weather.duplication
        for _ in range(copies):
            delay = weather.delay + rng.random() * weather.jitter
            if rng.random() < weather.reordering:
                delay += 3 * weather.jitter
            arrived = Hop(
                hop.transport, source.address, source.port, name=source.known if hop.between else ""
            )
            self.after(delay, lambda arrived=arrived: target.receive(data, arrived))


class Host:
    """One address with a user agent on it; `on_event` is told what the agent tells."""

    def __init__(self, world: World, address: str, port: int, agent: UserAgent) -> None:
        self.world = world
        self.address = address
        self.port = port
        self.agent = agent
        self.on_event: Callable[[object], None] = lambda event: None
        self.deadline: Callable[[], float | None] = agent.next_timeout
        self.expire: Callable[[float], None] = agent.timeout
        self.up = True
        self.known = ""  # by other nodes' certificates
        self.tap: Ladders | None = None  # who is shown what comes and goes
        self._alarm: float | None = None
        world.hosts[address, port] = self

    def receive(self, data: bytes, hop: Hop) -> None:
        if self.up:
            if self.tap is not None:
                self.tap.received(data, hop, self.world.now)
            self.agent.receive(data, hop, self.world.now)
            self.pump()

    def pump(self) -> None:
        """Pass on what the agent has to say until it says no more; set the alarm for its next deadline."""
        while True:
            events, outgoing = self.agent.events(), self.agent.outgoing()
            for data, hop in outgoing:
                if self.tap is not None:
                    self.tap.sent(data, hop, self.world.now)
                self.world.send(self, data, hop)
            for event in events:
                self.on_event(event)
            if not events and not outgoing:
                break
        self._set_alarm()

    def _set_alarm(self) -> None:
        when = self.deadline()
        if when is not None and (self._alarm is None or when < self._alarm):
            self._alarm = when
            self.world.at(max(when, self.world.now), lambda: self._ring(when))

    def _ring(self, when: float) -> None:
        if self._alarm == when:
            self._alarm = None
            if self.up:
                self.expire(self.world.now)
                self.pump()
