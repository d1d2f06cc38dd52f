"""Transactions: RFC 3261 section 17 with RFC 6026, four tables and one machine that looks things up in them.

Retransmission runs on unreliable transports only; there the quiet timers D, I, J and K are zero on reliable
ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sip.hop import Hop
from sip.message import Headers, Request, Response
from sip.table import INITIAL, TERMINATED, Table
from sip.timeouts import Timeout, Timeouts, Timing

# states
CALLING, TRYING, PROCEEDING, COMPLETED, CONFIRMED, ACCEPTED = (
    "calling", "trying", "proceeding", "completed", "confirmed", "accepted",
)  # fmt: skip
# events
SEND_REQUEST, SEND_1XX, SEND_2XX, SEND_FINAL = "send request", "send 1xx", "send 2xx", "send 300-699"
RECEIVE_REQUEST, RECEIVE_ACK = "receive request", "receive ACK"
RECEIVE_1XX, RECEIVE_2XX, RECEIVE_FINAL = "receive 1xx", "receive 2xx", "receive 300-699"
TRANSPORT_ERROR, GIVE_UP, HUSH = "transport error", "give up", "hush"
TIMER_A, TIMER_B, TIMER_D, TIMER_E, TIMER_F, TIMER_G, TIMER_H, TIMER_I, TIMER_J, TIMER_K, TIMER_L, TIMER_M = (
    f"timer {letter}" for letter in "ABDEFGHIJKLM"
)
TIMER_TRYING, TIMER_UNANSWERED = "timer 100", "timer unanswered"
# actions
SEND, SEND_ACK, SEND_TRYING = "send", "send ACK", "send 100"
REPORT, REPORT_TIMEOUT, REPORT_TRANSPORT, REPORT_NO_ACK = (
    "report",
    "report timeout",
    "report transport",
    "report no ACK",
)
START_A, START_B, START_D, START_E, START_F, START_G, START_H, START_I, START_J, START_K, START_L, START_M = (
    f"start {letter}" for letter in "ABDEFGHIJKLM"
)
BACK_OFF_A, BACK_OFF_E, BACK_OFF_G, SLOW_E = "back off A", "back off E", "back off G", "slow E"
STOP_A, STOP_E, STOP_G, STOP_EXPIRY = "stop A", "stop E", "stop G", "stop expiry"
START_TRYING, STOP_TRYING, START_UNANSWERED = "start 100", "stop 100", "start unanswered"

INVITE_CLIENT: Table = {
    # state        event              next state    actions
    (INITIAL,      SEND_REQUEST):    (CALLING,     (SEND, START_A, START_B)),
    (CALLING,      TIMER_A):         (CALLING,     (SEND, BACK_OFF_A)),
    (CALLING,      TIMER_B):         (TERMINATED,  (REPORT_TIMEOUT,)),
    (CALLING,      TRANSPORT_ERROR): (TERMINATED,  (REPORT_TRANSPORT,)),
    (CALLING,      GIVE_UP):         (TERMINATED,  (REPORT_TIMEOUT,)),
    # who has not heard it is not to hear it any more
    (CALLING,      HUSH):            (CALLING,     (STOP_A,)),
    (CALLING,      RECEIVE_1XX):     (PROCEEDING,  (STOP_A, STOP_EXPIRY, REPORT)),
    (CALLING,      RECEIVE_2XX):     (ACCEPTED,    (STOP_A, START_M, REPORT)),        # RFC 6026 section 7.2
    (CALLING,      RECEIVE_FINAL):   (COMPLETED,   (STOP_A, SEND_ACK, START_D, REPORT)),
    (PROCEEDING,   RECEIVE_1XX):     (PROCEEDING,  (REPORT,)),
    (PROCEEDING,   RECEIVE_2XX):     (ACCEPTED,    (START_M, REPORT)),
    (PROCEEDING,   RECEIVE_FINAL):   (COMPLETED,   (SEND_ACK, START_D, REPORT)),
    # section 9.1: cancelled, silent
    (PROCEEDING,   GIVE_UP):         (TERMINATED,  (REPORT_TIMEOUT,)),
    # a retransmission, or a fork
    (ACCEPTED,     RECEIVE_2XX):     (ACCEPTED,    (REPORT,)),
    (ACCEPTED,     TIMER_M):         (TERMINATED,  ()),
    (COMPLETED,    RECEIVE_FINAL):   (COMPLETED,   (SEND_ACK,)),
    (COMPLETED,    TRANSPORT_ERROR): (TERMINATED,  ()),
    (COMPLETED,    TIMER_D):         (TERMINATED,  ()),
}  # fmt: skip

NON_INVITE_CLIENT: Table = {
    (INITIAL,      SEND_REQUEST):    (TRYING,      (SEND, START_E, START_F)),
    (TRYING,       TIMER_E):         (TRYING,      (SEND, BACK_OFF_E)),
    (TRYING,       TIMER_F):         (TERMINATED,  (REPORT_TIMEOUT,)),
    (TRYING,       TRANSPORT_ERROR): (TERMINATED,  (REPORT_TRANSPORT,)),
    (TRYING,       GIVE_UP):         (TERMINATED,  ()),
    (TRYING,       RECEIVE_1XX):     (PROCEEDING,  (SLOW_E, REPORT)),
    (TRYING,       RECEIVE_2XX):     (COMPLETED,   (STOP_E, START_K, REPORT)),
    (TRYING,       RECEIVE_FINAL):   (COMPLETED,   (STOP_E, START_K, REPORT)),
    (PROCEEDING,   TIMER_E):         (PROCEEDING,  (SEND, SLOW_E)),
    (PROCEEDING,   TIMER_F):         (TERMINATED,  (REPORT_TIMEOUT,)),
    (PROCEEDING,   TRANSPORT_ERROR): (TERMINATED,  (REPORT_TRANSPORT,)),
    (PROCEEDING,   GIVE_UP):         (TERMINATED,  ()),
    (PROCEEDING,   RECEIVE_1XX):     (PROCEEDING,  (REPORT,)),
    (PROCEEDING,   RECEIVE_2XX):     (COMPLETED,   (STOP_E, START_K, REPORT)),
    (PROCEEDING,   RECEIVE_FINAL):   (COMPLETED,   (STOP_E, START_K, REPORT)),
    (COMPLETED,    TIMER_K):         (TERMINATED,  ()),
}  # fmt: skip

INVITE_SERVER: Table = {
    # 100 after 200 ms of silence
    (INITIAL,      RECEIVE_REQUEST): (PROCEEDING,  (START_TRYING,)),
    (PROCEEDING,   TIMER_TRYING):    (PROCEEDING,  (SEND_TRYING,)),
    (PROCEEDING,   RECEIVE_REQUEST): (PROCEEDING,  (SEND,)),
    (PROCEEDING,   SEND_1XX):        (PROCEEDING,  (STOP_TRYING, SEND)),
    (PROCEEDING,   SEND_2XX):        (ACCEPTED,    (STOP_TRYING, SEND, START_L)),     # RFC 6026 section 7.1
    (PROCEEDING,   SEND_FINAL):      (COMPLETED,   (STOP_TRYING, SEND, START_G, START_H)),
    (ACCEPTED,     SEND_2XX):        (ACCEPTED,    (SEND,)),
    (ACCEPTED,     RECEIVE_REQUEST): (ACCEPTED,    ()),
    (ACCEPTED,     TIMER_L):         (TERMINATED,  ()),
    (COMPLETED,    RECEIVE_REQUEST): (COMPLETED,   (SEND,)),
    (COMPLETED,    TIMER_G):         (COMPLETED,   (SEND, BACK_OFF_G)),
    (COMPLETED,    TIMER_H):         (TERMINATED,  (REPORT_NO_ACK,)),
    (COMPLETED,    TRANSPORT_ERROR): (TERMINATED,  (REPORT_NO_ACK,)),
    (COMPLETED,    RECEIVE_ACK):     (CONFIRMED,   (STOP_G, START_I)),
    (CONFIRMED,    TIMER_I):         (TERMINATED,  ()),
}  # fmt: skip

NON_INVITE_SERVER: Table = {
    (INITIAL,      RECEIVE_REQUEST): (TRYING,      (START_UNANSWERED,)),
    (TRYING,       SEND_1XX):        (PROCEEDING,  (SEND,)),
    (TRYING,       SEND_2XX):        (COMPLETED,   (SEND, START_J)),
    (TRYING,       SEND_FINAL):      (COMPLETED,   (SEND, START_J)),
    # the client gave up by its F
    (TRYING,       TIMER_UNANSWERED): (TERMINATED, ()),
    (PROCEEDING,   SEND_1XX):        (PROCEEDING,  (SEND,)),
    (PROCEEDING,   RECEIVE_REQUEST): (PROCEEDING,  (SEND,)),
    (PROCEEDING,   SEND_2XX):        (COMPLETED,   (SEND, START_J)),
    (PROCEEDING,   SEND_FINAL):      (COMPLETED,   (SEND, START_J)),
    (PROCEEDING,   TIMER_UNANSWERED): (TERMINATED, ()),
    (COMPLETED,    RECEIVE_REQUEST): (COMPLETED,   (SEND,)),
    (COMPLETED,    TRANSPORT_ERROR): (TERMINATED,  ()),
    (COMPLETED,    TIMER_J):         (TERMINATED,  ()),
}  # fmt: skip


class Carrier(Protocol):
    """What a transaction needs of the stack around it."""

    timeouts: Timeouts
    timing: Timing

    def transmit(self, data: bytes, hop: Hop) -> None:
        """Queue bytes for the wire."""
        ...

    def forget(self, transaction: Transaction) -> None:
        """The transaction is over."""
        ...


class TransactionUser(Protocol):
    """Who sent the request, or will answer it."""

    def on_response(self, transaction: Transaction, response: Response, now: float) -> None:
        """A response passed up by the client tables."""
        ...

    def on_failure(self, transaction: Transaction, cause: str, now: float) -> None:
        """cause: "timeout", "transport" or (server) "no_ack"; the transaction is over."""
        ...

    def on_closed(self, transaction: Transaction) -> None:
        """Nothing more comes of the transaction, however it ended."""
        ...


class Transaction:
    """One request and its responses.

    `data` is what retransmission sends: the request, or the newest response.
    """

    __slots__ = (
        "ack", "always", "cancelled", "carrier", "data", "expiry", "hop", "interval", "key", "merge_key",
        "request", "resend", "state", "table", "user", "zero",
    )  # fmt: skip

    def __init__(
        self,
        carrier: Carrier,
        table: Table,
        key: tuple[object, ...],
        request: Request,
        hop: Hop,
        user: TransactionUser | None = None,
    ) -> None:
        self.carrier = carrier
        self.table = table
        self.key = key
        self.request = request
        self.hop = hop  # where the request went (client), or where responses go (server)
        self.user = user
        self.state = INITIAL
        self.data = b""
        self.ack = b""
        self.interval = 0.0
        self.merge_key: tuple[object, ...] | None = None
        self.always: Sequence[tuple[str, str]] = ()  # header fields of every response of ours
        self.cancelled: Callable[[Request, float], None] | None = None  # told of a CANCEL for this INVITE
        self.resend: Timeout | None = None
        self.expiry: Timeout | None = None
        self.zero: str | None = None  # a timer of no seconds: it runs out when the step is done

    def feed(self, event: str, now: float, message: Response | None = None) -> bool:
        """Take one step of the table; False when the table has no such row and nothing was done."""
        row = self.table.get((self.state, event))
        if row is None:
            return False
        self.state = row[0]
        for action in row[1]:
            _ACTIONS[action](self, now, message)
        if self.zero is not None:
            name, self.zero = self.zero, None
            self.feed(name, now)
        elif self.state == TERMINATED:
            self.close()
            self._let_go()
        return True

    def fire(self, name: str, now: float) -> None:
        """A timer of this transaction; its name is the event."""
        self.feed(name, now)

    def respond(self, response: Response, now: float) -> bool:
        """Send a response of ours; False when the table allows none any more."""
        status = response.status
        event = SEND_1XX if status < 200 else SEND_2XX if status < 300 else SEND_FINAL
        if (self.state, event) not in self.table:
            return False
        for name, value in self.always:
            response.headers.set(name, value)
        self.data = response.encode()
        return self.feed(event, now)

    def receive(self, response: Response, now: float) -> bool:
        """A response from the far end to a request of ours; False when it is absorbed."""
        status = response.status
        event = RECEIVE_1XX if status < 200 else RECEIVE_2XX if status < 300 else RECEIVE_FINAL
        return self.feed(event, now, response)

    @property
    def answered(self) -> bool:
        """Whether a final response has passed."""
        return self.state in (COMPLETED, CONFIRMED, ACCEPTED, TERMINATED)

    def close(self) -> None:
        """Stop the timers and leave the tables; harmless when done twice."""
        self.state = TERMINATED
        timeouts = self.carrier.timeouts
        timeouts.cancel(self.resend)
        timeouts.cancel(self.expiry)
        self.carrier.forget(self)

    def _let_go(self) -> None:
        """Who used it knows it too: rings of the two are not left to Python's collector."""
        user, self.user, self.cancelled = self.user, None, None
        if user is not None:
            user.on_closed(self)


