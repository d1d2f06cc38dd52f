"""Callers' tokens: who may call where, until when, signed, so that no node has to remember them.

A token is a JWT (RFC 7519) under HS256 (RFC 7518 section 3.2), with the id of its key in the header, and
nothing else is taken for one. A company's site may sign them by itself, with any library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

LONGEST = 4096  # bytes of a token
MIN_SECRET = 32  # characters of a key
TEXTS = ("destination", "language", "market", "name", "customer")
AHEAD_S = 60.0  # that another machine's clock may be ahead of ours
ALGORITHM = "HS256"
# What times mean here is for `read` and its readers: an expired token still comes back into its call.
UNTIMED: Any = {f"verify_{claim}": False for claim in ("exp", "iat", "nbf", "aud")}

_PLAIN = re.compile(r"[^\x00-\x1f\x7f]{0,256}")
_ID = re.compile(r"[A-Za-z0-9_.-]{8,128}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?")


class BadToken(Exception):
    """It is none of ours, or not good any more; the text says which, without its content."""


@dataclass(frozen=True, slots=True)
class Claims:
    """id: the token's own. destination: number or name to call. customer: who calls, in the site's words.
    name: what she is called. begins, expires: epoch seconds.
    """

    id: str
    destination: str
    begins: float
    expires: float
    language: str = ""
    market: str = ""
    name: str = ""
    customer: str = ""


def sign(claims: Claims, key: str, secret: str) -> str:
    """The token. key: the id of the secret."""
    payload: dict[str, Any] = {
        "jti": claims.id,
        "iat": int(claims.begins),
        "exp": int(claims.expires),
        "destination": claims.destination,
    }
    payload |= {name: getattr(claims, name) for name in TEXTS if getattr(claims, name)}
    return jwt.encode(payload, secret, ALGORITHM, {"kid": key})


def read(token: str, keys: Mapping[str, str], now: float, longest_s: float) -> Claims:
    """What a genuine token says, also when it has expired: what that means is the reader's to say.

    keys: secrets by id. now: epoch seconds. longest_s: of its life, however it was made. Raises BadToken.
    """
    if len(token) > LONGEST:
        raise BadToken("it is too long")
    try:
        header = jwt.get_unverified_header(token)
        secret = keys.get(header.get("kid", ""))
        if header.get("alg") != ALGORITHM or secret is None:
            raise BadToken("it is signed with no key of this node")
        payload = jwt.decode(token, secret, [ALGORITHM], UNTIMED)
    except jwt.InvalidSignatureError as error:
        raise BadToken("its signature is not right") from error
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise BadToken("it is no token") from error
    claims = _claims(payload)
    if claims.begins > now + AHEAD_S:
        raise BadToken("it was made in the future")
    if claims.expires - claims.begins > longest_s:
        raise BadToken(f"it is good for more than {longest_s:g} s, which is the most here")
    return claims


def _claims(payload: Mapping[str, Any]) -> Claims:
    begins, expires = _instant(payload.get("iat")), _instant(payload.get("exp"))
    texts = {name: payload.get(name, "") for name in TEXTS}
    if not all(isinstance(text, str) and _PLAIN.fullmatch(text) for text in texts.values()):
        raise BadToken("a claim of it is no plain text")
    if not texts["destination"]:
        raise BadToken("it has no destination")
    if texts["language"] and not _LANGUAGE.fullmatch(texts["language"]):
        raise BadToken("its language is none")
    id = payload.get("jti")
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise BadToken("it has no jti of 8 characters or more")
    return Claims(id, begins=begins, expires=expires, **texts)


def _instant(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise BadToken("it has no iat or exp")
    return float(value)
