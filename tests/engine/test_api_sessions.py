"""Sessions that are open are seen and ended: one's own by oneself, others' by who manages them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.access.principal import How
from engine.access.role import Role
from engine.api.app import create_app
from engine.store.accounts import User
from tests.engine.access.stand import PASSWORD, Stand, run, standing
from tests.engine.api_node import SETTINGS, Node
from tests.engine.test_api import Client, refused
from tests.engine.test_api_access import Browser

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
OWN = "/v1/session/sessions"
APP = create_app(Node(), SETTINGS)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        for name, role in (("admin", Role.ADMIN), ("maria", Role.SUPERVISOR), ("ana", Role.AUDITOR)):
            made.user(name, role)
        yield made


@pytest.fixture
def ask(stand: Stand) -> Client:
    APP.state.access = stand.access
    return Client(APP)


def of(name: str) -> str:
    return f"/v1/users/{name}/sessions"


def _maria(stand: Stand) -> User:
    found = stand.accounts.user("maria")
    assert found is not None
    return found


def told(stand: Stand, what: str) -> list[tuple[str, str, dict[str, object]]]:
    """Who did it, to what, and what else the audit log says."""
    stand.settle()
    entries = [row.entry for row in stand.trail.rows() if row.entry.what == what]
    return [(each.who, each.object, json.loads(each.detail)) for each in entries]


def test_a_session_says_since_when_from_where_and_with_what(ask: Client, stand: Stand) -> None:
    maria = Browser(ask, "maria")
    opened = run(stand.desk.open(_maria(stand), How.OIDC, "203.0.113.9", "Safari on iOS"))
    items = maria("GET", OWN, headers=FIREFOX).json()["items"]
    other, mine = sorted(items, key=lambda each: each["current"])
    assert (other["how"], other["client"], other["source"]) == ("oidc", "Safari on iOS", "203.0.113.9")
    assert mine["how"] == "password" and mine["made_at"] <= mine["seen_at"] < mine["expires_at"]
    text = maria("GET", OWN).text
    assert maria.cookie not in text and opened.secret not in text, "an id is no way in"


def test_the_browser_is_known_by_a_few_words(ask: Client, stand: Stand) -> None:
    wish = {"name": "maria", "password": PASSWORD}
    assert ask("POST", "/v1/session", None, json=wish, headers=FIREFOX).status_code == 200
    assert [each.client for each in stand.accounts.sessions_of("maria")] == ["Firefox on Linux"]


def test_ones_own_sessions_are_ended_one_or_all(ask: Client, stand: Stand) -> None:
    maria, lost, third = (Browser(ask, "maria") for _ in range(3))
    (gone,) = [each["id"] for each in lost("GET", OWN).json()["items"] if each["current"]]
    assert maria("DELETE", f"{OWN}/{gone}").status_code == 204
    refused(lost("GET", OWN), 401, "unauthorized")
    refused(maria("DELETE", f"{OWN}/{gone}"), 404, "unknown-session")
    assert maria("DELETE", OWN).json() == {"ended": 2}
    refused(third("GET", OWN), 401, "unauthorized")
    assert [each[2] for each in told(stand, "end_own_session")] == [{"user": "maria", "session": gone}] * 2
    assert told(stand, "end_own_sessions") == [("maria", "session/sessions", {"user": "maria", "ended": 2})]


def test_who_manages_users_sees_and_ends_theirs(ask: Client, stand: Stand) -> None:
    admin, maria, again = Browser(ask, "admin"), Browser(ask, "maria"), Browser(ask, "maria")
    items = admin("GET", of("maria")).json()["items"]
    assert len(items) == 2 and not any(each["current"] for each in items)
    (first,) = [each["id"] for each in maria("GET", OWN).json()["items"] if each["current"]]
    assert admin("DELETE", f"{of('maria')}/{first}").status_code == 204
    refused(maria("GET", OWN), 401, "unauthorized")
    assert again("GET", OWN).status_code == 200
    assert admin("DELETE", of("maria")).json() == {"ended": 1}
    refused(again("GET", OWN), 401, "unauthorized")
    assert told(stand, "end_user_session") == [
        ("admin", f"users/maria/sessions/{first}", {"user": "maria", "session": first})
    ]
    assert told(stand, "end_user_sessions")[0][2] == {"user": "maria", "ended": 1}


def test_nobody_ends_a_session_under_the_name_of_another(ask: Client) -> None:
    admin, maria = Browser(ask, "admin"), Browser(ask, "maria")
    (hers,) = [each["id"] for each in maria("GET", OWN).json()["items"]]
    refused(admin("DELETE", f"{of('ana')}/{hers}"), 404, "unknown-session")
    refused(admin("DELETE", f"{OWN}/{hers}"), 404, "unknown-session")
    refused(admin("GET", of("nobody")), 404, "unknown-user")
    for name in ("%", "_" * 16, "0" * 15, "0" * 17):
        refused(admin("DELETE", f"{of('maria')}/{name}"), 422, "invalid-request")
    assert maria("GET", OWN).status_code == 200


@pytest.mark.parametrize("name", ["maria", "ana"])
def test_who_does_not_manage_users_sees_nobody_elses(ask: Client, name: str) -> None:
    browser = Browser(ask, name)
    for method in ("GET", "DELETE"):
        refused(browser(method, of("admin")), 403, "forbidden")


def test_an_address_is_cut_for_a_program_that_may_not_read_them(ask: Client, stand: Stand) -> None:
    admin, eva = Browser(ask, "admin"), stand.user("eva", Role.AGENT)
    run(stand.desk.open(eva, How.PASSWORD, "203.0.113.9", ""))
    wish = {"name": "sessions", "scopes": ["manage_users", "board"]}
    secret = admin("POST", "/v1/tokens", json=wish).json()["secret"]
    sources = [
        answer.json()["items"][0]["source"]
        for answer in (admin("GET", of("eva")), ask("GET", of("eva"), secret))
    ]
    assert sources == ["203.0.113.9", "203.0.113.x"]
    assert [each[:2] for each in told(stand, "list_user_sessions")] == [("admin", "users/eva/sessions")] * 2
