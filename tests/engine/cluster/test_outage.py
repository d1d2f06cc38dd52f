"""A real Redis that is killed, comes back empty, or hangs: nodes go on, and nobody waits for it."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from config.cluster import AdvertiseSettings, BetweenSettings, ClusterSettings, NearSettings, RedisSettings
from config.load import SHIPPED, load
from config.secret import Secret
from engine.cluster.cluster import Cluster, Load
from engine.cluster.lease import CLAIM, held
from engine.cluster.membership import Standing
from engine.cluster.redis import MOST_PENDING, RedisStore, Terms
from engine.cluster.running import Running, store_of
from engine.cluster.store import Missed
from routing.node import Demand
from tests.interop.redis_server import RedisServer, installed

SHIPPED_CONFIG = load(SHIPPED, {})
KEY = Secret("env:KEY", "a key between nodes that is long enough")


class Turns:
    """Wakes whoever waits whenever something has changed."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self, *_: object) -> None:
        self._woken.set()

    async def until(self, so: Callable[[], bool], seconds: float = 8.0) -> None:
        async with asyncio.timeout(seconds):
            while not so():
                with suppress(TimeoutError):  # some things change with time alone
                    await asyncio.wait_for(self._woken.wait(), 0.05)
                self._woken.clear()


async def started(server: RedisServer, turns: Turns, timeout_s: float = 0.3) -> RedisStore:
    store = RedisStore(Terms(server.url, timeout_s=timeout_s))
    store.watch(turns.wake)
    await store.start()
    await turns.until(lambda: store.up)
    return store


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class LiveNode:
    """A node's part in a cluster, over real sockets; beats fast, for tests that cannot wait."""

    def __init__(self, name: str, region: str, server: RedisServer, turns: Turns) -> None:
        between = BetweenSettings(
            address="127.0.0.1", port=free_port(), host="127.0.0.1", keys={"k": KEY}, key="k"
        )
        cluster = ClusterSettings(
            redis=RedisSettings(url=Secret("env:REDIS", server.url), timeout_s=0.3),
            advertise=AdvertiseSettings(sip=(f"sip:{name}.example.com",)),
            between=between,
            beat_s=0.1,
            lease_s=0.5,
            near=NearSettings(ping_s=0.1),
        )
        node = replace(SHIPPED_CONFIG.node, name=name, region=region)
        config = replace(SHIPPED_CONFIG, node=node, cluster=cluster)
        self.cluster = Cluster(
            config,
            store_of(config, time.monotonic),
            lambda: Load(0, False, True),
            life=f"{name}-{time.monotonic_ns()}",
            started=time.time(),
            rng=random.Random(name),
        )
        self.cluster.store.watch(turns.wake)
        self.cluster.membership.watch(turns.wake)
        self.events: list[str] = []
        self.cluster.membership.watch(lambda event, now: self.events.append(type(event).__name__))
        self.running = Running(self.cluster, time.monotonic)

    async def die(self) -> None:
        """As by kill -9: no word to anybody."""
        assert self.running._task is not None
        self.running._task.cancel()
        assert self.running._transport is not None
        self.running._transport.abort()


def knows(node: LiveNode, *names: str) -> bool:
    return set(node.cluster.membership.members) == set(names)


@pytest.fixture
def server(tmp_path):
    if not installed():
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    with RedisServer(tmp_path / "redis", host="127.0.0.1") as running:
        yield running


def test_while_redis_is_dead_nothing_is_kept_and_afterwards_all_works_again(server):
    async def story() -> None:
        turns, answers, heard = Turns(), [], []
        store = await started(server, turns)
        store.subscribe("news", lambda payload, now: (heard.append(payload), turns.wake()))
        answered = lambda answer, now: (answers.append(answer), turns.wake())  # noqa: E731
        server.kill()
        await turns.until(lambda: not store.up)
        store.ask("SET", "k", "v", now=time.monotonic(), then=answered)
        assert answers == [Missed.UNSENT], "at once: who asked can decide something else"
        server.start()
        await turns.until(lambda: store.up)
        store.ask("GET", "k", now=time.monotonic(), then=answered)
        store.run(CLAIM, ["l", "fence"], ["me", 1000], time.monotonic(), answered)
        while not heard:
            store.ask("PUBLISH", "news", "back", now=time.monotonic(), then=turns.wake)
            await turns.until(lambda: True)
            await asyncio.sleep(0)
        await store.close()
        assert answers[1] is None
        assert held(answers[2]).mine

    asyncio.run(story())