_Action = Callable[[Transaction, float, Response | None], None]


def _send(transaction: Transaction, now: float, message: Response | None) -> None:
    if transaction.data:
        transaction.carrier.transmit(transaction.data, transaction.hop)


def _send_trying(transaction: Transaction, now: float, message: Response | None) -> None:
    transaction.data = transaction.request.respond(100).encode()
    _send(transaction, now, message)


def _send_ack(transaction: Transaction, now: float, message: Response | None) -> None:
    """The ACK to a final response that is no success belongs to the transaction.

    RFC 3261 section 17.1.1.3.
    """
    if not transaction.ack and message is not None:
        transaction.ack = _acknowledge(transaction.request, message)
        transaction.data = b""
    transaction.carrier.transmit(transaction.ack, transaction.hop)


def _acknowledge(request: Request, response: Response) -> bytes:
    headers = Headers()
    headers.add("Via", str(request.top_via))
    for route in request.headers.all("Route"):
        headers.add("Route", route)
    headers.add("Max-Forwards", "70")
    for name in ("From", "Call-ID"):
        headers.add(name, request.headers.get(name) or "")
    headers.add("To", response.headers.get("To") or "")
    headers.add("CSeq", f"{request.cseq[0]} ACK")
    return Request("ACK", request.uri, headers, b"").encode()


