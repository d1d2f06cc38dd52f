"""Changing a session under way, from both ends at once.

Re-INVITE and UPDATE (RFC 3261 section 14, RFC 3311).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sip.change import Change, Wanted, pause
from sip.dialog import Dialog
from sip.early_media import heed
from sip.errors import WrongState
from sip.events import Event, Reanswered, Reoffered, ReofferFailed
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
from sip.stack import ALLOW
from sip.timeouts import Timeout
from sip.transaction import Transaction
from sip.turns import (
    DONE,
    DUE,
    IDLE,
    RECEIVE,
    RECEIVE_2XX_OFFER,
    RECEIVED,
    REFUSE_BUSY,
    REFUSE_GLARE,
    RENEGOTIATION,
    REPORT,
    SEND,
    STOP_WAITING,
    WAIT,
)
from sip.unacknowledged import Unacknowledged

if TYPE_CHECKING:
    from sip.session import Session

MAX_TRIES = 8  # of one offer, through glare and "try later"
FLOW_S = 4.0  # between tries over a connection that only the far end can open
_TIMER_AGAIN, _TIMER_UNANSWERED = "try again", "unanswered"
_EARLY = frozenset({"proceeding", "ringing", "answered"})  # states of a session in which UPDATE can change it


class Renegotiation:
    """What is under way in one session after its first offer and answer: one change at a time.

    Of ours the newest offer waits until nothing is in the way. A refresh is a change that changes nothing.
    """

    __slots__ = (
        "_again", "_change", "_not_before", "_session", "_transaction", "_tries", "_unacknowledged",
        "_unanswered", "_wanted", "state",
    )  # fmt: skip

    def __init__(self, session: Session) -> None:
        self._session = session
        self.state = IDLE
        self._wanted: Wanted | None = None
        self._change: Change | None = None  # our newest one sent
        self._transaction: Transaction | None = None  # theirs, waiting for accept or refuse
        self._unacknowledged: Unacknowledged | None = None  # our 2xx to their last re-INVITE
        self._again: Timeout | None = None
        self._unanswered: Timeout | None = None
        self._not_before = 0.0
        self._tries = 0

    @property
    def invite(self) -> Request | None:
        """Our newest re-INVITE, answered or not."""
        return self._change.invite if self._change is not None else None

    # ------------------------------------------------------------------------------------------------ ours

    def reoffer(self, sdp: bytes | None, now: float) -> None:
        """Want a change; a newer one takes the place of one that waits."""
        self._wanted = Wanted(sdp)
        self._tries = 0
        self.pump(now)

    def refresh(self, now: float) -> None:
        """Want a refresh (RFC 4028); any change does as well."""
        if self._wanted is None and self.state == IDLE:
            self._wanted = Wanted(None, refreshes=True)
            self._tries = 0
            self.pump(now)

    def inform(self, sdp: bytes, now: float) -> None:
        """Want the far end told of our resources; what the owner wants tells it as well."""
        if self._wanted is None and self._session.state in _EARLY:
            self._wanted = Wanted(sdp, quiet=True)
            self._tries = 0
            self.pump(now)

    def pump(self, now: float) -> None:
        """Send what is wanted if nothing is in the way."""
        session, dialog = self._session, self._session.dialog
        if self._wanted is None or self.state != IDLE or dialog is None or not dialog.offer.stable:
            return
        if session.over or now < self._not_before:
            return
        wanted = self._wanted
        sdp, refreshes = wanted.sdp, wanted.refreshes
        updates = dialog.abilities.does("UPDATE")
        if session.state == "connected" and self._unacknowledged is None:
            prefers = refreshes or (sdp is not None and session.stack.settings.prefer_update)
            method = "UPDATE" if updates and prefers else "INVITE"
        elif session.state in _EARLY and updates and dialog.offer.agreed and sdp is not None:
            method = "UPDATE"
        else:
            return
        self._wanted = None
        if refreshes and method == "INVITE":
            sdp = dialog.offer.local
        elif sdp is not None:
            sdp = session.reservation.offering(sdp, dialog)
        if sdp is not None:
            dialog.offer.step(SEND_OFFER, sdp)
        self._tries += 1
        self._step(SEND, now)
        self._change = Change(session, method, sdp, wanted, self._answered)
        self._change.send(now)

    def _answered(self, change: Change, response: Response, now: float) -> None:
        heed(self._session, response)
        if response.status >= 300:
            self._on_refusal(change, response, now)
        elif self._session.over or self._session.dialog is None:
            change.acknowledge(None)
        else:
            self._on_success(change, response, self._session.dialog, now)

    def _on_success(self, change: Change, response: Response, dialog: Dialog, now: float) -> None:
        session, sdp, exchange = self._session, sdp_of(response), dialog.offer
        dialog.refresh_target(response)
        session.timer.agreed(response, now)
        if change.sdp is None and change.method == "INVITE" and sdp is not None:
            exchange.step(RECEIVE_OFFER, sdp)
            self._step(RECEIVE_2XX_OFFER, now, Reoffered(session, sdp))
            return
        change.acknowledge(None)
        report: Event | None = None
        if change.sdp is None:
            pass
        elif sdp is None:
            exchange.step(FAIL)
            report = ReofferFailed(session, 488)
        else:
            unchanged = change.same(exchange.remote, sdp)
            exchange.step(RECEIVE_ANSWER, sdp)
            report = None if unchanged else Reanswered(session, sdp)
        self._step(DONE, now)
        if report is not None:
            session.stack.emit(report)
        session.reserve(now)
        self.pump(now)

    def _on_refusal(self, change: Change, response: Response, now: float) -> None:
        session, status = self._session, response.status
        if change.sdp is not None and session.dialog is not None:
            session.dialog.offer.step(FAIL)
        self._step(DONE, now)
        if session.over:
            return
        wait = pause(response, session.direction == "out", session.stack.rng)
        if status == 422 and session.timer.longer(response) is not None:
            wait = 0.0
        if change.never_arrived():
            wait, self._tries = FLOW_S, self._tries - 1
        elif change.failure() is not None or status in (408, 481):
            session.gone(now, "transport" if change.failure() == "transport" else "gone")
            return
        if wait is not None and self._tries < MAX_TRIES:
            if self._wanted is None:
                self._wanted = replace(change.wanted, sdp=None if change.refreshes else change.sdp)
            self._not_before = now + wait
            session.stack.timeouts.cancel(self._again)
            self._again = session.stack.timeouts.start(self._not_before, self, _TIMER_AGAIN)
        else:
            if change.refreshes:
                session.timer.retry(now)
            elif not change.wanted.quiet:
                session.stack.emit(ReofferFailed(session, status))
            self.pump(now)

    # ---------------------------------------------------------------------------------------------- theirs

    def receive(self, request: Request, transaction: Transaction, now: float) -> None:
        """A re-INVITE, an UPDATE, or a PRACK with an offer, its CSeq found in order."""
        session, dialog, offer = self._session, self._session.dialog, sdp_of(request)
        if dialog is None:
            return
        heed(session, request)
        transaction.cancelled = self._cancelled
        too_short = session.timer.too_short(request)
        if too_short is not None and request.method != "PRACK":
            self._respond(transaction, 422, now, headers=too_short)
            return
        if offer is None and request.method != "INVITE":
            dialog.refresh_target(request)
            self._succeed(transaction, None, False, now)
            return
        if self.state != IDLE:
            self._step(RECEIVE, now, transaction=transaction)
            return
        blocked = self._blocked(request, dialog)
        if blocked:
            self._turn_away(transaction, blocked, now)
            return
        dialog.refresh_target(request)
        standing = news = None
        if offer is not None:
            standing = dialog.offer.repeats(offer)
            news = session.reservation.standing(offer, dialog) if standing is None else None
            dialog.offer.step(RECEIVE_OFFER, offer)
        if news is not None:
            standing = session.reservation.described(news, dialog)
        if standing is not None:
            dialog.offer.step(SEND_ANSWER, standing)
            self._succeed(transaction, standing, False, now)
            return
        self._transaction = transaction
        self._step(RECEIVE, now, Reoffered(session, offer))

    def _blocked(self, request: Request, dialog: Dialog) -> int:
        """What the call's own INVITE, or an ACK on its way, has to say against a change; 0: nothing."""
        session, callee, waiting = self._session, self._session.callee, self._unacknowledged
        if request.method == "INVITE":
            if session.state in ("offered", "ringing"):
                return 500
            if session.state in ("proceeding", "answer due"):
                return 491
        if (callee is not None and callee.awaits_answer) or (waiting is not None and waiting.offer):
            return 491  # RFC 5407 section 3.1.5: the ACK with the answer is still on its way
        return {ASKED: 500, OFFERED: 491}.get(dialog.offer.state, 0)

    def accept(self, sdp: bytes | None, now: float) -> None:
        """The owner's reply to `Reoffered`; nothing when the question has been taken back."""
        dialog, transaction = self._session.dialog, self._transaction
        if dialog is None or self.state not in (RECEIVED, DUE):
            return
        if sdp is None:
            raise WrongState("an offer needs an answer")
        sdp = self._session.reservation.described(sdp, dialog)
        offers = not dialog.offer.step(SEND_ANSWER, sdp) and dialog.offer.step(SEND_OFFER, sdp)
        if self.state == DUE and self._change is not None:
            self._change.acknowledge(sdp)
            self._step(DONE, now)
        elif transaction is not None:
            self._step(DONE, now)
            self._succeed(transaction, sdp, offers, now)
        self.pump(now)

    def refuse(self, status: int, now: float) -> None:
        """The owner will not have it."""
        dialog, transaction = self._session.dialog, self._transaction
        if dialog is None or self.state not in (RECEIVED, DUE):
            return
        dialog.offer.step(FAIL)
        if self.state == DUE and self._change is not None:
            self._change.acknowledge(dialog.offer.local)  # an ACK cannot refuse: what stands is said again
        elif transaction is not None:
            self._respond(transaction, status, now)
        self._step(DONE, now)
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

    def _succeed(self, transaction: Transaction, sdp: bytes | None, offers: bool, now: float) -> None:
        session, request = self._session, transaction.request
        pracks = request.method == "PRACK"
        headers = [] if pracks else session.timer.accept(request, now)
        headers += [("Allow", ALLOW), ("Supported", session.supported), *described(sdp)]
        self._respond(transaction, 200, now, headers=headers, body=sdp or b"", contact=not pracks)
        if request.method == "INVITE":
            if self._unacknowledged is not None:
                self._unacknowledged.stop()
            number = request.cseq[0]
            self._unacknowledged = Unacknowledged(
                session.stack, transaction, number, offers, self._no_ack, now
            )
        elif pracks and session.callee is not None:
            session.callee.pracked(now)
        else:
            session.reserve(now)

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
            fields.append(("Contact", session.contact(transaction.hop)))
        transaction.respond(transaction.request.respond(status, headers=fields, body=body), now)
        if transaction is self._transaction:
            self._transaction = None

    def _turn_away(self, transaction: Transaction, status: int, now: float) -> None:
        wait = self._session.stack.rng.randrange(0, 11)
        self._respond(transaction, status, now, headers=[("Retry-After", str(wait))] if status == 500 else [])

    def _cancelled(self, cancel: Request, now: float) -> None:
        """A CANCEL for their re-INVITE."""
        self.refuse(487, now)

    # ------------------------------------------------------------------------------------- table and timers

    def fire(self, name: str, now: float) -> None:
        """The back-off is over, or the owner has left a question without an answer."""
        if name == _TIMER_AGAIN:
            self.pump(now)
        else:
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
        if self._transaction is not None:
            invited = self._transaction.request.method == "INVITE"
            self._respond(self._transaction, 487 if invited else 481, now)
        if self._change is not None:
            self._change.let_go(now)

    def let_go(self) -> None:
        """No answer can come any more."""
        self._change = self._transaction = None

    def _no_ack(self, now: float) -> None:
        self._unacknowledged = None
        self._session.gone(now, "no_ack")

    def _step(
        self, event: str, now: float, report: Event | None = None, transaction: Transaction | None = None
    ) -> None:
        row = RENEGOTIATION.get((self.state, event))
        if row is None:
            return
        self.state = row[0]
        for action in row[1]:
            if action == REPORT and report is not None:
                self._session.stack.emit(report)
            elif action in _REFUSALS and transaction is not None:
                self._turn_away(transaction, _REFUSALS[action], now)
            elif action in _WAITING:
                _WAITING[action](self, now)

    def _wait(self, now: float) -> None:
        stack = self._session.stack
        self._unanswered = stack.timeouts.start(now + stack.timing.patience, self, _TIMER_UNANSWERED)

    def _stop_waiting(self, now: float) -> None:
        self._session.stack.timeouts.cancel(self._unanswered)


_REFUSALS = {REFUSE_GLARE: 491, REFUSE_BUSY: 500}
_WAITING: dict[str, Callable[[Renegotiation, float], None]] = {
    WAIT: Renegotiation._wait,
    STOP_WAITING: Renegotiation._stop_waiting,
}
