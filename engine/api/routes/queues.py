"""Queues: who waits, who could answer, and how the day went so far."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, cut
from engine.api.problem import not_found
from engine.api.schemas import Plain, Queue, QueuePage

router = APIRouter(prefix="/v1/queues", tags=["queues"])

Reader = Annotated[Principal, may(Permission.BOARD)]


@router.get("", summary="List queues", operation_id="list_queues", responses=problems(401, 403, 422))
async def list_queues(view: View, _: Reader, query: Annotated[PageQuery, Query()]) -> QueuePage:
    """Queues by name."""
    page, after = cut(view.queues(), lambda queue: queue.name, query)
    return QueuePage(items=[Queue.model_validate(queue) for queue in page], next=after)


@router.get(
    "/{queue}",
    summary="Look at a queue",
    operation_id="get_queue",
    responses=problems(401, 403, 404, 422, noun="queue"),
)
async def get_queue(view: View, _: Reader, queue: Annotated[Plain, Path(description="Its name.")]) -> Queue:
    for found in view.queues():
        if found.name == queue:
            return Queue.model_validate(found)
    raise not_found("queue", queue)
