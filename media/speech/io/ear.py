"""The ear's process: taps of the node's media workers in, jobs to its speech workers, events to the engine.

python -m media.speech.io.ear --socket PATH --taps PATH --workers PATH --clips FOLDER --cores N [--far FILE]

It connects to the engine's Unix socket. Told to begin, it listens for media workers at the second and for
speech workers at the third; workers on other machines are asked by the Redis that the file names. It ends
when the engine's connection does.
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
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from media.io.link import Link, Lost
from media.io.peers import Load, accept, listen
from media.messages import Frames, Ping, Pong, WorkerReady
from media.speech import recognition, shedding, utterance
from media.speech.ear import Ear
from media.speech.io.far import settings_of
from media.speech.io.redis import box_of, terms_of
from media.speech.io.redis_jobs import Came, Gone, RedisJobs
from media.speech.io.vad import TwoStage
from media.speech.jobs import AnyJob
from media.speech.messages import Attend, Begin, Ignore
from media.speech.shedding import Shedding
from media.speech.wire import Offers, decode_answers, encode
from media.tap import Reader

NICENESS = 1  # after the media workers: what is late here is a caption
READ = 1024 * 1024
DUE_S = 0.5  # before the end of waiting for a recogniser's last words, after which it need not begin
TICK = 0.02  # s between looks at what is due
FAULTS = 100  # faults in a row after which a fresh ear is the better one
SWEEP_S = 60.0  # between two looks for clips that nobody deletes
LEFT_S = 300.0  # that a clip may lie there: longer than any waits and plays
UNSENT = 32 * 1024 * 1024  # bytes that a worker may leave unread

log = logging.getLogger("media.speech.ear")


class Taps:
    """A media worker's connection; `number` is its process id, which its ticks count for."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.socket = connection
        self.number = number
        self.reader = Reader()


class Hand:
    """A speech worker's connection."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.socket = connection
        self.number = number
        self.frames = Frames()
        self.out = bytearray()

    def give(self, jobs: list[AnyJob]) -> None:
        """Send jobs behind what is unsent. Raises OSError when it is gone, or reads nothing."""
        if jobs:
            self.out += encode(jobs)
        if len(self.out) > UNSENT:
            raise OSError("it does not read what it is asked")
        while self.out:
            try:
                del self.out[: self.socket.send(self.out)]
            except BlockingIOError:
                return


T = TypeVar("T", Taps, Hand)


class Process:
    """The loop between the engine's socket, taps and workers. paths: of the sockets to make for these two."""

    def __init__(
        self,
        link: Link,
        paths: tuple[str, str],
        clips: Path,
        shedding: Shedding,
        terms: recognition.Terms,
        far: RedisJobs | None = None,
    ) -> None:
        self._link = link
        self._far = far
        self._clips = clips
        self._clip = 0
        self._ear = Ear(TwoStage(), self._write, shedding=shedding, terms=terms, name=f"{os.getpid()}")
        self._paths = paths
        self._taps: socket.socket | None = None
        self._workers: socket.socket | None = None
        self._poll = select.epoll()
        self._poll.register(link.fileno(), select.EPOLLIN)
        self._sources: dict[int, Taps] = {}
        self._hands: dict[int, Hand] = {}
        self._looked = self._swept = 0.0
        self._load = Load(time.monotonic())

    def run(self) -> None:
        """Work until the engine's connection ends. Raises Lost."""
        self._link.tell([WorkerReady(os.getpid(), 0)])
        faults = 0
        while True:
            try:
                self._turn()
                faults = 0
            except Lost:
                raise
            except Exception as fault:  # the loop's edge: all other legs are heard on without what broke
                faults += 1
                log.exception("fault in the ear's loop")
                if faults >= FAULTS:
                    raise Lost("too many faults in a row") from fault

    def _turn(self) -> None:
        """Whatever has come, and what is due."""
        for handle, _ in self._poll.poll(TICK if self._ear.active else 1.0):
            self._attend_to(handle)
        now = time.monotonic()
        if now - self._looked >= TICK:
            self._looked = now
            self._ear.tick(now)
            self._load.measure(now)
            if now - self._swept >= SWEEP_S:
                self._swept = now
                sweep(self._clips, time.time() - LEFT_S)
        self._send(now)

    def _attend_to(self, handle: int) -> None:
        if handle == self._link.fileno():
            self._obey()
        elif self._taps is not None and handle == self._taps.fileno():
            self._accept(self._taps, self._sources, Taps)
        elif self._workers is not None and handle == self._workers.fileno():
            self._accept(self._workers, self._hands, Hand)
        elif handle in self._sources:
            self._hear(self._sources[handle])
        elif handle in self._hands:
            self._read(self._hands[handle])
        elif self._far is not None and handle == self._far.fileno():
            self._read_far(self._far)

    def _begin(self) -> None:
        """Listen for media workers and speech workers, in the place of whoever did before."""
        if self._taps is None:
            self._taps, self._workers = map(listen, self._paths)
            for each in (self._taps, self._workers):
                self._poll.register(each.fileno(), select.EPOLLIN)
            if self._far is not None:
                self._poll.register(self._far.fileno(), select.EPOLLIN)
                self._far.start()

    def _accept(
        self, listener: socket.socket, known: dict[int, T], kind: Callable[[socket.socket, int], T]
    ) -> None:
        found = accept(listener, log)
        if found is not None:
            known[found[0].fileno()] = kind(*found)
            self._poll.register(found[0].fileno(), select.EPOLLIN)

    def _hear(self, source: Taps) -> None:
        now = time.monotonic()
        try:
            data = source.socket.recv(READ)
            for frame in source.reader.feed(data):
                self._ear.hear(source.number, frame, now)
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            log.error("a worker's taps are not understood or broken: %s", error)
            data = b""
        if not data:
            self._drop(source.socket, self._sources)
            self._ear.lost(source.number, now)

    def _read(self, hand: Hand) -> None:
        now = time.monotonic()
        try:
            data = hand.socket.recv(READ)
            for body in hand.frames.feed(data):
                for answer in decode_answers(body):
                    if isinstance(answer, Offers):
                        self._ear.came(hand.number, answer.offers, now)
                    else:
                        self._ear.answered(answer, now)
        except BlockingIOError:
            return
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.error("a speech worker is not understood or gone: %s", error)
            data = b""
        if not data:
            self._part(hand, now)

    def _read_far(self, far: RedisJobs) -> None:
        now = time.monotonic()
        for news in far.news():
            if isinstance(news, Came):
                self._ear.came(news.number, news.offers, now)
            elif isinstance(news, Gone):
                log.warning("far speech workers: %s", news.why)
                self._ear.gone(news.number, now)
            else:
                self._ear.answered(news, now)

    def _part(self, hand: Hand, now: float) -> None:
        self._drop(hand.socket, self._hands)
        self._ear.gone(hand.number, now)

    def _drop(self, connection: socket.socket, known: dict[int, T]) -> None:
        handle = connection.fileno()
        self._poll.unregister(handle)
        del known[handle]
        connection.close()

    def _send(self, now: float) -> None:
        """What there is to send, to workers and to the engine."""
        jobs, self._ear.jobs = self._ear.jobs, []
        for hand in list(self._hands.values()):
            own = [job for number, job in jobs if number == hand.number]
            if own or hand.out:
                try:
                    hand.give(own)
                except OSError as error:
                    log.error("speech worker %d: %s", hand.number, error)
                    self._part(hand, now)
        for number in {number for number, _ in jobs if number < 0 and self._far is not None}:
            assert self._far is not None, "who else has such numbers"
            self._far.give(number, [job for each, job in jobs if each == number])
        events, self._ear.events = self._ear.events, []
        self._link.tell(events)

    def _obey(self) -> None:
        now = time.monotonic()
        for commands in self._link.hear():
            for command in commands:
                if isinstance(command, Ping):
                    self._link.tell([Pong(command.n, self._load.share)])
                elif isinstance(command, Begin):
                    self._begin()
                elif isinstance(command, Attend):
                    self._ear.attend(command)
                elif isinstance(command, Ignore):
                    self._ear.ignore(command, now)

    def _write(self, pcm: bytes, rate: int) -> str:
        """An interpreter's words as a file; "" where the disk has no room for it."""
        self._clip += 1
        path = self._clips / f"{os.getpid()}-{self._clip}.wav"
        try:
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(pcm)
        except OSError as error:
            log.error("an interpreter's voice cannot be written: %s", error)
            path.unlink(missing_ok=True)
            return ""
        return str(path)


