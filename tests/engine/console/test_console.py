"""Who gets into the console, by what, and what is refused: all of it below the pages themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from nicegui import Client

from engine.access.errors import AuditUnavailable
from engine.api.app import create_app
from engine.api.guard import Guard
from engine.api.settings import ConsoleTerms
from engine.console.console import BURST, COOKIE, Bound, Console, cookie_of, own, within
from engine.console.desk import Desk
from engine.console.door import Principal, TokenDoor
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.rings import no_rings

HOST = "pbx.example.com"
HERE = f"https://{HOST}"
OF_NONE = "/console/_nicegui_ws/socket.io/?EIO=4&transport=websocket&implicit_handshake=true"
SOCKET = f"{OF_NONE}&client_id=page"


class Street:
    """A console behind the API's guard; what is behind the door says `inside`."""

    def __init__(self, sockets: int = 2) -> None:
        door = TokenDoor(lambda: SETTINGS, time.monotonic, time.time)
        self.console = Console(Desk(Node(), door, time.time), sockets=sockets)
        self.inside: list[dict[str, Any]] = []
        self.console.host = self._inside  # type: ignore[assignment]
        self.app = FastAPI(docs_url=None, openapi_url=None)
        self.app.mount("/console", self.console)
        self.app.add_middleware(Guard, max_body_bytes=65_536)

    async def _inside(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                return await client.request(method, path, **more)

        return asyncio.run(asked())

    def enter(self, password: str, **more: str) -> httpx.Response:
        form = {"password": password, **more}
        return self.ask("POST", "/console/sign-in", data=form, headers={"Origin": HERE})

    def cookie(self, password: str = WRITE) -> dict[str, str]:
        """Of somebody who signs in; the first one has a page open."""
        cookie = self.enter(password).cookies[COOKIE]
        self.console.made_for.setdefault("page", cookie)
        return {"Cookie": f"{COOKIE}={cookie}"}

    def socket(self, path: str = SOCKET, **headers: str) -> list[str]:
        """Types of what a browser is answered that opens one."""
        told: list[str] = []

        async def asked() -> None:
            async def receive() -> dict[str, str]:
                return {"type": "websocket.connect"}

            async def send(message: dict[str, Any]) -> None:
                told.append(message["type"])

            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            scope = {"type": "websocket", "path": path.partition("?")[0], "root_path": "", "headers": raw}
            scope |= {"query_string": path.partition("?")[2].encode(), "scheme": "wss", "subprotocols": []}
            await self.app(scope, receive, send)  # type: ignore[arg-type]

        asyncio.run(asked())
        return told


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.mark.parametrize(
    "path", ["wallboard", "calls/1?x=<b>", "_nicegui/3/static/nicegui.js", "_nicegui_ws/socket.io/"]
)
def test_whoever_is_not_signed_in_gets_the_door_and_nothing_else(street: Street, path: str) -> None:
    answer = street.ask("GET", f"/console/{path}")
    assert answer.status_code == 200 and 'name="password"' in answer.text and "<script" not in answer.text
    assert street.inside == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "form-action 'self'" in policy and "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_a_token_opens_it_and_leads_to_where_one_was_going(street: Street) -> None:
    answer = street.enter(READ, then="/console/calls/42?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/calls/42?x=1")
    flags = answer.headers["set-cookie"].lower()
    assert all(flag in flags for flag in ("httponly", "samesite=lax", "secure", "path=/;"))
    inside = street.ask(
        "GET", "/console/calls/42", headers={"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    )
    assert inside.text == "inside"


def test_a_wrong_password_is_refused_in_words_and_leaves_no_cookie(street: Street) -> None:
    answer = street.enter("x" * 30, then="/console/calls")
    assert answer.status_code == 403 and 'role="alert"' in answer.text and "set-cookie" not in answer.headers
    assert 'value="/console/calls"' in answer.text


@pytest.mark.parametrize(
    "origin", [None, "https://evil.example", f"http://{HOST}.evil.example", "null", f"https://{HOST}:444"]
)
def test_another_sites_page_signs_nobody_in_or_out(street: Street, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    for path in ("sign-in", "sign-out"):
        answer = street.ask("POST", f"/console/{path}", data={"password": WRITE}, headers=headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_everywhere(street: Street) -> None:
    cookie = street.cookie()
    assert street.ask("GET", "/console/wallboard", headers=cookie).text == "inside"
    gone = street.ask("POST", "/console/sign-out", headers=cookie | {"Origin": HERE})
    assert gone.status_code == 303 and 'isogloss_session=""' in gone.headers["set-cookie"]
    assert "password" in street.ask("GET", "/console/wallboard", headers=cookie).text


@pytest.mark.parametrize(
    ("then", "there"),
    [
        ("/console/queues", "/console/queues"),
        ("https://evil.example/console/", ""),
        ("//evil.example", ""),
        ("/v1/calls", ""),
        ("/console/sign-out", ""),
        ("/console/../v1", "/console/.."),
        ("/console/a\r\nSet-Cookie: x=1", "/console/a%0D%0ASet-Cookie%3A%20x%3D1"),
    ],
)
def test_one_is_led_on_within_the_console_alone(then: str, there: str) -> None:
    found = within(then)
    assert found.startswith("/console/") if there else found == ""
    assert "\r" not in found and "\n" not in found


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 50, b"password=" + b"x" * 5000])
def test_a_form_that_is_none_is_refused(street: Street, body: bytes) -> None:
    headers = {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}
    assert street.ask("POST", "/console/sign-in", content=body, headers=headers).status_code in (400, 413)


@pytest.mark.parametrize("name", ["..%2fconsole.py", "words/en.toml", "nothing.css", ""])
def test_no_file_but_those_that_are_served_is_found(street: Street, name: str) -> None:
    assert street.ask("GET", f"/console/web/{name}", headers=street.cookie()).status_code == 404


def test_style_and_map_are_served_to_the_door_too_and_asked_about_each_time(street: Street) -> None:
    for name, kind in (
        ("console.css", "text/css"),
        ("style.css", "text/css"),
        ("world.svg", "image/svg+xml"),
    ):
        answer = street.ask("GET", f"/console/web/{name}")
        assert answer.headers["content-type"].startswith(kind)
        again = street.ask("GET", f"/console/web/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_what_changes_things_comes_by_the_socket_alone(street: Street) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = street.ask(method, "/console/calls", headers=street.cookie() | {"Origin": HERE})
        assert answer.status_code == 405
    assert street.ask("GET", SOCKET, headers=street.cookie()).status_code == 404
    assert street.inside == []


def test_the_libraries_own_files_are_kept_by_browsers(street: Street) -> None:
    answer = street.ask("GET", "/console/_nicegui/3.18.0/static/x.js", headers=street.cookie())
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("token", "name", "status"),
    [
        (WRITE, "2026-11-22/r1-1.opus", 200),
        (READ, "2026-11-22/r1-1.opus", 403),
        (WRITE, "2026-11-22/none.opus", 404),
        (WRITE, "2026-11-22/..%2f..%2fsecrets%2fconsole.opus", 404),
        (WRITE, "..%2f2026-11-22/r1-1.opus", 404),
        (WRITE, "2026-11-22/r1-1.txt", 404),
    ],
)
def test_a_recording_is_played_to_those_who_may_listen(
    street: Street, token: str, name: str, status: int
) -> None:
    street.console.desk.view.sounds["2026-11-22/r1-1.opus"] = [b"Ogg", b"S"]  # type: ignore[attr-defined]
    answer = street.ask("GET", f"/console/sound/{name}", headers=street.cookie(token))
    assert answer.status_code == status
    if status == 200:
        assert answer.content == b"OggS" and answer.headers["content-type"] == "audio/ogg"
    assert "password" in street.ask("GET", f"/console/sound/{name}").text


# --- sockets ---------------------------------------------------------------------------------------


def test_a_page_is_made_once_the_audit_log_has_it_that_somebody_looks(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Any]] = []
    taken = True

    async def keep(who: Principal, what: str, object: str, detail: Any = None) -> None:
        if not taken:
            raise AuditUnavailable("full")
        told.append((object, detail))

    monkeypatch.setattr(street.console.desk.door, "keep", keep)
    path, cookie = "/console/calls?customer=%2B49301234", street.cookie()
    assert street.ask("GET", path, headers=cookie).text == "inside"
    assert told == [("console/calls", {"query": {"customer": "+49***234"}})]
    taken = False
    answer = street.ask("GET", path, headers=cookie)
    assert answer.status_code == 503 and len(street.inside) == 1


def test_a_socket_is_opened_from_this_hosts_pages_with_a_session(street: Street) -> None:
    assert street.socket(Host=HOST, Origin=HERE, **street.cookie()) == ["websocket.accept"]


@pytest.mark.parametrize("more", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_another_sites_page_opens_none(street: Street, more: dict[str, str]) -> None:
    assert street.socket(Host=HOST, **more, **street.cookie()) == ["websocket.close"]


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=made-up", f"{COOKIE}=", "\x00;;=,"])
def test_nobody_opens_one_without_a_session(street: Street, cookie: str) -> None:
    assert street.socket(Host=HOST, Origin=HERE, Cookie=cookie) == ["websocket.close"]
    assert street.inside == []


def test_a_socket_elsewhere_is_none(street: Street) -> None:
    assert street.socket("/console/calls", Host=HOST, Origin=HERE, **street.cookie()) == ["websocket.close"]


def test_there_are_so_many_at_a_time() -> None:
    street = Street(sockets=0)
    assert street.socket(Host=HOST, Origin=HERE, **street.cookie()) == ["websocket.close"]
    assert street.ask("GET", "/console/wallboard", headers=street.cookie()).status_code == 503


class Wire:
    """What a browser sends, and how long it takes to take something."""

    def __init__(self) -> None:
        self.now = 0.0
        self.taken: list[str] = []
        self.stalled = False
        self.text: str | None = "3"

    async def receive(self) -> dict[str, Any]:
        return {"type": "websocket.receive", "text": self.text}

    async def send(self, message: Any) -> None:
        if self.stalled:
            raise TimeoutError
        self.taken.append(message["type"])


def test_a_browser_that_sends_too_much_is_cut() -> None:
    wire = Wire()
    bound = Bound(wire.receive, wire.send, lambda: wire.now, {"mine"}.__contains__)  # type: ignore[arg-type]

    async def story() -> None:
        kinds = [(await bound.receive())["type"] for _ in range(int(BURST) + 1)]
        assert kinds[:-1] == ["websocket.receive"] * int(BURST) and kinds[-1] == "websocket.disconnect"

    asyncio.run(story())


@pytest.mark.parametrize(
    "text",
    [
        '42["event",{"client_id":"hers","id":4}]',
        '42["event",{"\\u0063lient_id":"hers"}]',
        '427["handshake",{"client_id":"hers"}]',
        '42/other,["event",{"client_id":"hers"}]',
        '42["event",{"client_id":"mine","client_id":"hers"}]',
        '42["event",{"client_id":["hers"]}]',
        '42["event",',
        "42" + "[" * 100_000,
        '451-["event",{"client_id":{"_placeholder":true,"num":0}}]',
        '4\uff12["handshake",{"client_id":"hers"}]',  # digits of other scripts, which servers read as ours
        '4\u0662["event",{"client_id":"hers"}]',
        '\uff142["event",{"client_id":"hers"}]',
        '4\uff151-["event",{"client_id":{"_placeholder":true,"num":0}}]',
        '42\uff17["event",{"client_id":"hers"}]',
        '42["event",{"id":4}]',
        '42["event",[{"client_id":"mine"}],{"client_id":"hers"}]',
        '42["event",{"client_id":"mine"},{"client_id":"hers"}]',
        '42["connect",{"client_id":"mine"}]',
        '42{"client_id":"mine"}',
        '431["event",{"client_id":"mine"}]',
        "40/other",
        "2probe",
        "5",
        "b4AAAA",
        "",
        None,
    ],
)
def test_a_browser_that_means_anothers_page_is_cut(text: str | None) -> None:
    wire = Wire()
    bound = Bound(wire.receive, wire.send, lambda: wire.now, {"mine"}.__contains__)  # type: ignore[arg-type]

    async def story() -> None:
        wire.text = '42["event",{"client_id":"mine"}]'
        assert (await bound.receive())["type"] == "websocket.receive"
        wire.text = text
        assert (await bound.receive())["type"] == "websocket.disconnect"
        wire.text = '42["event",{"client_id":"mine"}]'
        assert (await bound.receive())["type"] == "websocket.disconnect", "for good"

    asyncio.run(story())


def test_what_a_page_says_comes_through() -> None:
    wire = Wire()
    bound = Bound(wire.receive, wire.send, lambda: wire.now, {"mine"}.__contains__)  # type: ignore[arg-type]
    said = (
        "40",
        "3",
        '42["handshake",{"client_id":"mine"}]',
        '427["log",{"client_id":"mine"}]',
        "41",
        "1",
    )

    async def story() -> None:
        for wire.text in said:
            assert await bound.receive() == {"type": "websocket.receive", "text": wire.text}

    asyncio.run(story())


def test_a_socket_is_opened_for_ones_own_page_alone(street: Street) -> None:
    """A page's name stands in logs, and by it alone another user would act as who has it open."""
    hers, mine = street.cookie(), street.cookie(READ)
    assert street.socket(Host=HOST, Origin=HERE, **hers) == ["websocket.accept"]
    assert street.socket(Host=HOST, Origin=HERE, **mine) == ["websocket.close"]
    for path in (
        f"{SOCKET}&client_id=other",
        f"{SOCKET}&sid=another",
        SOCKET + "&a" * 40,
        SOCKET.replace("=page", "=gone"),
        OF_NONE,
    ):
        assert street.socket(path, Host=HOST, Origin=HERE, **hers) == ["websocket.close"], path


def test_a_browser_that_sends_as_people_do_is_not() -> None:
    wire = Wire()
    bound = Bound(wire.receive, wire.send, lambda: wire.now, {"mine"}.__contains__)  # type: ignore[arg-type]

    async def story() -> None:
        for _ in range(2000):
            wire.now += 0.05
            assert (await bound.receive())["type"] == "websocket.receive"

    asyncio.run(story())


def test_a_browser_that_takes_nothing_is_told_nothing_more_and_cut() -> None:
    wire = Wire()
    bound = Bound(wire.receive, wire.send, lambda: wire.now, {"mine"}.__contains__)  # type: ignore[arg-type]

    async def story() -> None:
        await bound.send({"type": "websocket.send"})
        wire.stalled = True
        await bound.send({"type": "websocket.send"})
        wire.stalled = False
        await bound.send({"type": "websocket.send"})
        assert wire.taken == ["websocket.send"]
        assert (await bound.receive())["type"] == "websocket.disconnect"

    asyncio.run(story())


# --- small ones ------------------------------------------------------------------------------------


def test_cookies_are_read_whatever_they_are() -> None:
    assert cookie_of(f"a=b; {COOKIE}=x; c") in ("x", "")
    assert cookie_of(f"a=b; {COOKIE}=x") == "x"
    assert cookie_of("\x00=\x01;;;") == "" and cookie_of("") == ""


def test_origins_are_compared_whole() -> None:
    assert own("https://a.example:8443", "A.example:8443")
    assert not any(own(origin, "a.example") for origin in (None, "", "https://b.example", "a.example"))


def test_the_console_is_mounted_where_the_settings_say_so() -> None:
    from dataclasses import replace

    without = create_app(Node(), SETTINGS)
    assert without.state.console is None
    app = create_app(Node(), replace(SETTINGS, console=ConsoleTerms(browsers=7, places={"x": (1.0, 2.0)})))
    assert isinstance(app.state.console, Console) and app.state.console.desk.places == {"x": (1.0, 2.0)}
    assert "/console" not in "".join(app.openapi()["paths"])


def test_a_page_becomes_a_phone_for_who_may_supervise_and_from_this_very_host_alone(street: Street) -> None:
    def asked(password: str, origin: str) -> httpx.Response:
        return street.ask("POST", "/console/phone", headers=street.cookie(password) | {"Origin": origin})

    made = asked(WRITE, HERE)
    assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
    assert made.json()["account"].startswith("page-") and made.json()["domain"] == "example.com"
    assert asked(READ, HERE).status_code == 403
    assert asked(WRITE, "https://evil.example").status_code == 403
    assert street.ask("POST", "/console/phone", headers={"Origin": HERE}).status_code == 401
    assert street.ask("GET", "/console/phone", headers=street.cookie()).text == "inside", "no route to read"


def test_forms_of_the_door_say_where_they_come_from_and_nobody_else_is_told(street: Street) -> None:
    """Browsers say `Origin: null` of what is posted under `no-referrer`."""
    assert street.ask("GET", "/console/wallboard").headers["referrer-policy"] == "same-origin"


def test_a_recording_is_played_in_ranges_and_noted_once(street: Street) -> None:
    node = street.console.desk.view
    node.sounds = {"2026-01-01/r1-1.opus": [b"OggS and", b" the rest"]}  # type: ignore[attr-defined]
    noted: list[tuple[str, str]] = []

    async def keep(who: object, what: str, object: str) -> None:
        noted.append((what, object))

    street.console.desk.door.keep = keep  # type: ignore[method-assign,assignment]
    path, cookie = "/console/sound/2026-01-01/r1-1.opus", street.cookie()
    told = [
        street.ask("GET", path, headers=cookie | {"Range": asked})
        for asked in ("bytes=0-3", "bytes=5-", "bytes=99-")
    ]
    assert [each.status_code for each in told] == [206, 206, 416]
    assert [each.content for each in told[:2]] == [b"OggS", b"and the rest"]
    saved = street.ask("GET", f"{path}?save=1", headers=cookie)
    assert saved.headers["content-disposition"].startswith("attachment")
    assert noted == [
        ("listen_recording", "recordings/2026-01-01/r1-1.opus"),
        ("get_recording", "recordings/2026-01-01/r1-1.opus"),
    ]


@asynccontextmanager
async def visited() -> AsyncIterator[tuple[Console, httpx.AsyncClient]]:
    """Somebody is signed in and looks at the wallboard."""
    console = Console(Desk(Node(), TokenDoor(lambda: SETTINGS, time.monotonic, time.time), time.time))
    app = FastAPI(docs_url=None, openapi_url=None)
    app.mount("/console", console)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE) as client:
        await client.post("/console/sign-in", data={"password": WRITE}, headers={"Origin": HERE})
        assert (await client.get("/console/wallboard")).status_code == 200
        yield console, client


def test_a_page_that_is_closed_does_not_wait_for_the_collector() -> None:
    async def story() -> None:
        async with visited() as (console, client):
            with no_rings() as rings:
                assert (await client.get("/console/calls")).status_code == 200
                assert len(console.made_for) == 2
                await console.close()
                assert not console.made_for
                outboxes = [each for each in asyncio.all_tasks() if each.get_name().startswith("outbox")]
                assert outboxes
                await asyncio.wait(outboxes)
                del outboxes
                assert not rings()

    asyncio.run(story())


def test_a_page_that_left_just_before_the_node_ends_is_let_go_of_once() -> None:
    """NiceGUI would delete it again when its time is over, and log a fault."""

    async def story() -> None:
        async with visited() as (console, _):
            (page,) = (Client.instances[each] for each in console.made_for)
            page._socket_to_document_id["socket"] = "document"
            page._num_connections["document"] = 1
            page.handle_disconnect("socket")
            (ending,) = page._delete_tasks.values()
            await console.close()
            await asyncio.wait([ending], timeout=1.0)
            assert ending.cancelled()

    asyncio.run(story())
