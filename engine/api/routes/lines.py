"""What belongs to a caller's page beside WHIP: tokens that anybody is given, and what is told of a call."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Request, WebSocket
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine import tokens
from engine.api.caller_schemas import LANGUAGE, CallerToken, CallerTokenWish, Dialled
from engine.api.callers import Entered, lets_in
from engine.api.deps import Desk, Node
from engine.api.identify import settings_of
from engine.api.line import LineConversation
from engine.api.line_words import PROTOCOL
from engine.api.node_schemas import NodeToMeasure
from engine.api.problem import not_found
from engine.api.routes.callers import candidates, made
from engine.tokens import BadToken

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("api")

LINE = "/v1/callers/line"
FORBIDDEN = 1008  # before a WebSocket is accepted any code is answered 403


class PageWish(BaseModel):
    """Whom somebody at the page wants to call."""

    model_config = ConfigDict(extra="forbid")

    destination: Dialled
    language: Annotated[str, StringConstraints(pattern=LANGUAGE)] | None = None


class Destination(BaseModel):
    name: str
    title: str


class PageTermsTold(BaseModel):
    destinations: list[Destination] = Field(description="What the page has tokens made for by itself.")
    nodes: list[NodeToMeasure] = Field(description="What it may measure the way to before anybody calls.")


@router.get("/call-terms")
async def call_terms(request: Request, view: Node) -> PageTermsTold:
    """For the page that chooses; nobody else needs it."""
    pages = settings_of(request).pages
    names = pages.demo if pages is not None else ()
    told = [Destination(name=name, title=view.title(name)) for name in names]
    return PageTermsTold(destinations=told, nodes=candidates(request, ""))


@router.post("/call-token", status_code=201, dependencies=[Entered])
async def call_token(request: Request, desk: Desk, wish: PageWish) -> CallerToken:
    """A token for whoever opens the page, where the node is set up to give some: `pages.demo`."""
    pages = settings_of(request).pages
    if pages is None or wish.destination not in pages.demo:
        raise not_found("destination", wish.destination)
    wanted = CallerTokenWish(destination=wish.destination, language=wish.language)
    return made(request, desk, wanted, "the page")


@router.websocket(LINE)
async def line(socket: WebSocket) -> None:
    """See engine/api/line_words.py for what is said."""
    view, callers = socket.app.state.view, socket.app.state.settings.callers
    headers = socket.headers

    def known(token: str) -> str | None:
        try:
            return tokens.read(token, callers.keys, time.time(), callers.token_s).id
        except BadToken:
            return None

    if lets_in(socket.app, callers, headers) and PROTOCOL in socket.scope["subprotocols"]:
        await socket.accept(PROTOCOL)
        await LineConversation(socket, view, known).run()
    else:
        await socket.close(FORBIDDEN)
