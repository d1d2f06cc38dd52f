"""Who gets in: what a console asks of whoever keeps users, and an implementation by the API's tokens."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from engine.access.principal import How
from engine.access.principal import Principal as Known
from engine.access.role import Permission
from engine.access.seen import Seen
from engine.api.deps import EngineView
from engine.api.guesses import Guesses
from engine.api.identify import of_configured
from engine.api.settings import Settings, Token, hashed
from engine.store.rows import clean

Detail = Mapping[str, object]
SESSIONS = 1000
IDLE_S = 8 * 3600.0
MOST_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever is signed in. teams, markets: what she may see; empty: all. rights: what she may do.
    scope: people of the same one see the same of a node.
    """

    name: str
    role: str
    teams: frozenset[str] = frozenset()
    markets: frozenset[str] = frozenset()
    rights: frozenset[Permission] = frozenset()
    scope: str = ""
    how: How = How.CONFIGURED

    def may(self, permission: Permission) -> bool:
        return permission in self.rights

    @property
    def reads_people(self) -> bool:
        """Whether numbers of people, or what they said, are shown to her as they are."""
        return self.may(Permission.PERSONAL) or self.may(Permission.LISTEN)

    @property
    def known(self) -> Known:
        """As everything but the console knows her."""
        return Known(
            who=self.name, permissions=self.rights, how=self.how, markets=self.markets, teams=self.teams
        )


@dataclass(frozen=True, slots=True)
class Session:
    """cookie: the secret that the browser keeps, for so long at most."""

    cookie: str
    principal: Principal
    longest_s: float = MOST_S


@dataclass(frozen=True, slots=True)
class Refusal:
    """reason: wrong, more (a code is wanted), locked, barred (known, but the console is not hers)."""

    reason: str
    wait_s: float = 0.0


class Door(Protocol):
    """On the event loop. Where users are in a store, all of it raises StoreUnavailable."""

    async def login(
        self, name: str, password: str, totp: str, source: str, client: str = ""
    ) -> Session | Refusal:
        """source: the address that asks."""

    async def look(self, cookie: str) -> Principal | None:
        """Whose session this is; None for nobody's, and from the moment on that it is over."""

    def who(self, cookie: str) -> Principal | None:
        """The same of who is looking already, at once: also raises StoreUnavailable where the store has not
        said lately.
        """

    async def logout(self, cookie: str) -> None: ...

    def note(
        self, who: Principal, what: str, object: str, outcome: str = "done", detail: Detail | None = None
    ) -> None:
        """Tell the audit log, where there is one, what somebody did. detail: without personal data."""

    async def keep(self, who: Principal, what: str, object: str, detail: Detail | None = None) -> None:
        """The same of what is shown only when the log has it. Raises AuditUnavailable."""


class TokenDoor:
    """A token of the API, pasted as the password, is whoever holds it; the name is not asked for.

    settings: those that count now. A session ends with its token, when nobody used it for long, and when it
    is old. clock: monotonic s; wall: epoch s. guesses: at tokens, those at the API among them.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        clock: Callable[[], float],
        wall: Callable[[], float],
        guesses: Guesses | None = None,
    ) -> None:
        self._settings = settings
        self._guesses = guesses or Guesses()
        self._clock = clock
        self._wall = wall
        self._sessions: OrderedDict[bytes, _Held] = OrderedDict()

    async def login(
        self, name: str, password: str, totp: str, source: str, client: str = ""
    ) -> Session | Refusal:
        given, now = clean(password.strip()), self._clock()
        wait = self._guesses.wait(source, given, now)
        if wait:
            return Refusal("locked", wait)
        token = self._settings().holder(given, self._wall())
        if token is None:
            self._guesses.wrong(source, given, now)
            return Refusal("wrong")
        self._guesses.right(source, given, now)
        if Permission.CALLS not in token.permissions:
            return Refusal("wrong")
        cookie = secrets.token_urlsafe(32)
        while len(self._sessions) >= SESSIONS:
            self._sessions.popitem(last=False)
        self._sessions[hashed(cookie)] = _Held(token.digest, now, now)
        return Session(cookie, signed_in(of_configured(token)))

    async def look(self, cookie: str) -> Principal | None:
        return self.who(cookie)

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
        return signed_in(of_configured(token))

    async def logout(self, cookie: str) -> None:
        self._sessions.pop(hashed(cookie), None)

    def note(
        self, who: Principal, what: str, object: str, outcome: str = "done", detail: Detail | None = None
    ) -> None:
        """Nobody keeps an audit log where there are tokens alone."""

    async def keep(self, who: Principal, what: str, object: str, detail: Detail | None = None) -> None:
        """As `note`."""

    def _token(self, digest: bytes) -> Token | None:
        now = self._wall()
        for token in self._settings().tokens:
            lasts = token.expires_at is None or now < token.expires_at
            if lasts and hmac.compare_digest(token.digest, digest):
                return token
        return None


@dataclass(frozen=True, slots=True)
class _Held:
    digest: bytes
    began: float
    seen: float


def signed_in(known: Known) -> Principal:
    """Somebody as the console shows her."""
    rights = frozenset(each for each in Permission if known.may(each))
    role = known.role or ("operator" if Permission.CONFIGURE in rights else "viewer")
    seen = (sorted(rights), sorted(known.markets), sorted(known.teams))
    return Principal(
        name=known.who,
        role=str(role),
        teams=known.teams,
        markets=known.markets,
        rights=rights,
        scope=repr([[str(each) for each in some] for some in seen]),
        how=known.how,
    )


def seen_by(view: EngineView, who: Principal) -> EngineView:
    """The node as this person may see it: her markets and teams alone, numbers masked, as by the API."""
    return Seen(view, who.known)
