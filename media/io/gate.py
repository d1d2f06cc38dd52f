"""The gate: a process that finds browsers' ways in and agrees on keys with them, beside the media's tick.

python -m media.io.gate --socket PATH --doors PATH

It connects to the engine's Unix socket, hears from media workers at the other what came to their legs' ports
and is no RTP, and ends when the engine's connection does. No media passes here.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections import OrderedDict
from typing import Any

import msgspec
from aiortc.rtcdtlstransport import RTCCertificate

from media.gate import (
    AddCandidates,
    CloseDoor,
    DoorLost,
    GateCommand,
    GateEvent,
    OpenDoor,
    RestartDoor,
    SetPeer,
    Word,
    decode_rare,
    encode,
)
from media.io.door import Door
from media.io.link import Link, Lost
from media.io.peers import Load, listen
from media.io.webrtc import certify
from media.messages import AnyCommand, Ping, Pong, WorkerReady

KNOWN = 8192  # legs whose worker is remembered
AT_ONCE = 64  # datagrams of workers taken in one turn
SIZE = 4096  # bytes of one
RENEWED = 24 * 3600.0  # s that new legs are shown the same certificate

log = logging.getLogger("media.gate")


class Gate:
    """All doors, between the engine and the workers."""

    def __init__(self, link: Link, doors: socket.socket) -> None:
        self._link = link
        self._socket = doors
        self._doors: dict[int, Door] = {}
        self._workers: OrderedDict[int, str] = OrderedDict()  # by leg
        self._certificate: tuple[float, RTCCertificate] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._load = Load(time.monotonic())
        self.over = asyncio.Event()

    def begin(self) -> None:
        """Listen to both sides."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket.fileno(), self._hear_workers)
        loop.add_reader(self._link.fileno(), self._hear_engine)
        self._tell(WorkerReady(os.getpid(), 0))

    # --- workers ----------------------------------------------------------------------------------

    def _hear_workers(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, worker = self._socket.recvfrom(SIZE)
            except BlockingIOError:
                return
            try:
                rare = decode_rare(data)
            except msgspec.DecodeError as error:
                log.error("a worker is not understood: %s", error)
                continue
            self._workers[rare.leg] = worker
            self._workers.move_to_end(rare.leg)
            if len(self._workers) > KNOWN:
                self._workers.popitem(last=False)
            door = self._doors.get(rare.leg)
            if door is not None and rare.packet:
                door.take(rare.packet, rare.source)

    def _say(self, word: Word) -> None:
        worker = self._workers.get(word.leg)
        if worker is None:
            return
        try:
            self._socket.sendto(encode(word), worker)
        except OSError:
            pass  # the worker is gone or behind: lost as on any network, and ICE and DTLS say it again

    # --- engine -----------------------------------------------------------------------------------

    def _hear_engine(self) -> None:
        try:
            for commands in self._link.hear():
                for command in commands:
                    self._obey(command)
        except Lost as lost:
            log.info("%s", lost)
            self.over.set()

    def _tell(self, *events: Any) -> None:
        try:
            self._link.tell(events)
        except Lost as lost:
            log.info("%s", lost)
            self.over.set()
        if self._link.unsent:
            asyncio.get_running_loop().call_later(0.05, self._tell)

    def _event(self, event: GateEvent) -> None:
        self._tell(event)

    def _obey(self, command: AnyCommand) -> None:
        if isinstance(command, Ping):
            self._tell(Pong(command.n, self._load.measure(time.monotonic())))
        elif isinstance(command, OpenDoor):
            self._open(command)
        elif isinstance(command, SetPeer | AddCandidates | RestartDoor | CloseDoor):
            door = self._doors.get(command.leg)
            if door is not None:
                self._ask(door, command)
            elif not isinstance(command, CloseDoor):
                self._tell(DoorLost(command.leg, "unknown"))

    def _open(self, command: OpenDoor) -> None:
        if command.leg in self._doors:
            self._tell(DoorLost(command.leg, "exists"))
            return
        door = self._doors[command.leg] = Door(
            *(command.leg, command.at, self._certify(), self._say, self._event),
            offers=command.peer is None,
            relayed=command.relayed,
        )
        door.open(command.peer, command.fingerprints, command.client)

    def _ask(self, door: Door, command: GateCommand) -> None:
        if isinstance(command, SetPeer):
            door.meet(command.peer, command.fingerprints, command.client)
        elif isinstance(command, AddCandidates):
            door.add(command.candidates)
        elif isinstance(command, RestartDoor):
            door.restart(command.peer)
        else:
            del self._doors[door.leg]
            task = asyncio.get_running_loop().create_task(self._close(door))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, door: Door) -> None:
        await door.close()
        if door.leg not in self._doors:
            self._workers.pop(door.leg, None)

    def _certify(self) -> RTCCertificate:
        now = time.monotonic()
        if self._certificate is None or now - self._certificate[0] > RENEWED:
            self._certificate = now, certify()
        return self._certificate[1]


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m media.io.gate", description="ICE and DTLS of browsers' legs."
    )
    parser.add_argument("--socket", required=True, help="the engine's Unix socket")
    parser.add_argument("--doors", required=True, help="the Unix socket to make, for media workers")
    return parser.parse_args(arguments)


async def _run(options: argparse.Namespace) -> None:
    link, doors = Link.connect(options.socket, log), listen(options.doors, socket.SOCK_DGRAM)
    gate = Gate(link, doors)
    gate.begin()
    try:
        await gate.over.wait()
    finally:
        link.close()
        doors.close()


def main(arguments: list[str]) -> int:
    """Run until the engine is gone."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine's to hear; it ends us by closing the connection
    asyncio.run(_run(_options(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
