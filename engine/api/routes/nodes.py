"""Nodes of the cluster: which there are, which one is near, and draining this one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.node_schemas import Cluster, Draining, Near, NearQuery, NodesQuery
from engine.cluster.sight import NearAsk

router = APIRouter(prefix="/v1", tags=["nodes"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.BOARD)]
Writer = Annotated[Principal, may(Permission.CONFIGURE)]


@router.get("/nodes", summary="List nodes", operation_id="list_nodes", responses=problems(401, 403, 422))
async def list_nodes(view: View, _: Reader, query: Annotated[NodesQuery, Query()]) -> Cluster:
    """All nodes as this one knows them, gone ones for an hour."""
    found = view.cluster.nodes()
    kept = replace(found, nodes=tuple(filter(query.wants, found.nodes)))
    return Cluster.model_validate(kept, from_attributes=True)


@router.get(
    "/near",
    summary="Which node is nearest?",
    operation_id="find_near",
    responses=problems(401, 403, 422),
)
async def find_near(view: View, _: Reader, query: Annotated[NearQuery, Query()]) -> Near:
    """For whoever sends calls to nodes, such as a SIP proxy in front of them. It may keep the answer for some
    seconds.
    """
    return Near.model_validate(view.cluster.near(NearAsk(**query.model_dump())), from_attributes=True)


@router.post(
    "/node/drain",
    summary="Take no new calls",
    operation_id="drain_node",
    responses=problems(401, 403),
)
async def drain_node(view: View, token: Writer) -> Draining:
    """New calls and OPTIONS are answered 503 with Retry-After, other nodes send it none; those in progress go
    on. The node itself goes on, too.
    """
    view.cluster.drain(True, token.who)
    return Draining(draining=True, calls=len(view.calls()))


@router.delete(
    "/node/drain",
    summary="Take new calls again",
    operation_id="undrain_node",
    responses=problems(401, 403),
)
async def undrain_node(view: View, token: Writer) -> Draining:
    view.cluster.drain(False, token.who)
    return Draining(draining=False, calls=len(view.calls()))
