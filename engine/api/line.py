"""One caller's page at its WebSocket: known by its token, told how its call stands, asked how it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from starlette.websockets import WebSocket

from engine.api.conversation import GONE, POLICY, TRY_LATER, Closed, Conversation
from engine.api.deps import EngineView
from engine.api.desk_words import Told
from engine.api.line_words import CallTold, CaptionTold, RateWord, TokenWord, Word, read
from engine.caller_line import LineWatch
from engine.states import State
from engine.views import IllegalState, LineView


class LineConversation(Conversation[Word]):
    """See the module. known: the id of a genuine token, None for any other text."""

    def __init__(self, socket: WebSocket, view: EngineView, known: Callable[[str], str | None]) -> None:
        super().__init__(socket)
        self._view = view
        self._known = known
        self._watch: LineWatch | None = None
        self._shown: LineView | None = None

    def read(self, text: str) -> Word:
        return read(text)

    async def begin(self) -> None:
        word = await self.first()
        if not isinstance(word, TokenWord):
            raise Closed(POLICY, "the token first")
        token = self._known(word.token)
        if token is None:
            raise Closed(GONE, "the token is no good")
        try:
            self._watch = self._view.watch_line(token, self.wake)
        except IllegalState as full:
            raise Closed(TRY_LATER, str(full)) from None

    def left(self) -> None:
        if self._watch is not None:
            self._view.leave_line(self._watch)

    def news(self) -> Iterator[Told]:
        watch = self._watch
        assert watch is not None
        while watch.captions:
            yield CaptionTold(watch.captions.popleft())
        line, shown = self._view.line(watch.token), self._shown
        if line is None and shown is not None:
            line = replace(shown, state=State.ENDED, position=None, wait_s=None, held=False)
        if line is not None and line != shown:
            self._shown = line
            yield CallTold(line)

    def act(self, word: Word) -> None:
        if isinstance(word, RateWord) and self._watch is not None:
            self._view.rate(self._watch.token, word.stars, word.comment)
        else:
            raise IllegalState("the token was said already")
