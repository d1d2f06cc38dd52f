"""Queues: who waits, who could answer, and how the day went so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, cut
from engine.api.problem import not_found
from engine.api.schemas import Plain, Queue, QueuePage
from engine.views import QueueView

router = APIRouter(prefix="/v1/queues", tags=["queues"])

Reader = Annotated[Principal, may(Permission.BOARD)]


class QueueQuery(PageQuery):
    market: Plain | None = Field(default=None, description="Only queues of this market.")
    waiting: bool | None = Field(default=None, description="Only where somebody waits, or where nobody does.")

    def wants(self, queue: QueueView, markets: Mapping[str, str]) -> bool:
        """markets: by queue."""
        here = self.market is None or markets.get(queue.name, "") == self.market
        return here and self.waiting in (None, queue.waiting > 0)


@router.get("", summary="List queues", operation_id="list_queues", responses=problems(401, 403, 422))
async def list_queues(view: View, _: Reader, query: Annotated[QueueQuery, Query()]) -> QueuePage:
    """Queues by name."""
    markets = view.directory().queues
    found = (queue for queue in view.queues() if query.wants(queue, markets))
    page, after = cut(found, lambda queue: queue.name, query)
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
