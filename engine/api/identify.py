"""Who asks: by a token, of the configuration's or of a user's, or by the session of a browser.

A browser sends its cookie whatever page has it ask, so a write by cookie has to show two things that pages of
others cannot: their own origin, which the browser tells, and the session's token, which only a page of ours
has read (`X-CSRF-Token`). A WebSocket by cookie shows its origin.
"""

from __future__ import annotations

import time
from typing import Annotated, cast

import structlog
from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from engine.access import client
from engine.access.access import Access
from engine.access.principal import How, Principal
from engine.access.role import Permission
from engine.api.guesses import Guesses
from engine.api.problem import Problem
from engine.api.settings import Settings, Token

COOKIE = "isogloss_session"
CSRF = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

log = structlog.get_logger("api")

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of the node's configuration, or one that a user has made (`POST /v1/tokens`).",
)
cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"Of somebody who signed in (`POST /v1/session`). Writes also need `{CSRF}`, and an `Origin` "
    "of this host.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
Cookie = Annotated[str | None, Security(cookie)]


def settings_of(connection: HTTPConnection) -> Settings:
    return cast(Settings, connection.app.state.settings)


def access_of(connection: HTTPConnection) -> Access:
    """Raises Problem where nobody signs in."""
    access: Access | None = connection.app.state.access
    if access is None:
        raise Problem(404, "unknown-user", "nobody signs in at this node")
    return access


async def identified(request: Request, credentials: Credentials, session: Cookie) -> Principal | None:
    """Who asks, None for nobody known. Raises Problem for a token that is nobody's, and for a write that a
    page of others may have sent.
    """
    return await identify(request)


async def identify(connection: HTTPConnection, said: str = "") -> Principal | None:
    """The same of any request or WebSocket. said: what a WebSocket's page said that could send no header, as
    one would have it.
    """
    written = connection.headers.get("authorization") or said
    found = await _by_token(connection, written) if written else await _by_session(connection)
    connection.state.principal = found
    return found


async def _by_token(connection: HTTPConnection, written: str) -> Principal | None:
    scheme, _, secret = written.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise unauthorized("the Authorization header must be of the form: Bearer TOKEN", "invalid_request")
    secret, source, now = secret.strip(), source_of(connection), time.monotonic()
    guesses: Guesses = connection.app.state.guesses
    wait = guesses.wait(source, secret, now)
    if wait:
        detail = "too many unknown tokens came from your address; wait a moment"
        raise Problem(429, "too-many-requests", detail, headers={"Retry-After": str(int(wait) + 1)})
    found = await _holder(connection, secret)
    if found is None:
        guesses.wrong(source, secret, now)
        log.warning("an unknown API token was refused", source=source, path=connection.url.path)
        raise unauthorized("the token is unknown or has expired", "invalid_token")
    guesses.right(source, secret, now)
    return found


async def _holder(connection: HTTPConnection, secret: str) -> Principal | None:
    token = settings_of(connection).holder(secret, time.time())
    if token is not None:
        return of_configured(token)
    access: Access | None = connection.app.state.access
    return await access.desk.principal_of_token(secret) if access is not None else None


async def _by_session(connection: HTTPConnection) -> Principal | None:
    secret, access = connection.cookies.get(COOKIE), connection.app.state.access
    if not secret or access is None:
        return None
    found: Principal | None = await access.desk.principal_of_session(secret)
    method = connection.scope.get("method")  # a WebSocket has none
    if found is None or method in SAFE:
        return found
    if not own_origin(connection):
        raise Problem(403, "foreign-origin", "a page of another origin may not do this for you")
    if method is not None and not access.desk.csrf_right(secret, connection.headers.get(CSRF, "")):
        raise Problem(
            403, "csrf-token-wanted", f"send the session's token in {CSRF}; GET /v1/session tells it"
        )
    return found


def of_configured(token: Token) -> Principal:
    return Principal(
        who=token.name, permissions=token.permissions, how=How.CONFIGURED, expires_at=token.expires_at
    )


def own_origin(connection: HTTPConnection) -> bool:
    """Whether the browser says that a page of this very host asks."""
    origin = connection.headers.get("origin", "").lower().partition("://")[2]
    return bool(origin) and origin == connection.headers.get("host", "").lower()


def source_of(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def client_of(connection: HTTPConnection) -> str:
    """What kind of browser asks."""
    return client.client_of(connection.headers.get("User-Agent", ""))


def bake(request: Request, response: Response, name: str, value: str, path: str, life_s: int) -> None:
    """A cookie that no script reads and no page of others has sent; over plain HTTP to the machine itself
    alone.
    """
    plain = request.url.scheme == "http" and (request.url.hostname or "") in LOOPBACK
    response.set_cookie(
        name, value, max_age=life_s, path=path, secure=not plain, httponly=True, samesite="lax"
    )


class Require:
    """The dependency of a route that only those with this permission may use. personal: its answer has
    people's numbers or addresses in it for who has `personal`, although others with the permission read it.
    """

    def __init__(self, permission: Permission, personal: bool = False) -> None:
        self.permission = permission
        self.personal = personal

    async def __call__(
        self, request: Request, principal: Annotated[Principal | None, Depends(identified)]
    ) -> Principal:
        request.state.permission, request.state.personal = self.permission, self.personal
        if principal is None:
            raise unauthorized("this needs a token, or somebody who signed in", "")
        if not principal.may(self.permission):
            challenge = f'Bearer realm="isogloss", error="insufficient_scope", scope="{self.permission}"'
            detail = f"{principal.who!r} does not have the permission {str(self.permission)!r}"
            if principal.limited and self.permission in principal.permissions:
                detail += " while limited to markets or teams"
            raise Problem(403, "forbidden", detail, headers={"WWW-Authenticate": challenge})
        return principal


def require(permission: Permission, personal: bool = False) -> Require:
    return Require(permission, personal)


def unauthorized(detail: str, error: str) -> Problem:
    """RFC 6750 section 3: the challenge names the error only when there was a token."""
    challenge = 'Bearer realm="isogloss"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
