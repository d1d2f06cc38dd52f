"""The engine in the simulation: switch, user agent, registrar and media worker on the virtual clock."""

from __future__ import annotations

import wave
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from random import Random

from config.cluster import ClusterSettings
from config.line import LineSettings
from config.media import MediaSettings, port_shares
from config.node import Limits, NodeSettings
from config.people import AgentSettings, UserSettings
from config.schema import Config
from config.secret import Secret
from config.service import ApiSettings, StoreSettings
from config.signalling import Listener, SipSettings
from engine.build import admission_of, capabilities_of, registrar_of, user_agent_settings
from engine.events import CallArrived, CallEnded, CallHandedOver, CallRecord, CallTaken, Event
from engine.switch import Switch
from media.control import Control
from media.io.memory import MemoryNetwork
from media.io.wav import Files
from media.messages import Address, AnyCommand, OpenLeg
from routing.number import (
    AgentTarget,
    Callers,
    Echo,
    Feature,
    FeatureCode,
    NumberPlan,
    QueueTarget,
    Rule,
    UriTarget,
)
from routing.queue import QueueSpec
from sip.agent import UserAgent
from sip.hop import Hop
from sip.uri import Uri
from tests.sim.world import Host, World

ADDRESS = "10.0.0.1"
DOMAIN = "isogloss.test"
TICK = 0.020
SELDOM = 25  # ticks in one, where hours pass and nobody listens


def config(agents: int, rtp_timeout_s: float = 0.0, *, name: str = "sim", address: str = ADDRESS) -> Config:
    """A house with two queues and `agents` agents, who take turns in them.

    rtp_timeout_s: 0 where the phones send no sound: each would be asked time and again if it is there.
    """
    names = [f"agent{n}" for n in range(agents)]
    queues = {
        "support": QueueSpec("support", welcome=("welcome",), music="music", announce_every_s=15.0,
                             ring_timeout_s=12.0, max_wait_s=90.0, overflow=QueueTarget("sales"),
                             wrap_up_s=5.0, max_misses=3, max_length=60),
        "sales": QueueSpec("sales", music="music", announce_every_s=0.0, ring_timeout_s=10.0, max_wait_s=60.0,
                           wrap_up_s=0.0, max_misses=0, leave_to=AgentTarget(names[0])),
    }  # fmt: skip
    exact = {
        "+4930100": Rule("+4930100", QueueTarget("support")),
        "+4930200": Rule("+4930200", QueueTarget("sales")),
        "+4930400": Rule("+4930400", Echo()),
        "+4930300": Rule("+4930300", UriTarget("sip:desk@10.9.0.1:5060")),
        **{name: Rule(name, AgentTarget(name)) for name in names},
        **{code: Rule(code, FeatureCode(feature)) for code, feature in CODES.items()},
    }
    return Config(
        folder=Path("."),
        node=NodeSettings(name=name, region="eu", market="de", country="DE",
                          limits=Limits(max_calls=400, max_calls_per_s=100)),
        sip=SipSettings(domain=DOMAIN, listen=(Listener(transport="udp", address=address, port=5060),)),
        media=MediaSettings(address=address, port_low=20000, port_high=24000, rtp_timeout_s=rtp_timeout_s),
        api=ApiSettings(enabled=False),
        store=StoreSettings(),
        queues=queues,
        agents={
            name: AgentSettings(name=name, password=Secret("test", f"secret of {name}"), auto_login=True,
                                queues=("support", "sales") if n % 3 else ("support",))
            for n, name in enumerate(names)
        },
        users={name: UserSettings(name=name, password=Secret("test", f"secret of {name}"), supervises=("*",))
               for name in SUPERVISORS},
        numbers=NumberPlan("DE", exact, {"*86": Rule("*86", FeatureCode(Feature.SUPERVISE), Callers.USERS)}),
        lines={"carrier": LineSettings(name="carrier", country="DE", sources=(ip_network("10.1.0.0/16"),))},
    )  # fmt: skip


SUPERVISORS = ("sue", "tom", "ute", "vic")
CODES = {
    "*45": Feature.LOGIN, "*46": Feature.LOGOUT, "*47": Feature.PAUSE, "*48": Feature.RESUME,
    "*49": Feature.WRAP_UP_OVER,
}  # fmt: skip


