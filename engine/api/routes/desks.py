"""The agent page's WebSocket, and a supervisor's words to an agent."""

from __future__ import annotations

import time

import structlog
from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field

from engine.api.deps import View, Writer
from engine.api.desk import DeskConversation
from engine.api.desk_words import PROTOCOL
from engine.api.documented import problems
from engine.api.problem import Problem
from engine.api.routes.agents import AgentName
from engine.signin import URI
from sip.io.ws import may_connect

router = APIRouter(tags=["agents"])
log = structlog.get_logger("api")

FORBIDDEN = 1008  # before a WebSocket is accepted any code is answered 403


class AgentNote(BaseModel):
    """What is to be said to an agent, in writing."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Offer her the refund."}]}
    )

    text: str = Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")


class AgentNoteTold(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"pages": 1}]})

    pages: int = Field(description="How many of her pages show it.")


@router.websocket(URI)
async def desk(socket: WebSocket) -> None:
    """See engine/api/desk_words.py for what is said."""
    view, pages = socket.app.state.view, socket.app.state.settings.pages
    origin, host = socket.headers.get("origin"), socket.headers.get("host", "")
    source = socket.client.host if socket.client else ""
    if origin is not None and not may_connect(origin, host, ()):
        log.warning("a page of another origin was refused", origin=origin[:200])
    elif PROTOCOL in socket.scope["subprotocols"] and not view.sign_in.blocked(source, time.monotonic()):
        await socket.accept(PROTOCOL)
        await DeskConversation(socket, view, pages).run()
        return
    await socket.close(FORBIDDEN)


@router.post(
    "/v1/agents/{agent}/notes",
    status_code=202,
    summary="Say something to an agent",
    operation_id="tell_agent",
    responses=problems(401, 403, 404, 409, 413, 422, noun="agent"),
)
async def tell_agent(view: View, caller: Writer, agent: AgentName, note: AgentNote) -> AgentNoteTold:
    """Her page shows it at once, beside her call. The customer hears and sees nothing of it."""
    pages = view.tell_agent(agent, note.text, caller.name)
    if not pages:
        raise Problem(409, "illegal-state", f"{agent} has no page open; call her instead")
    return AgentNoteTold(pages=pages)
