"""Several nodes of a cluster on a virtual clock: a store in memory between them, and ways that can be cut."""

from __future__ import annotations

import random
from collections.abc import Iterable

from engine.cluster.member import Member, Pulse
from engine.cluster.membership import ClusterEvent, Membership, Terms
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.cluster.ping import Keys, Pings
from engine.cluster.store import Store

SECRET = {"k": b"a key that is long enough to be one"}
STEP_S = 0.1


class House:
    """One node. `alive` is whether its process runs; `calls` and `draining` are how it stands."""

    def __init__(
        self, name: str, region: str, store: Store, *, started: float = 0.0, life: str = "1"
    ) -> None:
        self.name, self.region, self.store = name, region, store
        self.alive, self.calls, self.draining = True, 0, False
        self.started, self.life, self._seq = started, life, 0
        self.events: list[tuple[float, ClusterEvent]] = []
        self.membership = Membership(store, self.me, Terms(1.5))
        self.membership.watch(lambda event, now: self.events.append((now, event)))
        self.pings = Pings(Keys(SECRET, "k"), self.membership, random.Random(name))

    def me(self) -> Member:
        self._seq += 1
        pulse = Pulse(self.name, self.life, self.started, self._seq, self.calls, 100, self.draining)
        return Member(pulse=pulse, region=self.region, host=self.name, port=7900)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for _, event in self.events]

    def when(self, kind: type) -> float:
        return next(at for at, event in self.events if isinstance(event, kind))


class World:
    """All nodes and the time. deaf: pairs between which no datagram passes. rtt: by pair, in seconds."""

    def __init__(self, *names: str) -> None:
        self.server = MemoryServer(epoch=1_000_000.0)
        self.now = 0.0
        self.deaf: set[frozenset[str]] = set()
        self.rtt: dict[frozenset[str], float] = {}
        self.houses: dict[str, House] = {}
        self._letters: list[tuple[float, str, str, bytes]] = []
        for name in names:
            self.add(name)

    def add(self, name: str, region: str = "eu", **more: object) -> House:
        made = House(name, region, MemoryStore(self.server), **more)
        self.houses[name] = made
        return made

    def __getitem__(self, name: str) -> House:
        return self.houses[name]

    def stores(self) -> Iterable[MemoryStore]:
        return self.server.stores

    def cut_store(self, *names: str) -> None:
        for name in names or tuple(self.houses):
            self.houses[name].store.cut(self.now)

    def mend_store(self, *names: str) -> None:
        for name in names or tuple(self.houses):
            self.houses[name].store.mend(self.now)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self._step()

    def _step(self) -> None:
        ticks = round(self.now / STEP_S)
        for house in [each for each in self.houses.values() if each.alive]:
            if ticks % 5 == 0:
                house.membership.beat(self.now)
                for letter in house.pings.due(self.now):
                    self._post(house.name, letter.host, letter.data)
            house.membership.tick(self.now)
        self._deliver(self.now + STEP_S)
        self.now += STEP_S

    def _post(self, sender: str, to: str, data: bytes) -> None:
        pair = frozenset({sender, to})
        if pair not in self.deaf:
            self._letters.append((self.now + self.rtt.get(pair, 0.02) / 2, sender, to, data))

    def _deliver(self, until: float) -> None:
        before = self.now
        while due := sorted(each for each in self._letters if each[0] < until):
            at, sender, to, data = due[0]
            self._letters.remove(due[0])
            self.now = at
            house = self.houses.get(to)
            answer = house.pings.receive(data, at) if house is not None and house.alive else None
            if answer is not None:
                self._post(to, sender, answer)
        self.now = before
