"""Which node a caller's page is nearest to: it measures the ways to some, and is told where to call."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from engine.api.callers import Caller, Entered, preflight
from engine.api.deps import Desk, Node
from engine.api.documented import REASONS as DOCUMENTED
from engine.api.documented import problems
from engine.api.node_schemas import MeasuredWays, NearestNode
from engine.api.routes.whip import REASONS, said

router = APIRouter(prefix="/near", tags=["callers"], dependencies=[Entered])
NEAR_REASONS = REASONS | DOCUMENTED
UNKEPT = {"Cache-Control": "no-store", "Timing-Allow-Origin": "*"}


@router.get(
    "",
    status_code=204,
    summary="How long is the way?",
    operation_id="echo_near",
    responses={**said(204, "Nothing, at once."), **problems(403, 429, own=REASONS)},
    response_class=Response,
)
async def echo_near() -> Response:
    """As little as can be asked and answered, for pages that measure how far the node is."""
    return Response(status_code=204, headers=UNKEPT)


@router.options(
    "",
    status_code=204,
    summary="What a page may ask",
    operation_id="near_options",
    responses={**said(204, "Headers alone."), **problems(403, 429, own=REASONS)},
    response_class=Response,
)
async def near_options() -> Response:
    """For browsers that ask before they POST."""
    return preflight("GET, POST, OPTIONS")


@router.post(
    "",
    summary="Where to call",
    operation_id="choose_near",
    responses=problems(401, 403, 404, 409, 413, 422, 429, noun="destination", own=NEAR_REASONS),
)
async def choose_near(
    request: Request, view: Node, claims: Caller, desk: Desk, ways: MeasuredWays
) -> NearestNode:
    """The nearest node that can take the token's call, by what the page measured and what is known beside it.
    Callers of the same network profit from it for a while.
    """
    source = request.client.host if request.client else ""
    found = view.cluster.reported(source, claims.market, ways.ms)
    path = f"/whip/{quote(claims.destination)}"
    if not found.order:
        return NearestNode(node="", origin="", url=path, why="; ".join(found.others))
    best = found.order[0]
    return NearestNode(
        node=best.name, origin=best.origin, url=f"{best.origin}{path}", why=found.why or best.why
    )
