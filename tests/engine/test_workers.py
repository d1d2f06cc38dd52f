"""Two real media workers: one is killed, and only its calls know."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

from config.media import MediaSettings, port_shares
from engine.workers import Workers
from media.messages import AnyEvent, Codec, LegClosed, LegOpened, OpenLeg, RtpStarted, SetGain, WorkerReady

HOST = "127.0.0.1"
SETTINGS = MediaSettings(workers=2, address=HOST, port_low=25_400, port_high=25_599)
PATIENCE = 30.0  # s; a bound for a busy machine, never waited for when all is well


class Node:
    """What a switch would be told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, AnyEvent]] = []
        self.lost: list[int] = []
        self._news = asyncio.Event()
        self.workers = Workers(SETTINGS, self._tell, self._lose)

    def _tell(self, worker: int, events: list[AnyEvent]) -> None:
        self.told.extend((worker, event) for event in events)
        self._news.set()

    def _lose(self, worker: int) -> None:
        self.lost.append(worker)
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type, leg: int) -> list[Any]:
        return [event for _, event in self.told if isinstance(event, kind) and event.leg == leg]

    async def call(self, first: int, far: tuple[socket.socket, socket.socket]) -> tuple[int, list[int]]:
        """Two bridged legs, numbered from `first` on: their worker and their ports."""
        worker = self.workers.place()
        assert worker is not None
        for leg, phone in enumerate(far, first):
            self.workers.send(worker, OpenLeg(leg, [Codec(0, "PCMU")], None, phone.getsockname()))
        self.workers.send(worker, SetGain(first, first + 1, 1.0))
        self.workers.send(worker, SetGain(first + 1, first, 1.0))
        await self.until(lambda: self.of(LegOpened, first) and self.of(LegOpened, first + 1))
        return worker, [self.of(LegOpened, leg)[0].port for leg in (first, first + 1)]


def phone() -> socket.socket:
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind((HOST, 0))
    far.setblocking(False)
    return far


async def heard(speaker: socket.socket, port: int, listener: socket.socket, sequence: int) -> bytes:
    """Say a packet until the other end has it: the first ones may come before the leg is bridged."""
    loop, payload = asyncio.get_running_loop(), b"%-160d" % sequence
    speaker.sendto(struct.pack("!BBHII", 0x80, 0, sequence, 160 * sequence, 7) + payload, (HOST, port))
    async with asyncio.timeout(PATIENCE):
        return (await loop.sock_recv(listener, 2000))[12:].rstrip()


def test_a_killed_worker_takes_its_own_calls_alone_and_another_takes_its_place() -> None:
    async def live() -> None:
        node, phones = Node(), [phone() for _ in range(6)]
        try:
            await node.workers.start()
            (one, ours), (other, theirs) = [
                await node.call(2 * n, (phones[2 * n], phones[2 * n + 1])) for n in range(2)
            ]
            shares = port_shares(SETTINGS.port_low, SETTINGS.port_high, 2)
            assert {one, other} == {0, 1}
            assert all(shares[one][0] <= port <= shares[one][1] for port in ours)
            assert all(shares[other][0] <= port <= shares[other][1] for port in theirs)
            assert await heard(phones[2], theirs[0], phones[3], 1) == b"1"

            os.kill(node.workers.pids[one], signal.SIGKILL)
            await node.until(lambda: node.lost)
            assert node.lost == [one]
            assert await heard(phones[2], theirs[0], phones[3], 2) == b"2"
            assert [name for name, *_ in node.workers.loads()] == ["media-0", "media-1"]

            await node.until(lambda: [worker for worker, event in node.told[6:] if worker not in (0, 1)])
            fresh, again = await node.call(4, (phones[4], phones[5]))
            assert fresh not in (one, other)
            assert all(shares[one][0] <= port <= shares[one][1] for port in again)
            assert await heard(phones[4], again[0], phones[5], 1) == b"1"
            assert not node.of(LegClosed, 2)
            assert len(node.of(RtpStarted, 2)) == 1
            assert node.lost == [one]
            ready = [worker for worker, event in node.told if isinstance(event, WorkerReady)]
            assert sorted(ready) == [0, 1, 2]
        finally:
            await node.workers.close()
            for far in phones:
                far.close()

    asyncio.run(live())
