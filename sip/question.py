"""One question whether somebody is there (OPTIONS, RFC 3261 section 11), and how long its answer takes."""

from __future__ import annotations

from sip.events import OptionsAnswered
from sip.message import Response
from sip.outgoing import Outgoing
from sip.stack import Stack
from sip.timeouts import Timeout


class Question:
    """Tells of the answer, or of its absence, once: whatever comes later is not heard."""

    __slots__ = ("_asked", "_number", "_over", "_stack", "_timeout")

    def __init__(self, stack: Stack, number: int, patience: float | None, now: float) -> None:
        self._stack = stack
        self._number = number
        self._asked = now
        self._over = False
        self._timeout: Timeout | None = None
        if patience is not None:
            self._timeout = stack.timeouts.start(now + patience, self, "no answer")

    def answered(self, outgoing: Outgoing, response: Response, now: float) -> None:
        """The final response, or the one made up when no hop gave any."""
        self._tell(response.status if outgoing.failure is None else None, outgoing.failure or "response", now)

    def fire(self, name: str, now: float) -> None:
        """Nobody is waited for any longer."""
        self._timeout = None
        self._tell(None, "timeout", now)

    def _tell(self, status: int | None, cause: str, now: float) -> None:
        if not self._over:
            self._over = True
            self._stack.timeouts.cancel(self._timeout)
            self._stack.emit(OptionsAnswered(self._number, status, now - self._asked, cause))
