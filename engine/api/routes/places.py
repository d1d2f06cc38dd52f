"""The place of a caller who waits: looked at, and changed by hand."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Request

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.hand_schemas import PlaceChange, QueuePlace
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.problem import not_found
from engine.api.routes.calls import CallId
from engine.steering import Order

router = APIRouter(prefix="/v1/calls/{call}/queue", tags=["queues"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Writer = Annotated[Principal, may(Permission.ACT_ON_CALLS)]


@router.get(
    "",
    summary="How a caller waits",
    operation_id="get_place",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def get_place(view: View, _: Reader, id: CallId) -> QueuePlace:
    """A call that waits in no queue answers 404."""
    place = view.hand.place(id)
    if place is None:
        raise not_found("place", id)
    return QueuePlace.model_validate(place, from_attributes=True)


@router.patch(
    "",
    summary="Change how a caller waits",
    operation_id="change_place",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def change_place(
    request: Request, view: View, caller: Writer, id: CallId, change: PlaceChange, key: IdempotencyKey = None
) -> QueuePlace:
    """Another queue, another priority, an agent picked for her; the time that she waited stays. Answers 409
    where she waits no more, there is no such queue, or the agent takes no calls now.
    """

    async def act() -> QueuePlace:
        view.hand.steer(id, Order(caller.who, change.queue, change.priority, change.agent))
        log.info(
            "a place was changed by hand", call=id, by=caller.who, **change.model_dump(exclude_none=True)
        )
        return await get_place(view, caller, id)

    once: Once = request.app.state.once
    done: QueuePlace = await once.do(f"{caller.key} place {id}", key, change, time.monotonic(), act)
    return done
