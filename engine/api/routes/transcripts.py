"""What was said in calls that are over: found by its words, read, erased; and how well they went."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import review_schemas as bodies
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, bad_cursor
from engine.api.plain import Plain
from engine.api.problem import not_found
from engine.api.routes.calls import CallId
from engine.api.routes.records import Instant
from engine.store.records import BadCursor
from engine.store.transcripts import Hit, HitPage, TextFilter

router = APIRouter(tags=["transcripts"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Listener = Annotated[Principal, may(Permission.LISTEN)]
Writer = Annotated[Principal, may(Permission.ERASE)]


class ReviewQuery(PageQuery):
    since: Instant | None = Field(default=None, description="Only calls that ended then or later.")
    until: Instant | None = Field(default=None, description="Only calls that ended before then.")
    market: Plain | None = Field(default=None, description="Only calls of this market.")
    language: Plain | None = Field(default=None, description="Only calls in this language.")
    queue: Plain | None = Field(default=None, description="Only calls of this queue.")
    agent: Plain | None = Field(default=None, description="Only calls of this agent.")
    outcome: Plain | None = Field(default=None, description="Only calls that ended so.")
    topic: Plain | None = Field(default=None, description="Only calls about this.")
    below: float | None = Field(default=None, ge=0, le=101, description="Only calls of a lower score.")

    def filter(self, **more: Any) -> TextFilter:
        values = self.model_dump(exclude={"cursor", "limit", "since", "until", "words"})
        return TextFilter(
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            **values,
            **more,
        )


class TranscriptQuery(ReviewQuery):
    words: Plain | None = Field(
        default=None,
        description='Only calls in which all these words were said; "in quotes", in that order.',
    )


async def page_of(view: View, query: ReviewQuery, wanted: TextFilter) -> HitPage:
    """The page that the query's cursor leads to. Raises Problem."""
    ask = view.transcripts.page
    try:
        return await run_in_threadpool(ask, wanted, cursor=query.cursor, limit=query.limit)
    except BadCursor:
        raise bad_cursor() from None


@router.get(
    "/v1/reviews",
    summary="List how calls went",
    operation_id="list_reviews",
    responses=problems(401, 403, 422, 503),
)
async def list_reviews(view: View, _: Reader, query: Annotated[ReviewQuery, Query()]) -> bodies.ReviewPage:
    """Every call is judged by rules when it is over, a moment after its record is there. Newest first."""
    page = await page_of(view, query, query.filter())
    items = [bodies.Review.model_validate(asdict(each.review)) for each in page.items]
    return bodies.ReviewPage(items=items, next=page.next)


@router.get(
    "/v1/reviews/{call}",
    summary="Look at how a call went",
    operation_id="get_review",
    responses=problems(401, 403, 404, 422, 503, noun="review"),
)
async def get_review(view: View, _: Reader, id: CallId) -> bodies.Review:
    review = await run_in_threadpool(view.transcripts.review, id)
    if review is None:
        raise not_found("review", id)
    return bodies.Review.model_validate(asdict(review))


@router.get(
    "/v1/transcripts",
    summary="Find calls by what was said",
    operation_id="list_transcripts",
    responses=problems(401, 403, 422, 503),
)
async def list_transcripts(
    view: View, _: Listener, query: Annotated[TranscriptQuery, Query()]
) -> bodies.TranscriptPage:
    """Calls of which words were written down, newest first. Originals and translations are searched, without
    regard to case and accents.
    """
    page = await page_of(view, query, query.filter(words=query.words, written=True))
    items = [bodies.TranscriptHit.model_validate(_hit(each)) for each in page.items]
    return bodies.TranscriptPage(items=items, next=page.next)


@router.get(
    "/v1/transcripts/{call}",
    summary="Read what was said in a call",
    operation_id="get_transcript",
    responses=problems(401, 403, 404, 422, 503, noun="transcript"),
)
async def get_transcript(view: View, caller: Listener, id: CallId) -> bodies.TranscriptWhole:
    """All of it, with its summary. It does not change but by being erased."""
    review = await run_in_threadpool(view.transcripts.review, id)
    lines = await run_in_threadpool(view.transcripts.lines, id) if review is not None else None
    if review is None or lines is None:
        raise not_found("transcript", id)
    found = {**_hit(Hit(review, ())), "lines": [asdict(each) for each in lines]}
    log.info("transcript read", call=id, by=caller.who)
    return bodies.TranscriptWhole.model_validate(found)


@router.delete(
    "/v1/transcripts/{call}",
    status_code=204,
    summary="Erase what was said in a call",
    operation_id="erase_transcript",
    responses=problems(401, 403, 404, 422, 503, noun="transcript"),
)
async def erase_transcript(view: View, caller: Writer, id: CallId) -> None:
    """For good: the words, the summary and what quotes them. Marks and score stay."""
    if not await run_in_threadpool(view.transcripts.erase, id):
        raise not_found("transcript", id)
    log.info("transcript erased", call=id, by=caller.who)


def _hit(hit: Hit) -> dict[str, Any]:
    return {**asdict(hit.review), "found": [asdict(each) for each in hit.lines]}
