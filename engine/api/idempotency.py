"""The same wish asked twice is done once: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

A key is its holder's own. It stands for one request: with another body it is refused. What was answered is
answered again for a day, or until so many others were, whether it went well or not; what failed for a fault
of the node's own may be tried again. Kept in memory: after a restart `If-Match` keeps from doing it twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header
from pydantic import BaseModel

from engine.api.problem import Problem

MOST = 1000
LIFE_S = 86_400.0

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
    """answer: what was answered, or the problem."""

    asked: str
    at: float
    answer: asyncio.Future[Any]


class Once:
    """The wishes of one kind. Times are seconds of one clock."""

    def __init__(self, most: int = MOST, life_s: float = LIFE_S) -> None:
        self._most = most
        self._life_s = life_s
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    async def do(
        self, who: str, key: str | None, wish: BaseModel, now: float, act: Callable[[], Awaitable[Any]]
    ) -> Any:
        """What `act` answers, or answered. Raises Problem: its own, or 422 for a key of another wish."""
        if key is None:
            return await act()
        self._thin(now)
        asked = wish.model_dump_json()
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
