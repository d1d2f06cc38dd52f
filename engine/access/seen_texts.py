"""What was said in calls, as somebody may see it (engine/access/seen.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.access import mask
from engine.access.principal import Reach
from engine.store.transcripts import Felt, HitPage, Review, Said, TextFilter

if TYPE_CHECKING:
    from engine.api.deps import TranscriptView


class SeenTranscripts:
    """See engine.api.deps.TranscriptView, which this is."""

    def __init__(self, transcripts: TranscriptView, reach: Reach, unmasked: bool) -> None:
        self._transcripts = transcripts
        self._reach = reach
        self._unmasked = unmasked

    def page(self, wanted: TextFilter, *, cursor: str | None, limit: int) -> HitPage:
        page = self._transcripts.page(replace(wanted, reach=self._reach), cursor=cursor, limit=limit)
        if self._unmasked:
            return page
        items = (
            replace(each, review=_masked_review(each.review), lines=tuple(map(_masked, each.lines)))
            for each in page.items
        )
        return replace(page, items=tuple(items))

    def review(self, call: str) -> Review | None:
        found = self._transcripts.review(call)
        if found is None or not self._reach.sees_call(found.market, found.queue, found.agent):
            return None
        return found if self._unmasked else _masked_review(found)

    def lines(self, call: str) -> Sequence[Said] | None:
        found = self._transcripts.lines(call) if self.review(call) is not None else None
        return found if found is None or self._unmasked else [_masked(each) for each in found]

    def erase(self, call: str) -> bool:
        return self.review(call) is not None and self._transcripts.erase(call)


def _masked(said: Said) -> Said:
    return replace(said, text=mask.text(said.text), translation=mask.text(said.translation))


def _masked_review(review: Review) -> Review:
    marks = tuple(replace(each, quote=mask.text(each.quote)) for each in review.marks)
    moods = {side: _masked_mood(felt) for side, felt in review.moods.items()}
    return replace(review, summary=mask.text(review.summary), marks=marks, moods=moods)


def _masked_mood(felt: Felt) -> Felt:
    return replace(felt, reasons=tuple(map(mask.text, felt.reasons)))
