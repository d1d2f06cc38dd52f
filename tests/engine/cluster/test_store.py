"""What nodes share means the same in memory and in Redis: every sentence here is held to both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest

from engine.cluster.lease import CLAIM, HSET_FENCED, RELEASE, held
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.cluster.redis import RedisStore, Terms
from engine.cluster.store import Missed, Store
from tests.interop.redis_server import RedisServer, installed


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not installed():
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    with RedisServer(tmp_path_factory.mktemp("redis"), host="127.0.0.1") as running:
        yield running


PREFIXES = (f"t{number}" for number in count())  # another one each time, for keys that no other test has


class Shared:
    """Two nodes' stores over one server, and a command whose answer is waited for."""

    def __init__(self, one: Store, other: Store) -> None:
        self.one, self.other = one, other

    async def ask(self, *parts: Any, of: Store | None = None) -> Any:
        return await self._answer(lambda then: (of or self.one).ask(*parts, now=time.monotonic(), then=then))

    async def run(self, script, keys, parts, of: Store | None = None) -> Any:
        now = time.monotonic()
        return await self._answer(lambda then: (of or self.one).run(script, keys, parts, now=now, then=then))

    async def _answer(self, begin: Callable[..., None]) -> Any:
        got: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        begin(lambda answer, now: got.set_result(answer))
        return await asyncio.wait_for(got, 5)


async def over_redis(server: RedisServer) -> AsyncIterator[Shared]:
    prefix = next(PREFIXES)
    stores = [RedisStore(Terms(server.url, prefix=prefix)) for _ in range(2)]
    ups = []
    for store in stores:
        up = asyncio.Event()
        store.watch(lambda is_up, now, up=up: up.set() if is_up else None)
        ups.append(up.wait())
        await store.start()
    await asyncio.wait_for(asyncio.gather(*ups), 5)
    yield Shared(*stores)
    for store in stores:
        await store.close()


@pytest.fixture(params=["memory", "redis"])
def over(request, server):
    """Runs a coroutine over two stores of a kind."""

    def run(story):
        async def told():
            if request.param == "memory":
                memory = MemoryServer(epoch=time.time() - time.monotonic())
                await story(Shared(MemoryStore(memory), MemoryStore(memory)))
                return
            async for shared in over_redis(server):
                await story(shared)

        asyncio.run(told())

    return run


COMMANDS = {
    "text": [
        ("SET", "k", "v"), ("GET", "k"), ("SET", "k", "w", "NX"), ("GET", "k"), ("SET", "n", "1", "XX"),
        ("INCR", "i"), ("INCRBY", "i", 4), ("DEL", "k", "absent"), ("GET", "k"), ("EXISTS", "i", "k"),
    ],
    "a hash": [
        ("HSET", "h", "a", 1, "b", "zwei"), ("HSET", "h", "a", 2), ("HGET", "h", "a"),
        ("HMGET", "h", "b", "c"),
        ("HGETALL", "h"), ("HLEN", "h"), ("HEXISTS", "h", "b"), ("HINCRBY", "h", "a", 5),
        ("HDEL", "h", "a", "b"),
        ("EXISTS", "h"), ("HGETALL", "h"), ("HSET", "h", "a"),
    ],
    "a set": [
        ("SADD", "s", "b", "a"), ("SADD", "s", "a"), ("SISMEMBER", "s", "a"), ("SREM", "s", "a", "x"),
        ("SMEMBERS", "s"),
    ],
    "a sorted set": [
        ("ZADD", "z", 2, "b", 1, "a", 2, "aa"), ("ZADD", "z", "NX", 9, "a"), ("ZSCORE", "z", "a"),
        ("ZCARD", "z"),
        ("ZRANGE", "z", 0, -1), ("ZRANGE", "z", 1, 1, "WITHSCORES"), ("ZRANK", "z", "b"), ("ZRANK", "z", "x"),
        ("ZRANGEBYSCORE", "z", "(1", "+inf"), ("ZRANGEBYSCORE", "z", 1, 2, "LIMIT", 1, 1),
        ("ZADD", "z", 1.5, "half"), ("ZSCORE", "z", "half"), ("ZREMRANGEBYSCORE", "z", "-inf", 1),
        ("ZREM", "z", "b", "x"), ("ZRANGE", "z", 0, -1),
    ],
    "a deadline": [
        ("SET", "k", "v", "PX", 60000), ("PEXPIRE", "absent", 5), ("PTTL", "absent"), ("SET", "p", "v"),
        ("PTTL", "p"), ("PEXPIRE", "k", 0), ("GET", "k"),
    ],
    "what is of another type": [("SET", "k", "v"), ("HGET", "k", "f"), ("ZADD", "k", 1, "m"),
                                ("NONSENSE", "k")],
}  # fmt: skip


