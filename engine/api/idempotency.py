"""The same wish asked twice is done once: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

A key is its holder's own. It stands for one request: with another body it is refused. What was answered is
answered again for a day, or until so many others were, whether it went well or not; what failed for a fault
of the node's own may be tried again. Kept in memory: after a restart `If-Match` keeps from doing it twice.

Of what was asked a hash alone is kept. An answer with a secret in it is kept sealed (`sealed`), under the key
and what its holder proves to be somebody with, of which the node has neither: it opens for the one request
that it answered. With another session or token of the same user it stays shut, which is answered 409.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Header, Request
from pydantic import BaseModel

from engine.api.identify import COOKIE
from engine.api.problem import Problem

MOST = 1000
LIFE_S = 86_400.0
NONCE = 12  # bytes

Answer = TypeVar("Answer", bound=BaseModel)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Chosen by whoever asks, one for each wish; with the same it is not done twice.",
    ),
]


@dataclass(slots=True)
class _Kept:
    """asked: SHA-256 of it. answer: what was answered, or the problem."""

    asked: bytes
    at: float
    answer: asyncio.Future[Any]


class Once:
    """The wishes of one kind. Times are seconds of one clock."""

    def __init__(self, most: int = MOST, life_s: float = LIFE_S) -> None:
        self._most = most
        self._life_s = life_s
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    async def do(
        self, who: str, key: str | None, wish: BaseModel | None, now: float, act: Callable[[], Awaitable[Any]]
    ) -> Any:
        """What `act` answers, or answered. Raises Problem: its own, or 422 for a key of another wish."""
        if key is None:
            return await act()
        self._thin(now)
        asked = hashlib.sha256(wish.model_dump_json().encode() if wish is not None else b"").digest()
        kept = self._kept.get((who, key))
        if kept is None:
            kept = self._kept[who, key] = _Kept(asked, now, asyncio.ensure_future(_answer(act)))
            kept.answer.add_done_callback(lambda answer: self._forget(who, key, answer))
        elif kept.asked != asked:
            raise Problem(422, "idempotency-key-reused", "this key stood for another wish; choose a new one")
        answer = await asyncio.shield(kept.answer)
        if isinstance(answer, Problem):
            raise _again(answer)
        return answer

    def _forget(self, who: str, key: str, answer: asyncio.Future[Any]) -> None:
        """A fault of the node's own is no answer."""
        failed = answer.cancelled() or answer.exception() is not None
        if failed or (isinstance(answer.result(), Problem) and answer.result().status >= 500):
            self._kept.pop((who, key), None)

    def _thin(self, now: float) -> None:
        """Let the old go, and the oldest where there are too many; none that is still being done."""
        for name, kept in list(self._kept.items()):
            if now - kept.at < self._life_s and len(self._kept) < self._most:
                break
            if kept.answer.done():
                del self._kept[name]


async def sealed(
    request: Request,
    who: str,
    key: str | None,
    wish: BaseModel | None,
    kind: type[Answer],
    act: Callable[[], Awaitable[Answer]],
) -> Answer:
    """What `act` answers, or answered, of this kind, with a secret in it. Raises Problem, as `Once.do`."""
    once: Once = request.app.state.once
    if key is None:
        return await act()
    box = _box(request, key)

    async def shut() -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + box.encrypt(nonce, (await act()).model_dump_json().encode(), who.encode())

    kept: bytes = await once.do(who, key, wish, time.monotonic(), shut)
    try:
        return kind.model_validate_json(box.decrypt(kept[:NONCE], kept[NONCE:], who.encode()))
    except InvalidTag:
        detail = "this was done for another session or token of yours, which alone may be told the secret"
        raise Problem(409, "answered-already", detail) from None


def _box(request: Request, key: str) -> AESGCM:
    """Of what the request alone has: what shows who asks, 256 random bits, and its key."""
    shown = request.headers.get("Authorization") or request.cookies.get(COOKIE, "")
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"isogloss answer").derive(f"{shown}\n{key}".encode()))


async def _answer(act: Callable[[], Awaitable[Any]]) -> Any:
    """What is kept; of a problem its words alone, not all that was at hand when it came up."""
    try:
        return await act()
    except Problem as problem:
        return _again(problem)


def _again(problem: Problem) -> Problem:
    return Problem(
        problem.status,
        problem.name,
        problem.detail,
        headers=problem.headers,
        errors=problem.errors,
        next=problem.next,
    )
