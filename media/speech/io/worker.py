"""A speech worker: a process that hears, translates or speaks for the node's ear, whatever its crafts are.

python -m media.speech.io.worker --socket PATH --ear PATH --crafts FILE

It connects to the engine's Unix socket, says that it is there, loads what its crafts need (a model may take a
while) and, once it is told to begin, offers them to the ear and does its jobs. A thread of its own answers
the engine's pings, for a model at work does not stop for them; when one piece of work takes longer than
STUCK_S it does not, and the engine puts a fresh process in its place.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from media.io.link import Link, Lost
from media.io.peers import Load
from media.messages import Frames, Ping, Pong, WorkerReady
from media.speech.io.crafts import build
from media.speech.jobs import AnyJob, AnyResult, Craft, Forget, Hear, Speak, Translate, worked
from media.speech.messages import Begin
from media.speech.settings import CraftSettings
from media.speech.wire import Offers, decode_jobs, encode

NICENESS = 5  # calls come first: media workers are at -11, the engine at 0
STUCK_S = 30.0  # that one piece of work may take
RETRY_S = 0.1  # between looks for the ear
READ = 1024 * 1024
SENT_S = 2.0  # within which the ear has to take an answer

CRAFT_OF = {Hear: "hear", Forget: "hear", Translate: "translate", Speak: "speak"}

log = logging.getLogger("media.speech.worker")


class Supervised:
    """The engine's side of the process: pings are answered while work goes on."""

    def __init__(self, link: Link) -> None:
        self.begun = threading.Event()  # it is the one at work, no reserve
        self.since: float | None = None  # when the piece of work began that goes on
        self._link = link
        self._load = Load(time.monotonic())
        link.tell([WorkerReady(os.getpid(), 0)])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                select.select([self._link], [], [])
                for commands in self._link.hear():
                    for command in commands:
                        if isinstance(command, Begin):
                            self.begun.set()
                        elif isinstance(command, Ping) and not self._stuck():
                            self._link.tell([Pong(command.n, self._load.measure(time.monotonic()))])
        except Lost as lost:
            log.info("%s", lost)
            os._exit(0)

    def _stuck(self) -> bool:
        since = self.since
        return since is not None and time.monotonic() - since > STUCK_S


class Bench:
    """The ear's jobs, and the crafts that do them."""

    def __init__(self, path: str, crafts: Sequence[Craft], supervised: Supervised) -> None:
        self._path = path
        self._crafts = {craft.offer.craft: craft for craft in crafts}
        self._supervised = supervised
        self._streams: set[str] = set()

    def run(self) -> None:
        """Work for ear after ear, for ever. Raises Broken."""
        while True:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ear:
                    ear.connect(self._path)
                    ear.settimeout(SENT_S)
                    self._serve(ear)
            except (OSError, ValueError, msgspec.DecodeError) as error:
                log.debug("the ear is not there: %s", error)
                time.sleep(RETRY_S)
            for stream in tuple(self._streams):
                self._take(Forget("", 0.0, stream))

    def _serve(self, ear: socket.socket) -> None:
        """Work until the connection ends. Raises OSError, or ValueError for what is no frame."""
        frames = Frames()
        ear.sendall(encode([Offers(tuple(craft.offer for craft in self._crafts.values()))]))
        while True:
            busy = any(craft.busy for craft in self._crafts.values())
            readable, _, _ = select.select([ear], [], [], 0.0 if busy else None)
            if readable:
                data = ear.recv(READ)
                if not data:
                    raise OSError("the ear is gone")
                for body in frames.feed(data):
                    for job in decode_jobs(body):
                        self._take(job)
                continue  # all that came is known before the next piece is chosen
            for craft in self._crafts.values():
                if craft.busy:
                    results = self._work(craft)
                    if results:
                        ear.sendall(encode(list(results)))

    def _take(self, job: AnyJob) -> None:
        craft = self._crafts.get(CRAFT_OF[type(job)])
        if isinstance(job, Hear):
            self._streams.add(job.stream)
        elif isinstance(job, Forget):
            self._streams.discard(job.stream)
        if craft is not None:
            craft.take(job, time.monotonic())

    def _work(self, craft: Craft) -> Sequence[AnyResult]:
        self._supervised.since = time.monotonic()
        try:
            return worked(craft, time.monotonic())
        finally:
            self._supervised.since = None


def yield_way() -> None:
    """Let calls go first: with autogroups (Linux's default) niceness counts within a session only."""
    try:
        if os.getsid(0) != os.getpid():
            os.setsid()
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")
    except OSError as error:
        log.info("priority is not lowered: %s", error)


def main(arguments: list[str]) -> int:
    """Run until the engine is gone."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(
        prog="python -m media.speech.io.worker", description="A speech worker of a node."
    )
    parser.add_argument("--socket", required=True, help="the engine's Unix socket")
    parser.add_argument("--ear", required=True, help="the ear's Unix socket")
    parser.add_argument("--crafts", required=True, help="what it does and with which models: a file of JSON")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine's to hear; it ends us by closing the connection
    yield_way()
    supervised = Supervised(Link.connect(options.socket, log))
    path = Path(options.crafts)
    crafts = build(msgspec.json.decode(path.read_bytes(), type=CraftSettings), path)
    supervised.begun.wait()
    Bench(options.ear, crafts, supervised).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
