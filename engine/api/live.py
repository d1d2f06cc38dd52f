"""Readers of the live state: at a WebSocket, and by server-sent events (the HTML standard, section 9.2).

Each is told as fast as it takes. One that takes nothing is cut by the hub; the connection is then ended at
once, whatever still waits to be sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Message as Told
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.access.access import Access
from engine.access.errors import AuditUnavailable
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.access.seen_live import SeenLive, sight
from engine.api.first_of import first_of
from engine.api.identify import identify
from engine.api.live_words import Asked, Hello, Malformed, Subscribe, read
from engine.api.problem import Problem
from engine.live.angle import Angle
from engine.live.feed import Feed
from engine.live.hub import Message, Reader, TooManyReaders
from engine.store.errors import StoreUnavailable

FIRST_S = 10.0  # that a reader has for `hello`
CHECK_S = 15.0  # between two looks whether she may still read; also between signs of life of the stream
MOST_ASKED = 60  # messages of a reader between two such looks

POLICY, TRY_LATER, GONE = 1008, 1013, 4401  # close codes; 4401: not who one says

log = structlog.get_logger("live")


def angle(asked: Asked, seen: SeenLive) -> Angle:
    return Angle(asked.topics, asked.queues, asked.teams, asked.markets, seen)


class Known:
    """Who reads at a connection, by the header or the session that came with it."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        self._principal: Principal | None = None

    async def sight(self, token: str = "") -> SeenLive | None:
        """What she may see now; None for nobody known, and for who may see nothing. token: where no header
        had one. Raises StoreUnavailable.
        """
        try:
            principal = await identify(self._connection, f"Bearer {token}" if token else "")
        except Problem:
            principal = None
        self._principal = principal
        if principal is None or not principal.may(Permission.BOARD):
            return None
        return sight(principal, self._connection.app.state.view.directory())

    async def tell(self, asked: Asked, seen: SeenLive) -> None:
        """The audit log, where she is about to read personal data; once a minute of one who comes back.
        Raises AuditUnavailable.
        """
        access: Access | None = self._connection.app.state.access
        topics = sorted(seen.personal_data(asked.topics))
        if access is None or self._principal is None or not topics:
            return
        key = f"{self._principal.key} watch_live {topics}"
        if access.desk.log.again(key, time.monotonic()):
            return
        detail = {"topics": topics}
        await access.desk.audit(self._principal, "watch_live", "live", read=True, detail=detail)
        access.desk.log.listed(key, time.monotonic())


class _Closed(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Ears:
    """A reader of the hub, and the two things that may be waited for: that there is news, and the end."""

    def __init__(self, feed: Feed) -> None:
        self.news = asyncio.Event()
        self.over = asyncio.Event()
        self._feed = feed
        self.reader: Reader | None = None

    def open(self, seen: Angle, since: str) -> None:
        """Raises TooManyReaders."""
        self.reader = self._feed.open(seen, self.news.set, self.over.set, since)

    def turn(self, seen: Angle) -> None:
        if self.reader is not None:
            self._feed.turn(self.reader, seen)

    async def next(self) -> list[Message]:
        """What there is to tell, as soon as there is; nothing when there was none for a while."""
        try:
            async with asyncio.timeout(CHECK_S):
                await self.news.wait()
        except TimeoutError:
            return []
        self.news.clear()
        return self._feed.hub.take(self.reader) if self.reader is not None else []

    def close(self) -> None:
        if self.reader is not None:
            self._feed.close(self.reader)


class LiveConversation:
    """At a WebSocket that was accepted."""

    def __init__(self, socket: WebSocket, feed: Feed) -> None:
        self._socket = socket
        self._known = Known(socket)
        self._token = ""
        self._ears = _Ears(feed)
        self._asked = 0
        self._sight: SeenLive | None = None

    async def run(self) -> None:
        try:
            await self._begin()
            await first_of(self._hear(), self._tell(), self._ears.over.wait())
            if self._ears.over.is_set():
                raise _Closed(TRY_LATER, "nothing was taken for too long")
        except _Closed as closed:
            await self._close(closed)
        except (StoreUnavailable, AuditUnavailable) as error:
            await self._close(_Closed(TRY_LATER, str(error)))
        except WebSocketDisconnect:
            pass
        finally:
            self._ears.close()

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(FIRST_S):
                word = await self._next()
        except TimeoutError:
            raise _Closed(POLICY, "nothing was said") from None
        except Malformed as malformed:
            raise _Closed(POLICY, str(malformed)) from None
        if not isinstance(word, Hello):
            raise _Closed(POLICY, "say hello first")
        self._token = word.token
        self._sight = await self._known.sight(self._token)
        if self._sight is None:
            raise _Closed(GONE, "this needs a token that may read, or somebody who signed in")
        await self._known.tell(word, self._sight)
        try:
            self._ears.open(angle(word, self._sight), word.since)
        except TooManyReaders as full:
            raise _Closed(TRY_LATER, str(full)) from None

    async def _next(self) -> Hello | Subscribe:
        """Raises Malformed, WebSocketDisconnect, _Closed."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        self._asked += 1
        if self._asked > MOST_ASKED:
            raise _Closed(POLICY, "too many messages")
        text = message.get("text")
        if text is None:
            raise Malformed("text was expected")
        return read(text)

    async def _hear(self) -> None:
        while True:
            try:
                word = await self._next()
            except Malformed as malformed:
                raise _Closed(POLICY, str(malformed)) from None
            if isinstance(word, Hello) or self._sight is None:
                raise _Closed(POLICY, "hello was said already; subscribe changes what is seen")
            await self._known.tell(word, self._sight)
            self._ears.turn(angle(word, self._sight))

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            for message in await self._ears.next():
                await self._socket.send_text(message.data.decode())
            if loop.time() - checked >= CHECK_S:
                checked, self._asked = loop.time(), 0
                if await self._known.sight(self._token) != self._sight:
                    raise _Closed(
                        GONE, "the reader may not read any more, or something else; say hello again"
                    )

    async def _close(self, closed: _Closed) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close(closed.code, closed.reason.encode()[:120].decode(errors="ignore"))
        except (WebSocketDisconnect, RuntimeError, TimeoutError):  # it had gone, or takes nothing
            pass


class EventStream(Response):
    """The same as server-sent events. still: whether the reader may still read."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, seen: Angle, since: str, still: Callable[[], Awaitable[bool]]) -> None:
        """Raises TooManyReaders."""
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"X-Accel-Buffering": "no"})
        del self.raw_headers[[name for name, _ in self.raw_headers].index(b"content-length")]
        self._ears = _Ears(feed)
        self._still = still
        self._ears.open(seen, since)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            await first_of(self._tell(send), _gone(receive), self._ears.over.wait())
            if not self._ears.over.is_set():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:  # a server says so of a client that had gone
            pass
        finally:
            self._ears.close()

    async def _tell(self, send: Callable[[Told], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            messages = await self._ears.next()
            body = b"".join(map(framed, messages)) or b": still here\n\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
            if loop.time() - checked >= CHECK_S:
                checked = loop.time()
                if not await self._still():
                    return


def framed(message: Message) -> bytes:
    """A message as an event; its JSON has no line breaks."""
    return f"id: {message.id}\nevent: {message.kind}\ndata: ".encode() + message.data + b"\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
