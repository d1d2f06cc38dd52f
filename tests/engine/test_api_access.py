"""Signing in over HTTP, what a session may, who manages whom, and what the audit log says of it all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from engine.access.audit import Audit
from engine.access.desk import csrf_of
from engine.access.errors import AuditUnavailable
from engine.access.oidc import Oidc, Provider
from engine.access.role import PEOPLE_ONLY, Role, granted
from engine.access.vouching import Vouching
from engine.api.app import create_app
from engine.api.identify import COOKIE, identify
from engine.api.problem import Problem
from tests.engine.access.provider import CLIENT, SECRET, IdProvider, serving
from tests.engine.access.stand import PASSWORD, Stand, run, standing
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused

OWN = "http://node"  # the host that tests ask


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        for name, role in (("admin", Role.ADMIN), ("maria", Role.SUPERVISOR), ("ana", Role.AUDITOR)):
            made.user(name, role)
        yield made


@pytest.fixture
def node() -> Node:
    return Node()


APP = create_app(Node(), SETTINGS)  # putting one together takes longer than asking it


@pytest.fixture
def app(stand: Stand, node: Node) -> FastAPI:
    APP.state.view, APP.state.access = node, stand.access
    return APP


@pytest.fixture
def ask(app: FastAPI) -> Client:
    return Client(app)


class Browser:
    """One that signed in: sends its cookie, and with writes what a page of ours would."""

    def __init__(self, ask: Client, name: str, **more: Any) -> None:
        self.ask = ask
        answer = ask("POST", "/v1/session", None, json={"name": name, "password": PASSWORD, **more})
        assert answer.status_code == 200, answer.text
        self.told = answer.json()
        self.cookie = answer.cookies[COOKIE]

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Cookie": f"{COOKIE}={self.cookie}", "Origin": OWN, "X-CSRF-Token": self.told["csrf"]}
        return self.ask(method, path, None, headers=headers | more.pop("headers", {}), **more)


# --- signing in ---------------------------------------------------------------------------------------


def test_who_signs_in_is_told_what_she_may_and_gets_a_cookie_that_no_script_reads(ask: Client) -> None:
    answer = ask("POST", "/v1/session", None, json={"name": "maria", "password": PASSWORD})
    told = answer.json()
    assert (told["who"], told["role"], told["how"]) == ("maria", "supervisor", "password")
    assert "listen" in told["permissions"] and "configure" not in told["permissions"]
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert told["csrf"] not in cookie and PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("base", "forwarded", "secure"),
    [
        ("http://127.0.0.1:8080", "", False),
        ("http://localhost", "", False),
        ("http://pbx.example.com", "", True),
        ("https://localhost", "", True),
    ],
)
def test_the_cookie_goes_in_the_clear_to_the_machine_itself_alone(
    app: FastAPI, base: str, forwarded: str, secure: bool
) -> None:
    async def sign_in() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=base, verify=False) as client:
            return await client.post("/v1/session", json={"name": "maria", "password": PASSWORD})

    assert ("Secure" in asyncio.run(sign_in()).headers["set-cookie"]) is secure


@pytest.mark.parametrize("given", [("maria", "guess"), ("nobody", PASSWORD), ("", "")])
def test_who_does_not_know_the_password_learns_nothing_else(ask: Client, given: tuple[str, str]) -> None:
    answer = ask("POST", "/v1/session", None, json={"name": given[0], "password": given[1]})
    problem = refused(answer, 401, "wrong-credentials")
    assert problem["detail"] == "name, password or code are not right"
    assert "set-cookie" not in answer.headers


def test_a_flood_of_guesses_is_answered_when_to_come_again(ask: Client) -> None:
    wrong = {"name": "maria", "password": "guess"}
    answers = [ask("POST", "/v1/session", None, json=wrong) for _ in range(9)]
    assert [each.status_code for each in answers] == [401] * 6 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_second_factor_is_asked_for_and_taken_once(ask: Client, stand: Stand) -> None:
    browser = Browser(ask, "maria")
    app = pyotp.parse_uri(browser("POST", "/v1/session/totp", json={"password": PASSWORD}).json()["uri"])
    assert isinstance(app, pyotp.TOTP)
    code = app.at(int(stand.wall()))
    assert len(browser("PUT", "/v1/session/totp", json={"code": code}).json()["codes"]) == 10
    wish = {"name": "maria", "password": PASSWORD}
    refused(ask("POST", "/v1/session", None, json=wish), 401, "code-wanted")
    refused(ask("POST", "/v1/session", None, json={**wish, "code": code}), 401, "wrong-credentials")
    stand.later(30)
    again = Browser(ask, "maria", code=app.at(int(stand.wall())))
    stand.later(30)
    answer = again("POST", "/v1/session/totp/removal", json={"code": app.at(int(stand.wall()))})
    assert answer.status_code == 204
    Browser(ask, "maria")


def test_a_session_that_an_attacker_planted_is_never_taken_up(ask: Client, stand: Stand) -> None:
    planted = "A" * 43
    answer = ask(
        "POST",
        "/v1/session",
        None,
        json={"name": "maria", "password": PASSWORD},
        headers={"Cookie": f"{COOKIE}={planted}"},
    )
    assert answer.cookies[COOKIE] != planted
    refused(ask("GET", "/v1/session", None, headers={"Cookie": f"{COOKIE}={planted}"}), 401, "unauthorized")


def test_signing_in_anew_ends_what_the_browser_had_before(ask: Client) -> None:
    first = Browser(ask, "maria")
    headers = {"Cookie": f"{COOKIE}={first.cookie}"}
    ask("POST", "/v1/session", None, json={"name": "ana", "password": PASSWORD}, headers=headers)
    refused(first("GET", "/v1/session"), 401, "unauthorized")


def test_no_page_of_others_signs_anybody_in(ask: Client) -> None:
    wish = {"name": "maria", "password": PASSWORD}
    answer = ask("POST", "/v1/session", None, json=wish, headers={"Origin": "https://evil.example.com"})
    refused(answer, 403, "foreign-origin")


def test_signing_out_ends_the_session(ask: Client) -> None:
    browser = Browser(ask, "maria")
    assert browser("GET", "/v1/session").json()["csrf"] == browser.told["csrf"]
    answer = browser("DELETE", "/v1/session")
    assert answer.status_code == 204 and 'isogloss_session=""' in answer.headers["set-cookie"]
    refused(browser("GET", "/v1/session"), 401, "unauthorized")


def test_a_new_password_ends_the_session_and_lets_in(ask: Client) -> None:
    browser = Browser(ask, "maria")
    new = "another horse staple"
    refused(
        browser("PUT", "/v1/session/password", json={"old": PASSWORD, "new": "short"}), 422, "weak-password"
    )
    assert browser("PUT", "/v1/session/password", json={"old": PASSWORD, "new": new}).status_code == 204
    refused(browser("GET", "/v1/session"), 401, "unauthorized")
    Browser(ask, "maria", password=new)


def test_the_provider_leads_there_and_back_and_what_came_with_it_stays_with_the_browser(
    app: FastAPI, stand: Stand
) -> None:
    async def there_and_back() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        provider = IdProvider(stand.wall)
        async with serving(provider):
            given = Provider(provider.issuer, CLIENT, SECRET, OWN, roles={"leads": Role.SUPERVISOR})
            vouching = Vouching(stand.desk, Oidc(given, wall=stand.wall, clock=stand.clock))
            provider.claims["preferred_username"] = "vera"
            app.state.access = replace(stand.access, vouching=vouching)
            node = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=OWN)
            async with node, httpx.AsyncClient(verify=False) as outside:
                left = await node.get("/v1/session/oidc?next=/console/calls")
                back = (await outside.get(left.headers["location"])).headers["location"]
                kept = left.cookies["isogloss_oidc"]
                stolen = await node.get(back.removeprefix(OWN), headers={"Cookie": ""})
                found = await node.get(back.removeprefix(OWN), headers={"Cookie": f"isogloss_oidc={kept}"})
                return left, stolen, found

    left, stolen, found = run(there_and_back())
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/v1/session/oidc"} <= set(
        left.headers["set-cookie"].split("; ")
    )
    assert (stolen.status_code, stolen.json()["type"]) == (401, "urn:isogloss:problem:wrong-credentials")
    assert (found.status_code, found.headers["location"]) == (303, "/console/calls")
    principal = run(stand.desk.principal_of_session(found.cookies[COOKIE]))
    assert principal is not None and (principal.who, principal.role) == ("vera", Role.SUPERVISOR)


@pytest.mark.parametrize(
    "next", ["//evil.example.com", "https://evil.example.com", "/\\evil", "/a?b", "javascript:x"]
)
def test_the_way_back_leads_to_pages_of_ours_alone(ask: Client, next: str) -> None:
    refused(ask("GET", "/v1/session/oidc", None, params={"next": next}), 422, "invalid-request")


# --- writes by cookie ---------------------------------------------------------------------------------

WRITES = [("DELETE", "/v1/calls/c1"), ("PUT", "/v1/agents/bob/state"), ("DELETE", "/v1/session")]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"Origin": "https://evil.example.com"}, "foreign-origin"),
        ({"Origin": "http://node.evil.example.com"}, "foreign-origin"),
        ({"Origin": "http://evil.example.com/http://node"}, "foreign-origin"),
        ({"Origin": "null"}, "foreign-origin"),
        ({"Origin": ""}, "foreign-origin"),
        ({"X-CSRF-Token": ""}, "csrf-token-wanted"),
        ({"X-CSRF-Token": "0" * 64}, "csrf-token-wanted"),
        ({"X-CSRF-Token": csrf_of("A" * 43)}, "csrf-token-wanted"),
    ],
)
def test_a_write_that_a_page_of_others_could_send_is_refused(
    ask: Client, node: Node, method: str, path: str, headers: dict[str, str], name: str
) -> None:
    browser = Browser(ask, "maria")
    refused(browser(method, path, headers=headers, json={"state": "paused"}), 403, name)
    assert not node.hung_up and not node.asked
    assert browser("GET", "/v1/session").status_code == 200


def test_a_page_of_ours_writes_and_a_token_needs_no_page(ask: Client, node: Node) -> None:
    assert Browser(ask, "maria")("DELETE", "/v1/calls/c1").status_code == 202
    evil = {"Origin": "https://evil.example.com"}
    assert ask("DELETE", "/v1/calls/c2", WRITE, headers=evil).status_code == 202
    assert node.hung_up == ["c1", "c2"]


def test_a_bad_token_is_not_made_good_by_a_cookie(ask: Client) -> None:
    browser = Browser(ask, "maria")
    refused(browser("GET", "/v1/calls", headers={"Authorization": "Bearer nonsense"}), 401, "unauthorized")


@pytest.mark.parametrize(("origin", "name"), [("http://node", "maria"), ("http://evil", ""), ("", "")])
def test_a_websocket_by_cookie_is_opened_by_pages_of_ours_alone(
    app: FastAPI, ask: Client, origin: str, name: str
) -> None:
    cookie = Browser(ask, "maria").cookie
    headers = {"host": "node", "origin": origin, "cookie": f"{COOKIE}={cookie}"}
    scope = {
        "type": "websocket",
        "path": "/",
        "app": app,
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }
    if name:
        found = asyncio.run(identify(HTTPConnection(scope)))
        assert found is not None and found.who == name
    else:
        with pytest.raises(Problem, match="another origin"):
            asyncio.run(identify(HTTPConnection(scope)))


# --- users and tokens ---------------------------------------------------------------------------------


def test_users_are_made_looked_at_changed_and_shut_out(ask: Client) -> None:
    admin = Browser(ask, "admin")
    made = admin("POST", "/v1/users", json={"name": "eva", "role": "operator", "teams": ["north"]})
    assert made.status_code == 201 and made.headers["etag"] == '"1"'
    eva = Browser(ask, "eva", password=made.json()["password"])
    assert eva.told["teams"] == ["north"]
    everybody = {each["name"] for each in admin("GET", "/v1/users").json()["items"]}
    for asked, found in {
        "role=operator&team=north": {"eva"},
        "role=operator&team=south": set(),
        "disabled=true": set(),
        "disabled=false&totp=false&market=de": everybody,
    }.items():
        assert {each["name"] for each in admin("GET", f"/v1/users?{asked}").json()["items"]} == found, asked
    refused(admin("GET", "/v1/users?role=king"), 422, "invalid-request")
    looked = admin("GET", "/v1/users/eva")
    assert looked.json()["role"] == "operator" and "password" not in looked.json()
    stale = {"If-Match": '"7"'}
    refused(admin("PATCH", "/v1/users/eva", json={"display": "Eva"}, headers=stale), 412, "other-version")
    current = {"If-Match": looked.headers["etag"]}
    changed = admin("PATCH", "/v1/users/eva", json={"display": "Eva"}, headers=current)
    assert changed.headers["etag"] == '"2"' and eva("GET", "/v1/session").status_code == 200
    assert admin("PATCH", "/v1/users/eva", json={"disabled": True}).json()["disabled"] is True
    refused(eva("GET", "/v1/session"), 401, "unauthorized")
    names = [each["name"] for each in admin("GET", "/v1/users?limit=2").json()["items"]]
    assert names == ["admin", "ana"]


@pytest.mark.parametrize("name", ["maria", "ana"])
def test_nobody_else_comes_near_users(ask: Client, name: str, stand: Stand) -> None:
    browser = Browser(ask, name)
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/v1/users", None),
        ("GET", "/v1/users/admin", None),
        ("POST", "/v1/users", {"name": "eve", "role": "admin"}),
        ("PATCH", f"/v1/users/{name}", {"role": "admin"}),
        ("PATCH", "/v1/users/admin", {"disabled": True}),
        ("PUT", "/v1/users/admin/password", {"password": PASSWORD}),
        ("DELETE", "/v1/users/admin/totp", None),
    ]
    for method, path, body in asked:
        refused(browser(method, path, json=body), 403, "forbidden")
    assert {user.name: str(user.role) for user in stand.accounts.users()} == {
        "admin": "admin",
        "ana": "auditor",
        "maria": "supervisor",
    }


def test_a_program_with_all_an_administrator_may_give_lets_nobody_in(ask: Client, stand: Stand) -> None:
    admin = Browser(ask, "admin")
    scopes = sorted(granted(Role.ADMIN) - PEOPLE_ONLY)
    secret = admin("POST", "/v1/tokens", json={"name": "ci", "scopes": scopes}).json()["secret"]
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/v1/users", {"name": "eve", "role": "admin"}),
        ("POST", "/v1/users", {"name": "eve", "role": "agent"}),
        ("PATCH", "/v1/users/maria", {"role": "admin"}),
        ("PUT", "/v1/users/maria/password", {"password": PASSWORD}),
        ("DELETE", "/v1/users/maria/totp", None),
    ]
    for method, path, body in asked:
        refused(ask(method, path, secret, json=body), 403, "forbidden")
    assert ask("GET", "/v1/users/maria", secret).json()["role"] == "supervisor"
    assert ask("PATCH", "/v1/users/maria", secret, json={"disabled": True}).json()["disabled"] is True
    assert stand.accounts.user("eve") is None


@pytest.mark.parametrize(
    "body", [{"version": 9}, {"password": "x"}, {"totp": ""}, {"role": "root"}, {"name": "x"}]
)
def test_a_change_has_nothing_in_it_that_is_not_to_be_changed(ask: Client, body: dict[str, Any]) -> None:
    refused(Browser(ask, "admin")("PATCH", "/v1/users/maria", json=body), 422, "invalid-request")


def test_a_token_is_shown_once_used_and_revoked(ask: Client, node: Node) -> None:
    maria = Browser(ask, "maria")
    made = maria("POST", "/v1/tokens", json={"name": "board", "scopes": ["board", "calls"]}).json()
    secret, id = made["secret"], made["token"]["id"]
    assert ask("GET", "/v1/calls", secret).json()["items"][0]["customer"] == "+49*****456"
    refused(ask("DELETE", "/v1/calls/c1", secret), 403, "forbidden")
    refused(ask("POST", "/v1/tokens", secret, json={"name": "x", "scopes": ["board"]}), 403, "forbidden")
    listed = maria("GET", "/v1/tokens").json()["items"]
    assert [each["id"] for each in listed] == [id] and secret not in str(listed)
    stronger = maria("POST", "/v1/tokens", json={"name": "x", "scopes": ["configure"]})
    refused(stronger, 403, "forbidden")
    refused(Browser(ask, "ana")("DELETE", f"/v1/tokens/{id}"), 403, "forbidden")
    assert maria("DELETE", f"/v1/tokens/{id}").status_code == 204
    refused(ask("GET", "/v1/calls", secret), 401, "unauthorized")


# --- the audit log ------------------------------------------------------------------------------------


def told(stand: Stand, *skipped: str) -> list[tuple[str, str, str, str]]:
    stand.settle()
    entries = [row.entry for row in stand.trail.rows()]
    left = [each for each in entries if each.what not in ("settled", "login", *skipped)]
    return [(each.who, each.what, each.object, each.outcome) for each in left]


def test_reads_of_people_and_writes_are_told_of_and_looks_at_boards_are_not(
    ask: Client, stand: Stand, node: Node
) -> None:
    maria, ana = Browser(ask, "maria"), Browser(ask, "ana")
    for path in ("/v1/queues", "/v1/agents", "/v1/session", "/v1/calls/c9", "/v1/lines"):
        maria("GET", path)
    maria("GET", "/v1/records/r1")
    maria("GET", "/v1/calls?queue=support")
    maria("GET", "/v1/calls?queue=support")  # the same moment: told of once
    maria("GET", "/v1/transcripts/r1")
    maria("DELETE", "/v1/calls/c2")
    maria("DELETE", "/v1/calls/c9")
    ana("GET", "/v1/records/r1")  # masked for her
    ana("GET", "/v1/audit?who=maria")
    ask("PUT", "/v1/agents/bob/state", WRITE, json={"state": "paused"})
    assert told(stand) == [
        ("maria", "get_record", "records/r1", "done"),
        ("maria", "list_calls", "calls", "done"),
        ("maria", "get_transcript", "transcripts/r1", "done"),
        ("maria", "hangup_call", "calls/c2", "done"),
        ("maria", "hangup_call", "calls/c9", "refused (404)"),
        ("ana", "list_audit", "audit", "done"),
        ("supervisor", "set_agent_state", "agents/bob/state", "done"),
    ]


def test_looks_at_phones_addresses_and_probed_numbers_are_told_of_once_a_minute(
    ask: Client, stand: Stand
) -> None:
    maria, ana = Browser(ask, "maria"), Browser(ask, "ana")
    paths = ("/v1/registrations", "/v1/lines/report", "/v1/lines/carrier/probes")
    for path in (*paths, *paths, "/v1/lines"):
        assert maria("GET", path).status_code == 200
        assert ana("GET", path).status_code == 200  # masked for her
    assert told(stand) == [
        ("maria", "list_registrations", "registrations", "done"),
        ("maria", "get_line_report", "lines/report", "done"),
        ("maria", "list_line_probes", "lines/carrier/probes", "done"),
    ]


def test_what_somebody_looked_for_is_told_without_numbers(ask: Client, stand: Stand) -> None:
    maria = Browser(ask, "maria")
    maria("GET", "/v1/records", params={"customer": "+4930123456", "queue": "support"})
    maria("GET", "/v1/transcripts", params={"words": "card 4111111111111111"})
    stand.settle()
    text = "\n".join(row.entry.detail for row in stand.trail.rows())
    assert '"queue":"support"' in text and "+49*****456" in text and "************1111" in text
    assert "30123456" not in text and "4111111" not in text


def test_who_was_made_what_is_told_and_no_secret(ask: Client, stand: Stand) -> None:
    admin = Browser(ask, "admin")
    password = admin("POST", "/v1/users", json={"name": "eva", "role": "agent"}).json()["password"]
    admin("PATCH", "/v1/users/eva", json={"role": "auditor"})
    secret = admin("POST", "/v1/tokens", json={"name": "ci", "scopes": ["board"]}).json()["secret"]
    stand.settle()
    rows = {row.entry.what: row.entry.detail for row in stand.trail.rows()}
    assert '"role":"agent"' in rows["create_user"] and '"role":"auditor"' in rows["change_user"]
    assert '"scopes":["board"]' in rows["create_token"]
    with sqlite3.connect(stand.file) as raw:
        dump = "\n".join(raw.iterdump())
    assert password not in dump and secret not in dump


def test_a_token_of_a_user_is_told_of_by_both_names(ask: Client, stand: Stand) -> None:
    made = Browser(ask, "maria")("POST", "/v1/tokens", json={"name": "ci", "scopes": ["listen", "calls"]})
    ask("GET", "/v1/transcripts/r1", made.json()["secret"])
    stand.settle()
    (row,) = [row.entry for row in stand.trail.rows() if row.entry.what == "get_transcript"]
    assert (row.who, row.how, row.detail) == ("maria", "token", '{"token":"ci"}')


def test_nothing_of_people_is_shown_while_the_audit_log_takes_nothing(
    ask: Client, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    maria, ana = Browser(ask, "maria"), Browser(ask, "ana")

    async def fails(audit: Audit, entry: object) -> None:
        raise AuditUnavailable("neither the store nor the disk takes entries")

    with monkeypatch.context() as broken:
        broken.setattr(Audit, "keep", fails)
        for path in ("/v1/records/r1", "/v1/records", "/v1/calls", "/v1/transcripts/r1"):
            answer = maria("GET", path)
            refused(answer, 503, "audit-unavailable")
            assert "30123456" not in answer.text and "refund" not in answer.text
        assert ana("GET", "/v1/records/r1").status_code == 200  # masked, so no read of anybody
        assert maria("GET", "/v1/queues").status_code == 200
        assert maria("DELETE", "/v1/calls/c1").status_code == 202  # calls are helped all the same
    assert maria("GET", "/v1/records").status_code == 200  # and the list is not taken for told of


def test_the_log_is_listed_newest_first_by_filters_and_pages(ask: Client, stand: Stand) -> None:
    ana = Browser(ask, "ana")
    for number in range(5):
        stand.audit.note(stand.audit.entry("maria", "password", "get_record", f"records/r{number}"))
    stand.settle()
    first = ana("GET", "/v1/audit?who=maria&limit=3").json()
    second = ana("GET", f"/v1/audit?who=maria&limit=3&cursor={first['next']}").json()
    objects = [each["object"] for page in (first, second) for each in page["items"]]
    assert objects == [f"records/r{number}" for number in (4, 3, 2, 1, 0)] and second["next"] is None
    (one,) = ana("GET", "/v1/audit?object=records/r2").json()["items"]
    assert one["detail"] == {} and len(one["hash"]) == 64
    assert ana("GET", "/v1/audit?until=2001-01-01T00:00:00Z").json()["items"] == []
    refused(ana("GET", "/v1/audit?cursor=abc"), 422, "bad-cursor")


def test_a_node_without_accounts_says_so_and_goes_on(node: Node) -> None:
    ask = Client(create_app(node, SETTINGS))
    wish = {"name": "maria", "password": PASSWORD}
    refused(ask("POST", "/v1/session", None, json=wish), 404, "unknown-user")
    assert ask("GET", "/v1/calls", READ).status_code == 200
    refused(ask("GET", "/v1/session", None, headers={"Cookie": f"{COOKIE}={'A' * 43}"}), 401, "unauthorized")
