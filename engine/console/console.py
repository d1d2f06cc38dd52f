"""The console as an ASGI app below /console: who gets in, by what, and how much of it.

    GET  /console/sign-in            a plain page; whoever is not signed in gets this and its style, no more
    POST /console/sign-in, sign-out  from this very host's pages alone
    GET  /console/web/…              style, drawings
    GET  /console/sound/DAY/FILE     a recording, for whoever may listen
    GET  /console/files/NAME.csv     a table that a page shows, to be taken along
    POST /console/phone              an account for a phone in the page, for whoever may supervise
    all else                         NiceGUI (host.py), for whoever is signed in

Requests and sockets carry a cookie of the API's session, HttpOnly and SameSite. A socket is let in with
an Origin of this host alone, is told as much as it takes, and cut when it takes nothing or sends too much.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.access.client import client_of
from engine.access.errors import AuditUnavailable
from engine.api import pages
from engine.api.identify import COOKIE, bake
from engine.api.settings import ConsoleTerms
from engine.console import build
from engine.console.desk import Desk
from engine.console.door import Door, Refusal, TokenDoor
from engine.console.downloads import download
from engine.console.host import REFERRER, WEB, Host
from engine.console.inside import Inside
from engine.console.language import Words
from engine.console.look import BASE, Place
from engine.console.packet import allowed
from engine.console.phone import phone
from engine.console.pulse import Pulse
from engine.console.screen import LOOK, Drawings
from engine.console.snapshot import taken
from engine.console.sound import sound
from engine.console.users import UserDoor
from engine.console.views import sign_in
from engine.languages import chosen

LANGUAGE, ZONE = "isogloss_language", "isogloss_zone"
SOCKET = "/_nicegui_ws/"
STATIC = "/_nicegui/"
SOCKETS = 200  # browsers of one node
MESSAGES_S, BURST = 30.0, 120.0  # that a browser may send
STALLED_S = 10.0
MOST_FORM = 4096
FOREVER = "public, max-age=31536000, immutable"
SIGN_IN = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# with the pages of agents and callers: their look, and what makes a page a phone
SHARED = ("style.css", "mark.svg", "microphone.js", "recovery.js", "sound.js", "storage.js", "sip/")

log = structlog.get_logger("console")


def mounted(app: FastAPI, terms: ConsoleTerms) -> Console:
    """The console below `app`, over what its state has: users sign in, where there are any, and tokens of the
    API.
    """
    state = app.state
    tokens = TokenDoor(lambda: state.settings, time.monotonic, time.time, state.guesses)
    proving = None if state.access is None else state.access.proving
    door: Door = tokens if state.access is None else UserDoor(state.access.desk, tokens)
    console = Console(
        Desk(
            view=state.view,
            door=door,
            wall=time.time,
            operating=state.operating,
            places=terms.places,
            insight=Inside,
            access=state.access,
            proving=proving,
        ),
        sockets=terms.browsers,
        sip_url=lambda: state.settings.pages.sip_url if state.settings.pages is not None else "",
    )

    async def first() -> RedirectResponse:
        return RedirectResponse(f"{BASE}/wallboard")

    app.add_api_route(BASE, first, methods=["GET"], include_in_schema=False)
    app.mount(BASE, console)
    return console


class Console:
    """sockets: browsers that may look at a time. sip_url: where pages that are phones register, "" for the
    node itself.
    """

    def __init__(
        self, desk: Desk, *, sockets: int = SOCKETS, sip_url: Callable[[], str] = lambda: ""
    ) -> None:
        self.desk = desk
        self.pulse = Pulse(lambda serial, who: taken(desk.of(who).view, desk.wall(), serial))
        self.drawings = Drawings()
        self.host = Host(lambda client, request: build.build(self, client, request), self._sockets_of)
        self._sockets, self._most, self._sip_url = 0, sockets, sip_url
        self.made_for: dict[str, str] = {}  # pages that are open, and the cookies that they were made for
        shared = {name: file for name, file in pages.read().items() if name.startswith(SHARED)}
        self._files = {**pages.read(WEB), **shared}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = inner(scope)
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, path)
            return
        if scope["type"] == "http":
            await (await self._answer(Request(scope, receive), path))(scope, receive, send)

    async def _answer(self, request: Request, path: str) -> ASGIApp:
        if path.startswith("/web/"):
            return self._file(request, path.removeprefix("/web/"))
        if path in ("/sign-in", "/sign-out") and request.method == "POST":
            return await self._posted(request, path)
        if path == "/phone" and request.method == "POST":
            return await self._phone(request)
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        signed = await self.desk.door.look(cookie_of(request.headers.get("cookie", "")))
        if path == "/sign-in" or signed is None:
            return self._page(request, path)
        if path.startswith("/files/"):
            return await download(self.desk, signed, request, path.removeprefix("/files/"))
        if path.startswith("/sound/"):
            asked = request.headers.get("range", "")
            save = "save" in request.query_params
            return await sound(self.desk, signed, path.removeprefix("/sound/"), asked, save=save)
        if path.startswith(SOCKET):  # sockets alone, no polling
            return Response(status_code=404)
        if path.startswith(STATIC):
            return self._cached
        if len(self.pulse) >= self._most:
            return Response("too many pages of the console are open; close one", 503, {"Retry-After": "30"})
        if signed.reads_people:
            place = Place.of(f"{path}?{request.url.query}")
            try:
                await self.desk.door.keep(signed, LOOK, place.subject, place.detail)
            except AuditUnavailable:
                return Response("the audit log takes nothing now, so nothing is shown", 503)
        request.scope["isogloss.who"] = signed
        return self.host

    async def close(self) -> None:
        if self.desk.proving is not None:
            self.desk.proving.close()
        await self.host.close()

    # --- files ------------------------------------------------------------------------------------

    def _file(self, request: Request, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            return Response(status_code=404)
        headers = {"ETag": file.etag, "Cache-Control": pages.CACHE}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(file.body, media_type=file.type, headers=headers)

    async def _cached(self, scope: Scope, receive: Receive, send: Send) -> None:
        """NiceGUI's own files have its version in their names."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                kept = [each for each in message["headers"] if each[0].lower() != b"cache-control"]
                message["headers"] = [*kept, (b"cache-control", FOREVER.encode())]
            await send(message)

        await self.host(scope, receive, sent)

    # --- signing in and out -----------------------------------------------------------------------

    def words(self, request: Request) -> Words:
        kept = cookie_of(request.headers.get("cookie", ""), LANGUAGE)
        asked = request.query_params.get("lang", "")
        return Words(chosen(asked, kept, request.headers.get("accept-language", "")))

    def _page(self, request: Request, path: str, refusal: Refusal | None = None, then: str = "") -> Response:
        here = f"{BASE}{path}" + (f"?{request.url.query}" if request.url.query else "")
        wanted = then or ("" if path.startswith("/sign-") else here)
        drawn = sign_in.page(self.words(request), within(wanted), refusal)
        headers = {"Content-Security-Policy": SIGN_IN, "Referrer-Policy": REFERRER}
        status = 200 if refusal is None else 429 if refusal.reason == "locked" else 403
        return Response(drawn, status, headers, "text/html; charset=utf-8")

    async def _posted(self, request: Request, path: str) -> Response:
        if not own(request.headers.get("origin"), request.headers.get("host", "")):
            return Response("another site's page may not do this", 403)
        if path == "/sign-out":
            await self.desk.door.logout(cookie_of(request.headers.get("cookie", "")))
            gone = RedirectResponse(f"{BASE}/sign-in", 303)
            gone.delete_cookie(COOKIE, path="/")
            return gone
        body = await request.body()
        if len(body) > MOST_FORM:
            return Response(status_code=413)
        try:
            given = dict(parse_qsl(body.decode(), max_num_fields=8))
        except ValueError:
            return Response(status_code=400)
        source = request.client.host if request.client else ""
        name, password, totp = (given.get(key, "") for key in ("name", "password", "totp"))
        session = await self.desk.door.login(
            name, password, totp, source, client_of(request.headers.get("user-agent", ""))
        )
        if isinstance(session, Refusal):
            log.warning("sign-in refused", source=source, reason=session.reason)
            return self._page(request, path, session, given.get("then", ""))
        log.info("signed in", by=session.principal.name, source=source)
        before = cookie_of(request.headers.get("cookie", ""))
        if before:
            await self.desk.door.logout(before)
        there = RedirectResponse(within(given.get("then", "")) or f"{BASE}/wallboard", 303)
        bake(request, there, COOKIE, session.cookie, "/", int(session.longest_s))
        return there

    # --- phones in pages --------------------------------------------------------------------------

    async def _phone(self, request: Request) -> Response:
        if not own(request.headers.get("origin"), request.headers.get("host", "")):
            return Response("another site's page may not do this", 403)
        signed = await self.desk.door.look(cookie_of(request.headers.get("cookie", "")))
        if signed is None:
            return Response("sign in first", 401)
        return phone(self.desk, signed, self._sip_url())

    def _sockets_of(self, host: str) -> str:
        """Where a page may open WebSockets. host: as in the Host header."""
        return pages.sockets_of(host, self.desk.view.phone_terms(), self._sip_url())

    # --- sockets ----------------------------------------------------------------------------------

    async def _socket(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        asked = own(headers.get(b"origin"), headers.get(b"host", ""))
        cookie = cookie_of(headers.get(b"cookie", ""))
        signed = await self.desk.door.look(cookie)
        named = page_of_query(scope["query_string"])
        asked = asked and self._shown(named, cookie)
        if not (asked and signed and path.startswith(SOCKET) and self._sockets < self._most):
            await send({"type": "websocket.close", "code": 1008})
            return
        self._sockets += 1
        try:
            bound = Bound(receive, send, time.monotonic, lambda page: self._shown(page, cookie))
            await self.host(scope, bound.receive, bound.send)
        finally:
            self._sockets -= 1

    def _shown(self, page: str, cookie: str) -> bool:
        """Whether that page was made for that session. Whoever knows the name of another's page, which stands
        in logs, could do there what the other may.
        """
        return page in self.made_for and hmac.compare_digest(self.made_for[page].encode(), cookie.encode())


class Bound:
    """A socket that is told what it takes: stalled for too long, sending too much, or naming a page that is
    not its own, it is cut.
    """

    def __init__(
        self, receive: Receive, send: Send, clock: Callable[[], float], its_own: Callable[[str], bool]
    ) -> None:
        self._receive, self._send, self._clock, self._its_own = receive, send, clock, its_own
        self._left, self._at = BURST, clock()
        self._cut = False

    async def receive(self) -> Message:
        message = await self._receive()
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_S) - 1
        self._at = now
        if not self._cut and not self._may(message):
            log.warning("a console was cut: it meant a page that is not its own")
            self._cut = True
        elif self._left < 0 or self._cut:
            log.warning("a console was cut: it sent too much" if not self._cut else "a console was cut")
        else:
            return message
        return {"type": "websocket.disconnect", "code": 1008}

    def _may(self, message: Message) -> bool:
        return message["type"] != "websocket.receive" or allowed(message.get("text"), self._its_own)

    async def send(self, message: Message) -> None:
        if self._cut:
            return
        try:
            async with asyncio.timeout(STALLED_S):
                await self._send(message)
        except TimeoutError:
            self._cut = True
            log.warning("a console was cut: it took nothing", seconds=STALLED_S)


def inner(scope: Scope) -> str:
    """The path below the console's own."""
    root, path = scope.get("root_path", ""), scope["path"]
    return str(path.removeprefix(root)) or "/"


def cookie_of(header: str, name: str = COOKIE) -> str:
    try:
        jar: SimpleCookie = SimpleCookie(header[:8192])
    except CookieError:
        return ""
    found: Any = jar.get(name)
    return found.value[:256] if found else ""


def own(origin: str | None, host: str) -> bool:
    """Whether the page that asks is one of this very host. What names no origin is no page of ours."""
    if not origin or not host:
        return False
    return urlsplit(origin).netloc.lower() == host.lower()


def page_of_query(query: bytes) -> str:
    """The page that a socket is asked for, "" where that is not one alone, or another socket is meant."""
    try:
        said = parse_qs(query.decode("latin-1"), max_num_fields=32)
    except ValueError:
        return ""
    pages = said.get("client_id", [])
    return pages[0] if len(pages) == 1 and "sid" not in said else ""


def within(address: str) -> str:
    """An address of the console, as it is written there; "" for any other."""
    if not address.startswith(f"{BASE}/") or address.startswith(f"{BASE}/sign-"):
        return ""
    return Place.of(address).address
