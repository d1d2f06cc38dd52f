"""The store over Redis: commands go out in batches on one connection, what is published comes in on another.

A batch is one write and one wait; while it is under way, the next one gathers. Nothing of this waits in the
switch: it puts commands into a bounded line, and answers come back on the event loop. A server that says
nothing for `timeout_s`, to a batch or to a ping, is lost as surely as one that refuses, and is sought again
after a delay that grows to two seconds.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from engine.cluster.store import Answer, Missed, Part, Script, Then, encoded, ignored

MOST_PENDING = 10_000
BATCH = 512
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0
LOST = (RedisError, OSError, asyncio.TimeoutError)

log = structlog.get_logger("cluster")


@dataclass(frozen=True, slots=True)
class Terms:
    """Where the server is, and how long it may be silent. url: redis:// or rediss://."""

    url: str
    ca: Path | None = None
    prefix: str = "isogloss"
    timeout_s: float = 1.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command, or the arguments of a script, and who waits for the answer."""

    parts: Sequence[bytes]
    then: Then
    script: Script | None = None


class RedisStore:
    """A node's way to the Redis of its cluster; see `engine.cluster.store.Store` for what it promises."""

    def __init__(self, terms: Terms, clock: Callable[[], float] = time.monotonic) -> None:
        self.terms = terms
        self.up = False
        self._outages = 0  # attempts since it was there
        self.dropped = 0  # commands that nobody will answer, in this life
        self._clock = clock
        self._rng = random.Random()
        self._pending: deque[_Asked] = deque()
        self._under_way: list[_Asked] = []
        self._wanted = asyncio.Event()
        self._heard: dict[str, list[Callable[[bytes, float], None]]] = {}
        self._channels: asyncio.Queue[str] = asyncio.Queue()
        self._watchers: list[Callable[[bool, float], None]] = []
        self._known: set[str] = set()  # scripts that the server was given over this connection
        self._digests: dict[str, bytes] = {}
        self._task: asyncio.Task[None] | None = None

    # --- what the node asks

    def key(self, *words: str) -> str:
        return ":".join((self.terms.prefix, *words))

    def ask(self, verb: str, *parts: Part, now: float, then: Then | None = None) -> None:
        self._put(_Asked([verb.encode(), *map(encoded, parts)], then or ignored), now)

    def run(
        self, script: Script, keys: Sequence[str], parts: Sequence[Part], now: float, then: Then | None = None
    ) -> None:
        arguments = [b"%d" % len(keys), *map(encoded, keys), *map(encoded, parts)]
        self._put(_Asked(arguments, then or ignored, script), now)

    def subscribe(self, channel: str, heard: Callable[[bytes, float], None]) -> None:
        if channel not in self._heard:
            self._channels.put_nowait(channel)
        self._heard.setdefault(channel, []).append(heard)

    def watch(self, changed: Callable[[bool, float], None]) -> None:
        self._watchers.append(changed)

    def _put(self, asked: _Asked, now: float) -> None:
        if not self.up or len(self._pending) >= MOST_PENDING:
            self.dropped += 1
            asked.then(Missed.UNSENT, now)
            return
        self._pending.append(asked)
        self._wanted.set()

    # --- its life

    async def start(self) -> None:
        """Begin to seek the server; it need not be there yet."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def flush(self) -> None:
        """Wait until what was asked so far is answered, or lost."""
        while self.up and (self._pending or self._under_way):
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        await self.flush()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            commands, channels = self._connection(), self._connection()
            try:
                await asyncio.gather(_connected(commands), _connected(channels))
                delay = FIRST_DELAY_S
                self._known.clear()
                await self._first_of(self._serve(commands), self._listen(channels), self._follow(channels))
            except LOST as error:
                if self.up or self._outages == 0:
                    log.warning("the cluster's Redis is out of reach", why=str(error) or type(error).__name__)
                self._outages += 1
            except Exception:  # the loop's edge: without it nothing would be shared any more
                log.exception("the way to the cluster's Redis broke")
            finally:
                await self._part(commands, channels)
            await asyncio.sleep(delay * self._rng.uniform(0.5, 1.0))
            delay = min(LONGEST_DELAY_S, delay * 2)

    async def _first_of(self, *parts: Coroutine[Any, Any, None]) -> None:
        """Run all of them until one breaks, and raise what it broke of."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            self._turn(True)
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _part(self, *connections: Connection) -> None:
        """What was under way may have been done, what waits certainly was not."""
        self._turn(False)
        lost = [(each, Missed.UNKNOWN) for each in self._under_way]
        lost += [(each, Missed.UNSENT) for each in self._pending]
        self._under_way = []
        self._pending.clear()
        for asked, missed in lost:
            self.dropped += 1
            self._tell(asked.then, missed, self._clock())
        for connection in connections:
            await connection.disconnect(nowait=True)

    def _connection(self) -> Connection:
        told: dict[str, Any] = dict(parse_url(self.terms.url))
        kind: type[Connection] = told.pop("connection_class", Connection)
        if self.terms.url.startswith("rediss:") and self.terms.ca is not None:
            told["ssl_ca_certs"] = str(self.terms.ca)
        timeout = self.terms.timeout_s
        return kind(
            **told,
            protocol=2,
            driver_info=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
        )

    def _turn(self, up: bool) -> None:
        if up is self.up:
            return
        self.up = up
        if up:
            log.info("the cluster's Redis is there", tried=self._outages)
            self._outages = 0
        for changed in self._watchers:
            self._tell(changed, up, self._clock())

    def _tell(self, whom: Callable[[Any, float], None], what: object, now: float) -> None:
        try:
            whom(what, now)
        except Exception:  # the loop's edge: what one asker makes of it must not cost the others
            log.exception("what the store answered was not borne")

    # --- commands

    async def _serve(self, connection: Connection) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._pending:
                count = min(BATCH, len(self._pending))
                self._under_way = [self._pending.popleft() for _ in range(count)]
                await self._exchange(connection)

    async def _exchange(self, connection: Connection) -> None:
        """One batch there and back. A script that the server does not know goes again, with its text."""
        batch = self._under_way
        packed = connection.pack_commands([self._command(asked) for asked in batch])
        await connection.send_packed_command(packed, check_health=False)
        unknown: list[_Asked] = []
        for at, asked in enumerate(batch):
            answer = await self._answer(connection)
            self._under_way = [*unknown, *batch[at + 1 :]]
            if isinstance(answer, NoScriptError) and asked.script is not None:
                self._known.discard(asked.script.name)
                unknown.append(asked)
            else:
                self._tell(asked.then, self._judged(answer, asked), self._clock())
        self._under_way = []
        self._pending.extendleft(reversed(unknown))

    async def _answer(self, connection: Connection) -> Any:
        try:
            return await connection.read_response(disconnect_on_error=False)
        except ResponseError as error:
            return error

    def _judged(self, answer: Any, asked: _Asked) -> Answer:
        if not isinstance(answer, ResponseError):
            found: Answer = answer
            return found
        log.error("the store refused a command", why=str(answer), script=asked.script and asked.script.name)
        return Missed.REFUSED

    def _command(self, asked: _Asked) -> Sequence[bytes]:
        script = asked.script
        if script is None:
            return asked.parts
        if script.name in self._known:
            return [b"EVALSHA", self._digests[script.name], *asked.parts]
        self._known.add(script.name)
        self._digests[script.name] = sha1(script.lua.encode()).hexdigest().encode()
        return [b"EVAL", script.lua.encode(), *asked.parts]

    # --- channels

    async def _follow(self, connection: Connection) -> None:
        """Subscribe to what was asked for, then to what is asked for; ping, for silence to mean something."""
        self._channels = asyncio.Queue()
        for channel in list(self._heard):
            await connection.send_command("SUBSCRIBE", channel, check_health=False)
        while True:
            try:
                channel = await asyncio.wait_for(self._channels.get(), self.terms.timeout_s / 3)
                await connection.send_command("SUBSCRIBE", channel, check_health=False)
            except TimeoutError:
                await connection.send_command("PING", check_health=False)

    async def _listen(self, connection: Connection) -> None:
        while True:
            match await connection.read_response(disconnect_on_error=False):
                case [b"message", bytes(channel), bytes(payload)]:
                    now = self._clock()
                    for heard in self._heard.get(channel.decode(), ()):
                        self._tell(heard, payload, now)
                case _:
                    pass  # an answer to SUBSCRIBE or PING


async def _connected(connection: Any) -> None:
    """Open it, and have the server say something: a kernel takes connections for one that hangs."""
    await connection.connect()
    await connection.send_command("PING", check_health=False)
    await connection.read_response()
