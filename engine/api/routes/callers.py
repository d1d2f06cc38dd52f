"""Tokens with which a site's visitors may call."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request

from engine import tokens
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.caller_schemas import CallerToken, CallerTokenWish, IceServer
from engine.api.deps import CallerDesk, Desk, EngineView, may
from engine.api.documented import problems
from engine.api.idempotency import IdempotencyKey, sealed
from engine.api.identify import settings_of
from engine.api.node_schemas import NodeToMeasure
from engine.api.problem import Problem, not_found
from engine.tokens import Claims

router = APIRouter(prefix="/v1/callers", tags=["callers"])
log = structlog.get_logger("api")

Site = Annotated[Principal, may(Permission.CALLERS)]


@router.post(
    "/tokens",
    status_code=201,
    summary="Have a caller's token made",
    operation_id="make_caller_token",
    responses=problems(401, 403, 404, 409, 413, 422, noun="destination"),
)
async def make_caller_token(
    request: Request, site: Site, desk: Desk, wish: CallerTokenWish, key: IdempotencyKey = None
) -> CallerToken:
    """For a site's backend, which knows its visitor; pages themselves must never hold an API token. Whoever
    has the signing key may make tokens without asking.
    """
    if not site.sees_market(wish.market or ""):
        raise Problem(403, "forbidden", "you are limited to markets; name one of yours in `market`")

    async def act() -> CallerToken:
        return made(request, desk, wish, site.who)

    return await sealed(request, f"{site.key} caller", key, wish, CallerToken, act)


def made(request: Request, desk: CallerDesk, wish: CallerTokenWish, by: str) -> CallerToken:
    """A token, as somebody wishes it. Raises Problem."""
    callers = settings_of(request).callers
    if callers.key is None:
        raise Problem(409, "illegal-state", "this node signs no tokens: see callers.key in api.yaml")
    if not desk.reaches(wish.destination):
        raise not_found("destination", wish.destination)
    now = float(int(time.time()))
    said = {name: value for name, value in wish.model_dump(exclude={"expires_in_s"}).items() if value}
    life = min(wish.expires_in_s or callers.token_s, callers.token_s)
    claims = replace(Claims(uuid4().hex, "", now, now + life), **said)
    log.info("caller's token made", site=by, destination=wish.destination, token=claims.id)
    return CallerToken(
        token=tokens.sign(claims, callers.key, callers.keys[callers.key]),
        expires_at=datetime.fromtimestamp(claims.expires, UTC),
        url=f"/whip/{quote(wish.destination)}",
        ice_servers=[
            IceServer(urls=list(each.urls), username=each.username, credential=each.credential)
            for each in desk.servers(claims.id, now)
        ],
        ice_transport_policy="relay" if desk.relayed else "all",
        nodes=candidates(request, claims.market),
    )


def candidates(request: Request, market: str) -> list[NodeToMeasure]:
    """Nodes whose way a page should measure before it calls."""
    view: EngineView = request.app.state.view
    found = view.cluster.candidates(request.client.host if request.client else "", market)
    return [NodeToMeasure(node=each.name, origin=each.origin) for each in found]