def test_a_redis_that_hangs_is_lost_as_well_and_what_was_under_way_may_have_been_done(server):
    async def story() -> None:
        turns, answers = Turns(), []
        store = await started(server, turns)
        server.freeze()
        store.ask(
            "INCR", "n", now=time.monotonic(), then=lambda answer, now: (answers.append(answer), turns.wake())
        )
        assert answers == [], "nobody waits"
        await turns.until(lambda: not store.up)
        assert answers == [Missed.UNKNOWN]
        server.thaw()
        await turns.until(lambda: store.up)
        await store.close()

    asyncio.run(story())


def test_a_server_that_forgot_the_scripts_is_told_them_again(server):
    async def story() -> None:
        turns, answers = Turns(), []
        store = await started(server, turns)
        for flush in (False, True):
            if flush:
                store.ask("SCRIPT", "FLUSH", now=0.0)
            store.run(
                CLAIM,
                ["l", "f"],
                ["me", 9000],
                0.0,
                lambda answer, now: (answers.append(answer), turns.wake()),
            )
        await turns.until(lambda: len(answers) == 2)
        await store.close()
        assert [held(answer).mine for answer in answers] == [True, True]

    asyncio.run(story())


def test_what_waits_is_bounded_and_a_wrong_command_harms_no_other(server):
    async def story() -> None:
        turns, answers = Turns(), []
        store = await started(server, turns, timeout_s=5.0)
        for _ in range(MOST_PENDING + 5):
            store.ask("INCR", "n", now=0.0, then=lambda answer, now: answers.append(answer))
        assert answers == [Missed.UNSENT] * 5
        store2 = await started(server, turns, timeout_s=5.0)
        store2.ask("NONSENSE", now=0.0, then=lambda answer, now: answers.append(answer))
        store2.ask("PING", now=0.0, then=lambda answer, now: (answers.append(answer), turns.wake()))
        await turns.until(lambda: b"PONG" in answers)
        assert answers[answers.index(b"PONG") - 1] is Missed.REFUSED
        await store.close()
        await store2.close()
        assert sum(isinstance(answer, int) for answer in answers) == MOST_PENDING

    asyncio.run(story())


def test_nodes_keep_each_other_while_redis_is_killed_and_while_it_hangs_and_still_notice_a_death(server):
    async def story() -> None:
        turns = Turns()
        a, b, c = (LiveNode(name, f"r{name}", server, turns) for name in "abc")
        for node in (a, b, c):
            await node.running.start()
        await turns.until(lambda: all(knows(node, "a", "b", "c") for node in (a, b, c)))
        await turns.until(lambda: "b" in a.cluster.pings.rtts(time.monotonic(), 10.0))
        server.kill()
        await turns.until(lambda: not a.cluster.membership.sure(time.monotonic()))
        assert knows(a, "a", "b", "c")
        assert knows(b, "a", "b", "c")
        server.start()
        await turns.until(lambda: a.cluster.store.up and b.cluster.store.up and c.cluster.store.up)
        server.freeze()
        await turns.until(lambda: not a.cluster.store.up)
        await c.die()
        await turns.until(lambda: knows(a, "a", "b") and knows(b, "a", "b"), 2.5)
        server.thaw()
        await turns.until(lambda: a.cluster.store.up and b.cluster.store.up)
        assert [each.events.count("Gone") for each in (a, b)] == [1, 1]
        choice = a.cluster.nearest(Demand(region="rb", kind="sip"), time.monotonic())
        assert choice.order[0] == "b"
        assert choice.reasons.of("c") == "c: gone"
        await b.running.stop()
        await turns.until(lambda: a.cluster.membership.standing("b") is Standing.GONE)
        await a.running.stop()
        await c.cluster.store.close()

    asyncio.run(story())
