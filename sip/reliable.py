"""Provisional responses that arrive for certain: RFC 3262, the state of both ends."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.message import Request, Response
from sip.timeouts import Timeout
from sip.transaction import Transaction

if TYPE_CHECKING:
    from sip.stack import Stack

MAX_QUEUED = 8
_RACK = re.compile(r"\s*(\d{1,10})\s+(\d{1,10})\s+(\S+)\s*")
_TIMER_RESEND, _TIMER_EXPIRE = "resend 1xx", "no PRACK"


class ReliableReceiver:
    """The caller's end, one for each early dialog."""

    __slots__ = ("_due", "_last")

    def __init__(self) -> None:
        self._last: int | None = None
        self._due: tuple[int, int, str] | None = None

    def is_next(self, response: Response) -> bool:
        """Whether a reliable 1xx is new and in order (section 4).

        It is then the one that `take` acknowledges.
        """
        number = response.number("RSeq")
        if not number or (self._last is not None and number != self._last + 1):
            return False
        self._last = number
        self._due = (number, *response.cseq)
        return True

    @property
    def owes(self) -> bool:
        """Whether a PRACK is still to be sent."""
        return self._due is not None

    def take(self) -> str:
        """The RAck value of the PRACK now sent."""
        due, self._due = self._due or (0, 0, "INVITE"), None
        return f"{due[0]} {due[1]} {due[2]}"


class ReliableSender:
    """The callee's end: one reliable 1xx on its way at a time, resent until its PRACK comes (section 3).

    `expired` is called when 64 × T1 pass without one.
    """

    __slots__ = (
        "_current", "_data", "_expired", "_expiry", "_interval", "_queue", "_resend", "_rseq", "_stack",
        "_transaction",
    )  # fmt: skip

    def __init__(self, stack: Stack, transaction: Transaction, expired: Callable[[float], None]) -> None:
        self._stack = stack
        self._transaction = transaction
        self._expired = expired
        self._rseq = stack.rng.randrange(1, 2**30)
        self._current: Response | None = None
        self._queue: deque[Response] = deque()
        self._resend: Timeout | None = None
        self._expiry: Timeout | None = None
        self._interval = 0.0
        self._data = b""

    @property
    def carries_sdp(self) -> bool:
        """Whether a session description is still on its way: then no 2xx may be sent (section 5)."""
        waiting = self._queue if self._current is None else (self._current, *self._queue)
        return any(response.body for response in waiting)

    @property
    def busy(self) -> bool:
        """Whether one is on its way."""
        return self._current is not None

    def send(self, response: Response, now: float) -> None:
        """Send a 1xx reliably, after those before it; one that finds MAX_QUEUED waiting is left out."""
        self._rseq += 1
        response.headers.add("Require", "100rel")
        response.headers.set("RSeq", str(self._rseq))
        if self._current is None:
            self._start(response, now)
        elif len(self._queue) < MAX_QUEUED:
            self._queue.append(response)
        else:
            self._rseq -= 1

    def acknowledged(self, prack: Request, now: float) -> Response | None:
        """The 1xx a PRACK acknowledges, or None: then it is answered 481.

        The next one in the queue is sent.
        """
        match = _RACK.fullmatch(prack.headers.get("RAck") or "")
        current = self._current
        if match is None or current is None or current.headers.get("RSeq") != str(int(match[1])):
            return None
        if (int(match[2]), match[3]) != current.cseq:
            return None
        self._quiet()
        self._current = None
        if self._queue:
            self._start(self._queue.popleft(), now)
        return current

    def stop(self) -> None:
        """Overtaken by a final response.

        Nothing is resent, but a PRACK on its way is still known (section 3).
        """
        self._queue.clear()
        self._quiet()

    def _quiet(self) -> None:
        self._stack.timeouts.cancel(self._resend)
        self._stack.timeouts.cancel(self._expiry)

    def fire(self, name: str, now: float) -> None:
        """Resend, or give up."""
        if name == _TIMER_EXPIRE:
            self.stop()
            self._expired(now)
            return
        self._stack.transmit(self._data, self._transaction.hop)
        self._interval *= 2
        self._resend = self._stack.timeouts.start(now + self._interval, self, _TIMER_RESEND)

    def _start(self, response: Response, now: float) -> None:
        self._current = response
        self._interval = self._stack.timing.t1
        self._transaction.respond(response, now)
        self._data = self._transaction.data
        self._resend = self._stack.timeouts.start(now + self._interval, self, _TIMER_RESEND)
        self._expiry = self._stack.timeouts.start(now + self._stack.timing.patience, self, _TIMER_EXPIRE)
