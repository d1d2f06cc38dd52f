"""Who gets in: what a console asks of whoever keeps users, and an implementation by the API's tokens."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from engine.access.principal import How
from engine.access.principal import Principal as Known
from engine.access.role import Permission
from engine.access.seen import Seen
from engine.api.deps import EngineView
from engine.api.settings import Settings, Token, hashed
from engine.store.rows import clean

SESSIONS = 1000
IDLE_S = 8 * 3600.0
MOST_S = 24 * 3600.0
READ, WRITE, LISTEN = "read", "write", "listen"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever is signed in. teams, markets: what she may see; empty: all. rights: of READ, WRITE, LISTEN.
    scope: people of the same one see the same of a node (Door.sees).
    """

    name: str
    role: str
    teams: frozenset[str] = frozenset()
    markets: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()
    scope: str = ""

    def may(self, permission: str) -> bool:
        return permission in self.rights


@dataclass(frozen=True, slots=True)
class Session:
    """cookie: the secret that the browser keeps."""

    cookie: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class Refusal:
    """reason: wrong, more (a code is wanted), locked."""

    reason: str
    wait_s: float = 0.0


class Door(Protocol):
    """Both are quick, or are awaited elsewhere than on the event loop."""

    async def login(self, name: str, password: str, totp: str, source: str) -> Session | Refusal:
        """source: the address that asks."""

    def who(self, cookie: str) -> Principal | None:
        """Whose session this is; None for nobody's, and from the moment on that it is over."""

    def logout(self, cookie: str) -> None: ...

    def sees(self, view: EngineView, who: Principal) -> EngineView:
        """The node as this person may see it: her markets and teams alone, numbers masked."""


@dataclass(frozen=True, slots=True)
class _Held:
    digest: bytes
    began: float
    seen: float


class TokenDoor:
    """A token of the API, pasted as the password, is whoever holds it; the name is not asked for.

    settings: those that count now. A session ends with its token, when nobody used it for long, and when it
    is old. clock: monotonic s; wall: epoch s.
    """

    def __init__(
        self, settings: Callable[[], Settings], clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._sessions: OrderedDict[bytes, _Held] = OrderedDict()

    async def login(self, name: str, password: str, totp: str, source: str) -> Session | Refusal:
        token = self._settings().holder(clean(password.strip()), self._wall())
        if token is None or Permission.CALLS not in token.permissions:
            return Refusal("wrong")
        cookie, now = secrets.token_urlsafe(32), self._clock()
        while len(self._sessions) >= SESSIONS:
            self._sessions.popitem(last=False)
        self._sessions[hashed(cookie)] = _Held(token.digest, now, now)
        return Session(cookie, _principal(token))

    def who(self, cookie: str) -> Principal | None:
        key, now = hashed(cookie), self._clock()
        held = self._sessions.get(key)
        if held is None:
            return None
        token = self._token(held.digest)
        if token is None or now - held.seen > IDLE_S or now - held.began > MOST_S:
            del self._sessions[key]
            return None
        self._sessions[key] = replace(held, seen=now)
        return _principal(token)

    def logout(self, cookie: str) -> None:
        self._sessions.pop(hashed(cookie), None)

    def sees(self, view: EngineView, who: Principal) -> EngineView:
        """A viewer sees numbers masked, as by the API."""
        permissions = frozenset(map(Permission, who.scope.split()))
        return Seen(view, Known(who=who.name, permissions=permissions, how=How.CONFIGURED))

    def _token(self, digest: bytes) -> Token | None:
        now = self._wall()
        for token in self._settings().tokens:
            lasts = token.expires_at is None or now < token.expires_at
            if lasts and hmac.compare_digest(token.digest, digest):
                return token
        return None


def _principal(token: Token) -> Principal:
    rights = {READ} | {right for allowed, right in _RIGHTS.items() if allowed in token.permissions}
    role = "operator" if Permission.CONFIGURE in token.permissions else "viewer"
    return Principal(
        name=token.name, role=role, rights=frozenset(rights), scope=" ".join(sorted(token.permissions))
    )


_RIGHTS = {Permission.CONFIGURE: WRITE, Permission.LISTEN: LISTEN}
