"""Callers at the API's door: from which page, how often, and with which token."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, cast

import structlog
from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import tokens
from engine.api.deps import EngineView
from engine.api.identify import settings_of, unauthorized
from engine.api.problem import Problem
from engine.api.settings import Callers
from engine.throttle import Throttle
from engine.tokens import BadToken, Claims

PATHS = ("/whip/", "/near")
PREFLIGHT_S = 600  # that browsers may remember what is allowed
ALLOWED = "Authorization, Content-Type, If-Match"
EXPOSED = "Location, ETag, Link, Accept-Patch, Retry-After, Isogloss-Call, Isogloss-Resumed, WWW-Authenticate"

log = structlog.get_logger("api")


class Limits:
    """How often callers may ask; one set a node."""

    def __init__(self, callers: Callers) -> None:
        self.sources = Throttle(callers.per_source_min)
        self.tokens = Throttle(callers.per_token_min)


class Cors:
    """Lets pages of allowed origins read what they are answered (Fetch, section 3.2), refusals too."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self.app = app
        self.callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PATHS):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = bool(origin) and lets_in(scope["app"], self.callers, headers)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.add_vary_header("Origin")
                if allowed:
                    answer["Access-Control-Allow-Origin"] = origin
                    answer["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        await self.app(scope, receive, sent)


def lets_in(app: FastAPI, callers: Callers, headers: Headers) -> bool:
    """Whether pages of that origin may call here: those that are named, those of this host, and those of the
    other nodes, which are ours.
    """
    origin = headers.get("origin")
    if callers.lets_in(origin, headers.get("host", "")):
        return True
    view = cast(EngineView, app.state.view)
    return origin is not None and origin.lower() in view.cluster.origins()


def onward(request: Request, destination: str) -> tuple[str, ...]:
    """Where the same may be called when this node stops or is lost: as configured, or the nearest others."""
    callers = settings_of(request).callers
    nodes = callers.next_nodes or cast(EngineView, request.app.state.view).cluster.onward()
    return tuple(f"{node}/whip/{destination}" for node in nodes)


def preflight(methods: str, more: Mapping[str, str] | None = None) -> Response:
    """What pages of other origins may ask (Fetch, section 3.2.2)."""
    return Response(
        status_code=204,
        headers={
            "Allow": methods,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": ALLOWED,
            "Access-Control-Max-Age": str(PREFLIGHT_S),
            **(more or {}),
        },
    )


def entered(request: Request) -> None:
    """Raises Problem for pages that may not call, and for sources that ask too often."""
    callers, headers = settings_of(request).callers, request.headers
    if not lets_in(request.app, callers, headers):
        raise Problem(403, "foreign-origin", "pages of that origin may not call here: see callers.origins")
    limits: Limits = request.app.state.limits
    source = request.client.host if request.client else ""
    _slow(limits.sources.take(source, time.monotonic()), "that address")


def _slow(wait: float, whose: str) -> None:
    if wait:
        headers = {"Retry-After": str(int(wait) + 1)}
        raise Problem(429, "too-many-requests", f"too many requests from {whose}", headers=headers)


bearer = HTTPBearer(
    auto_error=False, scheme_name="caller", description="A caller's token: POST /v1/callers/tokens makes one."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]


def claims_of(request: Request, credentials: Credentials) -> Claims | None:
    """What the token says that came with the request, None without one. Raises Problem for a bad one."""
    if credentials is None:
        if request.headers.get("authorization"):
            raise unauthorized(
                "the Authorization header must be of the form: Bearer TOKEN", "invalid_request"
            )
        return None
    callers = settings_of(request).callers
    try:
        claims = tokens.read(credentials.credentials, callers.keys, time.time(), callers.token_s)
    except BadToken as bad:
        source = request.client.host if request.client else ""
        log.warning("a caller's token was refused", source=source, why=str(bad))
        raise unauthorized(f"the token is no good: {bad}", "invalid_token") from bad
    limits: Limits = request.app.state.limits
    _slow(limits.tokens.take(claims.id, time.monotonic()), "that token")
    return claims


def caller(claims: Annotated[Claims | None, Depends(claims_of)]) -> Claims:
    """Raises Problem without a token. Whether it has expired matters for new calls alone."""
    if claims is None:
        raise unauthorized("this needs a caller's token", "")
    return claims


Entered = Depends(entered)
Caller = Annotated[Claims, Depends(caller)]
Known = Annotated[Claims | None, Depends(claims_of)]
