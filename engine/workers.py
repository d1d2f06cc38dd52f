"""The node's media workers: as many processes as configured, each kept alive, calls placed by load."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence

from config.media import MediaSettings
from engine.build import capabilities_of
from media.io.process import WorkerClient
from media.messages import AnyCommand, AnyEvent, LegClosed, LegOpened
from sip.sdp import CodecOffer

OnEvents = Callable[[int, list[AnyEvent]], None]
OnLost = Callable[[int], None]


class Workers:
    """The switch's media port over worker processes.

    A worker's number changes when its process is replaced: nothing meant for a dead one reaches the next.
    """

    def __init__(self, settings: MediaSettings, on_events: OnEvents, on_lost: OnLost) -> None:
        self.capabilities: Sequence[CodecOffer] = capabilities_of(settings)
        self.address = settings.external_address or reachable(settings.address)
        self._on_events = on_events
        self._on_lost = on_lost
        self._clients: list[WorkerClient] = []
        self._numbers: dict[int, WorkerClient] = {}  # of the processes that live
        self._legs: dict[int, int] = {}  # open legs by worker number
        self._next = 0
        count = settings.workers or os.cpu_count() or 1
        share = (settings.port_high - settings.port_low) // count // 2 * 2
        for n in range(count):
            low = settings.port_low + n * share
            self._clients.append(self._client(settings, (low, low + share)))

    def _client(self, settings: MediaSettings, ports: tuple[int, int]) -> WorkerClient:
        number = self._next
        self._next += 1

        def told(events: list[AnyEvent]) -> None:
            for event in events:
                if isinstance(event, LegOpened):
                    self._legs[current()] += 1
                elif isinstance(event, LegClosed):
                    self._legs[current()] -= 1
            self._on_events(current(), events)

        def lost(_: str) -> None:
            nonlocal number
            dead, number = number, self._next
            self._next += 1
            del self._numbers[dead], self._legs[dead]
            self._numbers[number], self._legs[number] = client, 0
            self._on_lost(dead)

        def current() -> int:
            return number

        client = WorkerClient(
            bind=settings.address,
            ports=ports,
            on_events=told,
            on_lost=lost,
            announce=settings.external_address or "",
            buffer_ms=settings.jitter.delay_ms,
            dscp=settings.dscp,
        )
        self._numbers[number], self._legs[number] = client, 0
        return client

    async def start(self) -> None:
        """Raises WorkerFailed."""
        await asyncio.gather(*(client.start() for client in self._clients))

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))

    def place(self) -> int | None:
        up = [number for number, client in self._numbers.items() if client.ready is not None]
        return min(up, key=lambda number: self._legs[number], default=None)

    def send(self, worker: int, command: AnyCommand) -> None:
        client = self._numbers.get(worker)
        if client is not None:
            client.send(command)

    def loads(self) -> list[tuple[str, float, int, bool]]:
        """(name, load, open legs, up) of each worker."""
        return [
            (f"media-{n}", client.load, self._legs[number], client.ready is not None)
            for n, (number, client) in enumerate(sorted(self._numbers.items()))
        ]

    @property
    def pids(self) -> list[int]:
        return [client.pid for client in self._clients if client.pid is not None]


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
