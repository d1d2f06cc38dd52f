"""Calls in progress: who, where, how well; and the end of one by hand."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, begun
from engine.api.problem import not_found
from engine.api.schemas import Call, CallPage, CaptionShown, CaptionText, Entry, Plain, Timeline
from engine.call_filter import CallFilter
from engine.views import Caption

router = APIRouter(prefix="/v1/calls", tags=["calls"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Writer = Annotated[Principal, may(Permission.ACT_ON_CALLS)]

CallId = Annotated[
    str, Path(alias="call", pattern=r"^[A-Za-z0-9_.-]{1,128}$", description="The call's `id`.")
]


class CallQuery(PageQuery):
    queue: Plain | None = Field(default=None, description="Only calls of this queue.")
    agent: Plain | None = Field(default=None, description="Only calls of this agent.")
    market: Plain | None = Field(default=None, description="Only calls of this market.")
    state: Plain | None = Field(default=None, description="Only calls in this state.")

    def filter(self) -> CallFilter:
        return CallFilter(queue=self.queue, agent=self.agent, market=self.market, state=self.state)


@router.get(
    "", summary="List calls in progress", operation_id="list_calls", responses=problems(401, 403, 422)
)
async def list_calls(view: View, _: Reader, query: Annotated[CallQuery, Query()]) -> CallPage:
    """Calls by id, which is the order they arrived in."""
    found = view.calls(query.filter(), after=query.after or "", limit=query.limit + 1)
    page, after = begun(found, lambda call: call.id, query)
    return CallPage(items=[Call.model_validate(call) for call in page], next=after)


@router.get(
    "/{call}",
    summary="Look at a call in progress",
    operation_id="get_call",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def get_call(view: View, _: Reader, id: CallId) -> Call:
    """A call that has ended is no longer here but among the records."""
    call = view.call(id)
    if call is None:
        raise not_found("call", id)
    return Call.model_validate(call)


@router.delete(
    "/{call}",
    status_code=202,
    summary="Hang up a call",
    operation_id="hangup_call",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def hangup_call(view: View, caller: Writer, id: CallId) -> Call:
    """Both sides are hung up; the call is gone when they have answered. Answers the call as it was."""
    call = view.call(id)
    if call is None:
        raise not_found("call", id)
    view.hangup(id)
    log.info("call hung up by hand", call=id, by=caller.who)
    return Call.model_validate(call)


@router.post(
    "/{call}/captions",
    status_code=202,
    summary="Show a caption in a call",
    operation_id="show_caption",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def show_caption(view: View, _: Writer, id: CallId, caption: CaptionText) -> CaptionShown:
    """Put what is said on the pages of those who talk, at once; a newer version of a line takes the place of
    the one before. Nothing of it is kept.
    """
    said = caption.model_dump(exclude={"readers"})
    return CaptionShown(pages=view.show_caption(Caption(call=id, at=time.time(), **said), caption.readers))


@router.get(
    "/{call}/events",
    summary="What happened to a call",
    operation_id="list_call_events",
    responses=problems(401, 403, 404, 422, 503, noun="call"),
)
async def list_call_events(view: View, _: Reader, id: CallId) -> Timeline:
    """The journal of a call, finished or in progress; the newest moments may be some milliseconds behind."""
    entries = await run_in_threadpool(view.events, id)
    if not entries and view.call(id) is None:
        raise not_found("call", id)
    return Timeline(items=[Entry.model_validate(entry) for entry in entries])
