"""The agent page's WebSocket: who gets in, what a page is told, what it may ask, and what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from engine.access.chain import Row
from engine.api import desk_words
from engine.api.app import create_app
from engine.api.conversation import GONE
from engine.api.desk_cards import LASTS_S
from engine.api.desk_words import PROTOCOL, Malformed
from engine.judging import Judging
from engine.scorecards import Scorecard
from engine.signin import ALGORITHM, COUNT, METHOD, URI
from engine.views import Caption, IllegalState, LegSide
from sip.digest import Exchange, make_ha1
from tests.engine.access.stand import Stand, standing
from tests.engine.api_node import HELP, READ, SETTINGS, WRITE, Node, desk_call
from tests.engine.card_samples import FORM, GOOD
from tests.engine.console.busy import RECORDING
from tests.engine.store_samples import T0, record

CNONCE = "0123456789abcdef"


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def app(node: Node) -> FastAPI:
    return create_app(node, SETTINGS)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="https://node.example.com") as opened:
        yield opened


class Page:
    """An agent's page."""

    def __init__(self, client: TestClient, **headers: str) -> None:
        self._open = client.websocket_connect(URI, subprotocols=[PROTOCOL], headers=headers)

    def __enter__(self) -> Page:
        self.socket: WebSocketTestSession = self._open.__enter__()
        return self

    def __exit__(self, *fault: Any) -> None:
        self._open.__exit__(*fault)

    def hear(self, kind: str = "") -> dict[str, Any]:
        """The next message, of this kind."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.receive_text())
            if kind in ("", message["type"]):
                return message

    def say(self, kind: str, **fields: Any) -> None:
        self.socket.send_text(json.dumps({"type": kind, **fields}))

    def sign_in(self, agent: str = "alice", password: str = "secret of alice") -> None:
        asked = self.hear()
        exchange = Exchange(ALGORITHM, False, asked["nonce"], URI, METHOD, "auth", COUNT, CNONCE)
        response = exchange.response(make_ha1(ALGORITHM, agent, asked["realm"], password))
        self.say("sign_in", agent=agent, cnonce=CNONCE, response=response)

    def closed(self) -> int:
        """The code that the node ends it with."""
        try:
            while True:
                self.socket.receive_text()
        except WebSocketDisconnect as end:
            return end.code


@pytest.fixture
def page(client: TestClient) -> Iterator[Page]:
    """Signed in as alice, and told her desk."""
    with Page(client) as opened:
        opened.sign_in()
        assert opened.hear()["type"] == "welcome"
        assert opened.hear()["type"] == "desk"
        yield opened


def test_an_agent_signs_in_with_her_phones_password_and_is_told_her_desk(client: TestClient) -> None:
    with Page(client) as page:
        page.sign_in()
        welcome = page.hear()
        assert welcome["phone"] == {"domain": "example.com", "scheme": "wss", "port": 7443}
        assert (welcome["outcomes"], welcome["reasons"]) == (["resolved", "other"], ["lunch"])
        (server,) = welcome["ice"]["servers"]
        assert (welcome["ice"]["policy"], server["username"]) == ("relay", "1:alice")
        desk = page.hear()["desk"]
        assert (desk["agent"], desk["state"], desk["queues"][0]["waiting"]) == ("alice", "talking", 1)


def test_passwords_of_relays_are_told_anew_before_they_expire(client: TestClient, node: Node) -> None:
    node.renewed_s = 0.0
    with Page(client) as page:
        page.sign_in()
        assert [page.hear()["type"] for _ in range(3)] == ["welcome", "welcome", "desk"]


@pytest.mark.parametrize(("agent", "password"), [("alice", "wrong"), ("nobody", "secret of alice")])
def test_who_does_not_know_the_password_is_not_let_in(client: TestClient, agent: str, password: str) -> None:
    with Page(client) as page:
        page.sign_in(agent, password)
        assert page.closed() == 4401


def test_guesses_are_slowed_and_blocked_as_on_the_phone(client: TestClient, node: Node) -> None:
    node.sign_in._guard.policy = replace(node.sign_in._guard.policy, first_delay=0.0, block_after=3)
    for _ in range(3):
        with Page(client) as page:
            page.sign_in(password="guessed")
            assert page.closed() == 4401
    with pytest.raises(WebSocketDisconnect), Page(client) as page:
        page.hear()


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example.net"}, {"sec-websocket-protocol": "sip"}],
    ids=lambda h: next(iter(h)),
)
def test_pages_of_other_sites_and_other_protocols_are_turned_away(
    client: TestClient, headers: dict[str, str]
) -> None:
    protocols = [] if "sec-websocket-protocol" in headers else [PROTOCOL]
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(URI, protocols, headers=headers):
        pass


def test_a_page_of_the_node_itself_is_let_in(client: TestClient) -> None:
    with Page(client, origin="https://testserver") as page:
        assert page.hear()["type"] == "challenge"


@pytest.mark.parametrize(
    ("word", "fields"),
    [("state", {"state": "paused"}), ("wrap_up", {"call": "c1"})],
    ids=["state", "wrap_up"],
)
def test_nothing_is_done_for_who_has_not_signed_in(
    client: TestClient, node: Node, word: str, fields: dict[str, str]
) -> None:
    with Page(client) as page:
        page.hear()
        page.say(word, **fields)
        assert page.closed() == 1008
    assert not node.asked


def test_a_state_is_asked_for_with_its_reason_and_seen_at_once(page: Page, node: Node) -> None:
    page.say("state", re=7, state="paused", reason="lunch")
    assert page.hear() == {"type": "done", "re": 7}
    assert page.hear("desk")["desk"]["reason"] == "lunch"
    assert node.asked == [("alice", "paused", "lunch")]


def test_what_cannot_be_is_refused_with_the_remedy(page: Page) -> None:
    page.say("state", re=8, state="wrap_up_over")
    refused = page.hear()
    assert (refused["re"], refused["code"]) == (8, "illegal-state")
    assert "ask for available instead" in refused["detail"]


def test_outcome_and_notes_of_a_call_are_kept(page: Page, node: Node) -> None:
    page.say("wrap_up", re=1, call="c1", outcome="resolved", notes="paid twice; refunded")
    assert page.hear()["type"] == "done"
    assert node.wrapped == [("alice", "c1", "resolved", "paid twice; refunded")]
    page.say("wrap_up", re=2, call="c9", outcome="resolved")
    assert page.hear()["code"] == "unknown"


def test_how_each_side_hears_the_other_is_chosen_in_calls_of_hers_alone(page: Page, node: Node) -> None:
    node.hers = (desk_call("c1"), desk_call("c2"))
    page.say("interpret", re=1, call="c1", side="customer", voice="instead")
    assert page.hear("done")["re"] == 1
    assert node.interpreters == {("c1", LegSide.CUSTOMER): "instead"}
    page.say("interpret", re=2, call="c2", side="agent", voice="over")  # nobody talks in it
    refused = page.hear("refused")
    assert (refused["code"], refused["detail"]) == ("illegal-state", "the two do not talk")
    page.say("interpret", re=3, call="c9", side="agent", voice="off")
    assert page.hear("refused")["code"] == "unknown"


def test_a_supervisors_words_and_captions_are_shown_as_they_come(
    page: Page, client: TestClient, node: Node
) -> None:
    said = Caption(
        call="c1", side=LegSide.CUSTOMER, line=1, at=T0, text="Hola", language="es", translation="Hello"
    )
    node.watches[0].notes.append(said)
    told = client.post(
        "/v1/agents/alice/notes",
        json={"text": "Offer the refund."},
        headers={"Authorization": f"Bearer {WRITE}"},
    )
    assert (told.status_code, told.json()) == (202, {"pages": 1})
    assert page.hear("caption")["caption"]["translation"] == "Hello"
    assert page.hear("note")["note"] == {"by": "supervisor", "text": "Offer the refund.", "at": T0}


def test_words_to_an_agent_need_a_supervisor_and_a_page(client: TestClient) -> None:
    def say(agent: str, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(f"/v1/agents/{agent}/notes", json={"text": "Hello."}, headers=headers).status_code

    assert (say("alice", READ), say("nobody", WRITE), say("bob", WRITE)) == (403, 404, 409)


def test_the_page_of_an_agent_who_is_no_more_is_closed_for_good(page: Page, node: Node) -> None:
    del node.team["alice"]
    node.watches[0].wake()
    assert page.closed() == GONE


def test_a_page_that_leaves_is_forgotten(client: TestClient, node: Node) -> None:
    with Page(client) as page:
        page.sign_in()
        page.hear("desk")
        assert len(node.watches) == 1
    assert not node.watches


def test_a_desk_is_shown_on_so_many_pages_and_no_more(client: TestClient, page: Page) -> None:
    with Page(client) as second:
        second.sign_in()
        second.hear("desk")
        with Page(client) as third:
            third.sign_in()
            assert third.closed() == 1013


def test_a_page_that_says_too_much_is_hung_up_on(page: Page) -> None:
    for _ in range(60):
        page.say("state", state="available")
    assert page.closed() == 1008


ODD = [
    "",
    "nonsense",
    "[]",
    "null",
    '{"type": "open_the_door"}',
    '{"type": "state"}',
    '{"type": "state", "state": "asleep"}',
    '{"type": "state", "state": "paused", "reason": 5}',
    '{"type": "state", "state": "paused", "more": 1}',
    '{"type": "state", "state": "paused", "reason": "a\\nb"}',
    '{"type": "wrap_up", "call": "c1", "notes": "%s"}' % ("x" * 4001),
    '{"type": "wrap_up", "call": "\\ud800"}',
    '{"type": "interpret", "call": "c1", "side": "agent", "voice": "loud"}',
    "[" * 9000,
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_what_is_no_message_is_answered_with_what_is_wrong(page: Page, text: str) -> None:
    page.socket.send_text(text)
    refused = page.hear()
    assert (refused["type"], refused["code"]) == ("refused", "malformed") and refused["detail"]
    page.say("state", re=3, state="available")
    assert page.hear("done")["re"] == 3


def test_no_mutation_of_a_message_raises_anything_else() -> None:
    rng = Random(4)
    whole = (
        '{"type": "wrap_up", "re": 12, "call": "c1", "outcome": "résolu", "notes": "\\u6587", "over": true}'
    )
    for _ in range(2000):
        text = list(whole)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 3)] = rng.choice(
                ['"', "{", "}", "\\", "\x00", "\ud800", "9" * 30, ":", ""]
            )
            text = text or [" "]
        try:
            desk_words.read("".join(text))
        except Malformed:
            pass


def test_help_comes_as_soon_as_it_is_there(page: Page, node: Node) -> None:
    (watch,) = node.watches
    watch.notes.append(HELP)
    watch.wake()
    help = page.hear("help")["help"]
    assert (help["kind"], help["title"], help["language"]) == ("answer", "Where a parcel is", "en")


def test_words_are_looked_up_and_what_is_found_is_told(page: Page) -> None:
    page.say("look_up", re=7, words="parcel")
    assert page.hear("done")["re"] == 7
    told = page.hear("found")
    assert (told["words"], [each["title"] for each in told["found"]]) == ("parcel", ["Where a parcel is"])
    page.say("look_up", re=8, words="nothing")
    assert page.hear("found")["found"] == []
    page.say("look_up", re=9, words="parcel", call="another")
    assert page.hear("refused")["code"] == "unknown"


# --- how her calls were judged -----------------------------------------------------------------------


def judged(node: Node, *, agent: str = "alice", heard: bool = False) -> Scorecard:
    """One of her calls, which has a recording."""
    form = replace(FORM, heard_by_agent=heard)
    node.cards = Judging(node.judged, lambda: {"service": form}, node.record, time.time)
    kept = replace(record("r1", T0), agent=agent, queue="support", recording=RECORDING)
    node.finished = [kept]
    node.sounds = {RECORDING: [b"a sound"]}
    made = node.cards.judge("r1", "service", GOOD, "sue", "Kind and quick.")
    assert made is not None
    return made


def test_she_reads_how_her_calls_were_judged_and_nobody_elses(page: Page, node: Node) -> None:
    judged(node, agent="bruno")
    made = judged(node)
    page.say("judged", re=7)
    assert page.hear("done")["re"] == 7
    (card,) = page.hear("scorecards")["cards"]
    assert (card["id"], card["form"], card["score"]) == (made.id, "Service call", made.score)
    assert (card["by"], card["comment"], card["hears"]) == ("sue", "Kind and quick.", False)
    asked = card["answers"][0]
    assert (asked["ask"], asked["given"]) == ("Did she greet and say her name?", 1)
    page.say("hear", re=8, card=made.id)
    assert page.hear("sound")["sources"] == [], "the form does not let her"
    assert node.shares.of(RECORDING) == []


def test_a_form_may_let_her_hear_the_call_by_a_link_that_ends(
    page: Page, node: Node, client: TestClient
) -> None:
    made = judged(node, heard=True)
    page.say("judged", re=1)
    assert page.hear("scorecards")["cards"][0]["hears"]
    page.say("hear", re=2, card=made.id)
    told = page.hear("sound")
    assert told["card"] == made.id
    (source,) = told["sources"]
    assert client.get(source).content == b"a sound"
    (share,) = node.shares.of(RECORDING)
    assert share.made_by == "alice" and "alice" in share.note
    assert share.expires_at <= share.made_at + LASTS_S and not share.transcript
    page.say("hear", re=3, card="another")
    assert page.hear("sound")["sources"] == []
    node.sounds.clear()
    page.say("judged", re=4)
    assert not page.hear("scorecards")["cards"][0]["hears"], "its file is gone"


def test_a_call_to_which_too_many_links_lead_is_told_not_to_be_heard(page: Page, node: Node) -> None:
    made = judged(node, heard=True)

    def full(*_: object) -> None:
        raise IllegalState("as many links lead there as may")

    node.shares.make = full  # type: ignore[method-assign,assignment]
    page.say("hear", re=1, card=made.id)
    assert page.hear("sound") == {"type": "sound", "card": made.id, "sources": []}


def test_while_the_store_is_away_her_page_is_told_so(page: Page, node: Node) -> None:
    judged(node)
    node.store_answers = False
    page.say("judged", re=1)
    assert page.hear("scorecards") == {"type": "scorecards", "cards": [], "away": True}


def test_which_calls_a_page_has_shown_is_in_the_audit_log(node: Node, tmp_path: Path) -> None:
    node.hers = (desk_call("c1"),)
    with standing(tmp_path) as stand:
        app = create_app(node, SETTINGS, access=stand.access)
        with TestClient(app, base_url="https://node.example.com") as client, Page(client) as page:
            page.sign_in()
            page.hear("desk")
            node.hers = (desk_call("c2"),)
            node.watches[0].wake()
            page.hear("desk")
        rows = [(each.entry.who, each.entry.how, each.entry.what, each.entry.object) for each in _rows(stand)]
    assert rows == [
        ("alice", "phone", "open_desk", "desk"),
        ("alice", "phone", "read_desk", "calls/c1"),
        ("alice", "phone", "read_desk", "calls/c2"),
    ]


def _rows(stand: Stand) -> list[Row]:
    stand.settle()
    return [row for row in stand.trail.rows() if row.entry.who]
