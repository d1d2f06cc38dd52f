"""Metrics in Prometheus' text format."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from engine.api.deps import View, identified, require, settings_of
from engine.api.documented import problems
from engine.api.settings import Scope, Token

router = APIRouter(tags=["node"])

TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The exposition.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


async def allowed(request: Request, caller: Annotated[Token | None, Depends(identified)]) -> None:
    if not settings_of(request).open_metrics:
        await require(Scope.READ)(caller)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    operation_id="get_metrics",
    response_class=Response,
    responses={**problems(401, 403), **TEXT},
    dependencies=[Depends(allowed)],
)
async def get_metrics(view: View) -> Response:
    """Each metric's HELP line says what it counts."""
    return Response(view.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})
