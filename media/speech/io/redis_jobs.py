"""The ear's side of Redis: jobs go out and answers come in beside its loop, which waits for neither.

Two threads do the waiting, one that sends and looks who is there, one that listens for results. The loop puts
jobs into a bounded line and takes news out of another; `fileno` is readable when there are some.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from redis import Redis

from media.speech.io.box import Box
from media.speech.io.redis import (
    FORGOTTEN_MS,
    LOOK,
    LOST,
    MOST_BYTES,
    MOST_JOBS,
    Terms,
    connect,
    offers_of,
    packed,
    result_of,
)
from media.speech.jobs import AnyJob, AnyResult, Failed, Forget, Offer

MOST_WAITING = 1024  # jobs that were not sent yet, and news that were not taken
MOST_POOLS = 64
AGAIN_S = 0.2  # after the server was lost

log = logging.getLogger("media.speech.redis")


@dataclass(frozen=True, slots=True)
class Came:
    """A pool has a worker. number: of the pool, below 0; offers: what its workers do."""

    number: int
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A pool has none any more, or is out of reach: what it owes is to be asked of others."""

    number: int
    why: str


News = Came | Gone | AnyResult


class RedisJobs:
    """name: of this ear, in this life of its."""

    def __init__(self, terms: Terms, name: str, box: Box) -> None:
        self.terms = terms
        self._name = name
        self._box = box
        self._jobs: deque[tuple[str, AnyJob]] = deque()
        self._news: deque[News] = deque()
        self._pools: dict[str, int] = {}  # that are there
        self._names: dict[int, str] = {}
        self._count = 0
        self._wanted = threading.Condition()
        self._closed = False
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        work = (self._send_and_look, self._listen)
        self._threads = [threading.Thread(target=each, daemon=True) for each in work]

    def start(self) -> None:
        """Begin to seek the server; it need not be there."""
        for each in self._threads:
            each.start()

    def fileno(self) -> int:
        """Readable when there are news."""
        return self._ours.fileno()

    def give(self, number: int, jobs: Sequence[AnyJob]) -> None:
        """Ask a pool. Each job holds all that it takes (of an utterance: from its first sample on); what is
        too much is answered as failed for now.
        """
        pool = self._names.get(number, "")
        with self._wanted:
            for job in jobs:
                if isinstance(job, Forget):
                    continue  # nothing is kept for it there
                if len(self._jobs) < MOST_WAITING:
                    self._jobs.append((pool, job))
                else:
                    self._tell(Failed(job.key, why="too many jobs wait to be sent to Redis", ever=False))
            self._wanted.notify()

    def news(self) -> list[News]:
        """What there is by now, in order."""
        try:
            while self._ours.recv(4096):
                pass
        except BlockingIOError:
            pass  # it is empty
        with self._wanted:
            found = list(self._news)
            self._news.clear()
        return found

    def close(self) -> None:
        with self._wanted:
            self._closed = True
            self._wanted.notify()
        for each in self._threads:
            if each.ident is not None:
                each.join(2 * self.terms.timeout_s)
        self._ours.close()
        self._theirs.close()

    # --- the thread that sends

    def _send_and_look(self) -> None:
        while not self._closed:
            server = connect(self.terms)
            try:
                self._serve(server)
            except LOST as error:
                self._lost(f"Redis is out of reach: {error}")
                with self._wanted:
                    self._wanted.wait(AGAIN_S)
            finally:
                server.close()

    def _serve(self, server: Redis) -> None:
        look = server.register_script(LOOK)
        looked = -1e9
        while not self._closed:
            if time.monotonic() - looked >= self.terms.beat_s:
                self._look(server, look(keys=[self.terms.workers]))
                looked = time.monotonic()
            with self._wanted:
                if not self._jobs and not self._closed:
                    self._wanted.wait(max(0.0, looked + self.terms.beat_s - time.monotonic()))
                jobs = [self._jobs.popleft() for _ in range(min(64, len(self._jobs)))]
            if jobs:
                self._send(server, jobs)

    def _send(self, server: Redis, jobs: list[tuple[str, AnyJob]]) -> None:
        with server.pipeline(transaction=False) as batch:
            for pool, job in jobs:
                data = self._box.close("job", f"{pool} {self._name}", packed(job))
                if not pool or len(data) > MOST_BYTES:
                    self._told(Failed(job.key, why="nobody there can be asked so much", ever=False))
                    continue
                told: dict[Any, Any] = {"e": self._name, "d": int(job.due_s * 1000), "p": data}
                batch.xadd(self.terms.jobs(pool), told, maxlen=MOST_JOBS, approximate=False)
                batch.pexpire(self.terms.jobs(pool), FORGOTTEN_MS)
            batch.execute()

    def _look(self, server: Redis, found: list[bytes]) -> None:
        """Who is there now, by pools."""
        here = {each.decode("utf-8", "replace").partition(" ")[0] for each in found}
        for pool in [each for each in self._pools if each not in here]:
            self._part(pool, "its last worker is gone")
        for pool in sorted(here - self._pools.keys())[: MOST_POOLS - len(self._pools)]:
            sealed = server.get(self.terms.offers(pool))
            data = self._box.open("offers", pool, sealed) if isinstance(sealed, bytes) else None
            if data is None:
                continue  # not yet, or not one of ours
            try:
                offers = offers_of(data)
            except msgspec.DecodeError as error:
                log.error("what a speech worker offers is not understood: %s", error)
                continue
            self._count += 1
            with self._wanted:
                self._pools[pool] = -self._count
                self._names[-self._count] = pool
                self._tell(Came(-self._count, offers))

    def _part(self, pool: str, why: str) -> None:
        with self._wanted:
            number = self._pools.pop(pool)
            self._names.pop(number, None)
            self._jobs = deque(each for each in self._jobs if each[0] != pool)
            self._tell(Gone(number, why))

    def _lost(self, why: str) -> None:
        if self._pools:
            log.warning("%s", why)
        for pool in list(self._pools):
            self._part(pool, why)

    # --- the thread that listens

    def _listen(self) -> None:
        key = self.terms.results(self._name)
        while not self._closed:
            server = connect(self.terms)
            try:
                while not self._closed:
                    self._hear(server, key)
            except LOST as error:
                log.debug("results are not heard: %s", error)
                with self._wanted:
                    self._wanted.wait(AGAIN_S)
            finally:
                server.close()

    def _hear(self, server: Redis, key: str) -> None:
        """What is heard is taken away, so that all there is is new: another server may count from an earlier
        clock, and a client connects to it without a word.
        """
        found: Any = server.xread({key: "0-0"}, count=64, block=int(self.terms.beat_s * 1000))
        for _, entries in found or ():
            for _, fields in entries:
                data = self._box.open("result", self._name, fields.get(b"p", b""))
                try:
                    self._told(result_of(data or b""))
                except msgspec.DecodeError as error:
                    log.error("a far worker's answer is not understood: %s", error)
            server.xdel(key, *(id for id, _ in entries))

    def _told(self, news: News) -> None:
        with self._wanted:
            self._tell(news)

    def _tell(self, news: News) -> None:
        """Under the lock. Of too many answers the newest is left out: it is overdue then, and asked again."""
        if len(self._news) >= MOST_WAITING and not isinstance(news, Came | Gone):
            return
        self._news.append(news)
        try:
            self._theirs.send(b"!")
        except (BlockingIOError, BrokenPipeError):
            pass  # it is readable already, or closed
