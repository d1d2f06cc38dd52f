"""Agents: what they do now, and the supervisor's hand on it."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import EngineView, View, may
from engine.api.documented import problems
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.paging import PageQuery, cut
from engine.api.problem import Problem, not_found
from engine.api.schemas import Agent, AgentChange, AgentNote, AgentNoteTold, AgentPage, Plain
from engine.views import AgentView

router = APIRouter(prefix="/v1/agents", tags=["agents"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.BOARD)]
Writer = Annotated[Principal, may(Permission.ACT_ON_AGENTS)]

AgentName = Annotated[Plain, Path(description="The agent's name.")]


class AgentQuery(PageQuery):
    queue: Plain | None = Field(default=None, description="Only agents of this queue.")
    state: Plain | None = Field(default=None, description="Only agents in this state.")

    def wants(self, agent: AgentView) -> bool:
        return (self.queue is None or self.queue in agent.queues) and self.state in (None, agent.state)


@router.get("", summary="List agents", operation_id="list_agents", responses=problems(401, 403, 422))
async def list_agents(view: View, _: Reader, query: Annotated[AgentQuery, Query()]) -> AgentPage:
    """Agents by name."""
    page, after = cut(filter(query.wants, view.agents()), lambda agent: agent.name, query)
    return AgentPage(items=[Agent.model_validate(agent) for agent in page], next=after)


@router.get(
    "/{agent}",
    summary="Look at an agent",
    operation_id="get_agent",
    responses=problems(401, 403, 404, 422, noun="agent"),
)
async def get_agent(view: View, _: Reader, agent: AgentName) -> Agent:
    return find(view, agent)


@router.put(
    "/{agent}/state",
    summary="Ask a state of an agent",
    operation_id="set_agent_state",
    responses=problems(401, 403, 404, 409, 413, 422, noun="agent"),
)
async def set_agent_state(view: View, caller: Writer, agent: AgentName, change: AgentChange) -> Agent:
    """Log her in (`available`), pause her, log her out or end her wrap-up. Asking twice is asking once.

    What is asked during an offer or a call takes effect after it. Answers the agent as she is now.
    """
    find(view, agent)
    view.set_agent_state(agent, change.state, change.reason, caller.who)
    log.info("agent state set by hand", agent=agent, state=str(change.state), by=caller.who)
    return find(view, agent)


@router.post(
    "/{agent}/notes",
    status_code=202,
    summary="Say something to an agent",
    operation_id="tell_agent",
    responses=problems(401, 403, 404, 409, 413, 422, noun="agent"),
)
async def tell_agent(
    request: Request,
    view: View,
    caller: Writer,
    agent: AgentName,
    note: AgentNote,
    key: IdempotencyKey = None,
) -> AgentNoteTold:
    """Her page shows it at once, beside her call. The customer hears and sees nothing of it."""

    async def act() -> AgentNoteTold:
        pages = view.tell_agent(agent, note.text, caller.who)
        if not pages:
            raise Problem(409, "illegal-state", f"{agent} has no page open; call her instead")
        return AgentNoteTold(pages=pages)

    once: Once = request.app.state.once
    told: AgentNoteTold = await once.do(f"{caller.key} note {agent}", key, note, time.monotonic(), act)
    return told


def find(view: EngineView, name: str) -> Agent:
    for agent in view.agents():
        if agent.name == name:
            return Agent.model_validate(agent)
    raise not_found("agent", name)
