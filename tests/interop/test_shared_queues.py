"""Two nodes and a real Redis: callers at either reach agents at both, also while Redis is dead and after."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import Softphone
from tests.interop import redis_server
from tests.interop.conftest import prompts_of, registrar
from tests.interop.front import ClusterNode
from tests.interop.node import AGENTS, FAR, LINE
from tests.interop.node import agent as account
from tests.interop.node import queue as shared
from tests.interop.redis_server import RedisServer
from tests.interop.sipp import Sipp

RATE = 8000
SELLERS = [f"seller{n}" for n in range(6)]
CALLS = 12  # at each node
A_SECOND = 4
TALK_MS = 3000  # waiting included
Phones = Callable[..., Softphone]

pytestmark = pytest.mark.skipif(not redis_server.installed(), reason="redis-server is not installed (Debian)")


def settings(number: int) -> dict[str, Any]:
    """Of one node of the two."""
    host = f"127.0.1.{number}"
    password = {"password": {"file": "anna.password"}}
    sellers = {name: account("anna", ["sales"]) | password for name in SELLERS}
    return {
        "cluster": {
            "redis": {"url": {"env": "ISOGLOSS_REDIS"}},
            "between": {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"},
            "advertise": {"sip": [f"sip:{host}:5060;transport=udp"]},
        },
        "routing": {"rescue": {"enabled": False}},  # sipp sends no sound
        "queues": {"sales": shared("sales")},
        "agents": {"agents": {name: account(name, queues) for name, queues in AGENTS.items()} | sellers},
        "numbers": {"numbers": {"sales": {"queue": "sales"}, "desk": {"queue": "desk"}}},
    }


class Pair:
    """The two nodes, and the Redis between them."""

    def __init__(self, folder: Path, prompts: Path) -> None:
        self.redis = RedisServer(folder / "redis")
        with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as pool:
            patched.setenv("ISOGLOSS_REDIS", self.redis.url)
            start = lambda n: ClusterNode(folder / f"node-{n}", n, prompts, more=settings(n))  # noqa: E731
            self.nodes = list(pool.map(start, (1, 2)))

    def close(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ClusterNode.close, self.nodes))
        self.redis.kill()

    def until(self, what: str, holds: Callable[[], object], patience: float = 20.0) -> None:
        self.nodes[0].until(what, holds, patience)

    def queue(self, name: str) -> list[dict[str, Any]]:
        """As each node has it."""
        found = (node.get("/v1/queues")["items"] for node in self.nodes)
        return [next(each for each in items if each["name"] == name) for items in found]

    def acquainted(self, name: str, agents: int) -> None:
        """Wait until both nodes know so many free agents of a queue."""
        both = [agents, agents]
        self.until("both know them", lambda: [q["agents_available"] for q in self.queue(name)] == both)


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    running = Pair(tmp_path_factory.mktemp("pair"), prompts_of(request.config.cache))
    yield running
    running.close()


def test_a_caller_at_one_node_and_an_agent_at_another_hear_each_other_over_srtp(
    pair: Pair, phone: Phones, speech: Callable[[str], Path], tmp_path: Path
) -> None:
    first, second = pair.nodes
    anna = registrar(second, phone)("anna")
    pair.acquainted("desk", 1)
    customer = registrar(first, phone)("customer")
    call = customer.call(f"sip:desk@{first.domain}")
    offered = anna.incoming()
    anna.answer(offered)
    anna.expect("media", call=offered, state="active")
    says, replies = speech("where is the parcel that I wait for"), speech("it comes tomorrow before noon")
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    anna.ask("record", call=offered, file=str(tmp_path / "anna.wav"))
    customer.ask("play", call=call, file=str(says))
    anna.ask("play", call=offered, file=str(replies))
    customer.expect("played", 10)
    anna.expect("played", 10)
    legs = first.get("/v1/calls")["items"][0]["legs"]
    anna.hangup(offered)
    customer.expect("ended")
    assert heard(read_wav(says, RATE), read_wav(tmp_path / "anna.wav", RATE), RATE)
    assert heard(read_wav(replies, RATE), read_wav(tmp_path / "customer.wav", RATE), RATE)
    assert all(leg["encryption"] for leg in legs if leg["side"] == "agent")
    record = first.record("desk")
    assert (record["agent"], record["ended_by"], record["reason"]) == ("anna", "agent", "completed")
    assert second.get("/v1/records")["items"] == []


def sold(pair: Pair) -> list[dict[str, Any]]:
    """Records of calls to the queue that both nodes have in common."""
    found = (node.get("/v1/records?number=sales&limit=200")["items"] for node in pair.nodes)
    return [each for items in found for each in items]


def test_redis_is_killed_and_comes_back_under_load_and_no_call_notices(pair: Pair, tmp_path: Path) -> None:
    agents = [register(pair.nodes[n > 1], name, tmp_path) for n, name in enumerate(SELLERS)]
    pair.acquainted("sales", len(SELLERS))
    try:
        with calls(pair.nodes[0], tmp_path), calls(pair.nodes[1], tmp_path):
            pair.until("some talk", lambda: talking(pair) >= 4)
            pair.redis.kill()
            killed = time.monotonic()
            pair.until("more talk", lambda: time.monotonic() - killed > 2.0 and talking(pair) >= 4)
            pair.redis.start()
        for node in pair.nodes:
            node.idle()
        pair.acquainted("sales", len(SELLERS))
    finally:
        for each in agents:
            each.kill()
    pair.until("their records", lambda: len(sold(pair)) >= 2 * CALLS)  # written a moment after the end
    records = sold(pair)
    assert len({each["call"] for each in records}) == len(records) == 2 * CALLS
    assert {each["ended_by"] for each in records} == {"customer"}
    assert {each["reason"] for each in records} <= {"completed", "abandoned"}
    assert sum(each["reason"] == "completed" for each in records) >= CALLS
    assert [each["waiting"] for each in pair.queue("sales")] == [0, 0]
    assert crossed(pair.nodes[1])
    rung = offers(pair.nodes)
    assert rung.keys() >= set(SELLERS)
    for name, spans in rung.items():
        for (_, end), (begin, _) in pairwise(spans):
            assert end <= begin, f"{name} had two offers at once"


def register(node: ClusterNode, account: str, folder: Path) -> Sipp:
    """An agent's phone: it registers, then takes every call and stays in it until it is hung up on."""
    registered = Sipp(
        "register", folder, remote=node.address(), address=FAR, caller=account, password="anna-secret",
        digest_uri=node.domain, keys={"domain": node.domain},
    )  # fmt: skip
    with registered:
        pass
    return Sipp("callee", folder, address=FAR, port=registered.port, calls=100, timeout=60)


