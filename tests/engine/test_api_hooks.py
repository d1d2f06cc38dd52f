"""Webhooks over the API: how they do, and what they did not take."""

from __future__ import annotations

import pytest

from engine.api.app import create_app
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused


@pytest.fixture(scope="module")
def ask() -> Client:
    return Client(create_app(Node(), SETTINGS))


def test_hooks_are_listed_without_the_keys_of_their_urls(ask: Client) -> None:
    (hook,) = ask("GET", "/v1/hooks").json()["items"]
    assert (hook["name"], hook["url"], hook["dead"]) == ("crm", "https://crm.example.com/in", 1)
    assert hook["lag_s"] == 0.0 and hook["last_at"] is None


def test_what_was_put_aside_is_listed_and_replayed_all_of_it_or_some(ask: Client) -> None:
    (letter,) = ask("GET", "/v1/hooks/crm/replay").json()["items"]
    assert (letter["id"], letter["error"]) == ("n1-7", "answered 410")
    for wish, events in (({}, 1), ({"seqs": [7]}, 1), ({"seqs": [8]}, 0)):
        answer = ask("POST", "/v1/hooks/crm/replay", WRITE, json=wish)
        assert (answer.status_code, answer.json()) == (202, {"events": events})


def test_only_who_may_write_replays_and_only_a_hook_there_is(ask: Client) -> None:
    refused(ask("POST", "/v1/hooks/crm/replay", json={}), 403, "forbidden")
    refused(ask("POST", "/v1/hooks/erp/replay", WRITE, json={}), 404, "unknown-hook")
    refused(ask("GET", "/v1/hooks/erp/replay"), 404, "unknown-hook")
    refused(ask("POST", "/v1/hooks/crm/replay", WRITE, json={"seqs": [0]}), 422, "invalid-request")


def test_a_hook_is_tried_and_how_it_took_that_is_told(ask: Client) -> None:
    answer = ask("POST", "/v1/hooks/crm/trial", WRITE)
    assert answer.status_code == 200
    told = {"id": "n1-trial-7", "taken": False, "status": 503, "why": "answered 503", "took_ms": 250.0}
    assert answer.json() == told
    refused(ask("POST", "/v1/hooks/erp/trial", WRITE), 404, "unknown-hook")
    refused(ask("POST", "/v1/hooks/crm/trial"), 403, "forbidden")


def test_a_hook_that_is_tried_already_is_not_tried_beside() -> None:
    node = Node()
    node.trying = True
    ask = Client(create_app(node, SETTINGS))
    refused(ask("POST", "/v1/hooks/crm/trial", WRITE), 409, "illegal-state")