@pytest.mark.parametrize("about", COMMANDS)
def test_commands_mean_in_memory_what_they_mean_in_redis(about, server):
    answers: list[list[Any]] = []

    async def story(shared: Shared) -> None:
        key = shared.one.key
        asked = [(verb, key(name), *parts) for verb, name, *parts in COMMANDS[about]]
        answers.append([await shared.ask(*each) for each in asked])

    async def both() -> None:
        await story(Shared(MemoryStore(), MemoryStore()))
        async for shared in over_redis(server):
            await story(shared)

    asyncio.run(both())
    assert answers[0] == answers[1]
    assert len(answers[0]) == len(COMMANDS[about])


def test_what_one_node_publishes_all_hear(over):
    async def story(shared: Shared) -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        channel = shared.one.key("news")
        shared.one.subscribe(channel, lambda payload, now: heard.put_nowait(payload))
        while await shared.ask("PUBLISH", channel, "hello", of=shared.other) == 0:
            await asyncio.sleep(0)
        assert await asyncio.wait_for(heard.get(), 5) == b"hello"

    over(story)


def test_a_lease_is_ones_own_until_it_is_given_up_and_every_owner_has_a_higher_token(over):
    async def story(shared: Shared) -> None:
        keys = [shared.one.key("lease"), shared.one.key("fence")]
        first = held(await shared.run(CLAIM, keys, ["a", 60_000]))
        again = held(await shared.run(CLAIM, keys, ["a", 60_000]))
        other = held(await shared.run(CLAIM, keys, ["b", 60_000], of=shared.other))
        assert first and again and other
        assert (first.mine, again.mine, other.mine, other.owner) == (True, True, False, "a")
        assert again.token == first.token == other.token
        assert await shared.run(RELEASE, keys[:1], [first.token + 1]) == 0, "another's token releases nothing"
        assert await shared.run(RELEASE, keys[:1], [first.token]) == 1
        later = held(await shared.run(CLAIM, keys, ["b", 60_000], of=shared.other))
        assert later and later.mine and later.token > first.token

    over(story)


def test_a_former_owner_writes_nothing(over):
    async def story(shared: Shared) -> None:
        lease, calls = shared.one.key("lease"), shared.one.key("calls")
        former = held(await shared.run(CLAIM, [lease, shared.one.key("fence")], ["a", 60_000]))
        assert former
        assert await shared.run(HSET_FENCED, [lease, calls], [former.token, 0, "f", "by a"]) == 1
        await shared.ask("DEL", lease)  # as if it had run out
        now = held(await shared.run(CLAIM, [lease, shared.one.key("fence")], ["b", 60_000]))
        assert now and now.mine
        assert await shared.run(HSET_FENCED, [lease, calls], [now.token, 0, "f", "by b"]) == 1
        assert await shared.run(HSET_FENCED, [lease, calls], [former.token, 0, "f", "late"]) == 0
        assert await shared.ask("HGET", calls, "f") == b"by b"

    over(story)


def test_tokens_go_on_growing_past_a_store_that_lost_everything():
    server = MemoryServer(epoch=1_700_000_000.0)
    store, tokens = MemoryStore(server), []
    keys = [store.key("lease"), store.key("fence")]
    for now in (0.0, 10.0):
        store.run(CLAIM, keys, ["a", 1000], now, lambda answer, now: tokens.append(held(answer).token))
        server.lose()
    assert tokens[1] > tokens[0]


def test_a_store_that_is_cut_off_says_so_and_keeps_nothing():
    store, said = MemoryStore(), []
    store.watch(lambda up, now: said.append((up, now)))
    store.cut(1.0)
    store.ask("SET", store.key("k"), "v", now=1.5, then=lambda answer, now: said.append(answer))
    store.mend(2.0)
    store.ask("GET", store.key("k"), now=2.0, then=lambda answer, now: said.append(answer))
    assert said == [(False, 1.0), Missed.UNSENT, (True, 2.0), None]
