"""The media worker: a process that owns its legs' sockets and moves them on time.

python -m media.io.worker --socket PATH --address A --ports LO-HI

It connects to the engine's Unix socket, reports WorkerReady, obeys, and ends when that connection does.
Without legs it sleeps; with legs it drains every 5 ms and ticks every 20 ms. It drains at once when a gate
speaks or somebody's way in is being found, and only before ticks while nothing is sent on as it comes.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from random import SystemRandom

from media import express
from media.clock import Schedule
from media.control import Control
from media.delay import BufferSettings
from media.io import native
from media.io.gates import SocketGates
from media.io.link import Link, Lost
from media.io.native import Native
from media.io.native_lane import NativeLane
from media.io.native_udp import NativeUdpNetwork
from media.io.peers import Load
from media.io.taps import SocketOutlet
from media.io.udp import UdpNetwork
from media.io.wav import ThreadedFiles
from media.latch import LatchPolicy
from media.messages import AnyEvent, Stats, WorkerReady
from media.tap import Taps

NICENESS = -11
STATS_LIMIT = 256 * 1024  # bytes unsent to the engine above which figures are left out
HASTE = 0.001  # s between two drains that are not due, at least: whoever sends more gains nothing
FAULTS = 100  # faults in a row after which a fresh worker is the better one

log = logging.getLogger("media.worker")


class Worker:
    """The loop between the engine's socket and the legs'."""

    def __init__(
        self,
        link: Link,
        network: UdpNetwork,
        *,
        policy: LatchPolicy,
        buffer: BufferSettings,
        move: express.Mover = express.move,
    ) -> None:
        self._link = link
        self._network = network
        self._sounds = ThreadedFiles()
        self._taps = Taps(SocketOutlet)
        self._gates = SocketGates(network.urgent)
        now = time.monotonic()
        self._control = Control(
            network,
            self._sounds,
            move=move,
            rng=SystemRandom(),
            epoch=time.time() - now,
            policy=policy,
            buffer=buffer,
            taps=self._taps,
            gates=self._gates,
        )
        self._schedule = Schedule(now)
        self._faults = 0
        self._asleep = True
        self._calm = now  # until then nothing is urgent
        self._load = Load(now)

    def run(self) -> None:
        """Work until the engine's connection ends. Raises Lost."""
        self._tell([WorkerReady(os.getpid(), self._network.free, self._network.address)])
        while True:
            try:
                self._turn()
                self._faults = 0
            except Lost:
                raise
            except Exception as fault:  # the loop's edge: all other calls go on without what broke
                self._faults += 1
                log.exception("fault in the media loop")
                if self._faults >= FAULTS:
                    raise Lost("too many faults in a row") from fault

    def _turn(self) -> None:
        """Wait for what is next and do it."""
        urgent = self._wait()
        now = time.monotonic()
        if self._control.idle:
            self._asleep = True
            return
        if self._asleep:
            self._asleep = False
            self._schedule.restart(now)
        if self._schedule.drain_due(now):
            if self._control.core.patient and self._schedule.rests():
                self._control.note(now)
            else:
                self._tell(self._control.drain(now))
                self._schedule.drained(self._control.core.taken)
        elif urgent:
            self._tell(self._control.drain(now))
            self._calm = now + HASTE
        skipped = self._schedule.tick_due(now)
        if skipped is not None:
            self._tell(self._control.tick(now, skipped))
            self._control.load = self._load.measure(now)

    def _wait(self) -> bool:
        """Sleep until something is due or the engine says something; read and write its socket. Returns
        whether something else has come that is not to wait.
        """
        seconds, urgent = None, self._network.urgent
        readers: list[Link | select.epoll] = [self._link]
        if not self._control.idle:
            now = time.monotonic()
            seconds = self._schedule.wait(now)
            if now >= self._calm:
                readers.append(urgent)
            else:
                seconds = min(seconds, self._calm - now)
        writers = [self._link] if self._link.unsent else []
        readable, writable, _ = select.select(readers, writers, [], seconds)
        if self._link in readable:
            self._obey()
        if writable:
            self._link.flush()
        return urgent in readable

    def _obey(self) -> None:
        now = time.monotonic()
        for commands in self._link.hear():
            self._tell(self._control.obey(commands, now))

    def _tell(self, events: list[AnyEvent]) -> None:
        if self._link.unsent > STATS_LIMIT:
            events = [event for event in events if not isinstance(event, Stats)]
        if events:
            self._link.tell(events)

    def close(self) -> None:
        self._sounds.close()
        self._taps.close()
        self._gates.close()
        self._network.shut()
        self._link.close()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m media.io.worker", description="One media worker process."
    )
    parser.add_argument("--socket", required=True, help="the engine's Unix socket")
    parser.add_argument("--address", required=True, help="numeric address to bind the legs' ports to")
    parser.add_argument("--announce", default="", help="address to put in SDP, when it is another")
    parser.add_argument("--ports", required=True, help="LO-HI, high excluded")
    parser.add_argument(
        "--buffer-ms",
        type=int,
        nargs=3,
        default=(20, 200, 40),
        metavar=("MIN", "MAX", "START"),
        help="jitter buffer of rendered legs: least, most, and what it begins with",
    )
    parser.add_argument("--dscp", type=int, default=0, help="DSCP of all that the legs send, 0 to 63")
    parser.add_argument(
        "--native",
        choices=("auto", "off"),
        default="auto",
        help="packets through the helper in C, if it can be",
    )
    parser.add_argument(
        "--strict-source", action="store_true", help="take packets of the SDP's address alone"
    )
    return parser.parse_args(arguments)


def _helper(options: argparse.Namespace) -> Native | None:
    """The helper in C, where it is wanted and can be had."""
    if options.native == "off":
        return None
    try:
        return native.load()
    except native.Unavailable as why:
        log.warning("packets are moved by Python, at more CPU a call: %s", why)
        return None


def _network(options: argparse.Namespace, ports: tuple[int, int], helper: Native | None) -> UdpNetwork:
    """The legs' sockets."""
    if helper is None:
        return UdpNetwork(options.address, ports, options.announce, dscp=options.dscp)
    return NativeUdpNetwork(options.address, ports, options.announce, dscp=options.dscp, native=helper)


def _hurry() -> None:
    """Go before other work where that is allowed: sound that is late is lost.

    With autogroups (Linux's default) niceness counts within a session only, so that ours gets one of its own,
    and that the niceness too.
    """
    try:
        if os.getsid(0) != os.getpid():
            os.setsid()
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")
    except OSError as error:
        log.info("priority is not raised: %s", error)


def main(arguments: list[str]) -> int:
    """Run a worker until its engine is gone."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    options = _options(arguments)
    low, _, high = options.ports.partition("-")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine's to hear; it ends us by closing the connection
    link = Link.connect(options.socket, log)
    _hurry()
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # a leg has two sockets
    helper = _helper(options)
    network = _network(options, (int(low), int(high)), helper)
    move = express.move if helper is None else NativeLane(helper).move
    policy = LatchPolicy(strangers=not options.strict_source)
    worker = Worker(link, network, policy=policy, buffer=BufferSettings(*options.buffer_ms), move=move)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    try:
        worker.run()
    except Lost as lost:
        log.info("%s", lost)
    finally:
        worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