class Ledger:
    """The journal, in memory; holds the engine to one record a call."""

    def __init__(self) -> None:
        self.arrived: set[str] = set()
        self.records: dict[str, CallRecord] = {}
        self.events = 0
        self.told: deque[Event] = deque(maxlen=100)  # the newest

    def append(self, event: Event) -> None:
        self.events += 1
        self.told.append(event)
        if isinstance(event, CallArrived | CallTaken):
            again = isinstance(event, CallTaken)  # also from an earlier process of the same node
            assert again or event.call not in self.arrived, "a call arrives once"
            assert event.call not in self.records, f"{event} after the call's record"
            self.arrived.add(event.call)
        elif isinstance(event, CallHandedOver):
            assert event.call not in self.records, "who has a call's record does not hand it over"
            self.arrived.discard(event.call)
        elif event.call:
            assert event.call not in self.records, f"{event} after the call's record"

    def finish(self, ended: CallEnded, record: CallRecord) -> None:
        assert record.call in self.arrived, "a record is of a call that arrived"
        assert record.call not in self.records, "one record a call"
        assert ended.call == record.call
        self.records[record.call] = record


class Worker:
    """A media worker in this process: the real control and core over sockets in memory.

    Where the house's `ticks_in_one` are several, it comes to work as late as one on a busy machine
    and leaves out the ticks between.
    """

    def __init__(self, house: House, number: int, ports: tuple[int, int]) -> None:
        self.house = house
        self.number = number
        self.share = ports
        self.alive = True
        self.network = MemoryNetwork(house.address, (ports[0], ports[1] + 1), house.carry)
        self.ports = self.network.free
        self.control = Control(self.network, house.sounds, rng=Random(number))
        self.ticking = False

    def send(self, command: AnyCommand) -> None:
        """A command takes a moment, as over a socket."""
        self.house.world.after(0.0005, lambda: self._handle(command))

    def hear(self, datagram: bytes, source: Address, port: int) -> None:
        """RTP arrives at a leg's port."""
        if self.alive and self.network.deliver(datagram, source, (self.house.address, port)):
            self._tell(self.control.drain(self.house.world.now))

    def _handle(self, command: AnyCommand) -> None:
        if self.alive:
            self._tell(self.control.handle(command, self.house.world.now))
            if not self.ticking and not self.control.idle:
                self.ticking = True
                self._later()

    def _later(self) -> None:
        self.house.world.after(TICK * self.house.ticks_in_one, self._tick)

    def _tick(self) -> None:
        if self.alive:
            self._tell(self.control.tick(self.house.world.now, self.house.ticks_in_one - 1))
            self.ticking = not self.control.idle
            if self.ticking:
                self._later()

    def _tell(self, events: Sequence[object]) -> None:
        for event in events:
            self.house.world.after(0.0005, lambda event=event: self.house.media_event(self, event))


