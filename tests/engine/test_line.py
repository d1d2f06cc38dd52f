"""What a caller's page is told of its call beside the sound, and that it may rate it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from engine import tokens
from engine.api.app import create_app
from engine.api.line_words import PROTOCOL
from engine.api.routes.lines import LINE
from engine.api.settings import Callers
from engine.caller_line import Lines
from engine.events import CallRated, Event
from engine.tokens import Claims
from engine.views import IllegalState, LineView, UnknownCall
from tests.engine.api_node import SETTINGS, Node
from tests.sim.stage import Stage

KEY = "a key that callers' tokens are signed with"


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def client(node: Node) -> Iterator[TestClient]:
    settings = replace(SETTINGS, callers=Callers(keys={"k": KEY}, key="k"))
    with TestClient(create_app(node, settings)) as opened:
        yield opened


def token(id: str = "token-0001") -> str:
    now = time.time()
    return tokens.sign(Claims(id, "support", now, now + 60), "k", KEY)


def say(socket: WebSocketTestSession, kind: str, **fields: Any) -> dict[str, Any]:
    """Say it; the next message that comes."""
    socket.send_text(json.dumps({"type": kind, **fields}))
    answer: dict[str, Any] = json.loads(socket.receive_text())
    return answer


def test_a_caller_is_told_her_place_and_her_rating_is_taken(client: TestClient, node: Node) -> None:
    node.lines["token-0001"] = LineView(
        call="c1", state="queued", position=2, wait_s=90.0, held=False, talk_s=0.0
    )
    with client.websocket_connect(LINE, [PROTOCOL]) as socket:
        told = say(socket, "token", token=token())
        assert (told["type"], told["call"]["position"], told["call"]["wait_s"]) == ("call", 2, 90.0)
        del node.lines["token-0001"]
        assert say(socket, "rate", re=4, stars=5, comment="kind") == {"type": "done", "re": 4}
        assert json.loads(socket.receive_text())["call"]["state"] == "ended"
        assert say(socket, "rate", re=5, stars=6)["code"] == "malformed"
        assert say(socket, "token", re=6, token=token())["code"] == "illegal-state"
    assert node.rated == [("token-0001", 5, "kind")]


@pytest.mark.parametrize(
    "word",
    [{"type": "token", "token": "none of ours"}, {"type": "rate", "stars": 1}, {"type": "token"}, {}],
    ids=["forged", "another word", "no token", "nothing"],
)
def test_who_has_no_good_token_is_told_nothing(client: TestClient, word: dict[str, Any]) -> None:
    with client.websocket_connect(LINE, [PROTOCOL]) as socket:
        socket.send_text(json.dumps(word))
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()
    assert end.value.code in (1008, 4401)


def test_a_page_of_another_site_is_turned_away(client: TestClient) -> None:
    headers = {"origin": "https://evil.example.net"}
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LINE, [PROTOCOL], headers=headers):
        pass


# --- of real calls --------------------------------------------------------------------------------------


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_call_is_followed_through_the_queue_to_the_talk_and_rated_once_after_it(stage: Stage) -> None:
    woken: list[None] = []
    noted: list[Event] = []
    switch = stage.house.switch
    lines = Lines(switch)
    lines.open("token", lambda: woken.append(None))
    stage.agent.answers = False
    customer = stage.customer()
    stage.run(4.0)
    lines.began("token", stage.call.id)

    def seen() -> LineView:
        line = lines.look("token", stage.world.now)
        assert line is not None
        return line

    assert (seen().state, seen().position, seen().held) == ("offered", 1, False)
    assert woken
    stage.agent.answers = True
    assert stage.agent.session is not None
    stage.agent.pick_up(stage.agent.session)
    stage.agent.host.pump()
    stage.run(3.0)
    assert (seen().state, seen().position, seen().talk_s > 0) == ("talking", None, True)
    stage.agent.hold()
    stage.run(0.5)
    assert seen().held
    call = stage.call.id
    assert customer.session is not None
    customer.session.hangup(None, now=stage.world.now)
    customer.host.pump()
    stage.run(3.0)
    assert lines.look("token", stage.world.now) is None
    switch.journal = type("Kept", (), {"append": lambda self, event: noted.append(event)})()
    lines.rate("token", 4, "", stage.world.now)
    (rated,) = noted
    assert isinstance(rated, CallRated) and (rated.call, rated.stars) == (call, 4)
    with pytest.raises(IllegalState):
        lines.rate("token", 1, "", stage.world.now)
    with pytest.raises(UnknownCall):
        lines.rate("another", 1, "", stage.world.now)
