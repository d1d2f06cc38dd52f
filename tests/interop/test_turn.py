"""Visitors and node reach each other by way of Debian's coturn alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aioice.ice import get_host_addresses
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from engine.hearing import is_music, read_wav
from engine.prompts import PromptPack
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node
from tests.interop.peer import TELEPHONE
from tests.interop.sipp import free_port
from tests.interop.visitor import Visitor

SECRET = "shared with coturn"
HOST = "127.0.0.1"


@pytest.fixture
def turn(tmp_path: Path) -> Iterator[int]:
    """The port of a TURN server that takes passwords made from SECRET."""
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (Debian: coturn)")
    port = free_port(HOST)
    log = (tmp_path / "turn.log").open("wb")
    options = [
        "-n",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--allow-loopback-peers",
        "--log-file=stdout",
        "--verbose",
    ]
    options += ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=isogloss.test", "--pidfile="]
    options += [f"--listening-ip={HOST}", f"--relay-ip={HOST}", f"--listening-port={port}"]
    options += ["--min-port=49152", "--max-port=49252", f"--userdb={tmp_path / 'turn.db'}"]
    with subprocess.Popen(["turnserver", *options], stdout=log, stderr=log) as server:
        yield port
        server.terminate()
    log.close()


@pytest.fixture
def node(tmp_path: Path, turn: int, request: pytest.FixtureRequest) -> Iterator[Node]:
    """One that is reached by way of that server alone."""
    if not get_host_addresses(True, False):
        pytest.skip(
            "aioice takes no loopback address, and there is no other: ip addr add 10.99.0.1/32 dev lo"
        )
    yield from serve(Node(tmp_path / "node", prompts_of(request.config.cache), relayed(tmp_path, turn)))


def relayed(folder: Path, turn: int) -> dict[str, object]:
    """Settings of media.yaml for a node that is reached by way of that server alone."""
    secret = folder / "turn.secret"
    secret.write_text(SECRET + "\n")
    server = {"urls": [f"turn:{HOST}:{turn}"], "secret": {"file": str(secret)}}
    return {"webrtc": {"relay": "forced", "ice_servers": [server]}}


def test_a_visitor_who_may_use_the_relay_alone_hears_the_node(
    node: Node, speech: Callable[[str], Path]
) -> None:
    told = node.post("/v1/callers/tokens", {"destination": "desk"})
    assert told["ice_transport_policy"] == "relay"
    (server,) = told["ice_servers"]
    relayed = RTCConfiguration(
        iceServers=[RTCIceServer(server["urls"][0], server["username"], server["credential"])],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY,
    )
    ana = Visitor(node, "desk", speech("hello"), told["token"], relayed)
    try:
        began = ana.call()
        assert began.status == 201
        assert "turn:" in " ".join(began.headers.get_all("Link") or [])
        offered = str(ana.browser.connection.localDescription.sdp)
        assert set(re.findall(r"typ (\w+)", offered)) == {"relay"}
        music = read_wav(Path(PromptPack.load(node.prompts).path("en", "music")), TELEPHONE)
        assert is_music(ana.hears(2.0), music, TELEPHONE)
        (call,) = node.get("/v1/calls")["items"]
        assert 49152 <= int(call["legs"][0]["remote"].rpartition(":")[2]) <= 49252
        assert ana.hang_up().status == 200
    finally:
        ana.close()
