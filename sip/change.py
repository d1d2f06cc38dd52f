"""One change of a session that we ask for: a re-INVITE or an UPDATE on its way, until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from sip.ack import acknowledgement
from sip.hop import Hop
from sip.message import Request, Response
from sip.offer import described
from sip.outgoing import Outgoing
from sip.precondition import bare
from sip.reliable import ReliableReceiver
from sip.stack import ALLOW

if TYPE_CHECKING:
    from sip.session import Session

LONGEST_WAIT = 32.0  # seconds of Retry-After that an offer is kept for


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change before it is sent. refreshes: for the session timer. quiet: for preconditions; of both the
    owner is not told unless something else changes.
    """

    sdp: bytes | None
    refreshes: bool = False
    quiet: bool = False


class Change:
    """sdp: the offer; None asks the far end for one (INVITE), or leaves the session as it is (UPDATE).

    wanted: what it was made of. done: called with its first 2xx or its refusal.
    """

    __slots__ = (
        "_ack",
        "_done",
        "_outgoing",
        "_reliable",
        "_session",
        "answered",
        "method",
        "sdp",
        "wanted",
    )

    def __init__(
        self,
        session: Session,
        method: str,
        sdp: bytes | None,
        wanted: Wanted,
        done: Callable[[Change, Response, float], None],
    ) -> None:
        self._session = session
        self._done = done
        self._outgoing: Outgoing | None = None
        self._reliable = ReliableReceiver()
        self._ack: tuple[bytes, Hop] | None = None
        self.method = method
        self.sdp = sdp
        self.wanted = wanted
        self.answered = False

    @property
    def refreshes(self) -> bool:
        """Sent for the session timer, not for the owner."""
        return self.wanted.refreshes

    def same(self, before: bytes | None, answer: bytes) -> bool:
        """Whether its answer leaves everything as it was, as one that the owner did not want should."""
        if self.wanted.quiet:
            return before is not None and bare(before) == bare(answer)
        return self.refreshes and answer == before

    def send(self, now: float) -> None:
        """Send it; the far end may answer as soon as this returns."""
        session = self._session
        headers = [
            ("Allow", ALLOW),
            ("Supported", session.supported),
            *session.timer.repeat(),
            *described(self.sdp),
        ]
        body = self.sdp or b""
        session.send(
            self.method, self._on_answer, now, headers=headers, body=body, contact=True, started=self._started
        )

    def acknowledge(self, sdp: bytes | None) -> None:
        """The ACK to its 2xx, with our answer when they made the offer; an UPDATE has none."""
        session, outgoing = self._session, self._outgoing
        if self.method == "INVITE" and outgoing is not None and session.dialog is not None:
            self._ack = acknowledgement(session.stack, session.dialog, outgoing.request, sdp)
            session.stack.transmit(*self._ack)

    def let_go(self, now: float) -> None:
        """The session ends: its answer is waited for no longer than 64 × T1."""
        if self._outgoing is not None:
            self._outgoing.give_up_after(self._session.stack.timing.patience, now)

    def failure(self) -> str | None:
        """Why no hop gave an answer, None when one did."""
        return self._outgoing.failure if self._outgoing is not None else None

    @property
    def invite(self) -> Request | None:
        """The re-INVITE as it was sent last; None for an UPDATE."""
        return self._outgoing.request if self.method == "INVITE" and self._outgoing is not None else None

    @property
    def hop(self) -> Hop | None:
        """Where it went."""
        return self._outgoing.hop if self._outgoing is not None else None

    def never_arrived(self) -> bool:
        """Whether it went over a connection that only the far end can open, and that has broken: the call
        outlives it, and the far end opens the next one (RFC 5626 section 4.5; section 5.3 has 430 for that,
        which ends nothing).
        """
        stack, dialog = self._session.stack, self._session.dialog
        if dialog is None or not dialog.hop.one_way:
            return False
        if self.failure() == "timeout":
            return stack.hops_inside(dialog)[0] != self.hop
        return self.failure() == "transport"

    def _started(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status < 200:
            # It was heard, so no transaction timer bounds it any more; one who then says nothing is gone.
            outgoing.give_up_after(self._session.stack.settings.ring_timeout, now)
            if "100rel" in response.headers.tokens("Require") and self._reliable.is_next(response):
                self._session.send("PRACK", _ignore, now, headers=[("RAck", self._reliable.take())])
        elif not self.answered:
            self.answered = True
            self._done(self, response, now)
        elif self._ack is not None:
            self._session.stack.transmit(*self._ack)


def pause(response: Response, owns_call_id: bool, rng: Random) -> float | None:
    """Seconds until what a response refused is worth another try; None when it is not.

    After glare whoever owns the Call-ID waits longer (RFC 3261 section 14.1).
    """
    if response.status == 491:
        return rng.randrange(210, 401) / 100 if owns_call_id else rng.randrange(0, 201) / 100
    after = response.number("Retry-After")
    if response.status in (500, 503) and after is not None and after <= LONGEST_WAIT:
        return after + rng.randrange(0, 100) / 100
    return None


def _ignore(outgoing: Outgoing, response: Response, now: float) -> None:
    """A PRACK has nobody waiting for its answer."""
