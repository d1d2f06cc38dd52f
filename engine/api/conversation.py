"""A page and the node at a WebSocket: heard within bounds, told what is new as fast as the page takes it.

What a page asks carries a number and is answered by it. What the node tells is looked up when there is room
for it, so that a slow page sees fewer looks, not older ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.api.desk_words import Asked, Done, Malformed, Refused, Told, write
from engine.api.first_of import first_of
from engine.views import IllegalState, UnknownAgent, UnknownCall

FIRST_S = 20.0  # that a page has for its first message
LOOK_S = 2.0  # between two looks where nothing tells of a change: figures of the network
TOGETHER_S = 0.05  # in which what comes together is told together
RATE, BURST = 10.0, 40.0  # messages of a page: a second, and at once

POLICY, TRY_LATER, GONE = 1008, 1013, 4401  # close codes; 4401: not who one says, or says nothing

W = TypeVar("W", bound=Asked)


class Closed(Exception):
    """The node ends the conversation, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Conversation(Generic[W]):
    """From accepted to closed. `wake` is called when there may be something to tell."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.host = socket.client.host if socket.client else ""
        self._woken = asyncio.Event()
        self._answers: list[Told] = []
        self._allowance, self._filled = BURST, time.monotonic()

    def wake(self) -> None:
        self._woken.set()

    # --- what the two kinds fill in ---------------------------------------------------------------

    def read(self, text: str) -> W:
        """Raises Malformed."""
        raise Malformed(text)

    async def begin(self) -> None:
        """Find out who it is. Raises Closed."""

    def act(self, word: W) -> None:
        """Do what the page asks. Raises UnknownCall, UnknownAgent, IllegalState."""

    def news(self) -> Iterator[Told]:
        """What is new since the last time."""
        return iter(())

    def left(self) -> None:
        """It is over."""

    # --- the conversation -------------------------------------------------------------------------

    async def run(self) -> None:
        """Until either side ends it."""
        try:
            await self.begin()
            await self._talk()
        except Closed as closed:
            await self._close(closed)
        except WebSocketDisconnect:
            pass
        finally:
            self.left()

    async def first(self) -> W:
        """The page's first message. Raises Closed for one that is none, or too late."""
        try:
            async with asyncio.timeout(FIRST_S):
                return await self._next()
        except Malformed as malformed:
            raise Closed(POLICY, str(malformed)) from None
        except TimeoutError:
            raise Closed(POLICY, "nothing was said") from None

    async def tell(self, told: Told) -> None:
        await self._socket.send_text(write(told))

    async def _close(self, closed: Closed) -> None:
        try:
            await self._socket.close(closed.code, closed.reason[:120])
        except (WebSocketDisconnect, RuntimeError):  # it had gone a moment before
            pass

    async def _talk(self) -> None:
        """Hear and tell side by side; the first to end ends both."""
        self.wake()
        await first_of(self._hear(), self._tell_on())

    async def _hear(self) -> None:
        while True:
            try:
                answer = self._do(await self._next())
            except Malformed as malformed:
                answer = Refused(0, "malformed", str(malformed))
            self._answers.append(answer)
            self.wake()

    async def _next(self) -> W:
        """The page's next message. Raises Malformed, Closed, WebSocketDisconnect."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        self._take_allowance()
        text = message.get("text")
        if text is None:
            raise Malformed("text was expected")
        return self.read(text)

    def _take_allowance(self) -> None:
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._filled) * RATE)
        self._filled = now
        if self._allowance < 1.0:
            raise Closed(POLICY, "too many messages")
        self._allowance -= 1.0

    def _do(self, word: W) -> Told:
        try:
            self.act(word)
        except (UnknownCall, UnknownAgent) as unknown:
            return Refused(word.re, "unknown", str(unknown))
        except IllegalState as illegal:
            return Refused(word.re, "illegal-state", str(illegal))
        return Done(word.re)

    async def _tell_on(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            answers, self._answers = self._answers, []
            for told in (*answers, *self.news()):
                await self.tell(told)
            await asyncio.sleep(TOGETHER_S)
