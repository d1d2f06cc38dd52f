"""Whatever is posted to a node in place of a browser's offer: clearly refused, and no leg or port is left."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psutil
import pytest

from tests.browser.pages import CallerPage, Tabs
from tests.interop.node import Node
from tests.mutilation import mutilated

MUTANTS = 1000
OFFER = """async () => {
  const [pc, mic] = [new RTCPeerConnection(), await navigator.mediaDevices.getUserMedia({audio: true})];
  pc.addTrack(mic.getTracks()[0], mic);
  const {sdp} = await pc.createOffer();
  pc.close();
  window.offered = `${sdp}a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\\r\\n`;
}"""


class Stranger:
    """One connection to the node's port for callers."""

    def __init__(self, node: Node) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(node.api).netloc, timeout=20)
        self.token = node.post("/v1/callers/tokens", {"destination": "desk"})["token"]

    def asks(
        self, body: bytes, method: str = "POST", path: str = "/whip/desk", **headers: str
    ) -> tuple[int, str, str]:
        """The status, the name of the problem, and the Location."""
        known = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        self._connection.request(method, path, body, known | headers)
        answer = self._connection.getresponse()
        said, where = answer.read(), answer.headers["Location"] or ""
        name = ""
        if answer.status >= 400:
            problem = json.loads(said)
            assert problem["detail"] and problem["status"] == answer.status
            name = problem["type"].removeprefix("urn:isogloss:problem:")
        return answer.status, name, where

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def stranger(node: Node) -> Iterator[Stranger]:
    connected = Stranger(node)
    yield connected
    connected.close()


@pytest.fixture
def offer(node: Node, tab: Tabs, speech: Callable[[str], Path]) -> bytes:
    """What Chromium offers."""
    page = CallerPage(tab, node, speech("hello")).page
    page.goto(f"{node.api}/call/desk")
    page.evaluate(f"() => {{ ({OFFER})(); }}")
    page.wait_for_function("() => window.offered")
    return str(page.evaluate("() => window.offered")).encode()


def ports(node: Node) -> int:
    """How many UDP ports the node's processes have open."""
    family = psutil.Process(node.process.pid).children(recursive=True)
    return sum(len(each.net_connections("udp")) for each in family)


def test_a_thousand_mutilated_offers_are_taken_or_refused_and_leave_nothing(
    node: Node, stranger: Stranger, offer: bytes
) -> None:
    rng, before, outcomes = Random(9725), ports(node), Counter[int]()
    for _ in range(MUTANTS):
        status, _, where = stranger.asks(mutilated(offer, rng))
        outcomes[status] += 1
        if status == 201:
            assert stranger.asks(b"", "DELETE", where)[0] == 200
    assert set(outcomes) == {201, 400, 406} and outcomes[400] > MUTANTS // 4
    node.idle()
    node._poll(lambda: ports(node) == before, 10.0, "end of all ports")


def test_strangers_and_foreign_pages_are_refused_by_name(
    node: Node, stranger: Stranger, offer: bytes
) -> None:
    before, good = ports(node), stranger.token
    head, claims, signature = good.split(".")
    elsewhere = node.post("/v1/callers/tokens", {"destination": "kiosk"})["token"]
    for token in ("", "guess", f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims[::-1]}.{signature}"):
        assert stranger.asks(offer, Authorization=f"Bearer {token}")[:2] == (401, "unauthorized")
    assert stranger.asks(offer, Authorization=f"Bearer {elsewhere}")[:2] == (403, "wrong-destination")
    assert stranger.asks(offer, Origin="https://shop.example.net")[:2] == (403, "foreign-origin")
    assert stranger.asks(b"a" * 70_000)[:2] == (413, "too-large")
    assert stranger.asks(b"\xff" * 100)[:2] == (400, "malformed-offer")
    form = "application/x-www-form-urlencoded"
    assert stranger.asks(offer, **{"Content-Type": form})[:2] == (415, "unsupported-media-type")
    assert stranger.asks(b"", "DELETE", "/whip/desk/" + "0" * 32)[:2] == (404, "unknown-session")
    assert not node._calls("desk") and ports(node) == before
