"""One agent's page at its WebSocket: signed in, told what changes at her desk, and done what it asks."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from starlette.websockets import WebSocket

from engine.access.access import Access
from engine.agent_desk import TooManyPages, Watch
from engine.api.conversation import GONE, POLICY, TRY_LATER, Closed, Conversation
from engine.api.deps import EngineView
from engine.api.desk_cards import DeskCards
from engine.api.desk_words import (
    CaptionTold,
    Challenge,
    Desk,
    Found,
    GuestWord,
    HearWord,
    HelpTold,
    InterpretWord,
    JudgedWord,
    LookUpWord,
    NoteTold,
    PauseRecordingWord,
    SignInWord,
    StateWord,
    Told,
    Welcome,
    Word,
    WrapUpWord,
    read,
)
from engine.api.settings import PageTerms
from engine.assist_views import Help
from engine.signin import ALGORITHM, METHOD, URI
from engine.views import (
    AgentAsk,
    Caption,
    DeskCall,
    DeskView,
    IllegalState,
    Note,
    UnknownAgent,
    UnknownCall,
)

PHONE = "phone"  # how she was known: by her SIP account
FOUND = 4  # answers that wait for a page that is slow

log = structlog.get_logger("desk")


class DeskConversation(Conversation[Word]):
    """See the module, and engine/api/desk_words.py for what is said."""

    def __init__(self, socket: WebSocket, view: EngineView, terms: PageTerms) -> None:
        super().__init__(socket)
        self._view = view
        self._terms = terms
        self._agent = ""
        self._renewal = 0.0
        self._watch: Watch | None = None
        self._shown: DeskView | None = None
        self._seen: frozenset[str] = frozenset()  # her calls, as the audit log was told
        self._found: deque[Found] = deque(maxlen=FOUND)
        self._judged: DeskCards | None = None
        self._acts: dict[type, Callable[[Any], None]] = {
            SignInWord: self._sign_in_again,
            StateWord: self._set_state,
            WrapUpWord: self._wrap_up,
            PauseRecordingWord: self._pause_recording,
            InterpretWord: self._interpret,
            GuestWord: self._invite,
            LookUpWord: self._look_up,
            JudgedWord: lambda word: self._hers_judged.read(),
            HearWord: lambda word: self._hers_judged.hear(word.card),
        }

    def read(self, text: str) -> Word:
        return read(text)

    async def begin(self) -> None:
        sign_in = self._view.sign_in
        nonce = sign_in.nonce()
        await self.tell(Challenge(sign_in.realm, nonce, ALGORITHM, URI, METHOD))
        word = await self.first()
        if not isinstance(word, SignInWord):
            raise Closed(POLICY, "sign in first")
        now = time.monotonic()
        if not sign_in.proves(word.agent, nonce, word.cnonce, word.response, self.host, now):
            log.warning("sign-in refused", agent=word.agent, source=self.host)
            await asyncio.sleep(sign_in.delay(self.host, now))
            raise Closed(GONE, "name or password are not right")
        try:
            self._watch = self._view.watch_desk(word.agent, self.wake)
        except TooManyPages as full:
            raise Closed(TRY_LATER, str(full)) from None
        self._agent = word.agent
        self._judged = DeskCards(self._view, word.agent, self.wake, self._audit)
        log.info("an agent's page signed in", agent=word.agent, source=self.host)
        self._audit("open_desk", "desk", source=self.host)
        await self.tell(self._welcome())

    def _welcome(self) -> Welcome:
        terms, ice = self._terms, self._view.ice_terms(self._agent)
        self._renewal = time.monotonic() + ice.renewed_s
        return Welcome(self._view.phone_terms(), terms.sip_url, terms.outcomes, terms.reasons, ice)

    def left(self) -> None:
        if self._judged is not None:
            self._judged.left()
        if self._watch is not None:
            self._view.leave_desk(self._watch)
            log.info("an agent's page left", agent=self._agent)

    def news(self) -> Iterator[Told]:
        watch = self._watch
        assert watch is not None
        while watch.notes:
            said = watch.notes.popleft()
            yield told_of(said)
        while self._found:
            yield self._found.popleft()
        yield from self._hers_judged.news()
        if time.monotonic() >= self._renewal:
            yield self._welcome()
        try:
            desk = self._view.desk(self._agent)
        except UnknownAgent as gone:  # another configuration has her no more
            raise Closed(GONE, str(gone)) from None
        if desk != self._shown:
            self._shown = desk
            shown = frozenset(call.id for call in desk.calls)
            for id in sorted(shown - self._seen):
                self._audit("read_desk", f"calls/{id}")
            self._seen = shown
            yield Desk(time.time(), desk)

    def _audit(self, what: str, object: str, **detail: str) -> None:
        """That she sees who calls. Her calls do not wait for the audit log, unlike what others read."""
        access: Access | None = self._socket.app.state.access
        if access is not None:
            kept = access.desk.log
            kept.note(kept.entry(self._agent, PHONE, what, object, detail=detail))

    # --- what pages ask ---------------------------------------------------------------------------

    def act(self, word: Word) -> None:
        self._acts[type(word)](word)

    def _sign_in_again(self, word: SignInWord) -> None:
        raise IllegalState("somebody is signed in already; open another page")

    def _set_state(self, word: StateWord) -> None:
        self._view.set_agent_state(self._agent, word.state, word.reason)

    def _wrap_up(self, word: WrapUpWord) -> None:
        self._view.wrap_up(self._agent, word.call, word.outcome, word.notes)
        if word.over:
            self._view.set_agent_state(self._agent, AgentAsk.WRAP_UP_OVER, "")

    @property
    def _hers_judged(self) -> DeskCards:
        assert self._judged is not None, "nothing is asked before she signed in"
        return self._judged

    def _hers(self, id: str) -> DeskCall:
        """Raises UnknownCall."""
        found = next((call for call in self._view.desk(self._agent).calls if call.id == id), None)
        if found is None:
            raise UnknownCall(f"{self._agent} is in no call {id}")
        return found

    def _interpret(self, word: InterpretWord) -> None:
        self._hers(word.call)
        self._view.choose_interpreter(word.call, word.side, word.voice)

    def _invite(self, word: GuestWord) -> None:
        self._hers(word.call)
        if word.wanted:
            self._view.ask_guest(word.call, "", self._agent)
        else:
            self._view.send_off_guest(word.call)

    def _pause_recording(self, word: PauseRecordingWord) -> None:
        self._hers(word.call)
        self._view.pause_recording(word.call, word.paused, self._agent)

    def _look_up(self, word: LookUpWord) -> None:
        if word.call:
            self._hers(word.call)
        found = self._view.look_up(self._agent, word.call, word.words)
        self._found.append(Found(word.words, tuple(found)))


def told_of(said: Note | Caption | Help) -> Told:
    """What was said to the agent, as her page is told it."""
    if isinstance(said, Note):
        return NoteTold(said)
    return HelpTold(said) if isinstance(said, Help) else CaptionTold(said)
