"""Metrics in Prometheus' text format."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import Node
from engine.api.documented import problems
from engine.api.identify import identified, require, settings_of

router = APIRouter(tags=["node"])

TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The exposition.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


async def allowed(request: Request, caller: Annotated[Principal | None, Depends(identified)]) -> None:
    if not settings_of(request).open_metrics:
        await require(Permission.METRICS)(request, caller)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    operation_id="get_metrics",
    response_class=Response,
    responses={**problems(401, 403), **TEXT},
    dependencies=[Depends(allowed)],
)
async def get_metrics(view: Node) -> Response:
    """Each metric's HELP line says what it counts."""
    return Response(view.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})
