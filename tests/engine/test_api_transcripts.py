"""What was said in calls, and how they went, by the API: who may read it, and that it is gone when erased."""

from __future__ import annotations

import pytest

from engine.api.app import create_app
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.test_api import Client


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def ask(node: Node) -> Client:
    return Client(create_app(node, SETTINGS))


def test_who_may_read_sees_how_calls_went_and_nothing_that_was_said(ask: Client) -> None:
    items = ask("GET", "/v1/reviews", READ).json()["items"]
    assert [each["call"] for each in items] == ["r2", "r1"]
    told = ask("GET", "/v1/reviews/r1", READ).json()
    assert told == items[1] and told["score"] == 80.0 and told["marks"][0]["missing"] == ["good morning"]
    assert not {"summary", "lines", "quote"} & {*told, *told["marks"][0]} and "reasons" not in str(told)


@pytest.mark.parametrize("path", ["/v1/transcripts", "/v1/transcripts/r1"])
def test_what_was_said_is_for_those_who_may_listen(ask: Client, path: str) -> None:
    answer = ask("GET", path, READ)
    assert answer.status_code == 403 and "listen" in answer.json()["detail"]
    assert ask("GET", path, WRITE).status_code == 200


def test_calls_are_found_by_their_words_with_the_lines(ask: Client) -> None:
    (hit,) = ask("GET", "/v1/transcripts?words=refund", WRITE).json()["items"]
    assert hit["found"][0]["text"] == "I want a refund" and hit["summary"] == "A refund is asked for."
    assert ask("GET", "/v1/transcripts?words=nothing", WRITE).json()["items"] == []


def test_a_transcript_that_is_known_is_not_sent_again(ask: Client) -> None:
    first = ask("GET", "/v1/transcripts/r1", WRITE)
    assert first.json()["lines"][0]["translation"] == "Ich will mein Geld"
    tag = first.headers["etag"]
    again = ask("GET", "/v1/transcripts/r1", WRITE, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["etag"], again.content) == (304, tag, b"")


def test_erasing_is_for_those_who_may_change_things_and_is_for_good(ask: Client) -> None:
    assert ask("DELETE", "/v1/transcripts/r1", READ).status_code == 403
    assert ask("DELETE", "/v1/transcripts/r1", WRITE).status_code == 204
    assert ask("GET", "/v1/transcripts/r1", WRITE).status_code == 404
    assert ask("DELETE", "/v1/transcripts/r1", WRITE).json()["type"].endswith("unknown-transcript")
    assert ask("GET", "/v1/reviews/r1", READ).status_code == 200


def test_pages_follow_each_other(ask: Client) -> None:
    first = ask("GET", "/v1/reviews?limit=1", READ).json()
    after = ask("GET", f"/v1/reviews?limit=1&cursor={first['next']}", READ).json()
    assert [first["items"][0]["call"], after["items"][0]["call"]] == ["r2", "r1"] and after["next"] is None
    assert ask("GET", "/v1/reviews?cursor=mine", READ).json()["type"].endswith("bad-cursor")


def test_a_store_that_is_away_is_said_to_be(ask: Client, node: Node) -> None:
    node.store_answers = False
    answer = ask("GET", "/v1/transcripts?words=refund", WRITE)
    assert answer.status_code == 503 and "hunter2" not in answer.text
