"""The agent page's WebSocket."""

from __future__ import annotations

import time

import structlog
from fastapi import APIRouter, WebSocket

from engine.api.desk import DeskConversation
from engine.api.desk_words import PROTOCOL
from engine.signin import URI
from sip.io.ws import may_connect

router = APIRouter(tags=["agents"])
log = structlog.get_logger("api")

FORBIDDEN = 1008  # before a WebSocket is accepted any code is answered 403


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
