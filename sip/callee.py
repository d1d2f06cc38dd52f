"""The called end of an INVITE.

Ringing, answering, and resending the answer until its ACK comes (RFC 3261 section 13.3).
"""

from __future__ import annotations

from collections.abc import Iterable

from sip.dialog import Dialog
from sip.errors import WrongState
from sip.events import Acknowledged, Cancelled, Ended, Event, Reanswered, Reserved
from sip.hop import Hop
from sip.message import Request, Response
from sip.offer import (
    ASKED,
    OFFERED,
    RECEIVE_ANSWER,
    RECEIVE_OFFER,
    SEND_ANSWER,
    SEND_OFFER,
    described,
    sdp_of,
)
from sip.reliable import ReliableSender
from sip.session import Session
from sip.stack import ALLOW
from sip.states import NO_ACK, RECEIVE_ACK, RECEIVE_CANCEL, RECEIVE_INVITE, SEND_1XX, SEND_2XX
from sip.timeouts import Timeout
from sip.transaction import Transaction
from sip.unacknowledged import Unacknowledged

REPEAT_RINGING = (
    60.0  # seconds: proxies on the way forget calls that say nothing for three minutes (section 13.3.1.1)
)
RINGING, PROGRESS = 180, 183
_TIMER_RINGING = "ringing"
Pairs = Iterable[tuple[str, str]]


