"""A 2xx to an INVITE on its way: the user agent, not the transaction, resends it until the ACK comes."""

from __future__ import annotations

from collections.abc import Callable

from sip.hop import Hop
from sip.stack import Stack
from sip.timeouts import Timeout
from sip.transaction import Transaction

_TIMER_RESEND, _TIMER_NO_ACK = "resend 2xx", "no ACK"


class Unacknowledged:
    """A 2xx of ours to an INVITE, resent from T1 to T2 apart until its ACK comes (section 13.3.1.4).

    Over streams as well: only the first hop is known to be one. `expired` is called after 64 × T1.
    """

    __slots__ = ("_data", "_expired", "_expiry", "_hop", "_interval", "_resend", "_stack", "number", "offer")

    def __init__(
        self,
        stack: Stack,
        transaction: Transaction,
        number: int,
        offer: bool,
        expired: Callable[[float], None],
        now: float,
    ) -> None:
        self._stack = stack
        self._data = transaction.data
        self._hop: Hop = transaction.hop
        self._expired = expired
        self._interval = stack.timing.t1
        self._resend: Timeout | None = stack.timeouts.start(now + self._interval, self, _TIMER_RESEND)
        self._expiry: Timeout | None = stack.timeouts.start(now + stack.timing.patience, self, _TIMER_NO_ACK)
        self.number = number  # CSeq of the INVITE, and of the ACK
        self.offer = offer  # the 2xx carried an offer, so the ACK carries the answer

    def stop(self) -> None:
        """The ACK has come, or nobody waits for it any more."""
        self._stack.timeouts.cancel(self._resend)
        self._stack.timeouts.cancel(self._expiry)

    def fire(self, name: str, now: float) -> None:
        """Resend, or give up."""
        if name == _TIMER_NO_ACK:
            self._stack.timeouts.cancel(self._resend)
            self._expired(now)
            return
        self._stack.transmit(self._data, self._hop)
        self._interval = min(2 * self._interval, self._stack.timing.t2)
        self._resend = self._stack.timeouts.start(now + self._interval, self, _TIMER_RESEND)
