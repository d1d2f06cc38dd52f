"""A caller's page whose node is killed finds its call at another, in the same place, and hears its music."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.hearing import is_music, read_wav
from tests.browser.chromium import TELEPHONE
from tests.browser.pages import CALLERS, PAGES, QUEUES, CallerPage, Tabs, music
from tests.interop.conftest import prompts_of
from tests.interop.front import ClusterNode
from tests.interop.redis_server import RedisServer, installed
from tests.interop.sipp import free_port

pytestmark = pytest.mark.skipif(not installed(), reason="redis-server is not installed")


def settings(number: int) -> dict[str, Any]:
    host = f"127.0.1.{number}"
    port = free_port(host, socket.SOCK_STREAM)
    between = {"address": host, "host": host, "keys": {"k": {"file": "callers.key"}}, "key": "k"}
    return {
        "cluster": {
            "redis": {"url": {"env": "ISOGLOSS_REDIS"}},
            "between": between,
            "advertise": {"origin": f"http://{host}:{port}"},
        },
        "queues": QUEUES,
        "api": {"port": port, "callers": CALLERS, "pages": PAGES},
    }


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[ClusterNode]]:
    redis = RedisServer(tmp_path / "redis")
    os.environ["ISOGLOSS_REDIS"] = redis.url
    prompts = prompts_of(request.config.cache)
    nodes = [ClusterNode(tmp_path / f"node-{n}", n, prompts, more=settings(n)) for n in (1, 2)]
    yield nodes
    for node in nodes:
        if node.process.poll() is None:
            node.close()
    redis.kill()


def test_a_page_goes_on_waiting_at_another_node(
    pair: list[ClusterNode], tab: Tabs, speech: Callable[[str], Path]
) -> None:
    first, second = pair
    first._poll(lambda: len(first.get("/v1/nodes")["nodes"]) == 2, 10.0, "two nodes that know each other")
    customer = CallerPage(tab, first, speech("is anybody there"))
    customer.call()
    customer.is_told("waiting")
    (call,) = [each["id"] for node in pair for each in node.get("/v1/calls")["items"]]
    carrier, other = (first, second) if first.get("/v1/calls")["items"] else (second, first)
    carrier.kill()
    other._poll(
        lambda: [each["id"] for each in other.get("/v1/calls")["items"]] == [call], 10.0, "call that is taken"
    )
    customer.page.wait_for_function("() => isoglossEar.connections.length > 1")
    customer.is_told("waiting")
    assert is_music(customer.tab.hears(2.0), read_wav(music(other), TELEPHONE), TELEPHONE)
    assert [each["id"] for each in other.get("/v1/calls")["items"]] == [call]
