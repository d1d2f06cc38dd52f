"""What was said in calls, as somebody may see it (engine/access/seen.py): without telephone numbers for who
may not read them, and without cards, accounts and papers for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.access import mask
from engine.access.errors import Refused
from engine.access.numerals import runs, value
from engine.access.principal import Reach
from engine.store.transcripts import Hit, HitPage, Review, Said, TextFilter

if TYPE_CHECKING:
    from engine.api.deps import TranscriptView


NEAR = 20  # utterances of both sides that a number is told over


class SeenTranscripts:
    """See engine.api.deps.TranscriptView, which this is."""

    def __init__(self, transcripts: TranscriptView, reach: Reach, unmasked: bool) -> None:
        self._transcripts = transcripts
        self._reach = reach
        self._unmasked = unmasked
        self._hide = mask.papers if unmasked else mask.text

    def page(self, wanted: TextFilter, *, cursor: str | None, limit: int) -> HitPage:
        """Raises Refused for who looks for numbers that they may not read: found one by one, groups of them
        would tell the whole.
        """
        words = wanted.words or ""
        if not self._unmasked and any(len(value(words[each.start : each.end])) > 1 for each in runs(words)):
            raise Refused("looking for numbers needs the permission 'personal'")
        page = self._transcripts.page(replace(wanted, reach=self._reach), cursor=cursor, limit=limit)
        return replace(page, items=tuple(map(self._hit, page.items)))

    def _hit(self, hit: Hit) -> Hit:
        """What is around a line tells what is in it."""
        near = _around(hit.lines, self._transcripts.lines(hit.review.call) or hit.lines) if hit.lines else ()
        hidden = dict(zip(near, masked_lines(near, self._hide)))
        lines = tuple(hidden.get(each) or masked_lines([each], self._hide)[0] for each in hit.lines)
        return replace(hit, review=self._review(hit.review), lines=lines)

    def review(self, call: str) -> Review | None:
        found = self._transcripts.review(call)
        if found is None or not self._reach.sees_call(found.market, found.queue, found.agent):
            return None
        return self._review(found)

    def lines(self, call: str) -> Sequence[Said] | None:
        found = self._transcripts.lines(call) if self.review(call) is not None else None
        return None if found is None else masked_lines(found, self._hide)

    def erase(self, call: str) -> bool:
        return self.review(call) is not None and self._transcripts.erase(call)

    def _review(self, review: Review) -> Review:
        hide = self._hide
        marks = tuple(replace(each, quote=hide(each.quote)) for each in review.marks)
        moods = {
            side: replace(felt, reasons=tuple(map(hide, felt.reasons))) for side, felt in review.moods.items()
        }
        return replace(review, summary=hide(review.summary), marks=marks, moods=moods)


def _around(lines: Sequence[Said], whole: Sequence[Said]) -> Sequence[Said]:
    """As much of the call as a number in one of these lines may go through."""
    at = [n for n, each in enumerate(whole) if each in lines]
    return whole[max(0, at[0] - NEAR) : at[-1] + NEAR + 1] if at else lines


def masked_lines(said: Sequence[Said], hide: mask.Hide) -> list[Said]:
    hidden = mask.sides(said, hide)
    return [replace(each, text=text, translation=other) for each, (text, other) in zip(said, hidden)]
