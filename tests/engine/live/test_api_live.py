"""The live state over the API: at a WebSocket and as server-sent events, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.access.access import Access
from engine.access.errors import AuditUnavailable
from engine.access.principal import How
from engine.access.role import Permission, Role
from engine.api import live as api_live
from engine.api.app import create_app, set_settings
from engine.api.identify import COOKIE
from engine.api.live_words import PROTOCOL
from engine.api.server import ApiServer
from engine.api.settings import token
from engine.events import CallHeld, Side
from engine.live.feed import Feed
from engine.live.hub import Hub
from engine.live.source import Belonging, Source
from engine.live.tree import Tree
from tests.engine.access.stand import Stand, standing
from tests.engine.api_node import READ, SETTINGS, STALE, WRITE, Node, call_view
from tests.engine.store_samples import T0

WHERE = Belonging(teams={"alice": "north"}, queues={"support": "de"})


class Served:
    """A node that serves its live state at a real socket."""

    def __init__(self, access: Access | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.node = Node()
        source = Source(self.node, lambda: WHERE, lambda: T0)
        self.feed = Feed(Hub(Tree(), "e0"), source, loop.time, loop.call_later)
        site = token("site", "site-token-0123456789", Permission.CALLERS)
        self.settings = replace(SETTINGS, tokens=(*SETTINGS.tokens, site))
        self.app = create_app(self.node, self.settings, access=access, live=self.feed)
        self.server = ApiServer(self.app, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server.port}/v1/live"

    def happens(self, **changes: Any) -> None:
        """Something happens to the call c1."""
        self.node.live["c1"] = call_view("c1", **changes)
        self.feed.notice(CallHeld(at=T0, call="c1", by=Side.AGENT))

    async def hello(self, socket: ClientConnection, **word: Any) -> dict[str, Any]:
        await socket.send(json.dumps({"type": "hello", "token": READ, "topics": ["calls"]} | word))
        return await heard(socket)


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        told: dict[str, Any] = json.loads(await socket.recv())
        return told


@asynccontextmanager
async def served(access: Access | None = None) -> AsyncIterator[Served]:
    made = Served(access)
    await made.server.start()
    try:
        yield made
    finally:
        made.feed.stop()
        await made.server.close()


def fill(at: Served, n: int) -> None:
    """All of 400 calls change, and there is much to tell of each."""
    at.node.live = {f"c{number}": call_view(f"c{number}", contact=f"{n:01000}") for number in range(400)}
    for call in at.node.live:
        at.feed.notice(CallHeld(at=T0, call=call, by=Side.AGENT))


def run(story: Callable[[Served], Awaitable[None]], access: Access | None = None) -> None:
    async def told() -> None:
        async with served(access) as made:
            await story(made)

    asyncio.run(told())


def test_a_websocket_has_a_snapshot_then_deltas_and_goes_on_after_a_gap() -> None:
    async def story(at: Served) -> None:
        async with connect(f"ws://{at.url}", subprotocols=[PROTOCOL]) as socket:  # type: ignore[list-item]
            assert socket.subprotocol == PROTOCOL
            snapshot = await at.hello(socket)
            assert sorted(snapshot["topics"]["calls"]) == ["c1", "c2"] and list(snapshot["topics"]) == [
                "calls"
            ]
            at.happens(state="held")
            delta = await heard(socket)
            assert delta["changes"] == [
                {"op": "patch", "topic": "calls", "id": "c1", "value": {"state": "held"}}
            ]
            assert delta["after"] == snapshot["id"]
        at.happens(state="talking")
        async with connect(
            f"ws://{at.url}", additional_headers={"Authorization": f"Bearer {READ}"}
        ) as socket:
            again = await at.hello(socket, token="", since=delta["id"])
            while again["changes"] == []:  # what happened is not told yet
                again = await heard(socket)
            assert again["changes"][0]["value"] == {"state": "talking"}

    run(story)


def test_a_subscription_is_changed_by_a_word_and_begins_anew() -> None:
    async def story(at: Served) -> None:
        async with connect(f"ws://{at.url}") as socket:
            await at.hello(socket)
            word = {"type": "subscribe", "topics": ["calls", "agents"], "teams": ["north"]}
            await socket.send(json.dumps(word))
            topics = (await heard(socket))["topics"]
            assert {topic: sorted(items) for topic, items in topics.items()} == {
                "calls": ["c1"],
                "agents": ["alice"],
            }

    run(story)


WORDS: list[tuple[Any, int]] = [
    ({"type": "hello", "token": "nobodys-token-0123456789"}, 4401),
    ({"type": "hello", "token": STALE}, 4401),
    ({"type": "hello", "token": "site-token-0123456789"}, 4401),
    ({"type": "hello"}, 4401),
    ({"type": "subscribe"}, 1008),
    ({"type": "hello", "token": READ, "topics": ["weather"]}, 1008),
    ({"type": "hello", "token": READ, "more": 1}, 1008),
    ("{", 1008),
    (b"\x00", 1008),
    ("x" * 10_000, 1008),
]


def test_who_may_not_read_or_says_something_strange_is_sent_away() -> None:
    async def story(at: Served) -> None:
        for word, code in WORDS:
            async with connect(f"ws://{at.url}") as socket:
                await socket.send(json.dumps(word) if isinstance(word, dict) else word)
                with pytest.raises(ConnectionClosed) as closed:
                    await heard(socket)
                assert closed.value.rcvd is not None and closed.value.rcvd.code == code, word
                assert at.feed.hub.readers == 0

    run(story)


def test_a_page_of_another_origin_is_not_let_in_and_one_that_is_named_is() -> None:
    async def story(at: Served) -> None:
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{at.url}", origin="https://evil.example")  # type: ignore[arg-type]
        set_settings(at.app, replace(at.settings, live_origins=frozenset({"https://board.example"})))
        async with connect(f"ws://{at.url}", origin="https://board.example") as socket:  # type: ignore[arg-type]
            await at.hello(socket)

    run(story)


def test_a_token_that_is_taken_away_ends_what_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_live, "CHECK_S", 0.02)

    async def story(at: Served) -> None:
        async with connect(f"ws://{at.url}") as socket:
            await at.hello(socket)
            set_settings(at.app, replace(at.settings, tokens=()))
            with pytest.raises(ConnectionClosed) as closed:
                await heard(socket)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401

    run(story)


def test_a_client_that_takes_nothing_is_resynced_and_cut_while_the_others_go_on() -> None:
    async def story(at: Served) -> None:
        at.feed.hub._stall_s = 0.5
        fill(at, 0)
        stalled = await connect(f"ws://{at.url}", max_queue=1)
        await stalled.send(json.dumps({"type": "hello", "token": READ, "topics": ["calls"]}))
        async with connect(f"ws://{at.url}", max_size=None) as socket:
            await at.hello(socket)
            async with asyncio.timeout(20):
                while at.feed.hub.cuts == 0:
                    fill(at, at.feed.hub.tree.seq + 1)
                    await heard(socket)
            assert at.feed.hub.readers == 1
        stalled.transport.abort()

    run(story)


def test_what_is_told_follows_from_a_tokens_permissions() -> None:
    async def story(at: Served) -> None:
        for secret, number in ((READ, "+49*****456"), (WRITE, "+4930123456")):
            async with connect(f"ws://{at.url}") as socket:
                calls = (await at.hello(socket, token=secret))["topics"]["calls"]
                assert calls["c1"]["customer"] == number

    run(story)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        yield made


def session(stand: Stand, name: str, role: Role, **limits: Any) -> str:
    """The cookie of somebody who signed in."""
    opened = asyncio.run(stand.desk.open(stand.user(name, role, **limits), How.PASSWORD, "192.0.2.7"))
    return f"{COOKIE}={opened.secret}"


def test_people_who_signed_in_see_what_is_theirs_and_the_audit_log_knows(stand: Stand) -> None:
    maria = session(stand, "maria", Role.SUPERVISOR, markets=("de",))
    agent = session(stand, "ann", Role.AGENT)

    async def story(at: Served) -> None:
        at.node.live["u1"] = call_view("u1", market="us", queue="sales", agent="carol")
        own = f"http://127.0.0.1:{at.server.port}"
        for cookie, topics, calls in ((maria, ["calls"], ["c1", "c2"]), (agent, ["calls", "agents"], [])):
            async with connect(
                f"ws://{at.url}",
                origin=own,  # type: ignore[arg-type]
                additional_headers={"Cookie": cookie},
            ) as socket:
                snapshot = await at.hello(socket, token="", topics=topics)
                assert sorted(snapshot["topics"]["calls"]) == calls
        async with connect(f"ws://{at.url}", additional_headers={"Cookie": maria}) as socket:
            with pytest.raises(ConnectionClosed) as closed:  # of no page: its origin is not told
                await at.hello(socket, token="")
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401

    run(story, stand.access)
    told = [(who, what) for who, what, _ in stand.told() if what == "watch_live"]
    assert told == [("maria", "watch_live")]


def test_nothing_personal_is_told_while_the_audit_log_takes_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(entry: object) -> None:
        raise AuditUnavailable("the log takes nothing")

    monkeypatch.setattr(stand.audit, "keep", full)

    async def story(at: Served) -> None:
        async with connect(f"ws://{at.url}") as socket:
            await at.hello(socket)  # masked
        async with connect(f"ws://{at.url}") as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await at.hello(socket, token=WRITE)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {WRITE}"}) as client:
            assert (await client.get(f"http://{at.url}?topics=calls")).status_code == 503
        assert at.feed.hub.readers == 0

    run(story, stand.access)
    monkeypatch.undo()


# --- server-sent events -------------------------------------------------------------------------------------


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    event: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            yield event
            event = {}


def test_server_sent_events_have_ids_to_go_on_from() -> None:
    async def story(at: Served) -> None:
        headers = {"Authorization": f"Bearer {READ}"}
        async with asyncio.timeout(5), httpx.AsyncClient(headers=headers) as client:
            url = f"http://{at.url}?topics=calls&queues=support"
            async with client.stream("GET", url) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                assert answer.headers["cache-control"] == "no-store"
                told = events(answer)
                first = await anext(told)
                assert first["event"] == "snapshot" and len(json.loads(first["data"])["topics"]["calls"]) == 2
                at.happens(state="held")
                second = await anext(told)
                assert second["event"] == "delta"
            async with client.stream("GET", url, headers={"Last-Event-ID": second["id"]}) as answer:
                again = await anext(events(answer))
                assert again["event"] == "delta" and json.loads(again["data"])["changes"] == []
            while at.feed.hub.readers:  # who hung up reads no more
                await asyncio.sleep(0)

    run(story)


KNOWN = {"Authorization": f"Bearer {READ}"}
REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("", {}, 401),
    ("", {"Authorization": "Bearer site-token-0123456789"}, 403),
    ("?topics=weather", KNOWN, 422),
    ("?token=x", KNOWN, 422),
    ("?queues=" + "x" * 100, KNOWN, 422),
]


def test_a_stream_is_refused_as_problem_details() -> None:
    async def story(at: Served) -> None:
        at.feed.hub.most = 0
        async with httpx.AsyncClient() as client:
            for query, headers, status in REFUSED:
                answer = await client.get(f"http://{at.url}{query}", headers=headers)
                assert (answer.status_code, answer.json()["status"]) == (status, status)
            full = await client.get(f"http://{at.url}", headers=KNOWN)
            assert (full.status_code, full.headers["retry-after"]) == (503, "5")

    run(story)
