"""The monitoring API: what it shows, what it does, and what it refuses."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import structlog
import uvloop
from fastapi import FastAPI

from config.secret import Secret
from config.service import ApiRole, ApiSettings, ApiToken
from engine import log
from engine.api.app import create_app
from engine.api.routes.records import RecordQuery
from engine.api.server import ApiServer
from engine.api.settings import PERMISSIONS, Settings, configured, new_secret
from engine.views import AgentAsk, Check, Health
from tests.engine.api_node import READ, SETTINGS, STALE, WRITE, Node, call_view
from tests.engine.store_samples import T0, record

PROBLEM = "application/problem+json"


class Client:
    """Asks an app without a network in between; each call is one request."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def __call__(self, method: str, path: str, token: str | None = READ, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(more.pop("headers", {}))

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(ask())


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def ask(node: Node) -> Client:
    return Client(create_app(node, SETTINGS))


def refused(answer: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The problem that an answer is."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:isogloss:problem:{name}"
    assert problem["title"] and problem["detail"]
    assert problem["instance"] == answer.request.url.path
    return problem


# -------------------------------------------------------------------------------------------- what it shows


def test_calls_in_progress_are_listed_with_their_legs(ask: Client) -> None:
    answer = ask("GET", "/v1/calls").json()
    assert [call["id"] for call in answer["items"]] == ["c1", "c2"]
    assert answer["items"][0]["since"] == "2025-10-09T08:53:20Z"
    assert answer["items"][0]["legs"][0]["codec"] == "PCMA"
    assert answer["next"] is None


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("state=queued", ["c2"]),
        ("agent=alice", ["c1"]),
        ("queue=support", ["c1", "c2"]),
        ("queue=support&state=talking", ["c1"]),
        ("market=us", []),
    ],
)
def test_calls_are_filtered_by(ask: Client, query: str, calls: list[str]) -> None:
    assert [call["id"] for call in ask("GET", f"/v1/calls?{query}").json()["items"]] == calls


def test_pages_of_calls_hold_each_call_once_though_calls_come_and_go(ask: Client, node: Node) -> None:
    node.live = {f"c{number:02}": call_view(f"c{number:02}") for number in range(7)}
    first = ask("GET", "/v1/calls?limit=3").json()
    del node.live["c01"]
    second = ask("GET", f"/v1/calls?limit=3&cursor={first['next']}").json()
    node.live["c99"] = call_view("c99")
    third = ask("GET", f"/v1/calls?limit=3&cursor={second['next']}").json()
    names = [call["id"] for page in (first, second, third) for call in page["items"]]
    assert names == ["c00", "c01", "c02", "c03", "c04", "c05", "c06", "c99"]
    assert third["next"] is None


def test_one_call_is_looked_at_by_its_id(ask: Client) -> None:
    assert ask("GET", "/v1/calls/c2").json()["waiting_position"] == 1


def test_a_call_that_is_not_there_is_a_404(ask: Client) -> None:
    refused(ask("GET", "/v1/calls/c9"), 404, "unknown-call")


def test_what_happened_to_a_call_is_its_journal(ask: Client) -> None:
    (entry,) = ask("GET", "/v1/calls/r1/events").json()["items"]
    assert (entry["kind"], entry["data"], entry["seq"]) == ("call.held", {"by": "agent"}, 1)


def test_a_call_that_just_began_has_an_empty_timeline_not_a_404(ask: Client) -> None:
    assert ask("GET", "/v1/calls/c1/events").json() == {"items": []}
    refused(ask("GET", "/v1/calls/c9/events"), 404, "unknown-call")


