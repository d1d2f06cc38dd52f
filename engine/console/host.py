"""NiceGUI under the console: begun at the first visit, one page, and the parts on it.

NiceGUI carries what changes to browsers over its WebSocket, catches up after a gap, and forgets browsers that
are gone. It is asked for nothing else: no templates, no scripts that it is sent as text, and so no
'unsafe-eval' (docs/adr/0048-nicegui-as-a-carrier.md). It is one a process, as its own registries are; each
node in it has a `Host`. Importing takes a second and a half of CPU and 35 MB, so it is done in a thread when
somebody comes for the first time, with the event loop getting its turn every millisecond (engine/serve.py).
"""

from __future__ import annotations

import asyncio
import importlib
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from engine.api import pages

if TYPE_CHECKING:
    from nicegui import Client

WEB = Path(__file__).parent / "web"
RECONNECT_S = 8.0
HISTORY = 30  # messages that a browser that was away is told again
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self'; font-src 'self'; connect-src 'self' {sockets}; media-src 'self' blob:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
REFERRER = "same-origin"  # with none, a form's Origin is "null" (Fetch, append a request Origin header)
_OPENING = re.compile(rb"<(script|style)(?=[ >])")

Build = Callable[["Client", Request], None]

log = structlog.get_logger("console")
_begun: dict[asyncio.AbstractEventLoop, bool] = {}


class Host:
    """build: puts the page of a browser together. sockets: where it may open WebSockets, by the host that it
    asks, as a policy has it.
    """

    def __init__(self, build: Build, sockets: Callable[[str], str]) -> None:
        self._build = build
        self._sockets = sockets
        self._app: FastAPI | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            if self._app is None:
                self._app = await self._made()
        scope["isogloss.build"] = self._build
        scope["isogloss.sockets"] = self._sockets
        await self._app(scope, receive, send)

    async def _made(self) -> FastAPI:
        if "nicegui" not in sys.modules:
            await asyncio.to_thread(importlib.import_module, "nicegui")
        return await _hosted()

    async def close(self) -> None:
        """No browser is told anything any more."""
        if self._app is not None:
            from nicegui import Client

            for client in list(Client.instances.values()):
                for document in list(client._delete_tasks):  # of one that left, to be deleted soon
                    client._cancel_delete_task(document)
                client.delete()


async def _hosted() -> FastAPI:
    """NiceGUI's own app, mounted in one of ours."""
    from nicegui import core, ui
    from nicegui.nicegui import _startup

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if core.app.config.has_run_config:
        app.mount("/", core.app)
    else:
        ui.page("/{path:path}", title="Isogloss", favicon=WEB / "mark.svg")(_page)
        ui.run_with(
            app,
            dark=None,
            binding_refresh_interval=None,
            reconnect_timeout=RECONNECT_S,
            message_history_length=HISTORY,
            gzip_middleware_factory=None,
            tailwind=False,
            show_welcome_message=False,
            storage_secret=None,
        )
        core.app.config.socket_io_js_transports = ["websocket"]
    loop = asyncio.get_running_loop()
    if not _begun.get(loop):  # another node of this process may have
        _begun.clear()
        _begun[loop] = True
        await _startup()
    return app


async def _page(request: Request, client: Any) -> Response:
    """Every page of the console is this one; what is on it follows from its address."""
    build: Build = request.scope["isogloss.build"]
    build(client, request)
    response: Response = client.build_response(request)
    nonce = secrets.token_urlsafe(16)
    body = _OPENING.sub(rb'<\1 nonce="%s"' % nonce.encode(), bytes(response.body))
    body = body.replace(b' style="display: none"', b" hidden")
    sockets: str = request.scope["isogloss.sockets"](request.headers.get("host", ""))
    headers = {"Content-Security-Policy": POLICY.format(nonce=nonce, sockets=sockets)}
    headers |= {"Permissions-Policy": pages.MICROPHONE, "Referrer-Policy": REFERRER}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)
