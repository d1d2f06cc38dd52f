"""Keeps our registrations elsewhere alive: sends what a `Registration` wants sent when it is due.

A connection that is registered (RFC 5626) is pinged as its section 4.4.1 says; one that breaks, or whose ping
is not answered, is given up for another.
"""

from __future__ import annotations

from collections.abc import Sequence

from sip.hop import Hop
from sip.message import Response
from sip.outgoing import Outgoing
from sip.registration import LineUp, Registration, RegistrationEvent
from sip.stack import Stack
from sip.timeouts import Timeout
from sip.watch import Watch

PING = b"\r\n\r\n"
PONG_WAIT = 10.0  # seconds


class Keeper:
    """Drives one registration until its binding is taken away again."""

    __slots__ = ("_beat", "_stack", "_timeout", "_watch", "registration")

    def __init__(self, stack: Stack, registration: Registration) -> None:
        self._stack = stack
        self._timeout: Timeout | None = None
        self._beat: Timeout | None = None  # of the next ping, or of the answer to the last
        self._watch: Watch | None = None
        self.registration = registration
        registration.hurried = self._hurry

    def attend(self, now: float) -> None:
        """Send what is due, tell what happened, and come back when there is more to do."""
        registration, stack = self.registration, self._stack
        stack.timeouts.cancel(self._timeout)
        request = registration.next_request(now)
        self._tell(registration.events(), now)
        if request is not None:
            hops = () if registration.hop is None else (registration.hop,)
            Outgoing(stack, request, hops, self._on_answer).start(now)
            return
        due = registration.next_timeout()
        if due is not None:
            self._timeout = stack.timeouts.start(due, self, "register")

    def _hurry(self) -> None:
        """Attend to it in the next round of timers."""
        self._stack.timeouts.cancel(self._timeout)
        self._timeout = self._stack.timeouts.start(0.0, self, "register")

    def fire(self, name: str, now: float) -> None:
        """It is time."""
        if name == "ping":
            self._ping(now)
        elif name == "pong":
            self._beat = None
            self._give_up(now)
        else:
            self._timeout = None
            self.attend(now)

    def answered(self, hop: Hop, now: float) -> None:
        """A ping was answered over `hop`."""
        if self._is_flow(hop) and self._beat is not None and self._beat.name == "pong":
            self._rest(now)

    def failed(self, hop: Hop, now: float) -> None:
        """The connection of `hop` is gone."""
        if self._is_flow(hop):
            self._give_up(now)

    def _tell(self, events: Sequence[RegistrationEvent], now: float) -> None:
        """Pass on what happened; a mobile network is watched while it knows us."""
        for event in events:
            self._stack.events.append(event)
            if self._watch is not None:
                self._watch.stop(now)
                self._watch = None
            if isinstance(event, LineUp) and self.registration.settings.home:
                self._watch = Watch(self._stack, self.registration, self.attend)
                self._watch.start(now)

    def _is_flow(self, hop: Hop) -> bool:
        ours = self.registration.hop
        if ours is None or not self.registration.flow_timer:
            return False
        return (ours.transport, ours.host, ours.port) == (hop.transport, hop.host, hop.port)

    def _give_up(self, now: float) -> None:
        self._stack.timeouts.cancel(self._beat)
        self._beat = None
        self.registration.flow_lost(now)
        self.attend(now)

    def _rest(self, now: float) -> None:
        """Set the next ping: after four fifths of the time at least, by chance."""
        stack, seconds = self._stack, self.registration.flow_timer
        stack.timeouts.cancel(self._beat)
        self._beat = None
        if seconds:
            self._beat = stack.timeouts.start(now + seconds * stack.rng.uniform(0.8, 1.0), self, "ping")

    def _ping(self, now: float) -> None:
        self._beat = None
        hop = self.registration.hop
        if hop is not None and self.registration.flow_timer:
            self._stack.outgoing.append((PING, hop))
            self._beat = self._stack.timeouts.start(now + PONG_WAIT, self, "pong")

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status >= 200:
            self._tell(self.registration.receive(response, now), now)
            self._rest(now)
            self.attend(now)