def sweep(clips: Path, before: float) -> None:
    """Deletes voices written before then, epoch seconds: an ear that died told nobody of its last ones."""
    for path in clips.glob("*.wav"):
        try:
            if path.stat().st_mtime < before:
                path.unlink()
        except OSError as error:
            log.debug("a clip stays: %s", error)


def main(arguments: list[str]) -> int:
    """Run until the engine is gone."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="python -m media.speech.io.ear", description="The ear of a node.")
    parser.add_argument("--socket", required=True, help="the engine's Unix socket")
    parser.add_argument("--taps", required=True, help="the Unix socket to make, for media workers")
    parser.add_argument("--workers", required=True, help="the Unix socket to make, for speech workers")
    parser.add_argument("--clips", required=True, type=Path, help="folder for an interpreter's voice")
    parser.add_argument("--guess-every-s", type=float, default=0.3, help="0: only when sentences are over")
    parser.add_argument("--last-words-s", type=float, default=4.0, help="that a recogniser has for them")
    parser.add_argument("--cores", type=float, default=1.0, help="that speech may use")
    parser.add_argument(
        "--far", default="", help="where workers elsewhere are asked: a file of JSON, or a URL"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine's to hear; it ends us by closing the connection
    os.nice(NICENESS)
    link = Link.connect(options.socket, log)
    far = None
    if options.far:
        given = settings_of(options.far)
        far = RedisJobs(
            terms_of(given), f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}", box_of(given)
        )
    shed = Shedding(shedding.Terms(cores=options.cores))
    terms = recognition.Terms(
        utterance=utterance.Terms(final_s=options.last_words_s),
        partial_s=options.guess_every_s,
        final_due_s=options.last_words_s - DUE_S,
    )
    process = Process(link, (options.taps, options.workers), options.clips, shed, terms, far)
    try:
        process.run()
    except Lost as lost:
        log.info("%s", lost)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
