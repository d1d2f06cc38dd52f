"""The calling end of an INVITE.

Early dialogs, forks, reliable provisionals, the ACK and the CANCEL (RFC 3261 section 13.2).
"""

from __future__ import annotations

from collections.abc import Sequence

from sip import restoration
from sip.ack import acknowledgement
from sip.dialog import Dialog
from sip.early_media import heed
from sip.events import Answered, Ended, Provisional, Rejected
from sip.hop import Hop
from sip.message import Headers, Request, Response, Uri
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
from sip.outgoing import Outgoing
from sip.reliable import ReliableReceiver
from sip.session import Session
from sip.stack import ALLOW
from sip.states import ACKNOWLEDGE, CALL, CALLING, DUE, PROCEEDING, RECEIVE_1XX, RECEIVE_2XX, RECEIVE_FAILURE
from sip.states import RECEIVE_OFFER as RECEIVE_2XX_OFFER
from sip.timeouts import Timeout

MAX_FORKS = 16
_TIMER_RINGING, _TIMER_DUE = "ringing", "answer due"


class Fork:
    """One dialog an INVITE of ours made, and what is owed to it."""

    __slots__ = ("ack", "dialog", "preview", "reliable")

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.reliable = ReliableReceiver()
        self.preview: bytes | None = None  # SDP of an unreliable 1xx: the answer a lazy 2xx leaves out
        self.ack: tuple[bytes, Hop] | None = None


