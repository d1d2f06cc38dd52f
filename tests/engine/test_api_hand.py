"""A supervisor's hand by the API: in a call, on who waits, on agents."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.api.app import create_app
from tests.engine.api_node import READ, SETTINGS, WRITE, Node

CALL, WAITS = "/v1/calls/c1/supervision", "/v1/calls/c2/queue"


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def client(node: Node) -> TestClient:
    return TestClient(create_app(node, SETTINGS))


def test_a_supervisor_is_rung_changes_her_mode_and_leaves(client: TestClient, node: Node) -> None:
    hers = bearer(WRITE)
    asked = client.post(CALL, json={"mode": "whisper", "at": "sue", "auto_answer": True}, headers=hers)
    assert asked.status_code == 202
    assert asked.json()["at"] == "sue" and asked.json()["standing"] == "ringing"
    assert node.hand.sent == [("c1", "sue", "whisper", "supervisor", True)]
    assert client.get(CALL, headers=bearer(READ)).json()["items"] == [asked.json()]
    changed = client.patch(f"{CALL}/sue", json={"mode": "barge"}, headers=hers)
    assert changed.status_code == 200 and changed.json()["mode"] == "barge"
    assert client.delete(f"{CALL}/sue", headers=hers).status_code == 202
    assert client.delete(f"{CALL}/sue", headers=hers).status_code == 409
    assert client.patch(f"{CALL}/sue", json={"mode": "listen"}, headers=hers).status_code == 409


def test_without_a_phone_named_it_is_the_askers_page(client: TestClient, node: Node) -> None:
    assert client.post(CALL, json={}, headers=bearer(WRITE)).json()["mode"] == "listen"
    assert node.hand.sent == [("c1", "supervisor", "listen", "supervisor", False)]
    assert client.delete(f"{CALL}/page", headers=bearer(WRITE)).status_code == 202


def test_the_same_wish_twice_rings_once(client: TestClient, node: Node) -> None:
    wish, headers = {"at": "sue"}, bearer(WRITE, **{"Idempotency-Key": "one"})
    first, again = (client.post(CALL, json=wish, headers=headers) for _ in range(2))
    assert first.json() == again.json() and len(node.hand.sent) == 1
    assert client.post(CALL, json={"at": "tom"}, headers=headers).status_code == 422, "another wish"


@pytest.mark.parametrize(
    ("method", "at", "body"),
    [
        ("post", CALL, {"at": "sue"}),
        ("patch", f"{CALL}/sue", {"mode": "barge"}),
        ("delete", f"{CALL}/sue", None),
        ("post", "/v1/phones", None),
        ("patch", WAITS, {"priority": 1}),
    ],
)
def test_who_may_only_look_changes_nothing(
    client: TestClient, method: str, at: str, body: dict[str, Any] | None
) -> None:
    more = {} if body is None else {"json": body}
    assert client.request(method, at, headers=bearer(READ), **more).status_code == 403
    assert client.request(method, at, **more).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{"mode": "shout"}, {"at": "Sue X"}, {"at": "sue", "by": "me"}, {"auto_answer": "yes"}, {"at": "x" * 99}],
)
def test_what_says_nothing_sensible_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(CALL, json=body, headers=bearer(WRITE)).status_code == 422


def test_a_phone_for_a_page_is_made_and_its_password_told_once(client: TestClient, node: Node) -> None:
    made = client.post("/v1/phones", headers=bearer(WRITE))
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    told = made.json()
    assert told["account"] in node.hand.phones and (told["scheme"], told["port"]) == ("wss", 7443)
    assert node.hand.phones.of("supervisor") == [told["account"]]
    server = {"urls": ["turn:turn.example.com:3478"], "username": "1:supervisor", "credential": "made"}
    ice = {"ice_servers": [server], "ice_transport_policy": "relay", "ice_renewed_s": 600.0}
    assert told | ice == told, "all that a page needs to be a phone"
    again = client.get("/v1/phones/ice", headers=bearer(WRITE))
    assert again.json() == ice and again.headers["cache-control"] == "no-store"
    assert len(node.hand.phones.of("supervisor")) == 1
    assert client.get("/v1/phones/ice", headers=bearer(READ)).status_code == 403


def test_a_waiting_caller_is_moved_raised_and_given_to_somebody(client: TestClient) -> None:
    change = {"queue": "sales", "priority": 10, "agent": "bob"}
    done = client.patch(WAITS, json=change, headers=bearer(WRITE))
    assert done.status_code == 200
    assert {name: done.json()[name] for name in change} == change
    assert client.get(WAITS, headers=bearer(READ)).json() == done.json()
    assert client.patch(WAITS, json={"agent": ""}, headers=bearer(WRITE)).json()["agent"] == ""
    assert client.patch(WAITS, json={"priority": 10.0}, headers=bearer(WRITE)).json()["priority"] == 10
    same = client.patch(WAITS, json={}, headers=bearer(WRITE)).json()
    assert (same["queue"], same["priority"]) == ("sales", 10), "what is left out stays"


@pytest.mark.parametrize(
    ("at", "body", "status"),
    [
        (WAITS, {"priority": 101}, 422),
        (WAITS, {"priority": "1"}, 422),
        (WAITS, {"queue": "No Such"}, 422),
        (WAITS, {"agent": "nobody"}, 404),
        ("/v1/calls/c1/queue", {"priority": 1}, 409),
        ("/v1/calls/gone/queue", {"priority": 1}, 404),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    client: TestClient, at: str, body: dict[str, Any], status: int
) -> None:
    assert client.patch(at, json=body, headers=bearer(WRITE)).status_code == status


def test_a_call_that_does_not_wait_has_no_place(client: TestClient) -> None:
    assert client.get("/v1/calls/c1/queue", headers=bearer(READ)).status_code == 404


def test_the_node_knows_who_wanted_an_agents_state(client: TestClient, node: Node) -> None:
    client.put("/v1/agents/bob/state", json={"state": "paused", "reason": "lunch"}, headers=bearer(WRITE))
    assert node.ordered_by == ["supervisor"]
