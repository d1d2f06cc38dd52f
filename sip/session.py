"""One call as a user agent sees it: its states as two tables, and what its owner may ask of it.

The parts of a session with a life of their own stand beside it: `Caller` and `Callee` (the first INVITE, from
either end), `Renegotiation` (re-INVITE and UPDATE), `SessionTimer`, `Transfers`, `Digits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from sip.dialog import Dialog
from sip.digest import Authorizer
from sip.errors import WrongState
from sip.events import Authorised, Ended, Event, Identity, StillThere
from sip.hop import Hop
from sip.info import Digits
from sip.lingering import Lingering
from sip.manner import PLAIN
from sip.message import NameAddr, Response, Uri
from sip.outgoing import Answer, Outgoing
from sip.reason import Reason
from sip.refer import Transfers
from sip.renegotiation import Renegotiation
from sip.reservation import Reservation
from sip.stack import ACCEPT, SUPPORTED, Stack
from sip.states import (
    BYE_ANSWERED,
    CALLEE,
    CALLER,
    CALLING,
    HANG_UP,
    OFFERED,
    OVER,
    RELEASE,
    REPORT,
    RINGING,
    SEND_ACK,
    SEND_BYE,
    SEND_CANCEL,
    SEND_REFUSAL,
    STOP_HOPS,
    SURRENDER,
)
from sip.table import INITIAL
from sip.timers import SessionTimer

if TYPE_CHECKING:
    from sip.callee import Callee
    from sip.caller import Caller

Pairs = Iterable[tuple[str, str]]


class Session:
    """A call. Every method that sends takes `now`, and does nothing on a session that is over: events cross.

    Methods that do not fit the state of a session that lives raise WrongState: the owner's fault, not the
    network's. state: one of the states of CALLER or CALLEE. owner: free for whoever owns the agent.
    manner: how calls go over its line; of a call that came in to be set before it is answered.
    """

    __slots__ = (
        "_reason", "_table", "authorizer", "call_id", "callee", "caller", "dialog", "digits", "direction",
        "early_media", "id", "identity", "local", "manner", "owner", "remote", "renegotiation", "replaces",
        "reservation", "stack", "state", "timer", "transfers",
    )  # fmt: skip

    def __init__(
        self, stack: Stack, direction: Literal["in", "out"], call_id: str, local: NameAddr, remote: NameAddr
    ) -> None:
        self.stack = stack
        self.id = stack.next_id()
        self.direction = direction
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.state = INITIAL
        self.dialog: Dialog | None = None
        self.identity = Identity("anonymous")
        self.manner = PLAIN
        self.replaces: Session | None = None
        self.authorizer: Authorizer | None = None
        self.owner: object | None = None
        self.early_media: Authorised | None = None  # as the network said last, while unanswered
        self.caller: Caller | None = None
        self.callee: Callee | None = None
        self.timer = SessionTimer(self)
        self.renegotiation = Renegotiation(self)
        self.reservation = Reservation(self)
        self.transfers = Transfers(self)
        self.digits = Digits(self)
        self._table = CALLER if direction == "out" else CALLEE
        self._reason: Reason | None = None
        stack.sessions[self.id] = self

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.direction} {self.state}>"

    @property
    def over(self) -> bool:
        """Whether its last event has been given out."""
        return self.state in OVER

    @property
    def reserves(self) -> bool:
        """Whether the caller waits for our description before anybody may ring (RFC 3312): see `Reserved`."""
        return self.callee is not None and self.callee.reserves

    @property
    def supported(self) -> str:
        """The Supported value of our messages in this call."""
        return self.manner.options(SUPPORTED)

    def contact(self, hop: Hop) -> str:
        """Our Contact value towards `hop`."""
        manner = self.manner
        return self.stack.contact(manner.contact or self.local.uri.user, hop) + manner.contact_params

    # --------------------------------------------------------------------------------- the callee's methods

    def ring(self, sdp: bytes | None = None, reliable: bool | None = None, *, now: float) -> None:
        """180. reliable None: when the caller requires it, or can do it and there is an SDP to deliver.

        RFC 3262.
        """
        self.progress(sdp, 180, reliable, now=now)

    def progress(
        self,
        sdp: bytes | None = None,
        status: int = 183,
        reliable: bool | None = None,
        headers: Pairs = (),
        *,
        now: float,
    ) -> None:
        """Any 101-199. sdp: the answer, or the offer when the INVITE had none.

        Then it goes reliably or not at all.
        """
        if not self.over:
            self._as_callee().progress(status, sdp, reliable, headers, now)

    def answer(self, sdp: bytes | None, headers: Pairs = (), *, now: float) -> None:
        """200. sdp: the answer; the offer when the INVITE had none.

        None when a reliable 1xx has settled it already.
        """
        if not self.over:
            self._as_callee().answer(sdp, headers, now)

    def reject(self, status: int, reason: str | None = None, headers: Pairs = (), *, now: float) -> None:
        """Refuse an unanswered call with a status of 300-699."""
        if not self.over:
            self._as_callee().refuse(status, reason, headers, Ended(self, "rejected"), now)

    def redirect(self, contacts: Sequence[Uri], *, now: float) -> None:
        """302: the caller should try these instead, best first."""
        self.reject(302, headers=[("Contact", f"<{contact}>") for contact in contacts], now=now)

    # ---------------------------------------------------------------------------------------- either side's

    def hangup(self, cause: Reason | None = None, *, now: float) -> None:
        """End it by CANCEL, refusal (480, or a SIP cause of 300-699) or BYE, whichever fits.

        Safe in every state.
        """
        self.end(Ended(self, "hangup"), now, cause)

    def abandon(self, *, now: float) -> None:
        """Hang up on a far end that may never have heard our INVITE: it is not repeated any more, lest a
        gateway that comes back rings a phone for it. What it says all the same is answered as after `hangup`.
        """
        if self.caller is not None and self.state == CALLING:
            self.caller.hush(now)
        self.hangup(None, now=now)

    def surrender(self, *, now: float) -> None:
        """Another user agent has the dialog (sip.snapshot): nothing more is said in it, and nothing told."""
        if not self.feed(SURRENDER, now):
            self.hangup(now=now)

    def acknowledge(self, sdp: bytes, *, now: float) -> None:
        """Our answer to the offer that came in a 2xx (`Answered`) or reliable 1xx (`Provisional`)."""
        if self.over:
            return
        if self.caller is None:
            raise WrongState("only a caller acknowledges")
        self.caller.acknowledge(sdp, now)

    def reoffer(self, sdp: bytes | None, *, now: float) -> None:
        """Change the session: sent as soon as nothing else is under way, and again after glare.

        Of several only the newest is sent. None asks the far end for an offer of its own, which comes as
        `Reoffered`. By re-INVITE, or by UPDATE before the call is answered. Ends in `Reanswered` or
        `ReofferFailed`.
        """
        if not self.over:
            self.renegotiation.reoffer(sdp, now)

    def ask(self, *, now: float) -> None:
        """Ask whether the far end still has the call, by OPTIONS inside it (RFC 3261 section 11).

        `StillThere` when it has; it is over, as gone, when it has not (section 12.2.1.2). No answer says
        nothing.
        """
        if not self.over and self.dialog is not None:
            self.send("OPTIONS", self._was_answered, now, headers=[("Accept", ACCEPT)])

    def _was_answered(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if self.over or response.status < 200 or outgoing.failure == "timeout":
            return
        if outgoing.failure is not None:
            self.gone(now, "transport")
        elif response.status == 481:
            self.gone(now)
        else:
            self.stack.emit(StillThere(self))

    def accept(self, sdp: bytes | None, *, now: float) -> None:
        """Reply to `Reoffered`: our answer, or the offer we were asked for."""
        if not self.over:
            self.renegotiation.accept(sdp, now)

    def refuse(self, status: int = 488, *, now: float) -> None:
        """Turn `Reoffered` down; the session goes on as it was."""
        if not self.over:
            self.renegotiation.refuse(status, now)

    def reserved(self, *, now: float) -> None:
        """Our resources are there now (RFC 3312), of a call whose `Manner` said that they were not yet."""
        if not self.over and self.reservation.reserved():
            self.reserve(now)

    def refer(self, refer_to: Uri | NameAddr, replaces: Session | None = None, *, now: float) -> None:
        """Ask the far end to call `refer_to`; attended when that takes the place of our `replaces`."""
        if not self.over:
            self.transfers.refer(refer_to, replaces, now)

    def accept_refer(self, *, now: float) -> None:
        """Reply to `Referred`: we shall try (202), and report by `notify_refer`."""
        if self.dialog is not None:
            self.transfers.accept(now)

    def refuse_refer(self, status: int = 603, *, now: float) -> None:
        """Reply to `Referred`: no."""
        if self.dialog is not None:
            self.transfers.refuse(status, now)

    def notify_refer(self, status: int, reason: str | None = None, *, now: float) -> None:
        """Tell the referrer how its call fares, after the end too; 200 and above is the last word."""
        if self.dialog is not None:
            self.transfers.notify(status, reason, now)

    def info_dtmf(self, digit: str, ms: int = 160, *, now: float) -> None:
        """Send one digit by INFO; digits follow each other, the next one when the last was answered."""
        if not self.over:
            self.digits.send(digit, ms, now)

    # ------------------------------------------------------------------------------ for the parts beside it

    def feed(self, event: str, now: float, report: Event | None = None) -> bool:
        """Take one step of the table; False when it has no such row. `report` is what REPORT gives out."""
        row = self._table.get((self.state, event))
        if row is None:
            return False
        self.state = row[0]
        for action in row[1]:
            if action == REPORT:
                if report is not None:
                    self.stack.emit(report)
            else:
                _ACTIONS[action](self, now)
        return True

    def end(self, report: Event, now: float, reason: Reason | None = None) -> None:
        """End it from our side for whatever reason `report` gives."""
        if not self.over:
            self._reason = reason
            self.feed(HANG_UP, now, report)

    def send(
        self,
        method: str,
        answer: Answer,
        now: float,
        *,
        headers: Pairs = (),
        body: bytes = b"",
        dialog: Dialog | None = None,
        contact: bool = False,
        started: Callable[[Outgoing], None] | None = None,
    ) -> None:
        """A request inside the dialog (of the session, unless another fork's is given).

        started: given the request before it is sent, since its answer may be made up at once.
        """
        dialog = dialog or self.dialog
        if dialog is None:
            raise WrongState(f"{method} needs a dialog")
        fields = [*headers, *self.manner.always, ("User-Agent", self.stack.settings.user_agent)]
        request = dialog.request(method, dialog.next_seq(), fields, body)
        outgoing = Outgoing(
            self.stack,
            request,
            self.stack.hops_inside(dialog),
            answer,
            dialog=dialog,
            authorizer=self.authorizer,
            contact=self.contact if contact else None,
        )
        if started is not None:
            started(outgoing)
        outgoing.start(now)

    def reason_headers(self) -> list[tuple[str, str]]:
        """The Reason header field of whatever ends the session (RFC 3326)."""
        return [("Reason", str(self._reason))] if self._reason is not None else []

    @property
    def reason(self) -> Reason | None:
        """Why our side ended it, when it said."""
        return self._reason

    def reserve(self, now: float) -> None:
        """Preconditions may have come true: tell the far end what it does not know, do what had to wait."""
        dialog = self.dialog
        if dialog is None or self.over:
            return
        news = self.reservation.news(dialog)
        if news is not None:
            self.renegotiation.inform(news, now)
        if self.callee is not None:
            self.callee.go_on(now)

    def gone(self, now: float, cause: str = "gone") -> None:
        """The far end has lost the call, or all contact with it (RFC 3261 section 12.2.1.2)."""
        self.end(Ended(self, cause), now)

    # --------------------------------------------------------------------------------- actions of the table

    def _send_bye(self, now: float) -> None:
        self._settle(now)
        self.send("BYE", self._on_bye_answered, now, headers=self.reason_headers())

    def _on_bye_answered(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status >= 200:
            self.feed(BYE_ANSWERED, now)

    def _release(self, now: float) -> None:
        self._settle(now)
        if self.caller is not None:
            self.caller.close(now)
        elif self.dialog is not None:
            self.stack.release(self.dialog)
        self.stack.sessions.pop(self.id, None)
        Lingering(self, now)

    def _settle(self, now: float) -> None:
        """Nothing but the end is left to do."""
        self.timer.stop()
        self.digits.stop()
        self.renegotiation.stop(now)
        self.transfers.stop(now)
        if self.callee is not None:
            self.callee.stop()

    def _send_ack(self, now: float) -> None:
        if self.caller is not None:
            self.caller.send_ack(now)

    def _send_cancel(self, now: float) -> None:
        if self.caller is not None:
            self.caller.send_cancel(now)

    def _stop_hops(self, now: float) -> None:
        if self.caller is not None:
            self.caller.stop_hops()

    def _send_refusal(self, now: float) -> None:
        if self.callee is not None:
            self.callee.send_refusal(now)

    def _as_callee(self) -> Callee:
        if self.callee is None or self.state not in (OFFERED, RINGING):
            raise WrongState(f"nothing to answer: {self!r}")
        return self.callee


_ACTIONS: dict[str, Callable[[Session, float], None]] = {
    RELEASE: Session._release,
    STOP_HOPS: Session._stop_hops,
    SEND_CANCEL: Session._send_cancel,
    SEND_ACK: Session._send_ack,
    SEND_BYE: Session._send_bye,
    SEND_REFUSAL: Session._send_refusal,
}
