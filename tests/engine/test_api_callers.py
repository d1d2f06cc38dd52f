"""Callers at the API: tokens, origins, limits, and what WHIP looks like from outside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from config.callers import CallerSettings
from config.ice import IceServer
from config.secret import Secret
from config.service import ApiRole, ApiSettings, ApiToken
from engine import ice
from engine.access.role import Permission
from engine.api.app import create_app
from engine.api.settings import Callers, Settings, configured, token
from engine.ice import Told
from engine.tokens import Claims, read, sign
from engine.whip import GONE, Answered, Outcome, Refused, Sought
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused

KEY = "k" * 40
SITE = "site-token-0123456789"
PAGE = "https://www.example.com"
CALLERS = Callers(
    keys={"k1": KEY},
    key="k1",
    origins=frozenset({PAGE}),
    per_source_min=50,
    per_token_min=20,
    next_nodes=("https://b.example.com",),
)
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
SESSION = "0" * 32
TURN = IceServer(urls=("turn:turn.example.com",), username="us", credential=Secret("test", "pass"))


class Desk:
    """Answers as it is told to; keeps what it was asked."""

    relayed = True

    def __init__(self) -> None:
        self.outcome: Outcome = Answered(SESSION, "v1", "v=0\r\n", "call-1", False)
        self.gone = False
        self.asked: list[Any] = []

    async def call(self, claims: Claims, offer: str, resuming: bool = False) -> Outcome:
        self.asked.append((claims.id, offer))
        return self.outcome

    async def patch(self, session: str, token: str, fragment: str, if_match: str | None) -> Outcome:
        self.asked.append((session, token, fragment, if_match))
        return self.outcome

    async def hang_up(self, session: str, token: str) -> Refused | None:
        self.asked.append((session, token))
        return GONE if self.gone else None

    def lasts(self, token: str) -> bool:
        return False

    def reaches(self, destination: str) -> bool:
        return destination == "support"

    def servers(self, whose: str, now: float) -> Sequence[Told]:
        return ice.told([TURN], whose, now)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def app(desk: Desk | None, callers: Callers = CALLERS) -> FastAPI:
    site = token("shop", SITE, Permission.CALLERS)
    return create_app(Node(), replace(SETTINGS, tokens=(*SETTINGS.tokens, site), callers=callers), desk)


@pytest.fixture
def ask(desk: Desk) -> Client:
    return Client(app(desk))


def made(id: str = "visitor-1", destination: str = "support", life: float = 60.0) -> str:
    now = time.time()
    return sign(Claims(id, destination, now, now + life), "k1", KEY)


def post(ask: Client, **more: Any) -> Any:
    given = {"token": made(), "content": "v=0", "headers": SDP, **more}
    return ask("POST", "/whip/support", **given)


# --- tokens -----------------------------------------------------------------------------------------------


def test_a_site_has_a_token_made_that_says_what_it_wished(ask: Client) -> None:
    wish = {"destination": "support", "language": "es", "name": "Ana", "customer": "c-1", "expires_in_s": 60}
    answer = ask("POST", "/v1/callers/tokens", SITE, json=wish)
    assert answer.status_code == 201
    told = answer.json()
    claims = read(told["token"], {"k1": KEY}, time.time(), 300)
    said = (claims.destination, claims.language, claims.name, claims.customer)
    assert said == ("support", "es", "Ana", "c-1")
    assert claims.expires - claims.begins == 60
    assert (told["url"], told["ice_transport_policy"]) == ("/whip/support", "relay")
    (server,) = told["ice_servers"]
    assert server == {"urls": ["turn:turn.example.com"], "username": "us", "credential": "pass"}


def test_no_token_lives_longer_than_it_may(ask: Client) -> None:
    wish = {"destination": "support", "expires_in_s": 86_400}
    told = ask("POST", "/v1/callers/tokens", SITE, json=wish).json()
    claims = read(told["token"], {"k1": KEY}, time.time(), 300)
    assert claims.expires - claims.begins == CALLERS.token_s


def test_a_token_is_made_once_by_a_key(ask: Client) -> None:
    wish, key = {"destination": "support"}, {"Idempotency-Key": "7f1c"}
    first, again = (ask("POST", "/v1/callers/tokens", SITE, json=wish, headers=key) for _ in range(2))
    assert first.status_code == 201 and first.json() == again.json()
    assert ask("POST", "/v1/callers/tokens", SITE, json=wish).json()["token"] != first.json()["token"]


def test_tokens_are_made_for_sites_alone_and_where_anyone_may_call(ask: Client, desk: Desk) -> None:
    wish = {"destination": "support"}
    refused(ask("POST", "/v1/callers/tokens", None, json=wish), 401, "unauthorized")
    refused(ask("POST", "/v1/callers/tokens", WRITE, json=wish), 403, "forbidden")
    elsewhere = ask("POST", "/v1/callers/tokens", SITE, json={"destination": "boss"})
    refused(elsewhere, 404, "unknown-destination")
    unsigned = Client(app(desk, replace(CALLERS, key=None)))
    refused(unsigned("POST", "/v1/callers/tokens", SITE, json=wish), 409, "illegal-state")
    refused(ask("GET", "/v1/calls", SITE), 403, "forbidden")


def test_roles_and_keys_are_as_configured() -> None:
    held = {"shop": ApiToken(token=Secret("test", SITE), role=ApiRole.SITE)}
    callers = CallerSettings(keys={"k1": Secret("test", KEY)}, key="k1", origins=(PAGE,))
    settings: Settings = configured(ApiSettings(tokens=held, callers=callers))
    assert settings.tokens[0].permissions == {Permission.CALLERS}
    assert (settings.callers.keys, settings.callers.origins) == ({"k1": KEY}, {PAGE})
    with pytest.raises(ValueError, match="'k1' is too short"):
        configured(ApiSettings(callers=CallerSettings(keys={"k1": Secret("test", "short")})))


# --- WHIP -------------------------------------------------------------------------------------------------


def test_an_offer_is_answered_with_where_it_goes_on(ask: Client, desk: Desk) -> None:
    answer = post(ask)
    assert (answer.status_code, answer.text) == (201, "v=0\r\n")
    assert answer.headers["content-type"] == "application/sdp"
    assert answer.headers["location"] == f"/whip/support/{SESSION}"
    assert (answer.headers["etag"], answer.headers["isogloss-call"]) == ('"v1"', "call-1")
    assert answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
    relay, onward = answer.headers.get_list("link")
    assert relay == next(ice.told([TURN], "", 0.0)[0].links())
    assert onward == '<https://b.example.com/whip/support>; rel="next"'
    assert "isogloss-resumed" not in answer.headers and desk.asked == [("visitor-1", "v=0")]


def test_who_comes_back_is_told_so(ask: Client, desk: Desk) -> None:
    desk.outcome = Answered(SESSION, "v2", "v=0\r\n", "call-1", True)
    assert post(ask).headers["isogloss-resumed"] == "true"


def test_candidates_restarts_and_hanging_up(ask: Client, desk: Desk) -> None:
    at, token = f"/whip/support/{SESSION}", made()
    desk.outcome = Sought()
    headers = {**FRAGMENT, "If-Match": '"v1"'}
    assert ask("PATCH", at, token, content="a=x", headers=headers).status_code == 204
    assert desk.asked == [(SESSION, "visitor-1", "a=x", '"v1"')]
    desk.outcome = Sought("v2", "a=ice-ufrag:y")
    answer = ask("PATCH", at, token, content="a=x", headers={**FRAGMENT, "If-Match": "*"})
    assert (answer.status_code, answer.text, answer.headers["etag"]) == (200, "a=ice-ufrag:y", '"v2"')
    assert answer.headers["content-type"] == FRAGMENT["Content-Type"]
    assert ask("DELETE", at, token).status_code == 200
    desk.gone = True
    refused(ask("DELETE", at, token), 404, "unknown-session")


@pytest.mark.parametrize(
    ("more", "status", "name"),
    [
        ({"token": None}, 401, "unauthorized"),
        ({"token": "nonsense"}, 401, "unauthorized"),
        ({"token": WRITE}, 401, "unauthorized"),
        ({"token": made(life=301)}, 401, "unauthorized"),
        ({"token": made(destination="sales")}, 403, "wrong-destination"),
        ({"headers": {**SDP, "Origin": "https://evil.example"}}, 403, "foreign-origin"),
        ({"headers": {**SDP, "Origin": "null"}}, 403, "foreign-origin"),
        ({"headers": {"Content-Type": "text/plain"}}, 415, "unsupported-media-type"),
        ({"content": b"\xff\xfe"}, 400, "malformed-offer"),
        ({"content": "v=0" * 30_000}, 413, "too-large"),
    ],
)
def test_what_is_refused_never_reaches_the_switch(
    ask: Client, desk: Desk, more: dict[str, Any], status: int, name: str
) -> None:
    refused(post(ask, **more), status, name)
    assert not desk.asked


def test_refusals_of_the_switch_are_problems_and_say_where_else_to_go(ask: Client, desk: Desk) -> None:
    desk.outcome = Refused(503, "draining", "this node stops", 5)
    answer = post(ask)
    problem = refused(answer, 503, "draining")
    assert problem["next"] == "https://b.example.com/whip/support" and answer.headers["retry-after"] == "5"
    desk.outcome = Refused(401, "unauthorized", "the token has expired")
    assert "invalid_token" in post(ask).headers["www-authenticate"]
    desk.outcome = Refused(406, "not-acceptable", "no codec")
    assert "next" not in refused(post(ask), 406, "not-acceptable")


def test_pages_of_allowed_origins_may_read_answers_and_refusals(ask: Client, desk: Desk) -> None:
    page = {"Origin": PAGE}
    for answer in (post(ask, headers={**SDP, **page}), post(ask, token=None, headers={**SDP, **page})):
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "Location" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
    large = post(ask, headers={**SDP, **page}, content="v=0" * 30_000)
    assert large.status_code == 413 and large.headers["access-control-allow-origin"] == PAGE
    own = post(ask, headers={**SDP, "Origin": "http://node"})
    assert own.status_code == 201, "a page of the node itself"


def test_browsers_that_ask_before_are_told_what_is_allowed(ask: Client) -> None:
    page = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    answer = ask("OPTIONS", "/whip/support", None, headers=page)
    assert answer.status_code == 204 and "Authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == PAGE and "link" not in answer.headers
    assert answer.headers["accept-post"] == "application/sdp"
    within = ask("OPTIONS", f"/whip/support/{SESSION}", None, headers=page)
    assert "DELETE" in within.headers["access-control-allow-methods"]
    assert "turn:" in ask("OPTIONS", "/whip/support", made()).headers["link"]
    stranger = {"Origin": "https://evil.example"}
    refused(ask("OPTIONS", "/whip/support", None, headers=stranger), 403, "foreign-origin")


def test_who_asks_too_often_waits(desk: Desk) -> None:
    few = Client(app(desk, replace(CALLERS, per_source_min=50, per_token_min=3)))
    for _ in range(3):
        assert post(few).status_code == 201
    answer = post(few)
    refused(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert post(few, token=made("visitor-2")).status_code == 201
    fewer = Client(app(desk, replace(CALLERS, per_source_min=2)))
    for _ in range(2):
        refused(post(fewer, token="guess"), 401, "unauthorized")
    refused(post(fewer), 429, "too-many-requests")


def test_where_no_keys_are_nobody_calls(desk: Desk) -> None:
    closed = Client(app(desk, Callers()))
    refused(post(closed, token="guess"), 404, "unknown-destination")
    made_here = closed("POST", "/v1/callers/tokens", SITE, json={"destination": "support"})
    refused(made_here, 404, "unknown-destination")