def _report(transaction: Transaction, now: float, message: Response | None) -> None:
    if transaction.user is not None and message is not None:
        transaction.user.on_response(transaction, message, now)


def _report_as(cause: str) -> _Action:
    def report(transaction: Transaction, now: float, message: Response | None) -> None:
        transaction.close()
        if transaction.user is not None:
            transaction.user.on_failure(transaction, cause, now)

    return report


def _start_resend(name: str) -> _Action:
    def start(transaction: Transaction, now: float, message: Response | None) -> None:
        if not transaction.hop.reliable:
            carrier = transaction.carrier
            transaction.interval = carrier.timing.t1
            transaction.resend = carrier.timeouts.start(now + transaction.interval, transaction, name)

    return start


def _back_off(name: str, capped: bool) -> _Action:
    def back_off(transaction: Transaction, now: float, message: Response | None) -> None:
        carrier = transaction.carrier
        interval = 2 * transaction.interval
        transaction.interval = min(interval, carrier.timing.t2) if capped else interval
        transaction.resend = carrier.timeouts.start(now + transaction.interval, transaction, name)

    return back_off


def _slow(transaction: Transaction, now: float, message: Response | None) -> None:
    if not transaction.hop.reliable:
        carrier = transaction.carrier
        carrier.timeouts.cancel(transaction.resend)
        transaction.resend = carrier.timeouts.start(now + carrier.timing.t2, transaction, TIMER_E)