def test_finished_calls_are_listed_newest_first_and_page_by_page(ask: Client) -> None:
    first = ask("GET", "/v1/records?limit=1").json()
    assert [item["call"] for item in first["items"]] == ["r2"]
    second = ask("GET", f"/v1/records?limit=1&cursor={first['next']}").json()
    assert [item["call"] for item in second["items"]] == ["r1"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("since=2025-10-09T08:53:21Z", ["r2"]),
        ("until=2025-10-09T10:53:21%2B02:00", ["r1"]),
        ("queue=support&reason=completed", ["r2", "r1"]),
        ("reason=abandoned", []),
    ],
)
def test_finished_calls_are_filtered_by(ask: Client, query: str, calls: list[str]) -> None:
    assert [item["call"] for item in ask("GET", f"/v1/records?{query}").json()["items"]] == calls


def test_what_records_are_asked_by_reaches_the_store() -> None:
    names = "line number language market agent queue region node contact".split()
    asked = {name: f"some {name}" for name in names} | {
        "outcome": "abandoned",
        "arrived_since": "2025-10-09T08:53:21Z",
        "arrived_until": "2025-10-09T10:53:22+02:00",
    }
    wanted = RecordQuery.model_validate(asked).filter()
    given = {name: getattr(wanted, name) for name in asked}
    assert given == asked | {"arrived_since": 1760000001.0, "arrived_until": 1760000002.0}
    assert wanted.since is wanted.until is wanted.recorded is None


@pytest.mark.parametrize("query", ["outcome=lost", "arrived_since=5", "line=%00", "arrived=2025-10-09"])
def test_what_records_are_not_asked_by_is_refused(ask: Client, query: str) -> None:
    refused(ask("GET", f"/v1/records?{query}"), 422, "invalid-request")


def test_a_record_is_looked_at_by_its_call(ask: Client) -> None:
    shown = ask("GET", "/v1/records/r1").json()
    assert (shown["reason"], shown["ended_by"], shown["talk_s"]) == ("completed", "customer", 40.0)
    refused(ask("GET", "/v1/records/r9"), 404, "unknown-record")


def test_queues_and_agents_and_registrations_are_listed(ask: Client) -> None:
    assert [item["name"] for item in ask("GET", "/v1/queues").json()["items"]] == ["sales", "support"]
    assert [item["name"] for item in ask("GET", "/v1/agents").json()["items"]] == ["alice", "bob", "carol"]
    assert [item["aor"] for item in ask("GET", "/v1/registrations").json()["items"]] == [
        "sip:alice@example.com",
        "sip:bob@example.com",
    ]


def test_queues_are_filtered_by_market_and_by_who_waits(ask: Client) -> None:
    listed = ask("GET", "/v1/queues").json()["items"]
    waiting = {item["name"] for item in listed if item["waiting"]}
    assert waiting and waiting != {"sales", "support"}
    for words, wanted in (("true", waiting), ("false", {"sales", "support"} - waiting)):
        shown = ask("GET", f"/v1/queues?waiting={words}").json()["items"]
        assert {item["name"] for item in shown} == wanted
    assert [item["name"] for item in ask("GET", "/v1/queues?market=us").json()["items"]] == ["sales"]
    assert ask("GET", "/v1/queues?market=fr").json() == {"items": [], "next": None}
    refused(ask("GET", "/v1/queues?markets=us"), 422, "invalid-request")


def test_agents_are_filtered_by_queue_and_state(ask: Client) -> None:
    shown = ask("GET", "/v1/agents?queue=support&state=available").json()["items"]
    assert [item["name"] for item in shown] == ["bob"]


def test_one_queue_or_agent_is_looked_at_by_name(ask: Client) -> None:
    assert ask("GET", "/v1/queues/support").json()["service_level"] == 0.9
    assert ask("GET", "/v1/queues/sales").json()["service_level"] is None
    assert ask("GET", "/v1/agents/alice").json()["call"] == "c1"
    refused(ask("GET", "/v1/queues/none"), 404, "unknown-queue")
    refused(ask("GET", "/v1/agents/none"), 404, "unknown-agent")


def test_registrations_are_found_by_address(ask: Client) -> None:
    shown = ask("GET", "/v1/registrations", params={"aor": "sip:bob@example.com"}).json()["items"]
    assert [item["user_agent"] for item in shown] == ["Phone/1"]


