"""What somebody knows already is not sent again."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.app import create_app
from engine.api.unchanged import is_known
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.test_api import Client


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def ask(node: Node) -> Client:
    return Client(create_app(node, SETTINGS))


@pytest.mark.parametrize("path", ["/v1/queues", "/v1/calls?limit=1", "/v1/records"])
def test_an_answer_that_is_known_is_not_sent_again(ask: Client, path: str) -> None:
    first = ask("GET", path, READ)
    tag = first.headers["etag"]
    again = ask("GET", path, READ, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in again.headers and again.headers["cache-control"] == "no-store"
    assert ask("GET", path, READ, headers={"If-None-Match": '"other"'}).json() == first.json()


def test_what_changed_is_sent_with_another_tag(ask: Client) -> None:
    before = ask("GET", "/v1/agents/bob", READ).headers["etag"]
    assert (
        ask("PUT", "/v1/agents/bob/state", WRITE, json={"state": "paused", "reason": "lunch"}).status_code
        < 300
    )
    after = ask("GET", "/v1/agents/bob", READ, headers={"If-None-Match": before})
    assert after.status_code == 200 and after.headers["etag"] != before


def test_who_may_not_see_it_is_told_so_and_not_that_it_is_the_same(ask: Client) -> None:
    tag = ask("GET", "/v1/queues", READ).headers["etag"]
    for known in (tag, "*"):
        refused = ask("GET", "/v1/queues", None, headers={"If-None-Match": known})
        assert refused.status_code == 401 and "etag" not in refused.headers


def test_a_version_for_if_match_stays_what_it_is(ask: Client) -> None:
    document: dict[str, Any] = ask("GET", "/v1/openapi.json", READ).json()["paths"]
    assert "304" not in document["/v1/config"]["get"]["responses"]
    assert "304" in document["/v1/queues"]["get"]["responses"]
    assert "304" not in document["/v1/agents/{agent}/state"]["put"]["responses"]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ('"a"', True),
        ('W/"a"', True),
        (' "b" , "a"', True),
        ("*", True),
        ("", False),
        ("a", False),
        ('"b"', False),
        ('"' + "x" * 2000 + '", "a"', False),
    ],
)
def test_tags_are_read_as_they_are_written(known: str, told: bool) -> None:
    assert is_known('"a"', known) is told
