"""The node's health, for load balancers: in one word for anyone, part by part for holders of a token."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from engine.access.principal import Principal
from engine.api.deps import Node
from engine.api.documented import problems
from engine.api.identify import identified
from engine.api.schemas import NodeHealth
from engine.views import Health

router = APIRouter(tags=["node"])

FAILING: dict[int | str, dict[str, Any]] = {
    503: {"model": NodeHealth, "description": "The node fails: send new calls elsewhere."},
}


@router.get(
    "/health",
    summary="Is the node well?",
    operation_id="get_health",
    response_model_exclude_none=True,
    responses={**problems(401), **FAILING},
    openapi_extra={"security": [{}]},  # beside the token: none at all
)
async def get_health(
    view: Node, caller: Annotated[Principal | None, Depends(identified)], response: Response
) -> NodeHealth:
    """200 while calls can be taken (`ok`, `degraded`), 503 when not (`failing`). Works without a token."""
    health = view.health()
    if health.status is Health.FAILING:
        response.status_code = 503
    if caller is None:
        return NodeHealth(status=health.status)
    return NodeHealth.model_validate(health, from_attributes=True)