# --------------------------------------------------------------------------------------------- what it does


def test_an_agent_is_paused_with_a_reason(ask: Client, node: Node) -> None:
    answer = ask("PUT", "/v1/agents/bob/state", WRITE, json={"state": "paused", "reason": "lunch"})
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, "paused", "lunch")
    assert node.asked == [("bob", AgentAsk.PAUSED, "lunch")]


def test_a_state_the_agent_cannot_take_is_a_409_that_says_what_to_do(ask: Client, node: Node) -> None:
    answer = ask("PUT", "/v1/agents/bob/state", WRITE, json={"state": "wrap_up_over"})
    assert "ask for available instead" in refused(answer, 409, "illegal-state")["detail"]
    assert node.asked == []


def test_an_unknown_agent_has_no_state_to_set(ask: Client) -> None:
    answer = ask("PUT", "/v1/agents/nobody/state", WRITE, json={"state": "paused"})
    refused(answer, 404, "unknown-agent")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"state": "asleep"}, "body.state"),
        ({}, "body.state"),
        ({"state": "paused", "reason": "x" * 300}, "body.reason"),
        ({"state": "paused", "reason": "a\nb"}, "body.reason"),
        ({"state": "paused", "whim": 1}, "body.whim"),
        ([], "body"),
    ],
)
def test_a_state_that_is_none_is_refused_with_the_place_of_the_fault(
    ask: Client, node: Node, body: object, where: str
) -> None:
    problem = refused(ask("PUT", "/v1/agents/bob/state", WRITE, json=body), 422, "invalid-request")
    assert problem["errors"][0]["where"] == where and problem["errors"][0]["what"]
    assert node.asked == []


def test_a_call_is_hung_up(ask: Client, node: Node) -> None:
    answer = ask("DELETE", "/v1/calls/c1", WRITE)
    assert (answer.status_code, answer.json()["id"]) == (202, "c1")
    assert node.hung_up == ["c1"]
    refused(ask("DELETE", "/v1/calls/c9", WRITE), 404, "unknown-call")


# --------------------------------------------------------------------------------------------- who may what


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/records/r1", "/v1/queues", "/v1/agents/bob", "/metrics"])
def test_nobody_looks_without_a_token(ask: Client, path: str) -> None:
    answer = ask("GET", path, None)
    refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="isogloss"'


@pytest.mark.parametrize("token", ["wrong", STALE, READ + "x", READ[:-1], "é" * 20, "a b"])
def test_a_token_that_is_nobodys_is_refused(ask: Client, token: str) -> None:
    answer = ask("GET", "/v1/calls", None, headers={"Authorization": f"Bearer {token}".encode()})
    refused(answer, 401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "bearer ", READ])
