"""The node's media workers: as many processes as configured, each kept alive, calls placed by load."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from config.media import MediaSettings, port_shares
from engine.build import capabilities_of
from media.io.process import WorkerClient
from media.messages import AnyCommand, AnyEvent, LegClosed, LegFailed, LegOpened, OpenLeg
from sip.sdp import CodecOffer

OnEvents = Callable[[int, list[AnyEvent]], None]
OnLost = Callable[[int], None]

SHARE_A_LEG = 0.0005  # of a core that a leg is taken for until a worker's next figure has it: rendered, in C
BUSY = 0.7  # of a core: another call of the same caller goes elsewhere then
LEGS_A_CALL = 2  # ports a worker must have for another call
SIGNIFICANT = 0.05  # of a core: smaller differences of load are noise, and the number of legs decides


@dataclass(slots=True)
class Seat:
    """A worker's place: the process that has it now, and what is known of its burden.

    opening, open: leg ids. measured: share of a core it last told, and how many legs it had then.
    """

    name: str
    number: int
    client: WorkerClient = field(init=False)
    opening: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    measured: tuple[float, int] = (0.0, 0)

    @property
    def legs(self) -> int:
        return len(self.opening) + len(self.open)

    @property
    def load(self) -> float:
        """Share of a core: as measured last, with what the legs opened since will take."""
        told = self.client.load
        if told != self.measured[0]:
            self.measured = told, self.legs
        load, then = self.measured
        return load + SHARE_A_LEG * (self.legs - then)

    @property
    def room(self) -> bool:
        """Whether it is up and has ports for another call."""
        ready = self.client.ready
        return ready is not None and ready.ports - self.legs >= LEGS_A_CALL

    def asked(self, command: AnyCommand) -> None:
        if isinstance(command, OpenLeg):
            self.opening.add(command.leg)

    def told(self, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, LegOpened):
                self.opening.discard(event.leg)
                self.open.add(event.leg)
            elif isinstance(event, LegFailed):
                self.opening.discard(event.leg)
            elif isinstance(event, LegClosed):
                self.open.discard(event.leg)

    def replaced(self, number: int) -> None:
        """Another process has the place: nothing of the last one's legs is left."""
        self.number = number
        self.opening.clear()
        self.open.clear()
        self.measured = (0.0, 0)


def emptiest(seats: Iterable[Seat]) -> Seat | None:
    """The one that a new call goes to: least load, then fewest legs; None when none has room."""
    roomy = [seat for seat in seats if seat.room]
    return min(roomy, key=lambda seat: (round(seat.load / SIGNIFICANT), seat.legs, seat.number), default=None)


class Workers:
    """The switch's media port over worker processes.

    A worker's number changes when its process is replaced: nothing meant for a dead one reaches the next.
    """

    def __init__(self, settings: MediaSettings, on_events: OnEvents, on_lost: OnLost) -> None:
        self.capabilities: Sequence[CodecOffer] = capabilities_of(settings)
        self.address = settings.external_address or reachable(settings.address)
        self._on_events = on_events
        self._on_lost = on_lost
        count = settings.workers or os.cpu_count() or 1
        shares = port_shares(settings.port_low, settings.port_high, count)
        self._seats = [self._seat(settings, n, share) for n, share in enumerate(shares)]
        self._by_number = {seat.number: seat for seat in self._seats}
        self._next = count

    def _seat(self, settings: MediaSettings, n: int, share: tuple[int, int]) -> Seat:
        seat = Seat(f"media-{n}", n)

        def told(events: list[AnyEvent]) -> None:
            seat.told(events)
            self._on_events(seat.number, events)

        def lost(_: str) -> None:
            dead = seat.number
            seat.replaced(self._next)
            self._next += 1
            del self._by_number[dead]
            self._by_number[seat.number] = seat
            self._on_lost(dead)

        seat.client = WorkerClient(
            bind=settings.address,
            ports=(share[0], share[1] + 1),
            on_events=told,
            on_lost=lost,
            announce=settings.external_address or "",
            buffer_ms=(settings.jitter.min_ms, settings.jitter.max_ms, settings.jitter.start_ms),
            dscp=settings.dscp,
            native=settings.native,
        )
        return seat

    async def start(self) -> None:
        """Raises WorkerFailed."""
        await asyncio.gather(*(seat.client.start() for seat in self._seats))

    async def close(self) -> None:
        await asyncio.gather(*(seat.client.close() for seat in self._seats))

    def place(self, near: int | None = None) -> int | None:
        here = None if near is None else self._by_number.get(near)
        if here is not None and here.room and here.load < BUSY:
            return near
        seat = emptiest(self._seats)
        return None if seat is None else seat.number

    def send(self, worker: int, command: AnyCommand) -> None:
        seat = self._by_number.get(worker)
        if seat is not None:
            seat.asked(command)
            seat.client.send(command)

    def loads(self) -> list[tuple[str, float, int, bool]]:
        """(name, load, open legs, up) of each worker."""
        return [
            (seat.name, seat.client.load, len(seat.open), seat.client.ready is not None)
            for seat in self._seats
        ]

    @property
    def pids(self) -> list[int]:
        return [seat.client.pid for seat in self._seats if seat.client.pid is not None]


def reachable(address: str) -> str:
    """A wildcard address as the one that peers can send to: that of the default route, else loopback."""
    if address not in ("0.0.0.0", "::"):
        return address
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    probe = "2001:db8::1" if ":" in address else "192.0.2.1"
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((probe, 9))  # sends nothing: only asks for the route
            return str(asked.getsockname()[0])
        except OSError:
            return "::1" if ":" in address else "127.0.0.1"
