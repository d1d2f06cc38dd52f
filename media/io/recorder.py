"""The recorder: a process that takes the sound of the node's taps and writes it to files.

python -m media.io.recorder --socket PATH --taps PATH

It connects to the engine's Unix socket, listens for workers at the other, and ends when the engine's
connection does, with all files closed.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import socket
import sys
import time

from media.io.disk import Disk
from media.io.link import Link, Lost
from media.io.peers import Load, accept, listen
from media.messages import Ping, Pong, WorkerReady
from media.recorder import Recorder
from media.recording import PauseRecording, Record, SealKeys, StopRecording
from media.tap import Reader

NICENESS = 2  # after the media workers: what waits here is a file, not an ear
READ = 1024 * 1024
LOOK = 0.05  # s between looks at what is due

log = logging.getLogger("media.recorder")


class Source:
    """A worker's connection; `number` is its process id, which its ticks count for."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.socket = connection
        self.number = number
        self.reader = Reader()


class Process:
    """The loop between the engine's socket and the workers'."""

    def __init__(self, link: Link, taps: str, sync_s: float) -> None:
        self._link = link
        self._disk = Disk(sync_s)
        self._recorder = Recorder(self._disk, entropy=os.urandom, epoch=time.time() - time.monotonic())
        self._listener = listen(taps)
        self._poll = select.epoll()
        for each in (link, self._listener):
            self._poll.register(each.fileno(), select.EPOLLIN)
        self._sources: dict[int, Source] = {}
        self._looked = 0.0
        self._load = Load(time.monotonic())

    def run(self) -> None:
        """Work until the engine's connection ends. Raises Lost."""
        self._link.tell([WorkerReady(os.getpid(), 0)])
        while True:
            for handle, _ in self._poll.poll(LOOK if self._recorder.active else 1.0):
                if handle == self._link.fileno():
                    self._obey()
                elif handle == self._listener.fileno():
                    self._accept()
                else:
                    self._hear(self._sources[handle])
            self._look()

    def close(self) -> None:
        """End all files with what they have."""
        self._recorder.close()
        self._disk.end()

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        self._link.tell(list(self._recorder.look(now)))
        self._load.measure(now)

    def _accept(self) -> None:
        found = accept(self._listener, log)
        if found is not None:
            self._sources[found[0].fileno()] = Source(*found)
            self._poll.register(found[0].fileno(), select.EPOLLIN)

    def _hear(self, source: Source) -> None:
        now = time.monotonic()
        try:
            data = source.socket.recv(READ)
            for frame in source.reader.feed(data):
                self._recorder.take(source.number, frame, now)
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            log.error("a worker's taps are not understood or broken: %s", error)
            data = b""
        if not data:
            handle = source.socket.fileno()
            self._poll.unregister(handle)
            del self._sources[handle]
            source.socket.close()
            self._recorder.lost(source.number)

    def _obey(self) -> None:
        now = time.monotonic()
        for commands in self._link.hear():
            for command in commands:
                if isinstance(command, Ping):
                    self._link.tell([Pong(command.n, self._load.share)])
                elif isinstance(command, Record | PauseRecording | StopRecording | SealKeys):
                    self._recorder.handle(command, now)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m media.io.recorder", description="The recorder process.")
    parser.add_argument("--socket", required=True, help="the engine's Unix socket")
    parser.add_argument("--taps", required=True, help="the Unix socket to make, for media workers")
    parser.add_argument("--sync-s", type=float, default=1.0, help="seconds between forced writes; 0 for none")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run until the engine is gone."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    options = _options(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine's to hear; it ends us by closing the connection
    os.nice(NICENESS)
    process = Process(Link.connect(options.socket, log), options.taps, options.sync_s)
    try:
        process.run()
    except Lost as lost:
        log.info("%s", lost)
    finally:
        process.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
