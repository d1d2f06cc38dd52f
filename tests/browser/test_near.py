"""A caller's page at a node that is far from her: she calls at the one that is near."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import missing
from tests.browser.long_road import LongRoad
from tests.browser.pages import CALLERS, PAGES, CallerPage, Tabs
from tests.interop.conftest import prompts_of
from tests.interop.front import ClusterNode
from tests.interop.redis_server import RedisServer, installed
from tests.interop.sipp import free_port

FAR_S = 0.12
Speech = Callable[[str], Path]


class Regions:
    """A node here, and one that is a long road away. road: to the far one's API."""

    def __init__(self, folder: Path, prompts: Path) -> None:
        self.redis = RedisServer(folder / "redis")
        ports = {number: free_port(f"127.0.1.{number}", socket.SOCK_STREAM) for number in (1, 2)}
        self.road = LongRoad("127.0.1.3", ("127.0.1.2", ports[2]), FAR_S)
        origins = {1: f"http://127.0.1.1:{ports[1]}", 2: self.road.origin}

        def start(number: int) -> ClusterNode:
            host = f"127.0.1.{number}"
            between = {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"}
            more: dict[str, dict[str, Any]] = {
                "node": {"region": ("here", "far")[number - 1]},
                "api": {"port": ports[number], "callers": CALLERS, "pages": PAGES},
                "cluster": {
                    "redis": {"url": {"env": "ISOGLOSS_REDIS"}},
                    "between": between,
                    "advertise": {"origin": origins[number]},
                },
            }
            return ClusterNode(folder / f"node-{number}", number, prompts, more=more)

        with ExitStack() as failing:
            failing.callback(self.redis.kill)
            failing.callback(self.road.close)
            with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as pool:
                patched.setenv("ISOGLOSS_REDIS", self.redis.url)
                self.near, self.far = pool.map(start, (1, 2))
            failing.pop_all()

    def met(self) -> None:
        for node in (self.near, self.far):
            node._poll(lambda node=node: len(node.get("/v1/nodes")["nodes"]) == 2, 10.0, "the other node")

    def close(self) -> None:
        for node in (self.near, self.far):
            node.close()
        self.road.close()
        self.redis.kill()


@pytest.fixture(scope="module")
def regions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    reason = missing() or (None if installed() else "redis-server is not installed (Debian: redis-server)")
    if reason is not None:
        pytest.skip(reason)
    running = Regions(tmp_path_factory.mktemp("regions"), prompts_of(request.config.cache))
    running.met()
    yield running
    running.close()


def test_she_calls_at_the_node_that_is_near_and_is_told_of_her_call_from_there(
    regions: Regions, tab: Tabs, speech: Speech
) -> None:
    customer = CallerPage(tab, regions.far, speech("hello"))
    customer.page.goto(f"{regions.road.origin}/call/desk?lang=en")
    customer.start()
    customer.is_told("waiting")
    assert len(regions.near.get("/v1/calls")["items"]) == 1
    assert regions.far.get("/v1/calls")["items"] == []
    customer.page.reload()
    customer.is_told("waiting")
    assert len(regions.near.get("/v1/calls")["items"]) == 1, "she came back to where her call is"
    customer.page.click("#hangup")
    customer.in_state("ended")
    regions.near.idle()
    near = regions.far.get("/v1/near?source=127.0.0.1&kind=web")["order"]
    assert near[0]["name"] == "node-1"
    assert "measured" in near[0]["why"]


def test_where_the_near_one_drains_she_calls_where_she_is(
    regions: Regions, tab: Tabs, speech: Speech
) -> None:
    regions.near.ask("POST", "/v1/node/drain")
    try:
        customer = CallerPage(tab, regions.far, speech("hello"))
        customer.page.goto(f"{regions.road.origin}/call/desk?lang=en")
        customer.start()
        customer.is_told("waiting")
        assert len(regions.far.get("/v1/calls")["items"]) == 1
        customer.page.click("#hangup")
        customer.in_state("ended")
    finally:
        regions.near.ask("DELETE", "/v1/node/drain")
