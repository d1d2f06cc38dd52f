"""Who may use the API, and within what bounds.

A token is kept as its SHA-256 alone. That is enough, and no slower hash needed, because tokens are random and
long: `new_secret` makes them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.callers import CallerSettings
from config.service import ApiRole, ApiSettings
from engine.access.role import PEOPLE_ONLY, Permission, Role, granted
from engine.tokens import MIN_SECRET as MIN_KEY

MIN_SECRET = 16  # characters; shorter ones can be guessed


@dataclass(frozen=True, slots=True)
class Token:
    """name: who holds it, as it stands in logs. expires_at: epoch seconds, None for never."""

    name: str
    digest: bytes
    permissions: frozenset[Permission]
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class PageTerms:
    """What pages of agents and callers are told. demo: what anybody may call from the caller's."""

    sip_url: str = ""
    outcomes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    demo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleTerms:
    """browsers: that may look at a time. places: regions on its map, as latitude and longitude."""

    browsers: int = 200
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callers:
    """Who may call from pages. keys: secrets that their tokens are signed with, by id; none: nobody calls.
    key: the id of the one that is used here. The rest is as in config.callers.
    """

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    key: str | None = None
    origins: frozenset[str] = frozenset()
    token_s: float = 300.0
    per_source_min: int = 60
    per_token_min: int = 60
    next_nodes: tuple[str, ...] = ()

    def lets_in(self, origin: str | None, host: str) -> bool:
        """Whether pages of that origin may call, at the host that they name. None: it is no page."""
        if origin is None or "*" in self.origins or origin.lower() in self.origins:
            return True
        own = origin.lower().partition("://")[2]
        return bool(own) and own == host.lower()


@dataclass(frozen=True, slots=True)
class Settings:
    """Without tokens nobody gets in. open_metrics: /metrics needs no token, for collectors that cannot send
    one.
    """

    tokens: tuple[Token, ...] = ()
    open_metrics: bool = False
    docs: bool = True
    max_body_bytes: int = 64 * 1024
    pages: PageTerms | None = None
    callers: Callers = Callers()
    console: ConsoleTerms | None = None
    live_origins: frozenset[str] = frozenset()  # pages of other hosts that may watch

    def holder(self, secret: str, now: float) -> Token | None:
        """Whose token this is, None for nobody's. As long to say no as yes: every token is compared, in
        constant time.
        """
        digest = hashed(secret)
        found = None
        for token in self.tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        if found is not None and found.expires_at is not None and now >= found.expires_at:
            return None
        return found


# What tokens of the configuration may; users and their tokens: engine/access/role.py.
P = Permission
PERMISSIONS: Mapping[ApiRole, frozenset[Permission]] = {
    ApiRole.VIEWER: frozenset({P.BOARD, P.CALLS, P.METRICS, P.READ_CONFIG}),
    ApiRole.OPERATOR: (granted(Role.SUPERVISOR, Role.OPERATOR) | {P.ERASE}) - PEOPLE_ONLY,
    ApiRole.SITE: frozenset({P.CALLERS}),
}


def configured(api: ApiSettings) -> Settings:
    """The settings that a node's configuration asks for. Raises ValueError for a token that could be guessed,
    SecretMissing for one that has no value."""
    tokens = (token(name, held.token.reveal(), *PERMISSIONS[held.role]) for name, held in api.tokens.items())
    pages = None
    if api.pages.enabled:
        given = api.pages
        pages = PageTerms(given.sip_url, given.outcomes, given.pause_reasons, given.demo)
    console = None
    if api.console.enabled:
        places = {name: (place[0], place[1]) for name, place in api.console.places.items()}
        console = ConsoleTerms(api.console.browsers, places)
    return Settings(
        tokens=tuple(tokens),
        docs=api.docs,
        pages=pages,
        callers=_callers(api.callers),
        console=console,
        live_origins=frozenset(api.live.origins),
    )


def _callers(given: CallerSettings) -> Callers:
    keys = {id: secret.reveal() for id, secret in given.keys.items()}
    for id, secret in keys.items():
        if len(secret) < MIN_KEY:
            raise ValueError(f"the callers' key {id!r} is too short; use {MIN_KEY} random characters or more")
    return Callers(
        keys=keys,
        key=given.key,
        origins=frozenset(given.origins),
        token_s=float(given.token_s),
        per_source_min=given.per_source_min,
        per_token_min=given.per_token_min,
        next_nodes=given.next_nodes,
    )


def token(name: str, secret: str, *permissions: Permission, expires_at: float | None = None) -> Token:
    """A token by its secret. Raises ValueError for one that could be guessed."""
    if len(secret) < MIN_SECRET:
        raise ValueError(
            f"the API token of {name!r} is too short; use {MIN_SECRET} random characters or more"
        )
    return Token(name, hashed(secret), frozenset(permissions), expires_at)


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def new_secret() -> str:
    """A token nobody can guess: 256 random bits."""
    return f"iso_{secrets.token_urlsafe(32)}"