def _stop_resend(transaction: Transaction, now: float, message: Response | None) -> None:
    transaction.carrier.timeouts.cancel(transaction.resend)


def _stop_expiry(transaction: Transaction, now: float, message: Response | None) -> None:
    transaction.carrier.timeouts.cancel(transaction.expiry)


def _start_trying(transaction: Transaction, now: float, message: Response | None) -> None:
    carrier = transaction.carrier
    transaction.resend = carrier.timeouts.start(now + carrier.timing.trying, transaction, TIMER_TRYING)


def _start_expiry(name: str, quiet: bool = False, linger: bool = False) -> _Action:
    """A timer that ends a state: T4 when it lingers, else 64 × T1.

    A quiet one is zero on reliable transports.
    """

    def start(transaction: Transaction, now: float, message: Response | None) -> None:
        carrier = transaction.carrier
        carrier.timeouts.cancel(transaction.expiry)
        if quiet and transaction.hop.reliable:
            transaction.zero = name
            return
        seconds = carrier.timing.t4 if linger else carrier.timing.patience
        transaction.expiry = carrier.timeouts.start(now + seconds, transaction, name)

    return start


_ACTIONS: dict[str, _Action] = {
    SEND: _send,
    SEND_ACK: _send_ack,
    SEND_TRYING: _send_trying,
    REPORT: _report,
    REPORT_TIMEOUT: _report_as("timeout"),
    REPORT_TRANSPORT: _report_as("transport"),
    REPORT_NO_ACK: _report_as("no_ack"),
    START_A: _start_resend(TIMER_A),
    START_E: _start_resend(TIMER_E),
    START_G: _start_resend(TIMER_G),
    BACK_OFF_A: _back_off(TIMER_A, capped=False),
    BACK_OFF_E: _back_off(TIMER_E, capped=True),
    BACK_OFF_G: _back_off(TIMER_G, capped=True),
    SLOW_E: _slow,
    STOP_A: _stop_resend,
    STOP_E: _stop_resend,
    STOP_G: _stop_resend,
    STOP_TRYING: _stop_resend,
    STOP_EXPIRY: _stop_expiry,
    START_TRYING: _start_trying,
    START_UNANSWERED: _start_expiry(TIMER_UNANSWERED),
    START_B: _start_expiry(TIMER_B),
    START_D: _start_expiry(TIMER_D, quiet=True),
    START_F: _start_expiry(TIMER_F),
    START_H: _start_expiry(TIMER_H),
    START_I: _start_expiry(TIMER_I, quiet=True, linger=True),
    START_J: _start_expiry(TIMER_J, quiet=True),
    START_K: _start_expiry(TIMER_K, quiet=True, linger=True),
    START_L: _start_expiry(TIMER_L),
    START_M: _start_expiry(TIMER_M),
}
