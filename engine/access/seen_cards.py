"""Calls as supervisors judged them, as somebody may see them (engine/access/seen.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from config.form import FormSettings
from engine.scorecards import CardFilter, CardPage, Scorecard

if TYPE_CHECKING:
    from engine.access.seen import Seen
    from engine.api.deps import CardView


class SeenCards:
    """See engine.api.deps.CardView, which this is."""

    def __init__(self, cards: CardView, seen: Seen) -> None:
        self._cards = cards
        self._seen = seen

    def forms(self) -> Mapping[str, FormSettings]:
        return self._cards.forms()

    def judge(
        self, call: str, form: str, given: Mapping[str, int | None], by: str, comment: str
    ) -> Scorecard | None:
        return self._cards.judge(call, form, given, by, comment) if self._seen.record(call) else None

    def of_call(self, call: str) -> Sequence[Scorecard]:
        return self._cards.of_call(call) if self._seen.record(call) else ()

    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage:
        return self._cards.page(replace(wanted, reach=self._seen.reach), cursor=cursor, limit=limit)

    def of_agent(self, agent: str, *, cursor: str | None, limit: int) -> CardPage:
        """Of whoever asks, whatever markets she is limited to."""
        return self._cards.of_agent(agent, cursor=cursor, limit=limit)
