"""Speech by the API: who is there, what they translate, and an interpreter switched on in a call."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine.api.app import create_app
from engine.views import LegSide
from tests.engine.api_node import READ, SETTINGS, WRITE, Node


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def client(node: Node) -> TestClient:
    return TestClient(create_app(node, SETTINGS))


def test_who_hears_and_which_pairs_are_translated_is_told_with_its_marks(client: TestClient) -> None:
    told = client.get("/v1/speech", headers=bearer(READ)).json()
    assert told["workers"][0] | {"why": ""} == {
        "craft": "hear",
        "name": "ears",
        "languages": ["en"],
        "closed": ["es"],
        "low_accuracy": True,
        "why": "",
    }
    assert told["pairs"] == [{"source": "es", "target": "en", "gist": True}]
    assert told["level"] == "all" and told["talks"] == 1


def test_an_interpreter_is_chosen_for_a_side_with_a_token_that_may_write(
    client: TestClient, node: Node
) -> None:
    call = next(iter(node.live))
    body = {"side": "agent", "voice": "instead"}
    assert client.put(f"/v1/calls/{call}/interpreter", json=body, headers=bearer(READ)).status_code == 403
    assert client.put(f"/v1/calls/{call}/interpreter", json=body, headers=bearer(WRITE)).json() == body
    assert node.interpreters == {(call, LegSide.AGENT): "instead"}
    assert client.put("/v1/calls/gone/interpreter", json=body, headers=bearer(WRITE)).status_code == 404


@pytest.mark.parametrize("body", [{"side": "agent"}, {"side": "agent", "voice": "loud"}, {"voice": "off"}])
def test_what_is_no_choice_is_refused(client: TestClient, node: Node, body: dict[str, str]) -> None:
    call = next(iter(node.live))
    assert client.put(f"/v1/calls/{call}/interpreter", json=body, headers=bearer(WRITE)).status_code == 422
