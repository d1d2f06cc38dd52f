"""Every route, for every role, with every kind of limit: who gets in, and what is there for them.

What a route needs is read from the route itself; one that needs nothing, and is not among those that let
anybody in, fails here. So does one that takes the name of a call, an agent, a queue or a line and is not
asked below for one that is out of reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from engine.access.desk import csrf_of
from engine.access.principal import How
from engine.access.role import WHOLE, Permission, Role, granted
from engine.api.app import ROUTERS, create_app
from engine.api.identify import COOKIE, Require
from engine.scorecards import judged
from engine.store.rows import Entry
from tests.engine.access.stand import Stand, standing
from tests.engine.api_node import NODE, SETTINGS, T0, Node, call_view
from tests.engine.card_samples import FORM, GOOD
from tests.engine.store_samples import record
from tests.engine.transcript_samples import review, said

# These let anybody in: by which somebody becomes known, callers with tokens of their own, load balancers.
OPEN = {
    *("sign_in", "sign_in_by_oidc", "finish_oidc"),
    *("call_options", "session_options", "begin_call", "patch_session", "end_session"),
    *("echo_near", "near_options", "choose_near", "get_health"),
}
OWN_WAY = {"get_metrics": Permission.METRICS}  # may be opened to all by a setting
LIMITS: dict[str, dict[str, tuple[str, ...]]] = {
    "all": {},
    "de": {"markets": ("de",)},
    "north": {"teams": ("north",)},
}
SEEN = {"call": "c1", "agent": "alice", "queue": "support", "line": "carrier"}
FOREIGN = {"call": "u1", "agent": "carol", "queue": "sales", "line": "gateway"}
EVERY = replace(FORM, queues=())
RECORD, FOREIGN_RECORD, NOWHERE = "r1", "s1", "nothing-here"
DAY = "2026-01-01"
BODIES: dict[str, Any] = {
    "set_agent_state": {"state": "paused"},
    "tell_agent": {"text": "hello"},
    "show_caption": {"side": "customer", "line": 1, "text": "hello", "language": "en"},
    "pause_recording": {"paused": True},
    "ask_guest": {"to": "bob"},
    "choose_interpreter": {"side": "customer", "voice": "off"},
    "begin_line_probe": {"number": "+442071838999"},
    "change_place": {"priority": 5},
    "supervise_call": {"at": "sue"},
    "change_supervision": {"mode": "barge"},
    "share_recording": {},
    "judge_call": {"form": "service", "answers": GOOD},
}
OF_FINISHED = {
    *("get_record", "get_review", "get_transcript", "erase_transcript", "list_call_events"),
    *("judge_call", "list_call_scorecards"),
}


def required(dependant: Dependant) -> Iterator[Require]:
    if isinstance(dependant.call, Require):
        yield dependant.call
    for each in dependant.dependencies:
        yield from required(each)


def needs(dependant: Dependant) -> Iterator[Permission]:
    """What the dependencies of a route ask for."""
    return (each.permission for each in required(dependant))


def routes(routers: Any = ROUTERS) -> dict[str, APIRoute]:
    found = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {str(route.operation_id): route for route in found}


def undeclared(routers: Any = ROUTERS) -> list[str]:
    return [
        name
        for name, route in routes(routers).items()
        if name not in OPEN and name not in OWN_WAY and len(set(needs(route.dependant))) != 1
    ]


NEEDS = {
    name: next(needs(route.dependant), OWN_WAY.get(name))
    for name, route in routes().items()
    if name not in OPEN
}


def parameters(route: APIRoute) -> set[str]:
    return {part.split("}")[0] for part in route.path.split("{")[1:]}


NAMED = sorted(
    name for name, route in routes().items() if name not in OPEN and ({*SEEN, "day"} & parameters(route))
)


def test_every_route_says_what_it_needs() -> None:
    assert undeclared() == []
    assert set(routes()) >= OPEN and set(OWN_WAY) <= set(routes())


def test_a_route_that_says_nothing_is_found() -> None:
    router = APIRouter()

    @router.get("/v1/forgotten", operation_id="forgotten")
    async def forgotten() -> str:
        return "everything"

    assert undeclared([router]) == ["forgotten"]


class People:
    """Everybody there may be, signed in, before a node of two markets and two teams."""

    def __init__(self, stand: Stand) -> None:
        self.node = Node()
        self.node.live["u1"] = call_view("u1", market="us", queue="sales", agent="carol")
        self.node.finished.append(record("s1", T0 + 2, market="us", queue="sales", agent="carol"))
        self.node.journal["s1"] = [
            Entry(node=NODE, seq=1, at=T0, call="s1", kind="call.arrived", data={"market": "us"}),
            Entry(node=NODE, seq=2, at=T0, call="s1", kind="call.connected", data={"agent": "carol"}),
        ]
        here = {"market": "de", "queue": "support", "agent": "alice"}
        self.node.journal["r1"].insert(
            0, Entry(node=NODE, seq=0, at=T0, call="r1", kind="call.connected", data=here)
        )
        texts = self.node.transcripts
        texts.reviews = {
            "r1": review("r1", **here),
            "s1": review("s1", T0 + 2, market="us", queue="sales", agent="carol"),
        }
        texts.said = {each: (said(f"a refund of {each}"),) for each in ("r1", "s1")}
        for each, where in (("r1", here), ("s1", {"market": "us", "queue": "sales", "agent": "carol"})):
            card = judged(EVERY, replace(record(each), **where), GOOD, id=each * 8, at=T0, by="sue")
            self.node.judged.add(card)
        self.node.sounds = {f"{DAY}/{each}-1.opus": [b"sound"] for each in ("r1", "s1")}
        self.app = create_app(self.node, SETTINGS, access=stand.access)
        self._stand = stand
        self._secrets = {(role, limit): self.open(role, limit) for role in Role for limit in LIMITS}

    def open(self, role: Role, limit: str) -> str:
        name = f"{role}-{limit}"
        user = self._stand.accounts.user(name) or self._stand.user(name, role, **LIMITS[limit])
        return asyncio.run(self._stand.desk.open(user, How.PASSWORD, "192.0.2.7")).secret

    def ask(self, asked: list[tuple[Role, str, str, str, Any]], **headers: str) -> list[httpx.Response]:
        """role, limit, method, path and body of each; one event loop for all. headers: instead of what a page
        of ours sends.
        """

        async def all_of() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
                return [await self._one(client, *each, headers) for each in asked]

        return asyncio.run(all_of())

    async def _one(
        self,
        client: httpx.AsyncClient,
        role: Role,
        limit: str,
        method: str,
        path: str,
        body: Any,
        others: dict[str, str],
    ) -> httpx.Response:
        secret = self._secrets[role, limit]
        headers = {"Cookie": f"{COOKIE}={secret}", "Origin": "http://node", "X-CSRF-Token": csrf_of(secret)}
        return await client.request(method, path, headers=headers | others, json=body)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with standing(tmp_path_factory.mktemp("matrix")) as stand:
        yield People(stand)


def path_of(name: str, route: APIRoute, values: dict[str, str], finished: str) -> str:
    values = {**values, "call": finished} if name in OF_FINISHED else values
    path = route.path
    for each, value in {**values, "day": DAY, "file": f"{finished}-1.opus", "hook": "crm"}.items():
        path = path.replace(f"{{{each}}}", value)
    return (
        path.replace("{user}", "nobody")
        .replace("{token}", "0" * 16)
        .replace("{probe}", "0" * 32)
        .replace("{at}", "sue")
        .replace("{address}", "192.0.2.99")
        .replace("{share}", "0" * 16)
        .replace("{session}", "0" * 16)
    )


def method_of(route: APIRoute) -> str:
    return min(route.methods or ("GET",))


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("role", Role)
def test_only_those_get_in_who_may(people: People, role: Role, limit: str) -> None:
    """Without bodies and of what is nowhere, so that nothing is done: whoever gets in is told so."""
    may = {each for each in granted(role) if limit == "all" or each not in WHOLE}
    asked = [name for name in NEEDS if name not in ("sign_out", "end_own_sessions", "drain_node")]
    found = people.ask(
        [
            (role, limit, method_of(route), path_of(name, route, dict.fromkeys(SEEN, NOWHERE), NOWHERE), None)
            for name in asked
            for route in (routes()[name],)
        ]
    )
    wrong = {
        name: answer.status_code
        for name, answer in zip(asked, found)
        if (answer.status_code == 403) is (NEEDS[name] in may) or answer.status_code in (401, 500)
    }
    assert wrong == {}


@pytest.mark.parametrize("limit", ["de", "north"])
@pytest.mark.parametrize("role", Role)
def test_what_is_out_of_reach_is_answered_as_if_it_were_nowhere(
    people: People, role: Role, limit: str
) -> None:
    nothing = dict.fromkeys(SEEN, NOWHERE)
    foreign = FOREIGN if limit == "de" else {**FOREIGN, "line": NOWHERE}  # lines have no team
    names = [name for name in NAMED if NEEDS[name] in granted(role)]
    pairs = [
        [
            (
                role,
                limit,
                method_of(routes()[name]),
                path_of(name, routes()[name], ids, one),
                BODIES.get(name),
            )
            for ids, one in ((foreign, FOREIGN_RECORD), (nothing, NOWHERE))
        ]
        for name in names
    ]
    before = (list(people.node.hung_up), list(people.node.asked), dict(people.node.team))
    answers = people.ask([each for pair in pairs for each in pair])
    told = [(each.status_code, each.json()["type"]) for each in answers]
    for name, out, none in zip(names, told[::2], told[1::2]):
        assert out == none and out[0] == 404, name
    assert (people.node.hung_up, people.node.asked, people.node.team) == before
    assert set(people.node.transcripts.said) == {"r1", "s1"} and not people.node.guests


def test_what_is_within_reach_is_there(people: People) -> None:
    reads = [
        name
        for name in NAMED
        if method_of(routes()[name]) == "GET" and name not in ("get_guest", "get_line_probe", "get_place")
    ]
    for limit in LIMITS:
        asked = [
            (Role.ADMIN, limit, "GET", path_of(name, routes()[name], SEEN, RECORD), None) for name in reads
        ]
        assert {answer.status_code for answer in people.ask(asked)} == {200}, limit


LISTS = {
    "/v1/calls": ("c1", "u1"),
    "/v1/legs": ("c1", "u1"),
    "/v1/records": ("r1", "s1"),
    "/v1/recordings": ("r1", "s1"),
    "/v1/reviews": ("r1", "s1"),
    "/v1/transcripts": ("r1", "s1"),
    "/v1/scorecards": ("r1", "s1"),
    "/v1/queues": ("support", "sales"),
    "/v1/agents": ("alice", "carol"),
    "/v1/lines": ("carrier", "gateway"),
    "/v1/lines/report": ("carrier", "gateway"),
}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR])
@pytest.mark.parametrize("path", LISTS)
def test_lists_have_what_is_within_reach_and_nothing_else(people: People, role: Role, path: str) -> None:
    own, foreign = (f'"{each}"' for each in LISTS[path])
    told = {
        limit: answer.text
        for limit, answer in zip(LIMITS, people.ask([(role, limit, "GET", path, None) for limit in LIMITS]))
    }
    if "forbidden" in told["all"]:
        assert Permission.LISTEN not in granted(role)
        return
    assert own in told["all"] and foreign in told["all"]
    assert own in told["de"] and foreign not in told["de"]
    assert own in told["north"] and (foreign not in told["north"] or path.startswith("/v1/lines"))


def test_a_route_that_shows_people_to_some_and_hides_them_from_others_is_told_of(people: People) -> None:
    """By the audit log: of the board, which all read, what is more for who has `personal` is marked so."""
    names = [
        name
        for name, need in NEEDS.items()
        if need is Permission.BOARD and method_of(routes()[name]) == "GET" and name != "find_near"
    ]
    paths = [path_of(name, routes()[name], SEEN, RECORD) for name in names]
    without, within = (
        people.ask([(role, "all", "GET", path, None) for path in paths])
        for role in (Role.AUDITOR, Role.SUPERVISOR)
    )
    shown = {name for name, *pair in zip(names, without, within) if pair[0].content != pair[1].content}
    told = {name for name in names if any(each.personal for each in required(routes()[name].dependant))}
    assert "list_registrations" in shown and shown <= told
    assert told == {"list_registrations", "get_line_report", "list_line_probes", "get_line_probe"}


def test_every_list_of_what_belongs_somewhere_is_asked_above() -> None:
    pages = {
        route.path for name, route in routes().items() if name.startswith("list_") and not parameters(route)
    }
    elsewhere = {
        "/v1/registrations",
        "/v1/nodes",
        "/v1/config/versions",
        "/v1/config/files",
        "/v1/users",
        "/v1/tokens",
        "/v1/audit",
        "/v1/hooks",
        "/v1/sip/blocked",
        "/v1/forms",  # of all queues; what they ask is nobody's
        *("/v1/session/scorecards", "/v1/session/sessions"),  # one's own
        "/v1/sip/refused",  # tests/engine/access/test_seen_insight.py
    }
    assert pages - elsewhere <= set(LISTS)


@pytest.mark.parametrize(
    "path", ["/v1/calls", "/v1/calls/c1", "/v1/records", "/v1/records/r1", "/v1/recordings"]
)
def test_numbers_are_masked_for_roles_that_may_not_read_them(people: People, path: str) -> None:
    roles = [Role.SUPERVISOR, Role.OPERATOR, Role.ADMIN, Role.AUDITOR]
    answers = people.ask([(role, "all", "GET", path, None) for role in roles])
    for role, answer in zip(roles, answers):
        shown = Permission.PERSONAL in granted(role)
        assert ("+4930123456" in answer.text) is shown
        assert ("+49*****456" in answer.text) is not shown


def test_who_may_not_read_numbers_does_not_find_people_by_them(people: People) -> None:
    path = "/v1/records?customer=%2B4930123456"
    found = people.ask([(role, "all", "GET", path, None) for role in (Role.AUDITOR, Role.SUPERVISOR)])
    assert [answer.status_code for answer in found] == [403, 200]


def test_a_phone_of_another_team_is_not_listed(people: People) -> None:
    (answer,) = people.ask([(Role.SUPERVISOR, "north", "GET", "/v1/registrations", None)])
    people.node.teams["bob"] = "south"
    (less,) = people.ask([(Role.SUPERVISOR, "north", "GET", "/v1/registrations", None)])
    people.node.teams["bob"] = "north"
    assert ("bob" in answer.text, "bob" in less.text) == (True, False)


def test_a_site_limited_to_a_market_makes_tokens_for_no_other(people: People) -> None:
    wish = {"destination": "support", "market": "us"}
    (answer,) = people.ask([(Role.ADMIN, "de", "POST", "/v1/callers/tokens", wish)])
    assert answer.status_code in (403, 404)  # 404: nobody calls this node from a page


def test_metrics_are_for_those_who_see_all(people: People) -> None:
    asked = [(role, limit, "GET", "/metrics", None) for role in Role for limit in LIMITS]
    for (role, limit, *_), answer in zip(asked, people.ask(asked)):
        allowed = limit == "all" and Permission.METRICS in granted(role)
        assert (answer.status_code == 200) is allowed, (role, limit)
