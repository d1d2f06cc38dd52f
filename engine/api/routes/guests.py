"""Guests: a third person in a call, a human interpreter above all."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Path

from engine.access import mask
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.guest_schemas import Guest, GuestWanted
from engine.api.problem import not_found

router = APIRouter(prefix="/v1/calls/{call}/guest", tags=["calls"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Writer = Annotated[Principal, may(Permission.ACT_ON_CALLS)]

CallId = Annotated[
    str, Path(alias="call", pattern=r"^[A-Za-z0-9_.-]{1,128}$", description="The call's `id`.")
]


@router.get(
    "",
    summary="Look at a call's guest",
    operation_id="get_guest",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def get_guest(view: View, _: Reader, id: CallId) -> Guest:
    """A call that nobody was asked into answers 404."""
    guest = view.guest(id)
    if guest is None:
        raise not_found("guest", id)
    return Guest.model_validate(guest, from_attributes=True)


@router.put(
    "",
    status_code=202,
    summary="Ask somebody into a call",
    operation_id="ask_guest",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def ask_guest(view: View, caller: Writer, id: CallId, wanted: GuestWanted) -> Guest:
    """Rings a person who joins the two while they talk; they hear each other lowered from then on, and no
    machine interprets. Answers 409 where the two do not talk, somebody was asked already, or the number leads
    to nobody who could join.
    """
    view.ask_guest(id, wanted.to, caller.who)
    log.info("guest asked for by hand", call=id, to=mask.text(wanted.to), by=caller.who)
    guest = view.guest(id)
    return (
        Guest.model_validate(guest, from_attributes=True)
        if guest
        else Guest(to=wanted.to, standing="ringing", agent="")
    )


@router.delete(
    "",
    status_code=202,
    summary="Send a call's guest off",
    operation_id="send_off_guest",
    responses=problems(401, 403, 404, 409, 422, noun="call"),
)
async def send_off_guest(view: View, caller: Writer, id: CallId) -> None:
    """The two talk on alone, and hear each other as before. Answers 409 where there is no guest."""
    view.send_off_guest(id)
    log.info("guest sent off by hand", call=id, by=caller.who)
