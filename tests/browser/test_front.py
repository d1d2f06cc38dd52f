"""An agent's page behind the shipped Kamailio: SIP over its WebSocket and TLS, sound to the node."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.chromium import missing
from tests.browser.pages import CALLERS, PAGES, QUEUES, AgentPage, CallerPage, Tabs, talk
from tests.interop.authority import Authority
from tests.interop.conftest import prompts_of
from tests.interop.front import FRONT, PACKAGES, ClusterNode, Front, installed
from tests.interop.node import DOMAIN
from tests.interop.sipp import free_port

HOST = "127.0.1.1"


class Behind:
    """A node, and the front before it."""

    def __init__(self, folder: Path, prompts: Path, held: ExitStack) -> None:
        authority = Authority()
        sockets, port = free_port(FRONT, socket.SOCK_STREAM), free_port(HOST, socket.SOCK_STREAM)
        files = dict(zip(("certificate", "key"), authority.issue(HOST), strict=True)) | {"ca": authority.pem}
        for name, content in files.items():
            (folder / f"{name}.pem").write_bytes(content)
        pages = PAGES | {"sip_url": f"wss://{FRONT}:{sockets}/"}
        more = {
            "sip": {
                "tls": {name: str(folder / f"{name}.pem") for name in files},
                "digest": {"nonce_s": 60, "algorithms": ["MD5", "SHA-256"]},
            },
            "queues": QUEUES,
            "api": {"port": port, "callers": CALLERS, "pages": pages},
        }
        self.node = ClusterNode(folder / "node", 1, prompts, more=more)
        held.callback(self.node.close)
        self.front = held.enter_context(
            Front(
                folder / "front", [self.node], transport="tls", ports={"wss": sockets},
                defines={"WS_ORIGINS": f"http://{HOST}:{port}"},
                certificate=authority.issue(DOMAIN), authority=authority.pem,
            )
        )  # fmt: skip
        self.front.until_active(self.node)


@pytest.fixture
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Behind]:
    reason = missing() or (None if installed() else f"Kamailio is not installed (Debian: {PACKAGES})")
    if reason is not None:
        pytest.skip(reason)
    with ExitStack() as held:
        yield Behind(tmp_path, prompts_of(request.config.cache), held)


def test_an_agents_page_registers_is_called_and_talks_through_the_front(
    behind: Behind, tab: Tabs, speech: Callable[[str], Path]
) -> None:
    asks, tells = speech("where is the parcel that I wait for"), speech("it comes tomorrow before noon")
    emil = AgentPage(tab, behind.node, "emil", tells)
    emil.start()
    assert behind.front.ask("ws.dump")["info"]["wscounter"] == 1
    customer = CallerPage(tab, behind.node, asks)
    customer.call("booth")
    emil.answer()
    customer.is_told("talking")
    talk(customer, emil, asks, tells)
    customer.page.click("#hangup")
    emil.in_state("available")
    record = behind.node.record("booth")
    assert (record["agent"], record["reason"]) == ("emil", "completed")
