"""What was said in calls, for the tests of the store and of the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.store.paged import BadCursor
from engine.store.search import matches, phrases
from engine.store.transcripts import Felt, Hit, HitPage, Mark, Review, Said, TextFilter
from tests.engine.store_samples import T0


def said(text: str, language: str = "en-GB", translation: str = "", begin: float = 1.0) -> Said:
    return Said(
        side="customer", begin=begin, end=begin + 2, language=language, text=text, translation=translation
    )


def review(call: str, at: float = T0, **changes: object) -> Review:
    mark = Mark(rule="greeting", passed=False, share=0.2, quote="hey", missing=("good morning",))
    made = {
        "market": "en-GB",
        "queue": "support",
        "agent": "alice",
        "score": 80.0,
        "summary": "A refund is asked for.",
        "topics": ("refund",),
        "marks": (mark,),
        "moods": {"customer": Felt(last=-0.2, worst=-0.6, reasons=("refund",))},
    }
    return Review(call=call, ended_at=at, **{**made, **changes})  # type: ignore[arg-type]


class Kept:
    """What a small node keeps of one call, as the API asks for it. asked: raises where the store is away."""

    def __init__(self, asked: Callable[[], None]) -> None:
        self._asked = asked
        self.reviews = {"r1": review("r1"), "r2": review("r2", T0 + 1, score=None)}
        self.wanted: list[TextFilter] = []  # what was asked for
        self.said = {"r1": (said("I want a refund", translation="Ich will mein Geld"),)}

    def page(self, wanted: TextFilter, *, cursor: str | None, limit: int) -> HitPage:
        self._asked()
        self.wanted.append(wanted)
        if cursor not in (None, "", "second"):
            raise BadCursor(cursor)
        found = [
            Hit(each, self.said.get(each.call, ()))
            for each in reversed(self.reviews.values())
            if (wanted.below is None or (each.score is not None and each.score < wanted.below))
            and (not wanted.written or each.call in self.said)
            and (wanted.words is None or self._has(each.call, wanted.words))
            and wanted.reach.sees_call(each.market, each.queue, each.agent)
        ][cursor == "second" :]
        return HitPage(tuple(found[:limit]), "second" if len(found) > limit else None)

    def _has(self, call: str, words: str) -> bool:
        return any(matches(each.text, phrases(words)) for each in self.said.get(call, ()))

    def review(self, call: str) -> Review | None:
        self._asked()
        return self.reviews.get(call)

    def lines(self, call: str) -> Sequence[Said] | None:
        self._asked()
        return self.said.get(call)

    def erase(self, call: str) -> bool:
        self._asked()
        return self.said.pop(call, None) is not None
