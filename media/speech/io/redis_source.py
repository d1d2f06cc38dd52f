"""A far worker's side of Redis: jobs of its pool are taken, held while they are worked on, and answered.

A thread of its own says that the worker is there and holds its jobs, for a model at work does not stop for
that. When the work itself has stood still for `STUCK_S`, it says so no more: others take the jobs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from redis import Redis
from redis.exceptions import ResponseError

from media.speech.io.box import Box
from media.speech.io.redis import (
    ANSWER,
    COME,
    FORGOTTEN_MS,
    GROUP,
    HOLD,
    LOST,
    MOST_BYTES,
    MOST_RESULTS,
    Terms,
    connect,
    job_of,
    packed,
    pool_of,
)
from media.speech.jobs import AnyJob, AnyResult, Hear, Offer, Spoken

STUCK_S = 30.0

log = logging.getLogger("media.speech.redis")


@dataclass(slots=True)
class _Held:
    """A job that was taken. until: when nobody wants it any more, s. pieces: of its voice so far."""

    id: str
    ear: str
    key: str
    until: float
    pieces: list[bytes] = field(default_factory=list)


class RedisSource:
    """name: of the worker, in this life of its. All but the holding happens in the caller's thread; raises
    what `LOST` names when the server is, after which a new one is to be made.
    """

    def __init__(self, terms: Terms, name: str, offers: Sequence[Offer], box: Box) -> None:
        self.terms = terms
        self.pool = pool_of(tuple(offers))
        self._offers = tuple(offers)
        self._name = name
        self._box = box
        self._server = connect(terms)
        self._jobs = terms.jobs(self.pool)
        self._answer = self._server.register_script(ANSWER)
        self._held: dict[str, _Held] = {}  # by the key that the craft knows
        self._claimed_at = -1e9
        self._seen = time.monotonic()  # the work went on
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    @property
    def holding(self) -> int:
        return len(self._held)

    def start(self) -> None:
        """Be there. Raises LOST."""
        self._join()
        self._come(self._server)
        self._thread.start()

    def jobs(self, wait_s: float) -> list[AnyJob]:
        """What is new, and what the dead have left; up to as many as may be held. Waits where nothing is."""
        self._seen = time.monotonic()
        self._let_go()
        room = self.terms.most - len(self._held)
        if room <= 0:
            return []
        found = self._claim(room)
        if len(found) < room:
            found += self._read(room - len(found), 0.0 if found else wait_s)
        return found

    def answer(self, results: Sequence[AnyResult]) -> None:
        """Of a voice, the pieces are put together: an answer is given once, and whole."""
        self._seen = time.monotonic()
        for result in results:
            held = self._held.get(result.key)
            if held is None:
                continue
            if isinstance(result, Spoken):
                held.pieces.append(result.pcm)
                if not result.over:
                    continue
                result = msgspec.structs.replace(result, pcm=b"".join(held.pieces))
            del self._held[result.key]
            self._done(held, packed(msgspec.structs.replace(result, key=held.key)))

    def close(self) -> None:
        """Be there no more; what is held is claimed by others."""
        self._over.set()
        try:
            self._server.zrem(self.terms.workers, f"{self.pool} {self._name}")
        except LOST as error:
            log.debug("the server is gone before the worker: %s", error)
        if self._thread.ident is not None:
            self._thread.join(2 * self.terms.timeout_s)
        self._server.close()

    # --- taking

    def _read(self, count: int, wait_s: float) -> list[AnyJob]:
        block = int(wait_s * 1000) or None
        try:
            found: Any = self._server.xreadgroup(
                GROUP, self._name, {self._jobs: ">"}, count=count, block=block
            )
        except ResponseError as error:
            self._without_group(error)
            return []
        return self._taken([entry for _, entries in found or () for entry in entries])

    def _claim(self, count: int) -> list[AnyJob]:
        now = time.monotonic()
        if now - self._claimed_at < self.terms.beat_s:
            return []
        self._claimed_at = now
        idle = int(self.terms.lease_s * 1000)
        try:
            found: Any = self._server.xautoclaim(self._jobs, GROUP, self._name, idle, "0-0", count=count)
        except ResponseError as error:
            self._without_group(error)
            return []
        return self._taken([entry for entry in found[1] if entry[1]])

    def _without_group(self, error: ResponseError) -> None:
        """The stream expired while nobody asked anything; with it went the group."""
        if "NOGROUP" not in str(error):
            raise error
        self._join()

    def _join(self) -> None:
        try:
            self._server.xgroup_create(self._jobs, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _taken(self, entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[AnyJob]:
        if not entries:
            return []
        seconds, micros = self._server.time()
        found = [self._opened(id, fields, seconds + micros / 1e6) for id, fields in entries]
        return [each for each in found if each is not None]

    def _opened(self, id: bytes, fields: dict[bytes, bytes], at: float) -> AnyJob | None:
        """The job, unless it is too old, or not one of ours. at: the server's time."""
        ear = fields.get(b"e", b"").decode("utf-8", "replace")
        due, data = fields.get(b"d", b""), fields.get(b"p", b"")
        age = at - int(id.partition(b"-")[0]) / 1000
        left = (int(due) / 1000 if due.isdigit() and len(due) < 8 else 0.0) - age
        held = _Held(id.decode(), ear, "", time.monotonic() + left)
        opened = self._box.open("job", f"{self.pool} {ear}", data) if len(data) <= MOST_BYTES else None
        if left <= 0 or opened is None:
            self._done(held, b"")
            return None
        try:
            job = job_of(opened)
        except msgspec.DecodeError as error:
            log.error("a job is not understood: %s", error)
            self._done(held, b"")
            return None
        held.key = job.key
        known = f"{ear} {job.key}"
        if known in self._held:
            return None  # its own, that it could not hold for a moment
        self._held[known] = held
        if isinstance(job, Hear):
            return msgspec.structs.replace(job, key=known, due_s=left, stream=f"{ear} {job.stream}")
        return msgspec.structs.replace(job, key=known, due_s=left)

    # --- answering

    def _done(self, held: _Held, answer: bytes) -> None:
        sealed = self._box.close("result", held.ear, answer) if answer else b""
        self._answer(
            keys=[self._jobs, self.terms.results(held.ear)],
            args=[GROUP, held.id, FORGOTTEN_MS, MOST_RESULTS, sealed],
        )

    def _let_go(self) -> None:
        """Jobs that were left out for being late."""
        now = time.monotonic()
        for key in [key for key, held in self._held.items() if now >= held.until + self.terms.lease_s]:
            self._done(self._held.pop(key), b"")

    # --- being there

    def _keep(self) -> None:
        while not self._over.is_set():
            server = connect(self.terms)
            try:
                hold = server.register_script(HOLD)
                while not self._over.wait(self.terms.beat_s):
                    self._beat(server, hold)
            except LOST as error:
                log.debug("the server does not hear that the worker is there: %s", error)
                self._over.wait(self.terms.beat_s)
            finally:
                server.close()

    def _beat(self, server: Redis, hold: Any) -> None:
        if time.monotonic() - self._seen > STUCK_S:
            return
        self._come(server)
        ids = [held.id for held in list(self._held.values())]
        if ids:
            hold(keys=[self._jobs], args=[GROUP, self._name, *ids])

    def _come(self, server: Redis) -> None:
        sealed = self._box.close("offers", self.pool, packed(self._offers))
        lease = int(self.terms.lease_s * 1000)
        keys = [self.terms.workers, self.terms.offers(self.pool)]
        server.eval(COME, 2, *keys, lease, f"{self.pool} {self._name}", sealed, FORGOTTEN_MS)