class House:
    """The node: what engine/app.py wires on sockets, wired on the world.

    scattered: the share of calls that find no room in the worker of the caller's other call. ticks_in_one: so
    many of the media's ticks are one.
    """

    def __init__(
        self, world: World, folder: Path, agents: int, rtp_timeout_s: float = 0.0, *,
        workers: int = 1, scattered: float = 0.0, ticks_in_one: int = 1,
        name: str = "sim", address: str = ADDRESS, cluster: ClusterSettings | None = None,
    ) -> None:  # fmt: skip
        self.world = world
        self.address = address
        known = config(agents, rtp_timeout_s, name=name, address=address)
        self.config = replace(known, cluster=cluster or known.cluster)
        self.folder = folder
        self.sounds = Files()
        self.ledger = Ledger()
        rng = Random(world.rng.getrandbits(64))
        admission = self.admission = admission_of(self.config, rng, guests=self._guest)
        self.registrar = registrar_of(self.config)
        self.agent = UserAgent(
            user_agent_settings(self.config, {"udp": (address, 5060)}),
            rng=rng, admission=admission, registrar=self.registrar,
        )  # fmt: skip
        self.scattered = scattered
        self.ticks_in_one = ticks_in_one
        self.workers: list[Worker] = []  # all there ever were, by number
        self.lost_workers = 0
        self.told_to_play: deque[str] = deque(maxlen=100)
        self.unheard: list[tuple[Worker, object]] = []
        self.moves = 0  # legs that went over to another worker
        self.carried: Callable[[bytes, Address], None] = lambda data, target: None
        self.routed: Callable[[bytes, Address, Address], None] = lambda data, source, target: None
        for share in port_shares(self.config.media.port_low, self.config.media.port_high, workers):
            self._start_worker(share)
        self.switch = Switch(
            self.config, agent=self.agent, registrations=self.registrar, media=self, journal=self.ledger,
            prompts=self, resolver=self, rng=rng, epoch=1.7e9,
        )  # fmt: skip
        self.host = Host(world, address, 5060, self.agent)
        self.host.on_event = lambda event: self.switch.sip(event, world.now)
        self.host.deadline = self._deadline
        self.host.expire = self._expire

    def _guest(self, user: str) -> object:
        return self.switch.guest(user)

    # --- the ports of the switch ------------------------------------------------------------------

    @property
    def capabilities(self) -> Sequence[object]:
        return capabilities_of(self.config.media)

    @property
    def living(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    def place(self, near: int | None = None) -> int | None:
        living = self.living
        if near is not None and self.workers[near].alive and self.world.rng.random() >= self.scattered:
            return near
        best = min(living, key=lambda worker: len(worker.control.core.table), default=None)
        if near is not None and self.scattered:
            best = self.world.rng.choice([worker for worker in living if worker.number != near] or [best])
        return None if best is None else best.number

    def send(self, worker: int, command: AnyCommand) -> None:
        if isinstance(command, OpenLeg):
            self.moves += self.switch.legs[command.leg].moving
        self.workers[worker].send(command)

    def hear(self, datagram: bytes, source: Address, port: int) -> None:
        """RTP arrives at a port of the node."""
        for worker in self.living:
            if worker.share[0] <= port <= worker.share[1]:
                worker.hear(datagram, source, port)

    def carry(self, datagram: bytes, source: Address, target: Address) -> None:
        """RTP leaves the node."""
        self.carried(datagram, target)
        self.routed(datagram, source, target)

    def path(self, language: str, name: str) -> str:
        """Every prompt is a second of silence, music two."""
        self.told_to_play.append(name)
        path = self.folder / f"{'music' if name == 'music' else 'prompt'}.wav"
        if not path.exists():
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(bytes(2 * 8000 * (2 if name == "music" else 1)))
        return str(path)

    def resolve(self, uri: Uri, now: float, found: Callable[[Sequence[Hop]], None]) -> None:
        found([Hop(uri.param("transport") or "udp", uri.host, uri.port or 5060)])

    # --- running ----------------------------------------------------------------------------------

    def media_event(self, worker: Worker, event: object) -> None:
        if worker.alive and not self.host.up:
            self.unheard.append((worker, event))  # by a node that is stopped
        elif worker.alive:
            self.switch.heard(event, self.world.now)
            self.host.pump()

    def kill_worker(self) -> None:
        """SIGKILL: no more events of it; a new one is up a moment later. Other workers' calls go on."""
        living = self.living
        if not living:
            return
        worker = living[0] if len(living) == 1 else self.world.rng.choice(living)
        calls = self.switch.calls.values()
        others = [
            (call, call.reason) for call in calls if all(leg.worker != worker.number for leg in call.legs)
        ]
        worker.alive = False
        self.lost_workers += 1
        self.switch.worker_lost(worker.number, self.world.now)
        for call, reason in others:
            assert call.reason == reason, f"{call.id} had nothing in the worker that died"
        self.host.pump()
        self.world.after(0.3, lambda: self._start_worker(worker.share))

    def _start_worker(self, share: tuple[int, int]) -> None:
        self.workers.append(Worker(self, len(self.workers), share))

    def _deadline(self) -> float | None:
        times = (self.agent.next_timeout(), self.switch.next_timeout())
        return min((when for when in times if when is not None), default=None)

    def _expire(self, now: float) -> None:
        self.agent.timeout(now)
        self.switch.timeout(now)