class Caller:
    """Our INVITE of one session, until no fork of it can answer any more."""

    __slots__ = (
        "_ack_sdp", "_cancelled", "_forks", "_outgoing", "_pracks", "_session", "_timeout", "_winner",
    )  # fmt: skip

    def __init__(self, session: Session) -> None:
        self._session = session
        self._forks: dict[str, Fork] = {}
        self._winner: Fork | None = None
        self._outgoing: Outgoing | None = None
        self._timeout: Timeout | None = None
        self._cancelled = False
        self._pracks = 0  # on their way
        self._ack_sdp: bytes | None = None  # our answer, when the 2xx carried the offer

    def start(
        self,
        target: Uri,
        hops: Sequence[Hop],
        offer: bytes | None,
        headers: Sequence[tuple[str, str]],
        ring_timeout: float | None,
        now: float,
    ) -> None:
        """Send the INVITE. `headers` may hold Route lines, first hop first.

        Path of a binding, outbound proxies.
        """
        session, stack = self._session, self._session.stack
        session.reservation.call()
        if offer is not None:
            offer = session.reservation.offering(offer)
        fields = Headers()
        fields.add("Max-Forwards", "70")
        fields.add("From", str(session.local))
        fields.add("To", str(session.remote))
        fields.add("Call-ID", session.call_id)
        fields.add("CSeq", f"{stack.rng.randrange(1, 2**16)} INVITE")
        fields.add("Allow", ALLOW)
        fields.add("Supported", session.supported)
        fields.add("User-Agent", stack.settings.user_agent)
        manner = session.manner
        told = (*session.timer.propose(), *headers, *manner.opening, *manner.always, *described(offer))
        for name, value in told:
            fields.add(name, value)
        request = Request("INVITE", target, fields, offer or b"")
        self._outgoing = Outgoing(
            stack,
            request,
            hops,
            self._on_answer,
            authorizer=session.authorizer,
            contact=session.contact,
        )
        session.feed(CALL, now)
        if ring_timeout is not None:
            self._timeout = stack.timeouts.start(now + ring_timeout, self, _TIMER_RINGING)
        self._outgoing.start(now)

    def fire(self, name: str, now: float) -> None:
        """Nobody answered in time; or the owner never answered the offer of a 2xx."""
        self._timeout = None
        session = self._session
        if name == _TIMER_DUE:
            session.end(Ended(session, "no_ack"), now)
        elif session.state in (CALLING, PROCEEDING):
            session.end(Rejected(session, 408, "Nobody answered", cause="ringing"), now)

    @property
    def invite(self) -> Request | None:
        """The INVITE as it was sent last."""
        return self._outgoing.request if self._outgoing is not None else None

    # -------------------------------------------------------------------------------------------- responses

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status < 200:
            self._on_provisional(outgoing, response, now)
        elif response.status < 300:
            self._on_success(outgoing, response, now)
        else:
            self._on_refusal(outgoing, response, now)

    def _on_provisional(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session = self._session
        heed(session, response)
        fork = self._fork(outgoing, response)
        sdp: bytes | None = None
        if fork is not None and not self._winner:
            required = response.headers.tokens("Require")
            if "100rel" in required and not fork.reliable.is_next(response):
                return
            sdp = self._early_sdp(fork, response, "100rel" in required, now)
            session.dialog = fork.dialog
        session.feed(RECEIVE_1XX, now, Provisional(session, response.status, sdp))

    def _early_sdp(self, fork: Fork, response: Response, reliable: bool, now: float) -> bytes | None:
        """What a 1xx says about media; acknowledges a reliable one, unless that must carry our answer."""
        sdp, exchange = sdp_of(response), fork.dialog.offer
        if not reliable:
            if sdp is not None and exchange.state == OFFERED:
                fork.preview = sdp
                return sdp
            return None
        if sdp is not None and not exchange.step(RECEIVE_ANSWER, sdp):
            if not exchange.agreed and exchange.step(RECEIVE_OFFER, sdp):
                return sdp
            sdp = None
        self._send_prack(fork, None, now)
        return sdp

    def _on_success(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session, fork = self._session, self._fork(outgoing, response)
        if fork is None:
            return
        if fork.ack is not None:
            session.stack.transmit(*fork.ack)
            return
        if self._winner is not None:
            if fork is not self._winner:
                self._part_with(outgoing, fork, response, now)
            return
        self._winner = fork
        dialog = fork.dialog
        session.stack.timeouts.cancel(self._timeout)
        dialog.confirm(response, outgoing.request.uri)
        session.dialog = dialog
        session.remote = dialog.remote
        self._drop_forks(fork)
        if self._take_sdp(fork, response):
            session.feed(RECEIVE_2XX_OFFER, now, Answered(session, sdp_of(response)))
            if session.state == DUE:
                self._timeout = session.stack.timeouts.start(
                    now + session.stack.timing.patience, self, _TIMER_DUE
                )
        else:
            session.feed(RECEIVE_2XX, now, Answered(session, dialog.offer.remote))
        if not session.over:
            session.timer.agreed(response, now)
            session.renegotiation.pump(now)

    def _take_sdp(self, fork: Fork, response: Response) -> bool:
        """Bring the offer/answer exchange to its end.

        True when the 2xx carries an offer that we must answer.
        """
        sdp, exchange = sdp_of(response), fork.dialog.offer
        if exchange.state == OFFERED:
            answer = sdp if sdp is not None else fork.preview
            if answer is not None:
                exchange.step(RECEIVE_ANSWER, answer)
        elif sdp is not None and not exchange.agreed:
            return exchange.step(RECEIVE_OFFER, sdp)
        return exchange.state == ASKED

    def _on_refusal(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session = self._session
        if response.status == 422 and session.state in (CALLING, PROCEEDING) and outgoing.failure is None:
            headers = session.timer.longer(response)
            if headers is not None:
                self._again(outgoing, headers, now)
                return
        contacts = tuple(contact.uri for contact in response.contacts) if response.status < 400 else ()
        rejected = Rejected(
            session,
            response.status,
            response.reason,
            _retry_after(response),
            contacts,
            outgoing.failure or "response",
            response.headers.get("Reason"),
            restoration.wanted(response),
        )
        session.stack.timeouts.cancel(self._timeout)
        session.feed(RECEIVE_FAILURE, now, rejected)

    def _again(self, outgoing: Outgoing, headers: Sequence[tuple[str, str]], now: float) -> None:
        """The same INVITE with other headers, to the hop that asked for them (RFC 4028 section 7.3)."""
        request, session = outgoing.request, self._session
        request.headers.set("CSeq", f"{request.cseq[0] + 1} INVITE")
        for name, value in headers:
            request.headers.set(name, value)
        self._drop_forks(None)
        hop = outgoing.hop
        self._outgoing = Outgoing(
            session.stack,
            request,
            [hop] if hop is not None else [],
            self._on_answer,
            authorizer=session.authorizer,
            contact=session.contact,
        )
        self._outgoing.start(now)

    # ------------------------------------------------------------------------------------------------ forks

    def _fork(self, outgoing: Outgoing, response: Response) -> Fork | None:
        """The dialog a response belongs to, new when its To tag is; None when it makes none (100, no tag)."""
        tag = response.to.tag
        if response.status == 100 or (tag is None and response.status < 200):
            return None
        fork = self._forks.get(tag or "")
        if fork is not None or len(self._forks) >= MAX_FORKS or outgoing.hop is None:
            return fork
        session = self._session
        dialog = Dialog.as_uac(outgoing.request, response, outgoing.hop, session)
        if outgoing.request.body:
            dialog.offer.step(SEND_OFFER, outgoing.request.body)
        fork = self._forks[tag or ""] = Fork(dialog)
        if not self._winner:
            session.stack.dialogs[dialog.key] = dialog
        return fork

    def _drop_forks(self, kept: Fork | None) -> None:
        for fork in self._forks.values():
            if fork is not kept:
                self._session.stack.release(fork.dialog)
        self._forks = {tag: fork for tag, fork in self._forks.items() if fork is kept}

    def _part_with(self, outgoing: Outgoing, fork: Fork, response: Response, now: float) -> None:
        """Another fork answered after the first.

        It is acknowledged and hung up (RFC 3261 section 13.2.2.4).
        """
        fork.dialog.confirm(response, outgoing.request.uri)
        self._transmit_ack(fork, None)
        self._session.send("BYE", _ignore, now, dialog=fork.dialog)

    # --------------------------------------------------------------------------------------- ACK and CANCEL

    def acknowledge(self, sdp: bytes, now: float) -> None:
        """Our answer to their offer, in the PRACK or the ACK; nothing when none is owed."""
        session, fork = self._session, self._winner
        if session.dialog is not None:
            sdp = session.reservation.described(sdp, session.dialog)
        if session.state == DUE and fork is not None:
            session.stack.timeouts.cancel(self._timeout)
            fork.dialog.offer.step(SEND_ANSWER, sdp)
            self._ack_sdp = sdp
            session.feed(ACKNOWLEDGE, now)
            session.renegotiation.pump(now)
            return
        for fork in self._forks.values():
            if (
                fork.dialog is session.dialog
                and fork.reliable.owes
                and fork.dialog.offer.step(SEND_ANSWER, sdp)
            ):
                self._send_prack(fork, sdp, now)
                return

    def send_ack(self, now: float) -> None:
        """Acknowledge the answer that won, with our answer when one was owed and given."""
        if self._winner is not None:
            self._transmit_ack(self._winner, self._ack_sdp)

    def _transmit_ack(self, fork: Fork, sdp: bytes | None) -> None:
        if self._outgoing is None:
            return
        request, stack, dialog = self._outgoing.request, self._session.stack, fork.dialog
        fork.ack = acknowledgement(stack, dialog, request, sdp)
        stack.transmit(*fork.ack)

    def _send_prack(self, fork: Fork, sdp: bytes | None, now: float) -> None:
        rack = fork.reliable.take()
        self._pracks += 1
        headers = [("RAck", rack), *described(sdp)]
        self._session.send("PRACK", self._pracked, now, headers=headers, body=sdp or b"", dialog=fork.dialog)

    def _pracked(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status >= 200:
            self._pracks -= 1
            heed(self._session, response)
            self._session.reserve(now)

    @property
    def pracking(self) -> bool:
        """A PRACK is on its way: an UPDATE sent now could overtake it."""
        return self._pracks > 0

    def send_cancel(self, now: float) -> None:
        """CANCEL the INVITE on its way, and wait for its final response no longer than 64 × T1.

        Section 9.1.
        """
        outgoing, session = self._outgoing, self._session
        if outgoing is None or outgoing.hop is None or self._cancelled:
            return
        self._cancelled = True
        cancel, branch = self._cancel(outgoing.request), outgoing.request.top_via.branch or ""
        session.stack.transactions.send(cancel, branch, outgoing.hop, None, now)
        outgoing.give_up_after(session.stack.timing.patience, now)

    def _cancel(self, invite: Request) -> Request:
        fields = Headers()
        fields.add("Via", str(invite.top_via))
        for name in ("Max-Forwards", "Route", "From", "To", "Call-ID"):
            for value in invite.headers.all(name):
                fields.add(name, value)
        fields.add("CSeq", f"{invite.cseq[0]} CANCEL")
        for name, value in self._session.reason_headers():
            fields.add(name, value)
        return Request("CANCEL", invite.uri, fields)

    def last_word(self) -> tuple[bytes, Hop] | None:
        """The CANCEL that somebody else may have to send, and where to; None once it is answered."""
        outgoing = self._outgoing
        if outgoing is None or outgoing.hop is None or self._session.state not in (CALLING, PROCEEDING):
            return None
        return self._cancel(outgoing.request).encode(), outgoing.hop

    def hush(self, now: float) -> None:
        """The INVITE is not sent again."""
        if self._outgoing is not None:
            self._outgoing.hush(now)

    def stop_hops(self) -> None:
        """We have given up: no further hop is tried."""
        self._session.stack.timeouts.cancel(self._timeout)
        if self._outgoing is not None:
            self._outgoing.stop()

    def close(self, now: float) -> None:
        """The session is over; late answers are still dealt with by the transaction while it lasts."""
        self._session.stack.timeouts.cancel(self._timeout)
        for fork in self._forks.values():
            self._session.stack.release(fork.dialog)

    @property
    def unsent(self) -> bool:
        """The INVITE went nowhere, so that nothing comes back."""
        return self._outgoing is None or self._outgoing.transaction is None

    def let_go(self) -> None:
        """No answer can come any more."""
        self._outgoing = self._winner = None
        self._forks = {}


def _ignore(outgoing: Outgoing, response: Response, now: float) -> None:
    """A stray BYE has nobody waiting for its answer."""


def _retry_after(response: Response) -> float | None:
    seconds = response.number("Retry-After")
    return float(seconds) if seconds is not None else None
