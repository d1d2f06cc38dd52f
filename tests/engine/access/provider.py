"""A small OpenID Connect provider that speaks HTTP on loopback: discovery, authorization, tokens, keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from engine.api.server import ApiServer

CLIENT, SECRET = "isogloss", "the client's own secret, which is long"


class IdProvider:
    """claims: what the next ID token says beside its own. spoil: changes a token's claims, or the token."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.other = ec.generate_private_key(ec.SECP256R1())
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "Maria", "groups": ["leads"]}
        self.spoil: Callable[[dict[str, Any]], dict[str, Any] | str] = dict
        self.metadata: dict[str, Any] = {}
        self.asked: list[str] = []
        self.padding = ""
        self.odd: list[dict[str, Any]] = []  # keys beside its own
        self._codes: dict[str, dict[str, str]] = {}
        self.issuer = ""
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        self.asked.append("discovery")
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "padding": self.padding,
        }
        return JSONResponse(told | self.metadata)

    async def _authorize(self, request: Request) -> Response:
        """Whoever comes is Maria, and agrees."""
        asked = dict(request.query_params)
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        if any(asked.get(name) != value for name, value in wanted.items()) or not asked.get("nonce"):
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def _token(self, request: Request) -> Response:
        """RFC 6749 section 4.1.3, RFC 7636 section 4.6."""
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        proof = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {proof}":
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = asked is not None and asked["code_challenge"] == challenge
        if asked is None or not fits or asked["redirect_uri"] != given.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(self.now())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            **self.claims,
        }  # fmt: skip
        spoilt = self.spoil(claims)
        token = spoilt if isinstance(spoilt, str) else self.signed(spoilt)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    async def _keys(self, request: Request) -> Response:
        self.asked.append("keys")
        shared = {"kty": "oct", "k": "AAAA", "kid": "shared"}
        return JSONResponse({"keys": [*self.odd, self.public(), shared]})

    def public(self) -> dict[str, Any]:
        made = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {**made, "kid": "k1", "use": "sig", "alg": "ES256"}

    def signed(
        self, claims: dict[str, Any], key: Any = None, algorithm: str = "ES256", kid: str = "k1"
    ) -> str:
        return jwt.encode(claims, self.key if key is None else key, algorithm, {"kid": kid})

    def by_public_key(self, claims: dict[str, Any]) -> str:
        """Signed with what everybody knows, as if it were a shared secret."""
        known = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        parts = ({"alg": "HS256", "kid": "k1"}, claims)
        said = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{said}.{_base64(hmac.digest(known, said.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def serving(provider: IdProvider) -> AsyncIterator[IdProvider]:
    server = ApiServer(provider.app, "127.0.0.1", 0)
    await server.start()
    provider.issuer = f"http://127.0.0.1:{server.port}"
    try:
        yield provider
    finally:
        await server.close()