def test_other_ways_to_authenticate_are_refused(ask: Client, header: str) -> None:
    refused(ask("GET", "/v1/calls", None, headers={"Authorization": header}), 401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/calls/c1"), ("PUT", "/v1/agents/bob/state")])
def test_who_may_only_look_changes_nothing(ask: Client, node: Node, method: str, path: str) -> None:
    answer = ask(method, path, READ, json={"state": "paused"})
    refused(answer, 403, "forbidden")
    assert 'scope="act_on_' in answer.headers["www-authenticate"]
    assert node.hung_up == [] and node.asked == []


def test_a_node_without_tokens_lets_nobody_in(node: Node) -> None:
    ask = Client(create_app(node, Settings()))
    refused(ask("GET", "/v1/calls", READ), 401, "unauthorized")
    refused(ask("GET", "/v1/calls", ""), 401, "unauthorized")


# ------------------------------------------------------------------------------------------ health, metrics


def test_anyone_may_ask_whether_the_node_is_well(ask: Client) -> None:
    answer = ask("GET", "/health", None)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_who_holds_a_token_learns_what_is_wrong(ask: Client, node: Node) -> None:
    node.checks.append(Check(name="worker 0", status=Health.DEGRADED, detail="restarting"))
    answer = ask("GET", "/health")
    assert answer.status_code == 200
    assert answer.json()["checks"][1] == {"name": "worker 0", "status": "degraded", "detail": "restarting"}


def test_a_failing_node_tells_the_load_balancer_so(ask: Client, node: Node) -> None:
    node.checks.append(Check(name="sip", status=Health.FAILING))
    assert ask("GET", "/health", None).status_code == 503
    assert ask("GET", "/health", "wrong").status_code == 401


def test_metrics_are_prometheus_text(ask: Client) -> None:
    answer = ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'isogloss_queue_waiting{market="de",queue="support"} 1.0' in answer.text


def test_metrics_may_be_opened_to_collectors_without_tokens(node: Node) -> None:
    ask = Client(create_app(node, Settings(open_metrics=True)))
    assert ask("GET", "/metrics", None).status_code == 200
    refused(ask("GET", "/v1/calls", None), 401, "unauthorized")


# ------------------------------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    "path",
    [
        "/v1/calls?quue=support",
        "/v1/calls?limit=0",
        "/v1/calls?limit=1001",
        "/v1/calls?limit=many",
        "/v1/calls?cursor=%F0%9F%98%80",
        "/v1/calls?queue=%00",
        "/v1/records?since=yesterday",
        "/v1/records?since=2025-10-09T08:53:21",
        "/v1/records?since=nan",
        "/v1/records?until=0.5",
        "/v1/records?reason=boredom",
        "/v1/records?customer=" + "1" * 300,
        "/v1/records/a%00b",
        "/v1/calls/" + "x" * 200,
    ],
)
def test_a_question_that_makes_no_sense_is_a_422(ask: Client, path: str) -> None:
    assert refused(ask("GET", path), 422, "invalid-request")["errors"]


@pytest.mark.parametrize("path", ["/v1/calls?cursor=abcde", "/v1/calls?cursor=_w", "/v1/records?cursor=abc"])
def test_a_cursor_from_elsewhere_is_a_422(ask: Client, path: str) -> None:
    refused(ask("GET", path), 422, "bad-cursor")


