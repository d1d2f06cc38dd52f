"""The API tells why a call was bad: ladder, capture, quality, timeline, diagnosis, and who was refused."""

from __future__ import annotations

import io
from dataclasses import replace

import dpkt
import pytest
from fastapi import FastAPI

from engine.api.app import create_app
from engine.events import EndReason
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.insight.samples import FAR, entry
from tests.engine.store_samples import T0
from tests.engine.test_api import Client

PATHS = ("sip", "sip.pcap", "quality", "timeline", "diagnosis")


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Node(), SETTINGS)


@pytest.fixture
def ask(app: FastAPI, node: Node) -> Client:
    app.state.view = node
    return Client(app)


def test_a_ladder_has_every_message_and_no_password(ask: Client) -> None:
    answer = ask("GET", "/v1/calls/r1/sip", WRITE)
    ladder = answer.json()
    assert [each["first"].split(" ")[0] for each in ladder["messages"]] == [
        "INVITE", "SIP/2.0", "SIP/2.0", "ACK", "BYE", "SIP/2.0",
    ]  # fmt: skip
    assert (ladder["live"], ladder["omitted"]) == (False, 0)
    first = ladder["messages"][0]
    assert (first["remote"], first["method"], first["inward"], first["t"]) == (
        "203.0.113.9:5060",
        "INVITE",
        True,
        0.0,
    )
    assert "6629fae49393" not in answer.text and 'username=\\"alice\\"' in answer.text


def test_a_ladder_is_there_while_the_call_goes_on(ask: Client) -> None:
    ladder = ask("GET", "/v1/calls/c1/sip", READ).json()
    assert ladder["live"] and len(ladder["messages"]) == 2


def test_what_is_repeated_is_marked(ask: Client, node: Node) -> None:
    trace = node.insight.traces["r1"]
    node.insight.traces["r1"] = replace_messages(trace, [*trace.messages, trace.messages[2]])
    repeated = [each["repeated"] for each in ask("GET", "/v1/calls/r1/sip", READ).json()["messages"]]
    assert repeated == [False] * 6 + [True]


def replace_messages(trace, messages):
    return type(trace)(trace.call, trace.began, messages, trace.quality, trace.omitted)


def test_a_capture_is_one(ask: Client) -> None:
    answer = ask("GET", "/v1/calls/r1/sip.pcap", READ)
    assert answer.headers["content-type"] == "application/vnd.tcpdump.pcap"
    assert 'filename="r1.pcap"' in answer.headers["content-disposition"]
    packets = list(dpkt.pcap.Reader(io.BytesIO(answer.content)))
    first = dpkt.ethernet.Ethernet(packets[0][1]).data.data
    assert len(packets) == 6 and packets[0][0] == pytest.approx(T0)
    assert (first.sport, first.dport) == (5060, 5060) and first.data.startswith(b"INVITE")
    assert b"6629fae49393" not in answer.content


def test_quality_is_by_leg_and_time(ask: Client) -> None:
    (leg,) = ask("GET", "/v1/calls/r1/quality", READ).json()["legs"]
    assert (leg["side"], len(leg["samples"])) == ("customer", 6)
    assert leg["samples"][0]["at"] == 5.0 and leg["samples"][0]["loss"] == 0.0


def test_a_timeline_is_of_journal_and_ladder(ask: Client) -> None:
    items = ask("GET", "/v1/calls/r1/timeline", READ).json()["items"]
    assert {"call.held", "leg.invited", "leg.answered", "leg.hung_up"} == {each["kind"] for each in items}


def test_a_call_that_was_fine_is_told_so_in_the_language_asked_for(ask: Client) -> None:
    told = ask("GET", "/v1/calls/r1/diagnosis?language=es", READ).json()
    assert told["fine"] and told["findings"] == [] and told["sentence"].startswith("No hubo problemas")
    assert told["figures"][0]["loss"] == 0.0
    assert ask("GET", "/v1/calls/r1/diagnosis", READ).json()["language"] == "en"


def test_what_went_wrong_is_told_with_its_evidence(ask: Client, node: Node) -> None:
    node.finished[0] = replace(node.finished[0], reason=EndReason.OVERFLOW_FAILED)
    node.journal["r1"] = [entry("call.queued", 0.5, 1), entry("call.queue_left", 90.0, 2, why="maximum wait")]
    told = ask("GET", "/v1/calls/r1/diagnosis?language=zh", READ).json()
    (found,) = told["findings"]
    assert (found["fault"], told["fine"], told["language"]) == ("queue_overflow", False, "zh")
    assert told["sentence"] == found["sentence"] and found["remedy"]
    assert found["evidence"][0]["index"] == 2


@pytest.mark.parametrize("path", PATHS)
def test_of_a_call_that_nobody_knows_there_is_nothing(ask: Client, path: str) -> None:
    answer = ask("GET", f"/v1/calls/nobody/{path}", READ)
    assert answer.status_code == 404 and answer.json()["type"].startswith("urn:isogloss:problem:unknown-")


@pytest.mark.parametrize("path", PATHS)
def test_a_store_that_is_away_is_told(ask: Client, node: Node, path: str) -> None:
    node.store_answers = False
    assert ask("GET", f"/v1/calls/r1/{path}", READ).status_code == 503


@pytest.mark.parametrize("path", [*(f"/v1/calls/r1/{path}" for path in PATHS), "/v1/sip/refused"])
def test_nobody_looks_without_a_token(ask: Client, path: str) -> None:
    assert ask("GET", path, None).status_code == 401


def test_who_was_refused_is_found_by_source_and_time(ask: Client) -> None:
    def items(query: str = "") -> list:
        return ask("GET", f"/v1/sip/refused{query}", WRITE).json()["items"]

    (found,) = items()
    assert (found["source"], found["status"], found["reason"]) == (FAR.host, 403, "Forbidden")
    assert (found["method"], found["called"], found["call"]) == ("INVITE", "sip:200@pbx", "")
    assert [each["status"] for each in found["messages"]] == [0, 403]
    assert "6629fae49393" not in str(found)
    assert items("?source=198.51.100.77") == [] and items("?challenges=true") == []
    assert items("?since=2999-01-01T00:00:00Z") == [] and items("?until=1999-01-01T00:00:00Z") == []
    assert ask("GET", "/v1/sip/refused?limit=1000", READ).status_code == 422
    assert ask("GET", "/v1/sip/refused?from=1.2.3.4", READ).status_code == 422


def test_sources_that_are_turned_away_are_listed_and_let_off(ask: Client, node: Node) -> None:
    (found,) = ask("GET", "/v1/sip/blocked", WRITE).json()["items"]
    assert (found["source"], found["how"], found["count"]) == ("203.0.113.66", "ignored", 60)
    assert found["why"] == "questions_without_proof"
    assert ask("DELETE", "/v1/sip/blocked/203.0.113.66", READ).status_code == 403
    assert ask("DELETE", "/v1/sip/blocked/203.0.113.66", WRITE).status_code == 204
    assert ask("DELETE", "/v1/sip/blocked/203.0.113.66", WRITE).status_code == 404
    assert ask("GET", "/v1/sip/blocked", READ).json()["items"] == []
