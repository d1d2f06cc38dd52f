"""A supervisor in a live call: she listens, whispers, barges in, takes over; and the phone in her page."""

from __future__ import annotations

import time
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request, Response

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.caller_schemas import IceServer
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.hand_schemas import (
    ACCOUNT,
    PageIce,
    PagePhone,
    SupervisionChange,
    SupervisionWanted,
    Supervisor,
    SupervisorList,
)
from engine.api.idempotency import IdempotencyKey, Once, sealed
from engine.api.routes.calls import CallId
from engine.page_phones import LIFE_S
from engine.views import IceTerms

router = APIRouter(prefix="/v1", tags=["calls"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Supervising = Annotated[Principal, may(Permission.SUPERVISE)]

At = Annotated[str, Path(alias="at", pattern=ACCOUNT, description="The supervisor's `at`, or `page`.")]


@router.get(
    "/calls/{call}/supervision",
    summary="Who supervises a call",
    operation_id="list_supervisors",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def list_supervisors(view: View, _: Reader, id: CallId) -> SupervisorList:
    """Those whose phones ring, too."""
    found = view.hand.supervisors(id)
    return SupervisorList(items=[Supervisor.model_validate(each, from_attributes=True) for each in found])


@router.post(
    "/calls/{call}/supervision",
    status_code=202,
    summary="Supervise a call",
    operation_id="supervise_call",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def supervise_call(
    request: Request,
    view: View,
    caller: Supervising,
    id: CallId,
    wanted: SupervisionWanted,
    key: IdempotencyKey = None,
) -> Supervisor:
    """Rings a phone, which is in the call when it answers. Up to three listen, one of whom may speak. Answers
    409 where the two do not talk, the phone is not registered or busy, or another supervisor speaks already.
    """

    async def act() -> Supervisor:
        mode, at = wanted.mode, wanted.at
        found = view.hand.supervise(id, at, mode, caller.who, auto_answer=wanted.auto_answer)
        log.info("a call is to be supervised", call=id, mode=mode, at=found.at, by=caller.who)
        return Supervisor.model_validate(found, from_attributes=True)

    once: Once = request.app.state.once
    done: Supervisor = await once.do(f"{caller.key} supervise {id}", key, wanted, time.monotonic(), act)
    return done


@router.patch(
    "/calls/{call}/supervision/{at}",
    summary="Change a supervisor's mode",
    operation_id="change_supervision",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def change_supervision(
    view: View, caller: Supervising, id: CallId, at: At, change: SupervisionChange
) -> Supervisor:
    """At once, in the middle of a word. Who takes over is the agent from then on, and no supervisor any more:
    the agent is released to her wrap-up. Asking twice is asking once.
    """
    found = view.hand.change_mode(id, at, change.mode, caller.who)
    log.info("supervision changed", call=id, mode=change.mode, at=found.at, by=caller.who)
    return Supervisor.model_validate(found, from_attributes=True)


@router.delete(
    "/calls/{call}/supervision/{at}",
    status_code=202,
    summary="Leave a call",
    operation_id="end_supervision",
    responses=problems(401, 403, 404, 409, 422, noun="call"),
)
async def end_supervision(view: View, caller: Supervising, id: CallId, at: At) -> None:
    """Hangs the supervisor's phone up; the two notice nothing. Answers 409 for one who is not in the call."""
    view.hand.send_off(id, at, caller.who)
    log.info("supervision ended by hand", call=id, at=at, by=caller.who)


@router.post(
    "/phones",
    status_code=201,
    summary="Have a phone in a page",
    operation_id="make_page_phone",
    responses=problems(401, 403, 409, 422),
)
async def make_page_phone(
    request: Request, view: View, caller: Supervising, response: Response, key: IdempotencyKey = None
) -> PagePhone:
    """An account for the asker's page, good for a shift, and all that the page needs to be a phone beside it:
    `at: page` rings the newest that is registered.
    """

    async def act() -> PagePhone:
        made, terms = view.hand.phone(caller.who), view.phone_terms()
        log.info("a phone in a page", account=made.account, by=caller.who)
        return PagePhone(
            account=made.account,
            password=made.password,
            domain=terms.domain,
            scheme=terms.scheme,  # type: ignore[arg-type]
            port=terms.port,
            expires_in_s=LIFE_S,
            **_ice(view.ice_terms(caller.who)),
        )

    response.headers["Cache-Control"] = "no-store"
    return await sealed(request, f"{caller.key} phone", key, None, PagePhone, act)


@router.get(
    "/phones/ice",
    summary="How a phone in a page finds its way",
    operation_id="get_page_ice",
    responses=problems(401, 403),
)
async def get_page_ice(view: View, caller: Supervising, response: Response) -> PageIce:
    """The STUN and TURN servers, with passwords that are the asker's and expire: for a page whose own are
    soon too old.
    """
    response.headers["Cache-Control"] = "no-store"
    return PageIce(**_ice(view.ice_terms(caller.who)))


def _ice(terms: IceTerms) -> dict[str, Any]:
    servers = [
        IceServer(urls=list(each.urls), username=each.username, credential=each.credential)
        for each in terms.servers
    ]
    return {
        "ice_servers": servers,
        "ice_transport_policy": terms.policy,
        "ice_renewed_s": terms.renewed_s,
    }
