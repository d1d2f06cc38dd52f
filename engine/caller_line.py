"""What callers from pages are told of their calls besides the sound, and what they say of them afterwards.

A caller is known by the id of the token that began her call. Which call that was is remembered for a while
after its end, so that it can be rated.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.events import CallRated, CallRecord, Event, Side
from engine.speech.sight import speech_view
from engine.states import State
from engine.views import Caption, IllegalState, LineView, UnknownCall

if TYPE_CHECKING:
    from engine.call import Call
    from engine.switch import Switch

REMEMBERED = 20_000  # tokens whose call is known; the oldest are forgotten first
CAPTIONS = 64  # that wait for a page that is slow
WATCHES = 3  # pages that may look at one call at a time


class LineWatch:
    """One page that looks at its call. wake: called when there is something new."""

    def __init__(self, token: str, wake: Callable[[], None]) -> None:
        self.token = token
        self.wake = wake
        self.captions: deque[Caption] = deque(maxlen=CAPTIONS)


class Lines:
    """Every caller's page that looks at its call."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._calls: OrderedDict[str, str] = OrderedDict()  # by the id of the token
        self._rated: OrderedDict[str, None] = OrderedDict()  # calls
        self._watches: dict[str, list[LineWatch]] = {}  # by the id of the token
        self._tokens: dict[str, str] = {}  # of calls that are looked at
        switch.observers.append(self.notice)

    def began(self, token: str, call: str) -> None:
        """The token has this call."""
        self._calls[token] = call
        self._calls.move_to_end(token)
        while len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)
        if token in self._watches:
            self._tokens[call] = token
            self._wake(token)

    def open(self, token: str, wake: Callable[[], None]) -> LineWatch:
        """Begin to look, at a call that is there or comes. Raises IllegalState where too many do."""
        looking = self._watches.setdefault(token, [])
        if len(looking) >= WATCHES:
            raise IllegalState(f"{len(looking)} pages look at this call already")
        watch = LineWatch(token, wake)
        looking.append(watch)
        if token in self._calls:
            self._tokens[self._calls[token]] = token
        return watch

    def close(self, watch: LineWatch) -> None:
        looking = self._watches.get(watch.token, [])
        if watch in looking:
            looking.remove(watch)
        if not looking:
            self._watches.pop(watch.token, None)
            self._tokens.pop(self._calls.get(watch.token, ""), None)

    def notice(self, event: Event | CallRecord) -> None:
        """Something happened: wake the page that it may show on."""
        token = self._tokens.get(event.call)
        if token is not None:
            self._wake(token)

    def say(self, caption: Caption) -> int:
        """Show it on the caller's pages; how many there are."""
        looking = self._watches.get(self._tokens.get(caption.call, ""), ())
        for watch in looking:
            caption.wait(watch.captions)
            watch.wake()
        return len(looking)

    def _wake(self, token: str) -> None:
        for watch in self._watches.get(token, ()):
            watch.wake()

    # --- what pages show and do -------------------------------------------------------------------

    def look(self, token: str, now: float) -> LineView | None:
        """How the token's call stands; None before it begins and after it ended."""
        call = self._switch.calls.get(self._calls.get(token, ""))
        return None if call is None else _view(call, now)

    def rate(self, token: str, stars: int, comment: str, now: float) -> None:
        """Keep what a caller thinks of her call. Raises UnknownCall, IllegalState for a second time."""
        call = self._calls.get(token)
        if call is None:
            raise UnknownCall("this token has had no call")
        if call in self._rated:
            raise IllegalState("this call has been rated")
        self._rated[call] = None
        while len(self._rated) > REMEMBERED:
            self._rated.popitem(last=False)
        self._switch.note(CallRated(at=self._switch.wall(now), call=call, stars=stars, comment=comment))


def _view(call: Call, now: float) -> LineView:
    acd, queue = call.switch.acd, call.queue
    waits = acd.queues.get(queue.name) if queue is not None else None
    position = waits.position(call.id) if waits is not None else 0
    wait = acd.estimated_wait(queue.name, position, now) if queue is not None and position else None
    connected = call.clocks.connected
    speech = speech_view(call, Side.CUSTOMER)
    return LineView(
        call=call.id,
        state=call.state,
        position=position or None,
        wait_s=math.ceil(wait / 30) * 30.0 if wait is not None else None,
        held=call.state is State.HELD and Side.AGENT in call.held_by,
        talk_s=round(now - connected) if connected is not None else 0.0,
        voice=speech.voice if speech is not None else "off",
        fault=speech.fault if speech is not None else "",
    )
