"""Two real nodes and the Redis between them: they find each other, drain, and lose one another or Redis."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import prompts_of
from tests.interop.front import ClusterNode
from tests.interop.node import FAR, LINE, FarEnd
from tests.interop.redis_server import RedisServer, installed
from tests.interop.sipp import Sipp, free_port

TALK_MS = 3000
REGIONS = {1: "eu-west", 2: "us-east"}

pytestmark = pytest.mark.skipif(not installed(), reason="redis-server is not installed (Debian)")


def settings(number: int) -> dict[str, Any]:
    """Of one node of the two."""
    host = f"127.0.1.{number}"
    return {
        "node": {"region": REGIONS[number], "drain_s": 10},
        "routing": {"rescue": {"enabled": False}},  # sipp sends no sound
        "cluster": {
            "redis": {"url": {"env": "ISOGLOSS_REDIS"}},
            "between": {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"},
            "advertise": {"sip": [f"sip:{host}:5060;transport=udp"], "origin": f"http://{host}:8080"},
        },
    }


class Pair:
    """The nodes, and the Redis between them."""

    def __init__(self, folder: Path, prompts: Path) -> None:
        self.redis = RedisServer(folder / "redis")
        self.end = FarEnd("far-udp-0", free_port(FAR), "udp")

        def start(number: int) -> ClusterNode:
            more, place = settings(number), folder / f"node-{number}"
            return ClusterNode(place, number, prompts, more=more, far_ends=[self.end])

        with ExitStack() as failing:
            failing.callback(self.redis.kill)
            with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as pool:
                patched.setenv("ISOGLOSS_REDIS", self.redis.url)
                self.one, self.other = pool.map(start, (1, 2))
            failing.pop_all()

    def close(self) -> None:
        for each in (self.one, self.other):
            if each.process.poll() is None:
                each.close()
        self.redis.kill()

    def sees(self, node: ClusterNode, name: str, state: str) -> dict[str, Any]:
        """Wait until a node has another so; what it says of the cluster then."""

        def look() -> Any:
            told = node.get("/v1/nodes")
            return (
                told
                if any(each["name"] == name and each["state"] == state for each in told["nodes"])
                else None
            )

        found: dict[str, Any] = node._poll(look, 5.0, f"{name} {state} at {node.name}")
        return found


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    running = Pair(tmp_path_factory.mktemp("pair"), prompts_of(request.config.cache))
    yield running
    running.close()


@pytest.fixture(autouse=True)
def both_up(pair: Pair) -> None:
    pair.sees(pair.one, pair.other.name, "up")
    pair.sees(pair.other, pair.one.name, "up")


def options(node: ClusterNode) -> str:
    """What a node answers to OPTIONS of the line."""
    host, _, port = node.address().partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((LINE, 0))
        line.settimeout(3.0)
        own = f"{LINE}:{line.getsockname()[1]}"
        asked = (
            f"OPTIONS sip:{host}:{port} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch=z9hG4bK-{own}-o;rport",
            "Max-Forwards: 70", f"From: <sip:probe@{own}>;tag=1", f"To: <sip:{host}:{port}>",
            f"Call-ID: {own}", "CSeq: 1 OPTIONS", f"Contact: <sip:{own}>", "Content-Length: 0", "", "",
        )  # fmt: skip
        line.sendto("\r\n".join(asked).encode(), (host, int(port)))
        return line.recv(4096).decode()


def test_nodes_know_each_other_and_how_far_they_are(pair: Pair) -> None:
    told = pair.sees(pair.one, pair.other.name, "up")
    here, there = told["nodes"]
    assert (here["here"], there["region"], told["store"], told["registered"]) == (True, "us-east", True, True)
    assert pair.one._poll(lambda: pair.one.get("/v1/nodes")["nodes"][1]["rtt_ms"], 5.0, "a way")
    near = pair.one.get("/v1/near?region=us-east&kind=sip")
    assert near["order"][0]["name"] == "node-2"
    assert near["order"][0]["contact"] == "sip:127.0.1.2:5060;transport=udp"


def test_a_node_that_drains_refuses_new_calls_and_keeps_those_it_has(pair: Pair, tmp_path: Path) -> None:
    node = pair.one
    assert options(node).startswith("SIP/2.0 200")
    answers = Sipp("callee", tmp_path, address=FAR, port=pair.end.port)
    call = Sipp(
        "caller_talks",
        tmp_path,
        remote=node.address(),
        address=LINE,
        number=pair.end.number,
        talk=str(TALK_MS),
    )
    with answers, call:
        node._poll(
            lambda: [each for each in node.get("/v1/calls")["items"] if each["state"] == "talking"],
            5.0,
            "a call",
        )
        assert node.ask("POST", "/v1/node/drain") == {"draining": True, "calls": 1}
        answer = options(node)
        assert answer.startswith("SIP/2.0 503") and "Retry-After:" in answer
        pair.sees(pair.other, node.name, "draining")
        assert [each["name"] for each in pair.other.get("/v1/near?region=eu-west")["order"]] == ["node-2"]
        with Sipp(
            "caller_refused", tmp_path, remote=node.address(), address=LINE, number="desk", status="503"
        ):
            pass
    assert node.record(pair.end.number)["reason"] == "completed"
    node.ask("DELETE", "/v1/node/drain")
    assert options(node).startswith("SIP/2.0 200")
    pair.sees(pair.other, node.name, "up")


def test_a_call_lives_through_the_loss_of_redis_and_nodes_keep_each_other(pair: Pair, tmp_path: Path) -> None:
    node = pair.one
    answers = Sipp("callee", tmp_path, address=FAR, port=pair.end.port)
    call = Sipp(
        "caller_talks",
        tmp_path,
        remote=node.address(),
        address=LINE,
        number=pair.end.number,
        talk=str(TALK_MS),
    )
    with answers, call:
        pair.redis.kill()
        told = node._poll(
            lambda: None if (told := node.get("/v1/nodes"))["store"] or told["registered"] else told,
            5.0,
            "the loss",
        )
        assert {each["name"]: each["state"] for each in told["nodes"]} == {"node-1": "up", "node-2": "up"}
        pair.redis.start()
    assert node.record(pair.end.number)["reason"] == "completed"
    for each in (pair.one, pair.other):
        each._poll(lambda each=each: each.get("/v1/nodes")["registered"], 6.0, "registered again")


def test_a_node_that_is_killed_is_gone_and_is_there_again_as_another_life(pair: Pair) -> None:
    pair.other.kill()
    told = pair.sees(pair.one, "node-2", "gone")
    assert next(each for each in told["nodes"] if each["name"] == "node-2")["why"] == "gone"
    assert [each["name"] for each in pair.one.get("/v1/near?region=us-east")["order"]] == ["node-1"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ISOGLOSS_REDIS", pair.redis.url)
        pair.other.restart()
    pair.sees(pair.one, "node-2", "up")


def test_a_node_that_is_stopped_says_goodbye(pair: Pair) -> None:
    """The last of these: there is but one node then."""
    assert pair.other.close() == 0
    assert pair.sees(pair.one, "node-2", "gone")
