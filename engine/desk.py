"""Callers from pages, as the API has them: what they ask is put to the switch, and its answer waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine import ice
from engine.ice import Told
from engine.tokens import Claims
from engine.whip import Answered, Outcome, Refused, Settle, Whip
from routing.number import Callers

if TYPE_CHECKING:
    from engine.app import Engine

ANSWER_S = 10.0  # that worker and gate have for their part, which takes some hundredths
SLOW = Refused(503, "overloaded", "the node has not answered in time; ask again", 2)


class Desk:
    """See engine.api.deps.CallerDesk, which this is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._whip = Whip(engine.switch)

    async def call(self, claims: Claims, offer: str, resuming: bool = False) -> Outcome:
        outcome = await self._asked(
            lambda settle, now: self._whip.call(claims, offer, settle, now, resuming=resuming)
        )
        if isinstance(outcome, Answered):
            self._engine.lines.began(claims.id, outcome.call)
        return outcome

    async def patch(self, session: str, token: str, fragment: str, if_match: str | None) -> Outcome:
        return await self._asked(
            lambda settle, now: self._whip.patch(session, token, fragment, if_match, settle, now)
        )

    async def hang_up(self, session: str, token: str) -> Refused | None:
        refused: list[Refused | None] = []
        self._engine.act(lambda now: refused.append(self._whip.hang_up(session, token, now)))
        return refused[0]

    def lasts(self, token: str) -> bool:
        return self._whip.lasts(token)

    def reaches(self, destination: str) -> bool:
        found = self._engine.switch.plan.find(destination)
        return found is not None and found.rule.callers is Callers.ANYONE

    def servers(self, whose: str, now: float) -> Sequence[Told]:
        return ice.told(self._engine.config.media.webrtc.ice_servers, whose, now)

    @property
    def relayed(self) -> bool:
        return self._engine.config.media.webrtc.relay == "forced"

    async def _asked(self, ask: Callable[[Settle, float], None]) -> Outcome:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if not answer.done():
                answer.set_result(outcome)

        self._engine.act(lambda now: ask(settle, now))
        try:
            return await asyncio.wait_for(answer, ANSWER_S)
        except TimeoutError:
            return SLOW
