"""What helps agents while they talk: what they were told in a call, and what is known of some words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.assist_schemas import AgentHelp, AgentHelpList
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.plain import Plain
from engine.api.problem import not_found
from engine.api.routes.calls import CallId

router = APIRouter(tags=["assist"])

Reader = Annotated[Principal, may(Permission.BOARD)]
Listener = Annotated[Principal, may(Permission.LISTEN)]


class LookUpQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: Plain = Field(min_length=1, description="What is looked up.")
    agent: Plain = Field(default="", description="In this agent's language; in the node's when left out.")
    call: Plain = Field(default="", description="With the market of this call in progress.")


@router.get(
    "/v1/calls/{call}/assist",
    summary="What an agent was told in a call",
    operation_id="list_call_assist",
    responses=problems(401, 403, 404, 422, noun="call"),
)
async def list_call_assist(view: View, _: Listener, id: CallId) -> AgentHelpList:
    """Phrases, answers and warnings that came by themselves, the newest last; of calls in progress."""
    if view.call(id) is None:
        raise not_found("call", id)
    return AgentHelpList(items=[AgentHelp.model_validate(asdict(each)) for each in view.given_help(id)])


@router.get(
    "/v1/assist",
    summary="Look something up",
    operation_id="look_up",
    responses=problems(401, 403, 422),
)
async def look_up(view: View, _: Reader, query: Annotated[LookUpQuery, Query()]) -> AgentHelpList:
    """Terms of the trade, and passages of the configuration's `knowledge`, as agents' pages find them."""
    found = view.look_up(query.agent, query.call, query.words)
    return AgentHelpList(items=[AgentHelp.model_validate(asdict(each)) for each in found])
