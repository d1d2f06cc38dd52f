"""Keeps our registrations elsewhere alive: sends what a `Registration` wants sent when it is due."""

from __future__ import annotations

from sip.message import Response
from sip.outgoing import Outgoing
from sip.registration import Registration
from sip.stack import Stack
from sip.timeouts import Timeout


class Keeper:
    """Drives one registration until its binding is taken away again."""

    __slots__ = ("_stack", "_timeout", "registration")

    def __init__(self, stack: Stack, registration: Registration) -> None:
        self._stack = stack
        self._timeout: Timeout | None = None
        self.registration = registration

    def attend(self, now: float) -> None:
        """Send what is due, tell what happened, and come back when there is more to do."""
        registration, stack = self.registration, self._stack
        stack.timeouts.cancel(self._timeout)
        request = registration.next_request(now)
        stack.events += registration.events()
        if request is not None:
            hops = () if registration.hop is None else (registration.hop,)
            Outgoing(stack, request, hops, self._on_answer).start(now)
            return
        due = registration.next_timeout()
        if due is not None:
            self._timeout = stack.timeouts.start(due, self, "register")

    def fire(self, name: str, now: float) -> None:
        """It is time."""
        self._timeout = None
        self.attend(now)

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status >= 200:
            self._stack.events += self.registration.receive(response, now)
            self.attend(now)
