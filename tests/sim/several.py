"""Houses that share their queues, and let calls cross between them: whole nodes on one virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from config.cluster import AdvertiseSettings, BetweenSettings, ClusterSettings, RedisSettings
from config.secret import Secret
from engine.call import Call
from engine.cluster.between import Between
from engine.cluster.cluster import Cluster, Load
from engine.cluster.credentials import name_of
from engine.cluster.heritage import of_node
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.events import CallRecord
from media.messages import Address
from sip.hop import Hop
from tests.sim.house import House
from tests.sim.stage import AgentVoice, Voice
from tests.sim.world import Weather, World

PORT = 7900
KEY = "a key of the cluster that is long enough"
BEAT_S = 0.5


def settings(address: str, key: str = KEY) -> ClusterSettings:
    return ClusterSettings(
        redis=RedisSettings(url=Secret("test", "redis://10.0.0.9:6379/0")),
        advertise=AdvertiseSettings(sip=(f"sip:{address}:5060",)),
        between=BetweenSettings(
            address=address, port=PORT, host=address, keys={"k": Secret("test", key)}, key="k"
        ),
    )


class LateStore(MemoryStore):
    """A store whose channels take a moment, as over a network."""

    def __init__(self, world: World, server: MemoryServer) -> None:
        super().__init__(server)
        self.world = world
        self.stopped = False  # the node reads nothing
        self._unread: list[tuple[str, bytes]] = []

    def hear(self, channel: str, payload: bytes, now: float) -> int:
        self.world.after(0.01, lambda: self._deliver(channel, payload))
        return 1

    def _deliver(self, channel: str, payload: bytes) -> None:
        if self.up and self.stopped:
            self._unread.append((channel, payload))
        elif self.up:
            super().hear(channel, payload, self.world.now)

    def read(self) -> None:
        """What came while the node was stopped."""
        unread, self._unread = self._unread, []
        for channel, payload in unread:
            self._deliver(channel, payload)


class Node:
    """A house and its part in the cluster. heirs: whether its calls are taken over when it dies."""

    def __init__(self, several: Several, name: str, address: str, agents: int, heirs: bool) -> None:
        self.name = name
        self.world = several.world
        self.house = House(
            several.world, several.folder, agents, 10.0, ticks_in_one=5, name=name, address=address,
            cluster=settings(address),
        )  # fmt: skip
        self.house.host.known = name_of(name)
        self.house.routed = several.route
        self.house.carried = several.hear
        self.draining = False
        self.world.hosts[address, PORT] = self.house.host
        self.store = LateStore(self.world, several.server)
        switch = self.house.switch
        rng = Random(name)
        self.cluster = switch.cluster = Cluster(
            self.house.config, self.store, lambda: Load(len(switch.calls), self.draining, True),
            life=f"life of {name}", started=several.world.now, rng=rng,
        )  # fmt: skip
        self.between = switch.between = Between(switch, self.cluster, self.house.host.pump, self.world.now)
        self.house.admission.nodes = self.between.admit
        self.heritage = of_node(switch, self.cluster, self.house.host.pump, self.world.now) if heirs else None
        if self.heritage is not None:
            self.between.sharing.doubt = self.heritage.takeover.doubt
        self.up = True
        self._beat()

    def _beat(self) -> None:
        if self.up:
            self.cluster.beat(self.world.now)
            self.cluster.membership.tick(self.world.now)
            self.house.host.pump()
            self.world.after(BEAT_S, self._beat)

    def kill(self) -> None:
        self.up = self.house.host.up = False
        self.store.up = False
        self.store.server.stores.remove(self.store)
        for worker in self.house.workers:
            worker.alive = False

    def stop(self) -> None:
        """SIGSTOP to all but the media workers: it neither does anything nor knows that it does not."""
        self.up = self.house.host.up = False
        self.store.stopped = True

    def go_on(self, first: Callable[[], None] = lambda: None) -> None:
        """SIGCONT. first: what it hears before all else."""
        self.up = self.house.host.up = True
        self.store.stopped = False
        first()
        self.store.read()
        unheard, self.house.unheard = self.house.unheard, []
        for worker, event in unheard:
            self.house.media_event(worker, event)
        self._beat()

    @property
    def calls(self) -> list[Call]:
        return list(self.house.switch.calls.values())

    @property
    def records(self) -> list[CallRecord]:
        return list(self.house.ledger.records.values())


class At:
    """A stage for one phone, which begins at one node: its sound goes to whatever node it was told."""

    def __init__(self, several: Several, node: Node) -> None:
        self.world = several.world
        self.address = node.house.address
        self.phone: Voice | None = None
        self._several = several

    @property
    def house(self) -> At:
        """Where sound goes."""
        return self

    def hear(self, datagram: bytes, source: Address, port: int) -> None:
        towards = self.phone.towards if self.phone is not None else ""
        for node in self._several.nodes.values():
            if node.house.address == towards and node.up:
                node.house.hear(datagram, source, port)


class Several:
    """Two nodes or more, acquainted; agents register where they are told to."""

    def __init__(self, folder: Path, names: str = "ab", agents: int = 1, *, heirs: bool = False) -> None:
        self.world = World(1, Weather(delay=0.01, jitter=0.0))
        self.folder = folder
        self.server = MemoryServer(epoch=1.7e9)
        self.nodes = {
            name: Node(self, name, f"10.0.0.{n + 1}", agents, heirs) for n, name in enumerate(names)
        }
        self.sound: dict[tuple[str, int], float] = {}  # when each phone heard a sample last
        self.run(2.5)

    def run(self, seconds: float) -> None:
        self.world.run(self.world.now + seconds)

    def hear(self, datagram: bytes, target: Address) -> None:
        """RTP to phones: what it carries."""
        self.sound |= dict.fromkeys(((target[0], sample) for sample in set(datagram[12:])), self.world.now)

    def hears(self, phone: Voice, other: Voice) -> bool:
        """Whether the one has just heard the other: each has a sound of its own."""
        return self.world.now - self.sound.get((phone.address, other.sound[0]), 0.0) < 1.5

    def route(self, datagram: bytes, source: Address, target: Address) -> None:
        """RTP between houses."""
        for node in self.nodes.values():
            if node.house.address == target[0] and node.up:
                self.world.after(0.01, lambda n=node: n.house.hear(datagram, source, target[1]))

    def agent(self, number: int, node: str) -> AgentVoice:
        """An agent's phone, registered with a node."""
        stage = At(self, self.nodes[node])
        phone = AgentVoice(stage, f"10.2.0.{number + 1}", f"agent{number}", [])  # type: ignore[arg-type]
        stage.phone, phone.house = phone, Hop("udp", stage.address, 5060)
        phone.register()
        self.run(1.0)
        return phone

    def customer(self, node: str, number: str = "+4930200", caller: str = "+491701234") -> Voice:
        """Somebody who calls over the carrier's line; +4930200 is the queue `sales`, which greets nobody."""
        stage = At(self, self.nodes[node])
        phone = Voice(stage, f"10.1.0.{1 + len(self.world.hosts)}")  # type: ignore[arg-type]
        stage.phone, phone.house = phone, Hop("udp", stage.address, 5060)
        phone.call(number, caller)
        return phone

    def until(self, true: Callable[[], object], within_s: float) -> None:
        """Let time pass until something is so."""
        end = self.world.now + within_s
        while not true():
            assert self.world.now < end, "it has not come to be"
            self.run(0.1)
