"""Changing a session under way.

Re-INVITE (RFC 3261 section 14) and UPDATE (RFC 3311), from both ends at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sip.dialog import Dialog
from sip.errors import WrongState
from sip.events import Reanswered, Reoffered, ReofferFailed
from sip.hop import Hop
from sip.message import Request, Response
from sip.offer import (
    ASKED,
    FAIL,
    OFFERED,
    RECEIVE_ANSWER,
    RECEIVE_OFFER,
    SEND_ANSWER,
    SEND_OFFER,
    described,
    sdp_of,
)
from sip.outgoing import Outgoing
from sip.reliable import ReliableReceiver
from sip.stack import ALLOW, SUPPORTED
from sip.table import Table
from sip.timeouts import Timeout
from sip.transaction import Transaction
from sip.unacknowledged import Unacknowledged

if TYPE_CHECKING:
    from sip.session import Session

# states
IDLE, SENT, RECEIVED, DUE = "idle", "sent", "received", "answer due"
# events
SEND, RECEIVE, DONE, RECEIVE_2XX_OFFER = "send", "receive", "done", "receive 2xx with offer"
# actions
REFUSE_GLARE, REFUSE_BUSY, REPORT = "refuse 491", "refuse 500", "report"

RENEGOTIATION: Table = {
    # state     event               next state  actions
    (IDLE,      SEND):              (SENT,      ()),
    (IDLE,      RECEIVE):           (RECEIVED,  (REPORT,)),
    # RFC 3261 section 14.2, RFC 3311 section 5.2
    (SENT,      RECEIVE):           (SENT,      (REFUSE_GLARE,)),
    (SENT,      RECEIVE_2XX_OFFER): (DUE,       (REPORT,)),
    (SENT,      DONE):              (IDLE,      ()),
    (DUE,       RECEIVE):           (DUE,       (REFUSE_GLARE,)),
    (DUE,       DONE):              (IDLE,      ()),
    (RECEIVED,  RECEIVE):           (RECEIVED,  (REFUSE_BUSY,)),
    (RECEIVED,  DONE):              (IDLE,      ()),
}  # fmt: skip

MAX_TRIES = 8  # of one offer, through glare and "try later"
LONGEST_WAIT = 32.0  # seconds of Retry-After that an offer is kept for
_TIMER_AGAIN, _TIMER_UNANSWERED = "try again", "unanswered"


class Renegotiation:
    """What is under way in one session after its first offer and answer; one change at a time.

    wanted: the newest offer of ours not sent yet. A refresh is a change that changes nothing.
    """

    __slots__ = (
        "_ack", "_again", "_current", "_not_before", "_outgoing", "_reliable", "_session", "_transaction",
        "_tries", "_unacknowledged", "_unanswered", "_wanted", "state",
    )  # fmt: skip

    def __init__(self, session: Session) -> None:
        self._session = session
        self.state = IDLE
        self._wanted: tuple[bytes | None, bool] | None = None  # (offer, whether it is a refresh)
        self._current: tuple[bytes | None, bool] = (None, False)
        self._outgoing: Outgoing | None = None
        self._transaction: Transaction | None = None  # theirs, waiting for accept or refuse
        self._unacknowledged: Unacknowledged | None = None
        self._ack: tuple[bytes, Hop] | None = None
        self._reliable = ReliableReceiver()
        self._again: Timeout | None = None
        self._unanswered: Timeout | None = None
        self._not_before = 0.0
        self._tries = 0

    # ------------------------------------------------------------------------------------------------- ours

    def reoffer(self, sdp: bytes | None, now: float) -> None:
        """Want a change; a newer one takes the place of one that waits."""
        self._wanted = (sdp, False)
        self._tries = 0
        self.pump(now)

    def refresh(self, now: float) -> None:
        """Want a refresh (RFC 4028); any change does as well."""
        if self._wanted is None and self.state == IDLE:
            self._wanted = (None, True)
            self._tries = 0
            self.pump(now)

    def pump(self, now: float) -> None:
        """Send what is wanted if nothing is in the way."""
        session, dialog = self._session, self._session.dialog
        if self._wanted is None or self.state != IDLE or dialog is None or not dialog.offer.stable:
            return
        if now < self._not_before or session.over:
            return
        confirmed = session.state == "connected" and self._unacknowledged is None
        early = (
            not confirmed and dialog.offer.agreed and session.state in ("proceeding", "ringing", "answered")
        )
        updates = dialog.abilities.does("UPDATE")
        if confirmed or (early and updates and self._wanted[0] is not None):
            self._send(dialog, updates and not confirmed, updates, now)

    def _send(self, dialog: Dialog, must_update: bool, updates: bool, now: float) -> None:
        session = self._session
        sdp, refreshes = self._current = self._wanted or (None, True)
        self._wanted = None
        method = "INVITE"
        if must_update or (
            updates and (refreshes or (sdp is not None and session.stack.settings.prefer_update))
        ):
            method = "UPDATE"
        elif refreshes:
            sdp = dialog.offer.local
        if sdp is not None:
            dialog.offer.step(SEND_OFFER, sdp)
        headers = [
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            *session.timer.repeat(),
            *described(sdp),
        ]
        self._ack = None
        self._reliable = ReliableReceiver()
        self._tries += 1
        self._step(SEND)
        self._outgoing = session.send(
            method, self._on_answer, now, headers=headers, body=sdp or b"", contact=True
        )

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        status = response.status
        if outgoing is not self._outgoing and self._outgoing is not None:
            return
        if status < 200:
            if "100rel" in response.headers.tokens("Require") and self._reliable.is_next(response):
                self._session.send("PRACK", _ignore, now, headers=[("RAck", self._reliable.take())])
        elif status < 300:
            self._on_success(outgoing, response, now)
        elif self.state == SENT:
            self._on_refusal(outgoing, response, now)

    def _on_success(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session, dialog = self._session, self._session.dialog
        if dialog is None:
            return
        if self.state != SENT:
            if self._ack is not None:
                session.stack.transmit(*self._ack)
            return
        dialog.refresh_target(response)
        sdp, exchange, refreshes = sdp_of(response), dialog.offer, self._current[1]
        session.timer.agreed(response, now)
        if not exchange.stable:
            if sdp is None:
                exchange.step(FAIL)
                self._conclude(outgoing, None, now)
                session.stack.emit(ReofferFailed(session, 488))
                return
            changed = sdp != exchange.remote
            exchange.step(RECEIVE_ANSWER, sdp)
            self._conclude(outgoing, None, now)
            if changed or not refreshes:
                session.stack.emit(Reanswered(session, sdp))
            self.pump(now)
        elif sdp is not None and not outgoing.request.body and exchange.step(RECEIVE_OFFER, sdp):
            self._step(RECEIVE_2XX_OFFER, Reoffered(session, sdp))
            self._wait_for_owner(now)
        else:
            self._conclude(outgoing, None, now)
            self.pump(now)

    def _conclude(self, outgoing: Outgoing, sdp: bytes | None, now: float) -> None:
        """The change is made: acknowledge it when it was an INVITE."""
        session = self._session
        if outgoing.request.method == "INVITE" and session.dialog is not None:
            self._ack = session.acknowledgement(session.dialog, outgoing.request, sdp)
            session.stack.transmit(*self._ack)
        self._step(DONE)

    def _on_refusal(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session, status = self._session, response.status
        if session.dialog is not None:
            session.dialog.offer.step(FAIL)
        self._step(DONE)
        if session.over:
            return
        refreshes = self._current[1]
        wait = self._pause(response)
        if outgoing.failure is not None or status in (408, 481):
            session.gone(now, "transport" if outgoing.failure == "transport" else "gone")
        elif wait is not None and self._tries < MAX_TRIES:
            if self._wanted is None:
                self._wanted = self._current
            self._not_before = now + wait
            session.stack.timeouts.cancel(self._again)
            self._again = session.stack.timeouts.start(self._not_before, self, _TIMER_AGAIN)
        elif refreshes:
            session.timer.retry(now)
            self.pump(now)
        else:
            session.stack.emit(ReofferFailed(session, status))
            self.pump(now)

    def _pause(self, response: Response) -> float | None:
        """Seconds until the same offer is worth another try; None when it is not."""
        rng = self._session.stack.rng
        if response.status == 491:  # section 14.1: whoever owns the Call-ID waits longer
            return (
                rng.randrange(210, 401) / 100
                if self._session.direction == "out"
                else rng.randrange(0, 201) / 100
            )
        if response.status == 422:
            return 0.0 if self._session.timer.longer(response) is not None else None
        after = response.number("Retry-After")
        if response.status in (500, 503) and after is not None and after <= LONGEST_WAIT:
            return after + rng.randrange(0, 100) / 100
        return None

    # ----------------------------------------------------------------------------------------------- theirs

    def receive(self, request: Request, transaction: Transaction, now: float) -> None:
        """A re-INVITE, an UPDATE, or a PRACK with an offer, its CSeq found in order."""
        session, dialog = self._session, self._session.dialog
        if dialog is None:
            return
        transaction.cancelled = self._cancelled
        too_short = session.timer.too_short(request)
        if too_short is not None:
            self._respond(transaction, 422, now, headers=too_short)
            return
        busy = self._in_the_way(request, dialog)
        if busy:
            self._turn_away(transaction, busy, now)
            return
        offer = sdp_of(request)
        dialog.refresh_target(request)
        if offer is None and request.method != "INVITE":
            self._succeed(request, transaction, None, False, now)
            return
        self._transaction = transaction
        standing = dialog.offer.repeats(offer) if offer is not None else None
        if offer is not None:
            dialog.offer.step(RECEIVE_OFFER, offer)
        if standing is not None and self.state == IDLE:
            dialog.offer.step(SEND_ANSWER, standing)
            self._succeed(request, transaction, standing, False, now)
            return
        self._step(RECEIVE, Reoffered(session, offer))
        self._wait_for_owner(now)

    def _in_the_way(self, request: Request, dialog: Dialog) -> int:
        """491 when a change of ours is out, 500 when one of theirs is in, 0 when nothing is in the way."""
        session, callee = self._session, self._session.callee
        invites, offers = request.method == "INVITE", sdp_of(request) is not None
        if not invites and not offers:
            return 0
        if self.state in (SENT, DUE):
            return 491
        if self.state == RECEIVED:
            return 500
        if invites and session.state in ("offered", "ringing"):
            return 500
        if invites and session.state in ("proceeding", "answer due"):
            return 491
        owed = (callee is not None and callee.awaits_answer) or (
            self._unacknowledged is not None and self._unacknowledged.offer
        )
        if owed:
            return 491  # RFC 5407 section 3.1.5: the ACK with the answer is still on its way
        return {ASKED: 500, OFFERED: 491}.get(dialog.offer.state, 0)

    def _turn_away(self, transaction: Transaction, status: int, now: float) -> None:
        wait = self._session.stack.rng.randrange(0, 11)
        headers = [("Retry-After", str(wait))] if status == 500 else []
        self._respond(transaction, status, now, headers=headers)

    def accept(self, sdp: bytes | None, now: float) -> None:
        """The owner's reply to `Reoffered`; nothing when the question has been taken back."""
        session, dialog, transaction = self._session, self._session.dialog, self._transaction
        if dialog is None or self.state not in (RECEIVED, DUE):
            return
        if sdp is None:
            raise WrongState("an offer needs an answer")
        session.stack.timeouts.cancel(self._unanswered)
        if self.state == DUE and self._outgoing is not None:
            dialog.offer.step(SEND_ANSWER, sdp)
            self._conclude(self._outgoing, sdp, now)
        elif transaction is not None:
            offers = not dialog.offer.step(SEND_ANSWER, sdp) and dialog.offer.step(SEND_OFFER, sdp)
            self._step(DONE)
            self._succeed(transaction.request, transaction, sdp, offers, now)
        self.pump(now)

    def refuse(self, status: int, now: float) -> None:
        """The owner will not have it."""
        dialog, transaction = self._session.dialog, self._transaction
        if dialog is None or self.state not in (RECEIVED, DUE):
            return
        self._session.stack.timeouts.cancel(self._unanswered)
        dialog.offer.step(FAIL)
        if self.state == DUE and self._outgoing is not None:
            # An ACK cannot refuse: what stands is said again.
            self._conclude(self._outgoing, dialog.offer.local, now)
        elif transaction is not None:
            self._step(DONE)
            self._respond(transaction, status, now)
        self.pump(now)

    def acknowledged(self, ack: Request, now: float) -> None:
        """The ACK to our 2xx to a re-INVITE."""
        waiting, session = self._unacknowledged, self._session
        if waiting is None or waiting.number != ack.cseq[0]:
            return
        waiting.stop()
        self._unacknowledged = None
        sdp, dialog = sdp_of(ack), session.dialog
        if waiting.offer and dialog is not None:
            if sdp is not None and dialog.offer.step(RECEIVE_ANSWER, sdp):
                session.stack.emit(Reanswered(session, sdp))
            else:
                dialog.offer.step(FAIL)
                session.stack.emit(ReofferFailed(session, 488))
        self.pump(now)

    def _succeed(
        self, request: Request, transaction: Transaction, sdp: bytes | None, offers: bool, now: float
    ) -> None:
        session = self._session
        headers = session.timer.accept(request, now) if request.method != "PRACK" else []
        headers += [("Allow", ALLOW), ("Supported", SUPPORTED), *described(sdp)]
        self._respond(
            transaction, 200, now, headers=headers, body=sdp or b"", contact=request.method != "PRACK"
        )
        self._transaction = None
        if request.method == "INVITE":
            if self._unacknowledged is not None:
                self._unacknowledged.stop()
            self._unacknowledged = Unacknowledged(
                session.stack, transaction, request.cseq[0], offers, self._no_ack, now
            )
        elif request.method == "PRACK" and session.callee is not None:
            session.callee.pracked(now)

    def _respond(
        self,
        transaction: Transaction,
        status: int,
        now: float,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        contact: bool = False,
    ) -> None:
        session, fields = self._session, list(headers)
        if contact:
            fields.append(("Contact", session.stack.contact(session.contact_user, transaction.hop)))
        transaction.respond(transaction.request.respond(status, headers=fields, body=body), now)

    def _cancelled(self, cancel: Request, now: float) -> None:
        """A CANCEL for their re-INVITE."""
        if self.state == RECEIVED:
            self.refuse(487, now)

    # ----------------------------------------------------------------------------------------------- timers

    def fire(self, name: str, now: float) -> None:
        """The back-off is over, or the owner has left a question without an answer."""
        if name == _TIMER_AGAIN:
            self._again = None
            self.pump(now)
        else:
            self._unanswered = None
            self.refuse(500, now)

    def stop(self, now: float) -> None:
        """The session ends: whatever is open gets its answer or is let go."""
        timeouts = self._session.stack.timeouts
        timeouts.cancel(self._again)
        timeouts.cancel(self._unanswered)
        self._wanted = None
        if self._unacknowledged is not None:
            self._unacknowledged.stop()
            self._unacknowledged = None
        if self.state == RECEIVED and self._transaction is not None:
            self._respond(
                self._transaction, 487 if self._transaction.request.method == "INVITE" else 481, now
            )
        if self._outgoing is not None:
            self._outgoing.give_up_after(self._session.stack.timing.patience, now)
        self.state = IDLE if self.state != SENT else SENT

    def _wait_for_owner(self, now: float) -> None:
        stack = self._session.stack
        stack.timeouts.cancel(self._unanswered)
        self._unanswered = stack.timeouts.start(now + stack.timing.patience, self, _TIMER_UNANSWERED)

    def _no_ack(self, now: float) -> None:
        self._unacknowledged = None
        self._session.gone(now, "no_ack")

    def _step(self, event: str, report: Reoffered | None = None) -> None:
        row = RENEGOTIATION.get((self.state, event))
        if row is None:
            return
        self.state = row[0]
        if REPORT in row[1] and report is not None:
            self._session.stack.emit(report)


def _ignore(outgoing: Outgoing, response: Response, now: float) -> None:
    """A PRACK has nobody waiting for its answer."""