class Callee:
    """Their INVITE of one session, until our 2xx is acknowledged."""

    __slots__ = (
        "_dialog", "_held", "_refusal", "_reliable", "_request", "_ringing", "_ringing_since", "_session",
        "_source", "_transaction", "_unacknowledged", "_waiting", "reserves",
    )  # fmt: skip

    def __init__(self, session: Session, dialog: Dialog, transaction: Transaction, source: str) -> None:
        self._session = session
        self._dialog = dialog
        self._transaction = transaction
        self._request: Request = transaction.request
        self._source: str | None = source  # counted as pending until answered
        self._reliable: ReliableSender | None = None
        self._held: tuple[bytes | None, list[tuple[str, str]]] | None = (
            None  # an answer that waits for a PRACK
        )
        self._waiting: list[tuple[str, str]] | None = None  # headers of a 180 that waits for resources
        self._refusal: tuple[int, str | None, list[tuple[str, str]]] = (487, None, [])
        self._unacknowledged: Unacknowledged | None = None
        self._ringing: Timeout | None = None
        self._ringing_since = 0.0
        self.reserves = False  # until the resources of both ends are there

    def start(self, report: Event, now: float) -> None:
        """Tell the owner of the call."""
        session = self._session
        session.stack.pending[self._source or ""] += 1
        offer = sdp_of(self._request)
        if offer is not None:
            self._dialog.offer.step(RECEIVE_OFFER, offer)
        session.reservation.called(self._request, offer)
        self.reserves = not session.reservation.met(self._dialog)
        self._transaction.cancelled = self.cancelled
        self._ringing_since = now
        self._ringing = session.stack.timeouts.start(now + REPEAT_RINGING, self, _TIMER_RINGING)
        session.feed(RECEIVE_INVITE, now, report)

    # -------------------------------------------------------------------------------------------- answering

    def progress(
        self, status: int, sdp: bytes | None, reliable: bool | None, headers: Pairs, now: float
    ) -> None:
        """Send a 1xx, reliably when wanted or required and the caller can.

        Nothing rings before the preconditions are met: until then a 183 carries the description, or nothing
        is sent, and the 180 follows.
        """
        if not 100 < status < 200:
            raise WrongState(f"{status} is no provisional response")
        if status == RINGING and not self._session.reservation.met(self._dialog):
            self._waiting = list(headers)
            if sdp is None:
                self._session.feed(SEND_1XX, now)
                return
            status, reliable = PROGRESS, True
        self._progress(status, sdp, reliable, headers, now)

    def _progress(
        self, status: int, sdp: bytes | None, reliable: bool | None, headers: Pairs, now: float
    ) -> None:
        session = self._session
        supports = self._dialog.abilities.options
        required = self.requires
        if reliable is None:
            reliable = required or (sdp is not None and "100rel" in supports)
        reliable = required or (reliable and "100rel" in supports)
        exchange = self._dialog.offer
        if reliable and sdp is None and self.offerless:
            if required:
                session.feed(SEND_1XX, now)  # there is none for the first to carry (RFC 3262 section 5)
                return
            reliable = False
        if exchange.agreed or (exchange.state != ASKED and not reliable):
            sdp = None  # settled already (what follows is for UPDATE); and an offer may not travel unreliably
        if sdp is not None:
            sdp = session.reservation.described(sdp, self._dialog)
        if sdp is not None and reliable:
            event = SEND_ANSWER if exchange.state == ASKED else SEND_OFFER
            sdp = sdp if exchange.step(event, sdp) else None
        response = self._response(status, None, headers, sdp)
        if not reliable:
            self._transaction.respond(response, now)
        else:
            if self._reliable is None:
                self._reliable = ReliableSender(session.stack, self._transaction, self._no_prack)
            self._reliable.send(response, now)
        session.feed(SEND_1XX, now)

    @property
    def requires(self) -> bool:
        """Whether the caller takes no 1xx but reliable ones."""
        return "100rel" in self._request.headers.tokens("Require")

    @property
    def offerless(self) -> bool:
        """Whether nobody has offered anything yet."""
        return self._dialog.offer.stable and not self._dialog.offer.agreed

    def answer(self, sdp: bytes | None, headers: Pairs, now: float) -> None:
        """Send 200, at once or when the session description on its way has been acknowledged."""
        session, exchange = self._session, self._dialog.offer
        may = session.reservation.met(self._dialog)
        if not may and exchange.state == ASKED and sdp is not None:
            self._progress(PROGRESS, sdp, True, (), now)
        if not may or (self._reliable is not None and self._reliable.carries_sdp):
            self._held = (sdp, list(headers))
            return
        offers = False
        if exchange.state == ASKED:
            sdp = sdp and session.reservation.described(sdp, self._dialog)
            exchange.step(SEND_ANSWER, sdp)
        elif exchange.agreed:
            sdp = None  # settled by a reliable 1xx and its PRACK
        else:
            offers = sdp is not None and exchange.step(SEND_OFFER, sdp)
        fields = [*session.timer.accept(self._request, now), *headers]
        self._transaction.respond(self._response(200, None, fields, sdp), now)
        self._stop_ringing()
        self._dialog.confirmed = True
        self._unacknowledged = Unacknowledged(
            session.stack, self._transaction, self._request.cseq[0], offers, self._no_ack, now
        )
        session.feed(SEND_2XX, now)
        if session.replaces is not None:
            session.replaces.hangup(now=now)

    def go_on(self, now: float) -> None:
        """What stood in the way may be gone: a PRACK on its way, resources that were not there."""
        on_its_way = self._reliable is not None and self._reliable.carries_sdp
        if self._session.over or on_its_way or not self._session.reservation.met(self._dialog):
            return
        if self.reserves:
            self.reserves = False
            self._session.stack.emit(Reserved(self._session))
        waiting, self._waiting = self._waiting, None
        if self._held is not None:
            (sdp, headers), self._held = self._held, None
            self.answer(sdp, headers, now)
        elif waiting is not None:
            self._progress(RINGING, None, None, waiting, now)

    def refuse(self, status: int, reason: str | None, headers: Pairs, report: Event, now: float) -> None:
        """End the call with a final response of 300-699."""
        if not 300 <= status < 700:
            raise WrongState(f"{status} refuses nothing")
        self._refusal = (status, reason, list(headers))
        self._session.end(report, now)

    def send_refusal(self, now: float) -> None:
        """The final response, as the table asks for it."""
        status, reason, headers = self._refusal
        why = self._session.reason
        if why is not None:
            headers = [*headers, ("Reason", str(why))]
            status = why.cause if why.protocol.upper() == "SIP" and 300 <= why.cause < 700 else status
        self._stop_ringing()
        self._transaction.respond(self._response(status, reason, headers, None, final=True), now)

    def _response(
        self, status: int, reason: str | None, headers: Pairs, sdp: bytes | None, final: bool = False
    ) -> Response:
        session = self._session
        fields = [*headers, *session.manner.always]
        if not final:
            fields.append(("Contact", session.contact(self._transaction.hop)))
            fields += (("Allow", ALLOW), ("Supported", session.supported))
        fields.append(("User-Agent" if status < 300 else "Server", session.stack.settings.user_agent))
        fields += described(sdp)
        return self._request.respond(
            status, reason, tag=self._dialog.local_tag, headers=fields, body=sdp or b""
        )

    def last_word(self) -> tuple[bytes, Hop] | None:
        """The refusal that somebody else may have to send, and where to; None once it is answered."""
        transaction = self._transaction
        if transaction.answered:
            return None
        return self._response(503, None, [], None, final=True).encode(), transaction.hop

    # -------------------------------------------------------------------------------------- from the caller

    def cancelled(self, cancel: Request, now: float) -> None:
        """A CANCEL for the INVITE; one that comes after our final response changes nothing (section 9.2)."""
        self._refusal = (487, None, [])
        self._session.feed(RECEIVE_CANCEL, now, Cancelled(self._session, cancel.headers.get("Reason")))

    def hung_up(self) -> None:
        """A BYE instead of a CANCEL: the INVITE itself is answered 487 (section 15.1.2)."""
        self._refusal = (487, None, [])

    def acknowledged(self, ack: Request, now: float) -> bool:
        """An ACK inside the dialog; False when it is not for the first INVITE, or comes again."""
        waiting = self._unacknowledged
        if waiting is None or waiting.number != ack.cseq[0]:
            return False
        self._unacknowledged = None
        waiting.stop()
        sdp = sdp_of(ack)
        if waiting.offer and sdp is not None:
            self._dialog.offer.step(RECEIVE_ANSWER, sdp)
        session = self._session
        session.feed(RECEIVE_ACK, now, Acknowledged(session, sdp if waiting.offer else None))
        session.renegotiation.pump(now)
        return True

    @property
    def awaits_answer(self) -> bool:
        """The answer to the offer in our 2xx is still to come, in the ACK."""
        return self._unacknowledged is not None and self._unacknowledged.offer

    def prack(self, prack: Request, now: float) -> bool:
        """A PRACK; False: it acknowledges nothing (481). Its answer to an offer of ours is taken in."""
        if self._reliable is None or self._reliable.acknowledged(prack, now) is None:
            return False
        session, sdp = self._session, sdp_of(prack)
        if sdp is not None and self._dialog.offer.state == OFFERED:
            self._dialog.offer.step(RECEIVE_ANSWER, sdp)
            session.stack.emit(Reanswered(session, sdp))
        return True

    def pracked(self, now: float) -> None:
        """The PRACK has been answered: an answer that waited for it goes out."""
        self._session.reserve(now)

    # ----------------------------------------------------------------------------------------------- timers

    def fire(self, name: str, now: float) -> None:
        """Still ringing."""
        session = self._session
        if now - self._ringing_since >= session.stack.settings.max_ringing:
            self.refuse(480, None, (), Ended(session, "no_answer"), now)
            return
        self._ringing = session.stack.timeouts.start(now + REPEAT_RINGING, self, _TIMER_RINGING)
        status = RINGING if session.reservation.met(self._dialog) else PROGRESS
        if not self.requires:
            self._transaction.respond(self._response(status, None, (), None), now)
        elif not self.offerless and (self._reliable is None or not self._reliable.busy):
            self._progress(status, None, True, (), now)  # RFC 3262 section 3 asks for one each 150 s

    def stop(self) -> None:
        """Nothing is sent any more for this INVITE."""
        self._stop_ringing()
        self._held = self._waiting = None
        if self._unacknowledged is not None:
            self._unacknowledged.stop()
            self._unacknowledged = None

    def let_go(self) -> None:
        """Nothing can come for this INVITE any more."""
        self._reliable = None

    def _stop_ringing(self) -> None:
        timeouts = self._session.stack.timeouts
        timeouts.cancel(self._ringing)
        if self._reliable is not None:
            self._reliable.stop()
        if self._source is not None:
            pending = self._session.stack.pending
            pending[self._source] -= 1
            if pending[self._source] <= 0:
                del pending[self._source]
            self._source = None

    def _no_ack(self, now: float) -> None:
        self._unacknowledged = None
        self._session.feed(NO_ACK, now, Ended(self._session, "no_ack"))

    def _no_prack(self, now: float) -> None:
        self.refuse(504, "No PRACK", (), Ended(self._session, "no_prack"), now)
