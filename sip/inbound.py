"""Requests from the network, in the order of RFC 3261 section 8.2.

To a transaction, to a dialog, or to a new call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sip import precondition, reginfo
from sip.admission import Admitted, Challenged, Dropped, Identity, Verdict
from sip.callee import Callee
from sip.dialog import Dialog
from sip.events import DtmfInfo, Ended, IncomingCall
from sip.hop import Hop
from sip.info import read_digit
from sip.matching import reply_hop
from sip.message import Request, Response
from sip.offer import described, sdp_of
from sip.proxy import origin
from sip.refer import find_replaced, read_replaces
from sip.registrar import Registrar
from sip.screening import screen
from sip.session import Session
from sip.stack import ACCEPT, ALLOW, SUPPORTED, Stack
from sip.states import RECEIVE_BYE
from sip.transaction import INVITE_SERVER, Transaction
from sip.watch import Watch


class Gate(Protocol):
    """Who may ask for what: `sip.admission.Admission`, or something like it."""

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        """Decide one request outside of dialogs that came from `hop`."""
        ...


class Inbound:
    """Takes each request to where it belongs. Nothing it is given makes it raise."""

    def __init__(self, stack: Stack, gate: Gate, registrar: Registrar | None) -> None:
        self._stack = stack
        self._gate = gate
        self._registrar = registrar
        self._methods = dict.fromkeys([*ALLOW.split(", "), *(["REGISTER"] if registrar is not None else [])])
        self._extensions = frozenset([*SUPPORTED.split(", "), "path", "outbound", "precondition"])
        self._bodies = dict.fromkeys([*ACCEPT.split(", "), reginfo.TYPE])
        self._inside: dict[str, Callable[[Dialog, Request, Transaction, float], None]] = {
            "BYE": self._bye,
            "INVITE": self._renegotiate,
            "UPDATE": self._renegotiate,
            "PRACK": self._prack,
            "INFO": self._info,
            "REFER": self._refer,
            "NOTIFY": self._notify,
            "SUBSCRIBE": self._subscribe,
            "OPTIONS": self._options_inside,
        }

    def receive(self, request: Request, hop: Hop, now: float) -> None:
        """One request, parsed."""
        transactions = self._stack.transactions
        request.stamp(hop.host, hop.port)
        known = transactions.find(request)
        if known is not None and transactions.repeat(known, request, now):
            return
        if request.method == "ACK":
            self._ack(request, now)
            return
        refusal = screen(request, methods=self._methods, extensions=self._extensions, body_types=self._bodies)
        if refusal is not None:
            self._answer_statelessly(request, hop, refusal)
        elif request.method == "CANCEL":
            self._cancel(request, hop, now)
        elif request.to.tag is not None:
            self._receive_inside(request, hop, now)
        elif transactions.is_merged(request):
            self._answer_statelessly(request, hop, request.respond(482))
        else:
            self._receive_outside(request, hop, now)

    # -------------------------------------------------------------------------------------- outside dialogs

    def _receive_outside(self, request: Request, hop: Hop, now: float) -> None:
        source = origin(request, hop, self._stack.settings.trusted_proxies)
        refusal = self._overload(request, source)
        if refusal is not None:
            self._answer_statelessly(request, hop, refusal)
            return
        verdict = self._gate.admit(request, source, now)
        if isinstance(verdict, Admitted):
            self._admitted(request, verdict.identity, hop, source, now)
        elif isinstance(verdict, Dropped):
            self._stack.dropped["not admitted"] += 1
        else:
            headers = verdict.headers if isinstance(verdict, Challenged) else ()
            response = request.respond(verdict.status, headers=headers)
            if verdict.after > 0:
                # Stateful, so that what is repeated meanwhile is recognised.
                Delayed(
                    self._stack,
                    self._stack.transactions.begin(request, hop, now),
                    response,
                    now + verdict.after,
                )
            else:
                # Stateless, so that nobody makes us keep anything by asking (section 26.3.2.4).
                self._answer_statelessly(request, hop, response)

    def _admitted(self, request: Request, identity: Identity, hop: Hop, source: Hop, now: float) -> None:
        stack = self._stack
        if request.method == "INVITE":
            self._invite(request, identity, hop, source, now)
            return
        if request.method == "OPTIONS":
            self._answer_statelessly(request, hop, self._options(request))
            return
        transaction = stack.transactions.begin(request, hop, now)
        if request.method == "REGISTER" and self._registrar is not None:
            response, events = self._registrar.register(request, identity, hop, now)
            transaction.respond(response, now)
            stack.events += events
        elif request.method in ("BYE", "INFO", "PRACK", "UPDATE", "NOTIFY"):
            transaction.respond(request.respond(481), now)
        elif request.method == "SUBSCRIBE":
            transaction.respond(request.respond(489), now)
        elif request.method == "REFER":
            transaction.respond(request.respond(403, "REFER Belongs Inside A Call"), now)
        else:
            transaction.respond(request.respond(405, headers=[("Allow", ALLOW)]), now)

    def _invite(self, request: Request, identity: Identity, hop: Hop, source: Hop, now: float) -> None:
        stack = self._stack
        replaced, refusal = self._replaced(request)
        if refusal is not None:
            stack.transactions.begin(request, hop, now).respond(refusal, now)
            return
        offer = sdp_of(request)
        unmet = precondition.refusal(offer) if offer is not None and precondition.named(offer) else None
        if unmet is not None:
            refused = request.respond(580, headers=described(unmet), body=unmet)
            stack.transactions.begin(request, hop, now).respond(refused, now)
            return
        tag = stack.new_tag()
        session = Session(stack, "in", request.call_id, request.to.with_tag(tag), request.from_)
        too_short = session.timer.too_short(request)
        transaction = stack.transactions.begin(request, hop, now)
        if too_short is not None:
            del stack.sessions[session.id]
            transaction.respond(request.respond(422, headers=too_short), now)
            return
        dialog = Dialog.as_uas(request, tag, hop, session)
        stack.dialogs[dialog.key] = dialog
        session.dialog = dialog
        session.identity = identity
        session.replaces = replaced
        session.callee = Callee(session, dialog, transaction, source.host)
        session.callee.start(IncomingCall(session, request, identity, source, offer, replaced), now)

    def _replaced(self, request: Request) -> tuple[Session | None, Response | None]:
        """The session an INVITE is to replace, or the refusal (RFC 3891 section 3)."""
        lines = request.headers.all("Replaces")
        if not lines:
            return None, None
        named = read_replaces(lines[0])
        if named is None or len(lines) > 1:
            return None, request.respond(400, "Bad Replaces")
        dialog = self._stack.dialogs.get(named[0])
        if dialog is None and self._stack.settings.shares_dialogs:
            return None, request.respond(503, headers=[("Retry-After", "1")])
        if dialog is None:
            return None, request.respond(481)
        session = dialog.session
        if session.over:
            return None, request.respond(603)
        if session.state in ("offered", "ringing"):
            return None, request.respond(481)  # an early dialog that we did not begin
        if named[1] and dialog.confirmed:
            return None, request.respond(486)
        return find_replaced(self._stack.dialogs, lines[0]), None

    def _overload(self, request: Request, source: Hop) -> Response | None:
        stack, settings = self._stack, self._stack.settings
        full = len(stack.transactions) >= settings.max_transactions
        if request.method == "INVITE":
            full = (
                full
                or (
                    settings.draining and not request.headers.all("Replaces")
                )  # a call that there is, goes on
                or len(stack.sessions) >= settings.max_sessions
                or stack.pending[source.host] >= settings.max_pending_per_source
            )
        if not full:
            return None
        return request.respond(503, headers=[("Retry-After", str(settings.retry_after))])

    def _options(self, request: Request) -> Response:
        stack = self._stack
        if stack.settings.draining or len(stack.sessions) >= stack.settings.max_sessions:
            return request.respond(503, headers=[("Retry-After", str(stack.settings.retry_after))])
        headers = [
            ("Allow", ", ".join(self._methods)),
            ("Accept", ACCEPT),
            ("Supported", SUPPORTED if self._registrar is None else f"{SUPPORTED}, path, outbound"),
            ("Server", stack.settings.user_agent),
        ]
        return request.respond(200, headers=headers)

    def _answer_statelessly(self, request: Request, hop: Hop, response: Response) -> None:
        self._stack.transmit(response.encode(), reply_hop(request, hop))

    # --------------------------------------------------------------------------------------- inside dialogs

    def _receive_inside(self, request: Request, hop: Hop, now: float) -> None:
        stack = self._stack
        dialog = self._dialog_of(request)
        handle = self._inside.get(request.method)
        watch = stack.watches.get((request.call_id, request.to.tag or "")) if dialog is None else None
        if dialog is None and watch is None:
            self._answer_statelessly(request, hop, request.respond(481))
            return
        if len(stack.transactions) >= stack.settings.max_transactions:
            headers = [("Retry-After", str(stack.settings.retry_after))]
            self._answer_statelessly(request, hop, request.respond(503, headers=headers))
            return
        transaction = stack.transactions.begin(request, hop, now)
        if dialog is None:
            self._watched(watch, request, transaction, now)
            return
        transaction.always = dialog.session.manner.always
        if not dialog.in_order(request):
            transaction.respond(request.respond(500, "CSeq Out Of Order"), now)
        elif handle is None:
            transaction.respond(request.respond(405, headers=[("Allow", ALLOW)]), now)
        elif dialog.hop.between and not hop.between:  # TLS has let in who is at the other end, nobody else
            transaction.respond(request.respond(403), now)
        elif dialog.session.over and request.method not in ("BYE", "NOTIFY", "SUBSCRIBE"):
            transaction.respond(request.respond(481), now)
        else:
            if hop != dialog.hop:
                dialog.hop = hop
            handle(dialog, request, transaction, now)

    def _watched(self, watch: Watch | None, request: Request, transaction: Transaction, now: float) -> None:
        if watch is None or request.method != "NOTIFY":
            transaction.respond(request.respond(481), now)
        else:
            watch.notified(request, transaction, now)

    def _dialog_of(self, request: Request) -> Dialog | None:
        return self._stack.dialogs.get((request.call_id, request.to.tag or "", request.from_.tag or ""))

    def _ack(self, request: Request, now: float) -> None:
        dialog = self._dialog_of(request)
        if dialog is None:
            self._stack.dropped["stray ACK"] += 1
            return
        session = dialog.session
        if session.callee is None or not session.callee.acknowledged(request, now):
            session.renegotiation.acknowledged(request, now)

    def _cancel(self, request: Request, hop: Hop, now: float) -> None:
        transactions = self._stack.transactions
        invite = transactions.find_cancelled(request)
        if invite is None or invite.table is not INVITE_SERVER:
            self._answer_statelessly(request, hop, request.respond(481))
            return
        tag = invite.request.to.tag
        transaction = transactions.begin(request, hop, now)
        transaction.respond(request.respond(200, tag=tag), now)
        if invite.cancelled is not None and not invite.answered:
            invite.cancelled(request, now)

    def _bye(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        transaction.respond(request.respond(200), now)
        session = dialog.session
        if session.callee is not None:
            session.callee.hung_up()
        session.feed(RECEIVE_BYE, now, Ended(session, "bye", request.headers.get("Reason")))

    def _renegotiate(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        session = dialog.session
        if dialog is session.dialog:
            session.renegotiation.receive(request, transaction, now)
        else:
            # Another fork that only rings: what it asks for counts once it is the one that talks to us.
            transaction.respond(request.respond(500, headers=[("Retry-After", "2")]), now)

    def _prack(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        session = dialog.session
        if session.callee is None or not session.callee.prack(request, now):
            transaction.respond(request.respond(481), now)
        elif sdp_of(request) is not None and dialog.offer.stable and dialog.offer.remote != sdp_of(request):
            session.renegotiation.receive(request, transaction, now)
        else:
            transaction.respond(request.respond(200), now)
            session.callee.pracked(now)

    def _info(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        digit = read_digit(request)
        if digit is not None:
            self._stack.emit(DtmfInfo(dialog.session, *digit))
        elif request.body:
            accept = "application/dtmf-relay, application/dtmf"
            transaction.respond(request.respond(415, headers=[("Accept", accept)]), now)
            return
        transaction.respond(request.respond(200), now)

    def _refer(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        dialog.session.transfers.asked(request, transaction, now)

    def _notify(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        dialog.session.transfers.notified(request, transaction, now)

    def _subscribe(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        dialog.session.transfers.resubscribed(request, transaction, now)

    def _options_inside(self, dialog: Dialog, request: Request, transaction: Transaction, now: float) -> None:
        transaction.respond(self._options(request), now)


class Delayed:
    """A refusal that a slowed source waits for."""

    __slots__ = ("_response", "_transaction")

    def __init__(self, stack: Stack, transaction: Transaction, response: Response, at: float) -> None:
        self._transaction = transaction
        self._response = response
        stack.timeouts.start(at, self, "delayed")

    def fire(self, name: str, now: float) -> None:
        """Its time has come."""
        self._transaction.respond(self._response, now)