def test_an_unknown_path_and_a_wrong_method_are_problems_too(ask: Client) -> None:
    refused(ask("GET", "/v2/calls"), 404, "not-found")
    answer = ask("POST", "/v1/calls")
    refused(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"
    assert ask("PATCH", "/v1/calls/c1").headers["allow"] == "DELETE, GET"


def test_a_problem_never_repeats_a_value(ask: Client) -> None:
    answer = ask("GET", "/v1/records?since=secret-of-mine")
    assert "secret-of-mine" not in answer.text


def test_a_store_that_is_away_is_a_503_that_tells_nothing_of_it(ask: Client, node: Node) -> None:
    node.store_answers = False
    for path in ("/v1/records", "/v1/records/r1", "/v1/calls/c1/events"):
        answer = ask("GET", path)
        refused(answer, 503, "store-unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "hunter2" not in answer.text and "10.0.0.1" not in answer.text
    assert ask("GET", "/v1/calls").status_code == 200


def test_a_fault_of_the_node_is_a_500_that_tells_nothing_of_it(
    ask: Client, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("the inside of the node")

    monkeypatch.setattr(node, "queues", broken)
    written = io.StringIO()
    log.configure("json", stream=written)
    try:
        assert "inside" not in refused(ask("GET", "/v1/queues"), 500, "fault")["detail"]
    finally:
        structlog.reset_defaults()
    assert "the inside of the node" in written.getvalue()


def test_a_long_body_is_not_read(ask: Client, node: Node) -> None:
    body = b'{"state": "paused", "reason": "' + b"x" * 100_000 + b'"}'
    refused(ask("PUT", "/v1/agents/bob/state", WRITE, content=body), 413, "too-large")

    async def pieces() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    answer = ask("PUT", "/v1/agents/bob/state", WRITE, content=pieces())
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    assert node.asked == []


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 5000, b'{"state": NaN}', b""])
def test_a_body_that_is_no_json_is_a_422(ask: Client, body: bytes) -> None:
    answer = ask(
        "PUT", "/v1/agents/bob/state", WRITE, content=body, headers={"content-type": "application/json"}
    )
    refused(answer, 422, "invalid-request")


def test_answers_are_not_kept_by_anyone(ask: Client) -> None:
    for answer in (ask("GET", "/v1/calls"), ask("GET", "/v1/calls", None), ask("GET", "/nowhere")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


# -------------------------------------------------------------------------------------------- a real server


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def served(
    node: Node, request: pytest.FixtureRequest
) -> Callable[[Callable[[ApiServer], Awaitable[None]]], None]:
    def serve(then: Callable[[ApiServer], Awaitable[None]]) -> None:
        async def life() -> None:
            server = ApiServer(create_app(node, SETTINGS), "127.0.0.1", 0)
            await server.start()
            try:
                await then(server)
            finally:
                await server.close()

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(life())

    return serve


def test_over_a_real_socket_it_answers_the_same(served: Any, node: Node) -> None:
    async def look(server: ApiServer) -> None:
        headers = {"Authorization": f"Bearer {READ}"}
        where = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=where, headers=headers, timeout=60) as client:
            answers = await asyncio.gather(*(client.get("/v1/calls") for _ in range(20)))
            assert {answer.status_code for answer in answers} == {200}
            assert (await client.get("/metrics")).status_code == 200
            assert "server" not in answers[0].headers

    served(look)


def test_a_port_that_is_taken_says_so(served: Any, node: Node) -> None:
    async def again(server: ApiServer) -> None:
        second = ApiServer(create_app(node, SETTINGS), "127.0.0.1", server.port)
        with pytest.raises(OSError):
            await second.start()
        await second.close()

    served(again)


def test_nonsense_on_the_socket_is_refused_and_served_on(served: Any) -> None:
    async def shout(server: ApiServer) -> None:
        for noise in (
            b"\x16\x03\x01\x02\x00\x01",
            b"GET " + b"/" * 70_000,
            b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(noise + b"\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
            assert answer.startswith(b"HTTP/1.1 400")
            writer.close()
        async with httpx.AsyncClient(timeout=60) as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/health")).status_code == 200

    served(shout)


def test_it_leaves_the_nodes_signals_alone(node: Node) -> None:
    def handlers() -> tuple[object, object]:
        return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    async def life() -> None:
        before = handlers()
        server = ApiServer(create_app(node, SETTINGS), "127.0.0.1", 0)
        await server.start()
        assert handlers() == before
        await server.close()
        assert handlers() == before

    asyncio.run(life())


def test_records_of_a_thousand_calls_fit_a_page(ask: Client, node: Node) -> None:
    node.finished = [record(f"r{number:04}", T0 + number) for number in range(1000)]
    assert len(ask("GET", "/v1/records?limit=1000").json()["items"]) == 1000


# --------------------------------------------------------------------------------------------- its settings


def test_a_configured_viewer_may_look_and_an_operator_may_change() -> None:
    tokens = {
        "wallboard": ApiToken(token=Secret("env:A", READ)),
        "console": ApiToken(token=Secret("env:B", WRITE), role=ApiRole.OPERATOR),
    }
    made = configured(ApiSettings(tokens=tokens, docs=False))
    viewer, operator = made.holder(READ, 0.0), made.holder(WRITE, 0.0)
    assert viewer is not None and viewer.permissions == PERMISSIONS[ApiRole.VIEWER]
    assert operator is not None and operator.permissions == PERMISSIONS[ApiRole.OPERATOR]
    assert not made.docs and READ not in repr(made)


def test_a_token_that_could_be_guessed_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="too short"):
        configured(ApiSettings(tokens={"lazy": ApiToken(token=Secret("env:A", "letmein"))}))


def test_a_made_token_is_long_and_never_the_same() -> None:
    assert len(new_secret()) > 40 and new_secret() != new_secret()
