"""How an agent's calls were judged, at her page: read beside the loop, heard by links that end soon.

She hears a call only by a form that lets her (`heard_by_agent`), and through a link as people outside have:
it ends, it counts, and supervisors see and revoke it (engine/sharing.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

import structlog

from engine.api.deps import EngineView
from engine.api.desk_words import CardTold, Scorecards, Sound
from engine.scorecards import Scorecard
from engine.sharing import Wish
from engine.store.errors import StoreUnavailable
from engine.views import IllegalState

MOST_CARDS = 20
MOST_FILES = 4  # of a call: one that was handed on has several
WAITING = 4  # answers for a page that is slow
LASTS_S = 3600.0

log = structlog.get_logger("desk")


class DeskCards:
    """One page's. wake: there is something to tell. audit: (what, object) of what she read or heard."""

    def __init__(
        self, view: EngineView, agent: str, wake: Callable[[], None], audit: Callable[[str, str], None]
    ) -> None:
        self._view, self._agent, self._wake, self._audit = view, agent, wake, audit
        self._told: deque[Scorecards | Sound] = deque(maxlen=WAITING)
        self._task: asyncio.Task[None] | None = None

    def news(self) -> Iterator[Scorecards | Sound]:
        while self._told:
            yield self._told.popleft()

    def left(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def read(self) -> None:
        """Raises IllegalState while something else is being read."""
        self._begin(self._read)

    def hear(self, card: str) -> None:
        """Raises IllegalState while something else is being read."""
        self._begin(lambda: self._hear(card))

    def _begin(self, question: Callable[[], Scorecards | Sound]) -> None:
        if self._task is not None and not self._task.done():
            raise IllegalState("the last question is not answered yet; ask again in a moment")
        self._task = asyncio.create_task(self._answer(question))

    async def _answer(self, question: Callable[[], Scorecards | Sound]) -> None:
        try:
            told = await asyncio.to_thread(question)
        except StoreUnavailable:
            told = Scorecards(away=True)
        if isinstance(told, Sound):
            self._audit("hear_judged", f"scorecards/{told.card}")
        else:
            self._audit("read_judged", "scorecards")
        self._told.append(told)
        self._wake()

    # --- in a thread ------------------------------------------------------------------------------

    def _cards(self) -> tuple[Scorecard, ...]:
        return self._view.cards.of_agent(self._agent, cursor=None, limit=MOST_CARDS).items

    def _read(self) -> Scorecards:
        forms = self._view.cards.forms()
        return Scorecards(
            tuple(
                CardTold(
                    id=each.id,
                    form=forms[each.form].title if each.form in forms else each.form,
                    at=each.at,
                    by=each.by,
                    queue=each.queue,
                    score=each.score,
                    failed=each.failed,
                    comment=each.comment,
                    answers=each.answers,
                    hears=bool(self._files(each)),
                )
                for each in self._cards()
            )
        )

    def _files(self, card: Scorecard) -> list[str]:
        """Recordings of the call that are here and that she may hear."""
        form = self._view.cards.forms().get(card.form)
        record = self._view.record(card.call) if form is not None and form.heard_by_agent else None
        names = record.recording.split()[:MOST_FILES] if record is not None else []
        return [each for each in names if self._here(each)]

    def _here(self, name: str) -> bool:
        try:
            return self._view.recording(name) is not None
        except (OSError, IndexError) as broken:  # gone meanwhile, or cut short
            log.warning("recording does not open", recording=name, why=str(broken))
            return False

    def _hear(self, id: str) -> Sound:
        card = next((each for each in self._cards() if each.id == id), None)
        sources = []
        for name in self._files(card) if card is not None else ():
            wish = Wish(lasts_s=LASTS_S, note=f"{self._agent}, who was judged")
            try:
                made = self._view.shares.make(name, wish, self._agent)
            except IllegalState as full:  # as many links lead there as may
                log.warning("a judged call cannot be heard", agent=self._agent, why=str(full))
                break
            if made is not None:
                sources.append(f"/shared/{made[1]}/sound")
        return Sound(id, tuple(sources))
