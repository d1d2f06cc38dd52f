"""A cluster's clock and socket: beats, pings and looks at who is gone, on the node's event loop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import structlog

from config.schema import Config
from engine.cluster.cluster import Cluster
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.cluster.ping import LONGEST, Letter
from engine.cluster.redis import RedisStore
from engine.cluster.redis import Terms as RedisTerms
from engine.cluster.store import Store

TICK_S = 0.1
FOUND_S = 30.0  # how long a name's address is kept
MOST_A_SECOND = 2000  # datagrams that are looked at

log = structlog.get_logger("cluster")


class Running:
    """Runs a `Cluster`. Nothing that comes in by the socket, and no outage of Redis, ends it."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self._found: dict[str, str] = {}  # addresses of nodes' names
        self._asked: dict[str, float] = {}
        self._lookups: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Raises OSError where the port between nodes is taken."""
        cluster, loop = self._cluster, asyncio.get_running_loop()
        if cluster.pings is not None:
            between = cluster.config.cluster.between
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Heard(self), local_addr=(between.address, between.port)
            )
        if isinstance(cluster.store, RedisStore):
            await cluster.store.start()
        self._task = loop.create_task(self._live())

    async def stop(self) -> None:
        """Say goodbye, and end."""
        tasks = [*self._lookups, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        cluster = self._cluster
        cluster.membership.leave(self._clock())
        if cluster.pings is not None:
            self._send(cluster.pings.farewell())
        if isinstance(cluster.store, RedisStore):
            await cluster.store.close()
        if self._transport is not None:
            self._transport.close()

    def heard(self, data: bytes, source: tuple[str, int]) -> None:
        """A datagram came in."""
        pings = self._cluster.pings
        answer = None if pings is None else pings.receive(data, self._clock())
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, source)

    async def _live(self) -> None:
        settings = self._cluster.config.cluster
        next_beat = next_ping = self._clock()
        while True:
            now = self._clock()
            try:
                if now >= next_beat:
                    next_beat = now + settings.beat_s
                    self._cluster.beat(now)
                if now >= next_ping and self._cluster.pings is not None:
                    next_ping = now + settings.near.ping_s
                    self._send(self._cluster.pings.due(now))
                self._cluster.membership.tick(now)
            except Exception:  # the loop's edge: a node that stops beating would be taken for dead
                log.exception("a beat of the cluster failed")
            await asyncio.sleep(settings.beat_s if settings.alone else TICK_S)

    def _send(self, letters: list[Letter]) -> None:
        for letter in letters:
            address = self._address(letter.host)
            if address and self._transport is not None:
                self._transport.sendto(letter.data, (address, letter.port))

    def _address(self, host: str) -> str:
        """Where a node is; empty until the DNS, which is asked now and then beside all else, has answered."""
        now = self._clock()
        if now - self._asked.get(host, float("-inf")) >= FOUND_S:
            self._asked[host] = now
            lookup = asyncio.get_running_loop().create_task(self._look_up(host))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._lookups.discard)
        return self._found.get(host, "")

    async def _look_up(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in self._cluster.config.cluster.between.address else socket.AF_INET
        try:
            answers = await asyncio.get_running_loop().getaddrinfo(host, 0, family=family)
            self._found[host] = str(answers[0][4][0])
        except (OSError, UnicodeError) as error:
            log.warning("a node's address is not found", host=host, why=str(error))


class _Heard(asyncio.DatagramProtocol):
    """Datagrams from the network, no more a second than nodes can mean."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._left = float(MOST_A_SECOND)
        self._at = 0.0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        now = asyncio.get_running_loop().time()
        self._left = min(MOST_A_SECOND, self._left + (now - self._at) * MOST_A_SECOND)
        self._at = now
        if self._left >= 1 and len(data) <= LONGEST:
            self._left -= 1
            self._running.heard(data, addr)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error says what silence says as well."""


def store_of(config: Config, clock: Callable[[], float]) -> Store:
    """The Redis that the nodes share; a store in this node's own memory where it is alone."""
    redis = config.cluster.redis
    if redis.url is None:
        return MemoryStore(MemoryServer(epoch=time.time() - clock()), redis.prefix)
    if redis.plain:
        log.warning("the cluster's Redis is spoken to in the clear; its network must be a closed one")
    return RedisStore(RedisTerms(redis.url.reveal(), redis.ca, redis.prefix, redis.timeout_s), clock)
