"""Judging calls at a node: its forms, over what the store keeps. Blocks, but for `forms`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from config.form import FormSettings
from engine.events import CallRecord
from engine.scorecards import CardFilter, CardPage, Scorecard, judged

Forms = Mapping[str, FormSettings]


class UnknownForm(LookupError):
    """No form is called so."""


class CardStore(Protocol):
    """Raises StoreUnavailable."""

    def add(self, card: Scorecard) -> None: ...
    def of_call(self, call: str) -> Sequence[Scorecard]: ...
    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage: ...


class Judging:
    """See engine.api.deps.CardView, which this is. forms: those that count now. record: of a call that is
    over. wall: epoch s.
    """

    def __init__(
        self,
        store: CardStore,
        forms: Callable[[], Forms],
        record: Callable[[str], CallRecord | None],
        wall: Callable[[], float],
    ) -> None:
        self._store = store
        self._forms = forms
        self._record = record
        self._wall = wall

    def forms(self) -> Forms:
        return self._forms()

    def judge(
        self, call: str, form: str, given: Mapping[str, int | None], by: str, comment: str
    ) -> Scorecard | None:
        """None for no call that is over. Raises UnknownForm, BadAnswers, IllegalState."""
        record = self._record(call)
        if record is None:
            return None
        found = self._forms().get(form)
        if found is None:
            raise UnknownForm(form)
        made = judged(found, record, given, id=secrets.token_hex(8), at=self._wall(), by=by, comment=comment)
        self._store.add(made)
        return made

    def of_call(self, call: str) -> Sequence[Scorecard]:
        return self._store.of_call(call)

    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage:
        return self._store.page(wanted, cursor=cursor, limit=limit)

    def of_agent(self, agent: str, *, cursor: str | None, limit: int) -> CardPage:
        return self._store.page(CardFilter(agent=agent), cursor=cursor, limit=limit)
