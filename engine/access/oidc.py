"""Signing in by the word of another house: OpenID Connect, authorization code with PKCE.

    browser ──► begin: a state, a nonce and a verifier, sealed in a cookie ──► the provider
    browser ◄── back with code and state ──► finish: state compared, code redeemed, ID token verified

Sources: OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636 (S256), RFC 9700. Whatever the provider
says is bounded in size and time; only signatures by its published keys count.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from engine.access.errors import AccessError, WrongCredentials
from engine.access.role import Role

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
STATE_S = 600.0  # from leaving for the provider to coming back
METADATA_S = 3600.0
KEYS_S = 30.0  # at most so often are keys asked for again
PATIENCE_S = 10.0
LONGEST = 256 * 1024  # bytes of what the provider says
LEEWAY_S = 60.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ProviderFault(AccessError):
    """The provider says what it should not, or nothing."""

    status, name = 503, "provider-fault"


@dataclass(frozen=True, slots=True)
class Provider:
    """issuer: as the provider writes it. origin: of this node, as browsers see it. roles: by value of the
    claim, the first that somebody has counts. markets_claim, teams_claim: "" where there is none, and nobody
    is limited; where there is one, who has nothing in it is not let in, and "*" stands for all.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    origin: str = ""
    scopes: str = "openid profile"
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    markets_claim: str = ""
    teams_claim: str = ""

    @property
    def back(self) -> str:
        return f"{self.origin}/v1/session/oidc/callback"


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody as the provider knows them."""

    subject: str
    name: str
    role: Role
    markets: tuple[str, ...]
    teams: tuple[str, ...]
    display: str


class Oidc:
    """One provider's. wall: epoch seconds. clock: seconds that never leap."""

    def __init__(
        self,
        provider: Provider,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self._wall = wall
        self._clock = clock
        # Nodes of one configuration open each other's cookies.
        self._seal = hmac.digest(provider.client_secret.encode(), b"isogloss sign-in", "sha256")
        self._metadata: Mapping[str, Any] = {}
        self._metadata_at = 0.0
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at: float | None = None

    async def begin(self, next: str) -> tuple[str, str]:
        """Where the browser goes, and the cookie that it takes along, `next` in it. Raises ProviderFault."""
        metadata = await self._told()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.provider.back,
            "scope": self.provider.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "next": next}
        kept["until"] = str(int(self._wall() + STATE_S))
        endpoint = self._endpoint(metadata, "authorization_endpoint")
        joint = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{joint}{urlencode(asked)}", jwt.encode(kept, self._seal, "HS256")

    async def finish(self, cookie: str, state: str, code: str) -> tuple[Vouched, str]:
        """Who came back, and where to go on. Raises WrongCredentials, ProviderFault."""
        try:
            kept = jwt.decode(cookie, self._seal, ["HS256"])
        except jwt.InvalidTokenError as error:
            raise WrongCredentials("this sign-in was not begun here; begin again") from error
        if self._wall() > int(kept["until"]) or not hmac.compare_digest(
            kept["state"].encode(), state.encode()
        ):
            raise WrongCredentials("this sign-in was not begun here, or too long ago; begin again")
        metadata = await self._told()
        redeemed = await self._ask(
            "POST",
            self._endpoint(metadata, "token_endpoint"),
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.provider.back,
                "code_verifier": kept["verifier"],
            },
            auth=(self.provider.client_id, self.provider.client_secret),
        )
        claims = await self._claims(str(redeemed.get("id_token", "")), metadata, kept["nonce"])
        return self._vouched(claims), kept["next"]

    # --- what the provider says ---------------------------------------------------------------------

    async def _told(self) -> Mapping[str, Any]:
        """Its metadata (Discovery 1.0 section 4)."""
        if not self._metadata or self._clock() - self._metadata_at > METADATA_S:
            issuer = self.provider.issuer
            found = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise ProviderFault("the provider says that it is another one")
            self._metadata, self._metadata_at = found, self._clock()
        return self._metadata

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        url = metadata.get(name)
        if not isinstance(url, str) or not _safe(url):
            raise ProviderFault(f"the provider's {name} is no address under https")
        return url

    async def _claims(self, token: str, metadata: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """What a genuine ID token says (Core 1.0 section 3.1.3.7). Raises WrongCredentials."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")), metadata)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                [each for each in ALGORITHMS if each == header.get("alg")],
                {"require": ["exp", "iat", "iss", "aud", "sub"], "verify_exp": False, "verify_iat": False},
                audience=self.provider.client_id,
                issuer=self.provider.issuer,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise WrongCredentials("the provider's ID token is not genuine") from error
        now = self._wall()
        times = (claims["iat"], claims["exp"])
        if not all(isinstance(each, int | float) for each in times):
            raise WrongCredentials("the provider's ID token has no times")
        if not times[0] - LEEWAY_S <= now < times[1] + LEEWAY_S:
            raise WrongCredentials("the provider's ID token has expired, or comes from the future")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise WrongCredentials("the provider's ID token is of another sign-in")
        if claims.get("azp", self.provider.client_id) != self.provider.client_id:
            raise WrongCredentials("the provider's ID token is for another client")
        return claims

    async def _key(self, id: str, metadata: Mapping[str, Any]) -> jwt.PyJWK:
        """The provider's key of that name; asked for anew where it is not known, and now and then, for keys
        are taken back. Raises WrongCredentials, ProviderFault.
        """
        age = self._clock() - self._keys_at if self._keys_at is not None else float("inf")
        if age > METADATA_S or (id not in self._keys and age > KEYS_S):
            found = await self._ask("GET", self._endpoint(metadata, "jwks_uri"))
            self._keys_at = self._clock()
            told = [each for each in found.get("keys", ()) if isinstance(each, dict)]
            usable = [each for each in told if each.get("kty") != "oct" and each.get("use", "sig") == "sig"]
            self._keys = {
                str(each.get("kid", "")): key for each in usable[:100] if (key := _understood(each))
            }
        if id not in self._keys:
            raise WrongCredentials("the provider's ID token is signed with no key of its")
        return self._keys[id]

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """A JSON object of the provider's. Raises ProviderFault."""
        if not _safe(url):
            raise ProviderFault("the provider's address is not under https")
        try:
            async with (
                httpx.AsyncClient(verify=_tls(), timeout=PATIENCE_S, trust_env=False) as client,
                client.stream(method, url, headers={"Accept": "application/json"}, **more) as answer,
            ):
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > LONGEST:
                        raise ProviderFault("the provider says too much")
                if method == "POST" and 400 <= answer.status_code < 500:
                    raise WrongCredentials("the provider does not take this sign-in; begin again")
                if answer.status_code != 200:
                    raise ProviderFault(f"the provider answered {answer.status_code}")
        except httpx.HTTPError as error:
            raise ProviderFault("the provider does not answer") from error
        try:
            found = httpx.Response(200, content=body).json()
        except ValueError as error:
            raise ProviderFault("the provider's answer is no JSON") from error
        if not isinstance(found, dict):
            raise ProviderFault("the provider's answer is no object")
        return found

    # --- what follows from it -----------------------------------------------------------------------

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        """Who somebody is here. Raises WrongCredentials for one that no role is meant for."""
        given = self.provider
        held = _words(claims.get(given.role_claim))
        role = next((role for value, role in given.roles.items() if value in held), None)
        if role is None:
            raise WrongCredentials("the provider knows you, but no role here is meant for you")
        return Vouched(
            subject=f"{given.issuer} {claims['sub']}",
            name=str(claims.get(given.name_claim, "")).lower(),
            role=role,
            markets=_limits(claims, given.markets_claim),
            teams=_limits(claims, given.teams_claim),
            display=str(claims.get("name", ""))[:256],
        )


def _understood(told: dict[str, Any]) -> jwt.PyJWK | None:
    """None for a key of a kind that is not known here, which is to be passed over (RFC 7517 section 5)."""
    try:
        return jwt.PyJWK(told)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _limits(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Empty for all. Raises WrongCredentials where the claim that limits says nothing."""
    if not name:
        return ()
    held = _words(claims.get(name))
    if not held:
        raise WrongCredentials(f"the provider does not say which {name} are yours")
    return () if "*" in held else tuple(sorted(held))


def _words(value: Any) -> frozenset[str]:
    """A claim of one text or several."""
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(each for each in values if isinstance(each, str) and each)


@functools.cache
def _tls() -> ssl.SSLContext:
    """With the system's authorities; reading them takes longer than a sign-in."""
    return ssl.create_default_context()


def _safe(url: str) -> bool:
    """Whether nobody on the way reads along."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
