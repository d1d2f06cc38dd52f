"""The API's server: uvicorn inside the node's own event loop, leaving signals to the node."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

MAX_CONNECTIONS = 1024  # an agent's page holds one for as long as it is open
MAX_MESSAGE_BYTES = 64 * 1024
PING_S = 20
MAX_HEADER_BYTES = 16 * 1024
IDLE_S = 10
BACKLOG = 128
CLOSE_S = 3
UNTAKEN_MS = 40_000
UNTAKEN_BYTES = 256 * 1024  # of one client; the kernel would hold megabytes, and so hide who takes nothing


class ApiServer:
    """Serves an app at `address`:`port`; port 0 takes a free one, which `port` then tells."""

    def __init__(
        self,
        app: ASGIApp,
        address: str,
        port: int,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            http="h11",  # whose bounds are set below; another one may be installed beside
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=CLOSE_S,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self.address = address
        self.port = port
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind and serve. Raises OSError when the port is taken or the certificate cannot be read."""
        listener = _listen(self.address, self.port)
        self.port = listener.getsockname()[1]
        try:
            self._server.config.load()
        except OSError:
            listener.close()
            raise
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="api")
        await self._server.up.wait()

    async def close(self) -> None:
        """Take no more requests, let those in progress end, close."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
            self._task = None


class _Server(uvicorn.Server):
    """Tells when it is up, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A client that takes nothing more is given up, and what still waits for it with it (RFC 5482).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNTAKEN_BYTES)  # also of what it accepts
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