def calls(node: ClusterNode, folder: Path) -> Sipp:
    return Sipp(
        "caller_talks", folder, remote=node.address(), address=LINE, number="sales", calls=CALLS,
        rate=A_SECOND, talk=str(TALK_MS), timeout=30,
    )  # fmt: skip


def talking(pair: Pair) -> int:
    found = [each for node in pair.nodes for each in node.get("/v1/calls?limit=200")["items"]]
    return sum(each["state"] == "talking" and each["number"] == "sales" for each in found)


def offers(nodes: list[ClusterNode]) -> dict[str, list[tuple[float, float]]]:
    """When each agent's phone rang for a call, or she was in one, by the journals of the nodes."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for node in nodes:
        begun: dict[str, tuple[str, float]] = {}
        for at, call, kind, data in journal(node):
            said = json.loads(data)
            if kind == "call.offered" and not said["node"]:
                begun[call] = (said["agent"], at)
            elif kind in ("call.offer_missed", "call.ended") and call in begun:
                agent, since = begun.pop(call)
                spans[agent].append((since, at))
    return {agent: sorted(found) for agent, found in spans.items()}


def crossed(node: ClusterNode) -> int:
    """Calls of the other node that came to this one."""
    return sum(kind == "call.crossed" for _, _, kind, _ in journal(node))


def journal(node: ClusterNode) -> list[tuple[float, str, str, str]]:
    with sqlite3.connect(node.data / "isogloss.db") as store:
        return store.execute("SELECT at, call, kind, data FROM journal ORDER BY seq").fetchall()
