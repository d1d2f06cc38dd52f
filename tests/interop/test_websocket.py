"""Softphones as browsers have them: registered, calling and called over WSS, beside phones of other kinds."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sip.message import Request
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.webphone import WebPhone


@pytest.fixture
def web(node: Node) -> Iterator[Callable[[str], WebPhone]]:
    """Opens softphones, and closes them at the end."""
    opened: list[WebPhone] = []

    def open_phone(account: str) -> WebPhone:
        opened.append(WebPhone(node, account, seed=len(opened)))
        return opened[-1]

    yield open_phone
    for each in opened:
        each.close()


def registered(node: Node, account: str) -> list[dict[str, Any]]:
    """Over WebSockets: the account may have desk phones, too."""
    items = node.get("/v1/registrations")["items"]
    ours = (each for each in items if each["aor"].startswith(f"sip:{account}@"))
    return [each for each in ours if each["transport"] == "wss"]


def test_it_registers_its_connection_and_unregisters(node: Node, web: Callable[[str], WebPhone]) -> None:
    phone = web("lodger")
    response = phone.register()
    assert response.status == 200
    assert response.headers.get("Require") == "outbound"
    assert response.headers.get("Flow-Timer") == "120"
    (found,) = registered(node, "lodger")
    assert found["transport"] == "wss"
    assert phone.host in found["contact"]
    assert phone.register(expires=0).status == 200
    assert registered(node, "lodger") == []


def test_it_calls_a_softphone_and_hears_it(
    node: Node, web: Callable[[str], WebPhone], agent: Callable[..., Softphone]
) -> None:
    ben = agent("ben")
    ben.auto(answer_after=0.1)
    phone = web("visitor")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.bind(("127.0.0.1", 0))
        rtp.settimeout(5.0)
        phone.port = rtp.getsockname()[1]
        response, _ = phone.call("ben")
        assert response.status == 200
        assert response.contacts[0].uri.param("transport") == "ws"
        packets = [rtp.recv(2048) for _ in range(10)]
    assert {packet[1] & 0x7F for packet in packets} == {8}
    assert phone.hang_up(response).status == 200
    assert node.record("ben")["reason"] == "completed"


def test_it_is_called_by_a_softphone(
    node: Node, web: Callable[[str], WebPhone], agent: Callable[..., Softphone]
) -> None:
    phone, customer = web("gus"), agent("customer")
    phone.register()
    call = customer.call(f"sip:gus@{node.domain}")
    invite = phone.answer()
    assert invite.top_via.transport == "WSS"
    assert str(invite.uri) in phone.contact
    customer.expect("answered", call=call)
    customer.hangup(call)
    bye = phone.until("BYE")
    assert isinstance(bye, Request)
    phone.send(bye.respond(200))
    assert node.record("gus")["reason"] == "completed"


def test_it_is_gone_with_its_connection_and_back_with_the_next(
    node: Node, web: Callable[[str], WebPhone]
) -> None:
    phone = web("tenant")
    phone.register()
    assert len(registered(node, "tenant")) == 1
    phone.socket.cut()
    phone.socket = phone.connect()
    node._poll(lambda: not registered(node, "tenant"), 5.0, "end of the registration")
    assert phone.register().status == 200
    assert len(registered(node, "tenant")) == 1


def test_a_phone_that_comes_back_before_it_is_missed_has_one_binding(
    node: Node, web: Callable[[str], WebPhone]
) -> None:
    phone = web("tenant")
    phone.register()
    left, phone.socket = phone.socket, phone.connect()
    phone.register()
    assert len(registered(node, "tenant")) == 1
    left.close()
    phone.send(phone.build("OPTIONS", f"sip:{node.domain}"))
    phone.until("200")
    assert len(registered(node, "tenant")) == 1
