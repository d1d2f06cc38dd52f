"""One agent's page at its WebSocket: signed in, told what changes, and done what it asks within bounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.api.deps import EngineView
from engine.api.desk_words import (
    CaptionTold,
    Challenge,
    Desk,
    Done,
    Malformed,
    NoteTold,
    PauseRecordingWord,
    Refused,
    SignInWord,
    StateWord,
    Told,
    Welcome,
    Word,
    WrapUpWord,
    read,
    write,
)
from engine.api.settings import PageTerms
from engine.desk import TooManyPages, Watch
from engine.signin import ALGORITHM, METHOD, URI
from engine.views import AgentAsk, DeskView, IllegalState, Note, UnknownAgent, UnknownCall

SIGN_IN_S = 20.0
LOOK_S = 2.0  # between two looks where nothing tells of a change: figures of the network
RATE, BURST = 10.0, 40.0  # messages of a page
TOGETHER_S = 0.05  # in which what comes together is told together

POLICY, TRY_LATER, GONE = 1008, 1013, 4401  # close codes; 4401: not signed in

log = structlog.get_logger("desk")


class Closed(Exception):
    """The node ends the conversation, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class DeskConversation:
    """From accepted to closed."""

    def __init__(self, socket: WebSocket, view: EngineView, terms: PageTerms) -> None:
        self._socket = socket
        self._view = view
        self._terms = terms
        self._host = socket.client.host if socket.client else ""
        self._agent = ""
        self._watch: Watch | None = None
        self._wake = asyncio.Event()
        self._answers: list[Told] = []
        self._allowance, self._filled = BURST, time.monotonic()
        self._shown: DeskView | None = None
        self._acts: dict[type, Callable[[Any], None]] = {
            StateWord: self._set_state,
            WrapUpWord: self._wrap_up,
            PauseRecordingWord: self._pause_recording,
        }

    async def run(self) -> None:
        """Until either side ends it."""
        try:
            await self._sign_in()
            await self._talk()
        except Closed as closed:
            await self._close(closed)
        except WebSocketDisconnect:
            pass
        finally:
            if self._watch is not None:
                self._view.leave_desk(self._watch)
                log.info("an agent's page left", agent=self._agent)

    async def _close(self, closed: Closed) -> None:
        try:
            await self._socket.close(closed.code, closed.reason[:120])
        except (WebSocketDisconnect, RuntimeError):  # it had gone a moment before
            pass

    # --- signing in -------------------------------------------------------------------------------

    async def _sign_in(self) -> None:
        sign_in = self._view.sign_in
        nonce = sign_in.nonce()
        await self._tell(Challenge(sign_in.realm, nonce, ALGORITHM, URI, METHOD))
        try:
            async with asyncio.timeout(SIGN_IN_S):
                word = await self._next()
        except Malformed as malformed:
            raise Closed(POLICY, str(malformed)) from None
        except TimeoutError:
            raise Closed(POLICY, "nobody signed in") from None
        if not isinstance(word, SignInWord):
            raise Closed(POLICY, "sign in first")
        now = time.monotonic()
        if not sign_in.proves(word.agent, nonce, word.cnonce, word.response, self._host, now):
            log.warning("sign-in refused", agent=word.agent[:64], source=self._host)
            await asyncio.sleep(sign_in.delay(self._host, now))
            raise Closed(GONE, "name or password are not right")
        try:
            self._watch = self._view.watch_desk(word.agent, self._wake.set)
        except TooManyPages as full:
            raise Closed(TRY_LATER, str(full)) from None
        self._agent = word.agent
        log.info("an agent's page signed in", agent=word.agent, source=self._host)
        terms = self._terms
        await self._tell(Welcome(self._view.phone_terms(), terms.sip_url, terms.outcomes, terms.reasons))

    # --- talking ----------------------------------------------------------------------------------

    async def _talk(self) -> None:
        """Hear and tell side by side; the first to end ends both."""
        self._wake.set()
        tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._tell_on())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self) -> None:
        while True:
            try:
                word = await self._next()
                answer = self._do(word)
            except Malformed as malformed:
                answer = Refused(0, "malformed", str(malformed))
            self._answers.append(answer)
            self._wake.set()

    async def _next(self) -> Word:
        """The page's next message, in time. Raises Malformed, Closed, WebSocketDisconnect."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        self._take_allowance()
        text = message.get("text")
        if text is None:
            raise Malformed("text was expected")
        return read(text)

    def _take_allowance(self) -> None:
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._filled) * RATE)
        self._filled = now
        if self._allowance < 1.0:
            raise Closed(POLICY, "too many messages")
        self._allowance -= 1.0

    async def _tell_on(self) -> None:
        """What there is to say, as fast as the page takes it; a slow page sees fewer looks, not older ones."""
        watch = self._watch
        assert watch is not None
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            answers, self._answers = self._answers, []
            for answer in answers:
                await self._tell(answer)
            while watch.notes:
                said = watch.notes.popleft()
                await self._tell(NoteTold(said) if isinstance(said, Note) else CaptionTold(said))
            desk = self._view.desk(self._agent)
            if desk != self._shown:
                self._shown = desk
                await self._tell(Desk(time.time(), desk))
            await asyncio.sleep(TOGETHER_S)

    async def _tell(self, told: Told) -> None:
        await self._socket.send_text(write(told))

    # --- what pages ask ---------------------------------------------------------------------------

    def _do(self, word: Word) -> Told:
        act = self._acts.get(type(word))
        if act is None:
            return Refused(word.re, "signed-in", "somebody is signed in already; open another page")
        try:
            act(word)
        except (UnknownCall, UnknownAgent) as unknown:
            return Refused(word.re, "unknown", str(unknown))
        except IllegalState as illegal:
            return Refused(word.re, "illegal-state", str(illegal))
        return Done(word.re)

    def _set_state(self, word: StateWord) -> None:
        self._view.set_agent_state(self._agent, word.state, word.reason)

    def _wrap_up(self, word: WrapUpWord) -> None:
        self._view.wrap_up(self._agent, word.call, word.outcome, word.notes)
        if word.over:
            self._view.set_agent_state(self._agent, AgentAsk.WRAP_UP_OVER, "")

    def _pause_recording(self, word: PauseRecordingWord) -> None:
        if all(call.id != word.call for call in self._view.desk(self._agent).calls):
            raise UnknownCall(f"{self._agent} is in no call {word.call}")
        self._view.pause_recording(word.call, word.paused, self._agent)
