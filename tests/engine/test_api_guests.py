"""A third person by the API: asked into a call, looked at, and sent off."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine.api.app import create_app
from tests.engine.api_node import READ, SETTINGS, WRITE, Node


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def client(node: Node) -> TestClient:
    return TestClient(create_app(node, SETTINGS))


def test_somebody_is_asked_in_and_sent_off_with_a_token_that_may_write(
    client: TestClient, node: Node
) -> None:
    at = f"/v1/calls/{next(iter(node.live))}/guest"
    assert client.get(at, headers=bearer(READ)).status_code == 404
    assert client.put(at, json={"to": "inga"}, headers=bearer(READ)).status_code == 403
    asked = client.put(at, json={"to": "inga"}, headers=bearer(WRITE))
    assert asked.status_code == 202 and asked.json() == {"to": "inga", "standing": "ringing", "agent": ""}
    assert client.put(at, json={"to": "inga"}, headers=bearer(WRITE)).status_code == 409
    assert client.get(at, headers=bearer(READ)).json() == asked.json()
    assert client.delete(at, headers=bearer(WRITE)).status_code == 202
    assert client.delete(at, headers=bearer(WRITE)).status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"to": ""}, {"to": "a b"}, {"to": "x" * 200}, {"to": "inga", "by": "me"}]
)
def test_what_names_nobody_is_refused(client: TestClient, node: Node, body: dict[str, str]) -> None:
    at = f"/v1/calls/{next(iter(node.live))}/guest"
    assert client.put(at, json=body, headers=bearer(WRITE)).status_code == 422


def test_a_call_that_is_not_there_has_no_guest(client: TestClient) -> None:
    for ask in (client.get, client.delete):
        assert ask("/v1/calls/gone/guest", headers=bearer(WRITE)).status_code == 404
