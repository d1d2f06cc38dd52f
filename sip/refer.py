"""Transfers inside a call: REFER (RFC 3515, 4488), Referred-By (3892), Replaces.

3891), and what is told of them by NOTIFY.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sip.dialog import Dialog, DialogKey
from sip.errors import Malformed
from sip.events import ReferProgress, Referred
from sip.headers import parse_params
from sip.message import NameAddr, Request, Response
from sip.outgoing import Outgoing
from sip.reasons import REASONS
from sip.timeouts import Timeout
from sip.transaction import Transaction
from sip.uri import Uri

if TYPE_CHECKING:
    from sip.session import Session

MAX_REFERRALS = 4  # at a time in one session, each way
_FRAGMENT = re.compile(rb"\s*SIP/2\.0 ([1-6][0-9][0-9])(?:\s|$)")
_ENDS = frozenset({"terminated"})


def replaces_value(session: Session) -> str | None:
    """The Replaces value that names a session of ours to whoever its far end is (RFC 3891 section 3)."""
    dialog = session.dialog
    if dialog is None:
        return None
    return f"{dialog.call_id};to-tag={dialog.remote_tag or '0'};from-tag={dialog.local_tag or '0'}"


def read_replaces(value: str) -> tuple[DialogKey, bool] | None:
    """(key of the dialog it means in our tables, whether only while unanswered); None when malformed."""
    call_id, _, rest = value.partition(";")
    try:
        found = dict(parse_params(";" + rest))
    except Malformed:
        return None
    ours, theirs = found.get("to-tag"), found.get("from-tag")
    if not call_id.strip() or ours is None or theirs is None:
        return None
    # Tags of 0 stand for peers that send none (RFC 3891 section 4).
    return (call_id.strip(), ours, "" if theirs == "0" else theirs), "early-only" in found


def find_replaced(dialogs: Mapping[DialogKey, Dialog], value: str | None) -> Session | None:
    """Our live session that a Replaces value names, or None."""
    named = read_replaces(value) if value else None
    dialog = dialogs.get(named[0]) if named is not None else None
    return dialog.session if dialog is not None and not dialog.session.over else None


class Subscription:
    """What a REFER set up implicitly: reports on the call it asked for, given (`notifies`) or taken."""

    __slots__ = ("dialog", "expiry", "id", "notifies", "silent", "transfers")

    def __init__(self, transfers: Transfers, dialog: Dialog, id: int, notifies: bool, silent: bool) -> None:
        self.transfers = transfers
        self.dialog = dialog
        self.id = id  # CSeq of the REFER (RFC 3515 section 2.4.6)
        self.notifies = notifies
        self.silent = silent  # the referrer wants no reports (RFC 4488)
        self.expiry: Timeout | None = None

    def fire(self, name: str, now: float) -> None:
        """Nothing final was said in time."""
        self.expiry = None
        self.transfers.expired(self, now)


class Transfers:
    """The REFERs of one session, sent and received."""

    __slots__ = ("_asked", "_session", "_subscriptions")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._subscriptions: list[Subscription] = []
        self._asked: Transaction | None = None  # theirs, waiting for accept or refuse

    @property
    def reporting(self) -> bool:
        """Whether reports are owed, or awaited."""
        return bool(self._subscriptions)

    # ------------------------------------------------------------------------------------------------- ours

    def refer(self, refer_to: Uri | NameAddr, replaced: Session | None, now: float) -> None:
        """Send a REFER; its fate comes as `ReferProgress`."""
        session = self._session
        address = refer_to if isinstance(refer_to, NameAddr) else NameAddr("", refer_to)
        value = replaces_value(replaced) if replaced is not None else None
        if value is not None:
            address = replace(address, uri=replace(address.uri, headers=(("Replaces", value),)))
        headers = [
            ("Refer-To", str(address)),
            ("Referred-By", f"<{session.local.uri}>"),
            ("Supported", "norefersub, replaces"),
        ]
        if len(self._subscriptions) >= MAX_REFERRALS:
            session.stack.emit(ReferProgress(session, 503, final=True))
            return
        session.send("REFER", self._on_answer, now, headers=headers, contact=True)

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        session, status = self._session, response.status
        if status < 200 or session.over:
            return
        if status >= 300:
            session.stack.emit(ReferProgress(session, status, final=True))
            if status == 481:
                session.gone(now)
            return
        silent = (response.headers.get("Refer-Sub") or "").strip().lower() == "false"
        if silent:
            session.stack.emit(ReferProgress(session, status, final=True))
        elif session.dialog is not None and not self._find(outgoing.request.cseq[0], False):
            self._subscribe(session.dialog, outgoing.request.cseq[0], False, False, now)
            session.stack.emit(ReferProgress(session, status))

    def notified(self, request: Request, transaction: Transaction, now: float) -> None:
        """A NOTIFY inside the dialog.

        200 when it belongs to a REFER of ours, else 481 (RFC 6665 section 4.1.3).
        """
        event, session = request.headers.get("Event") or "", self._session
        package, _, rest = event.partition(";")
        number = _event_id(rest)
        subscription = self._find(number, False)
        if package.strip().lower() != "refer":
            transaction.respond(request.respond(489), now)
            return
        if subscription is None and session.dialog is not None and not session.over and number is None:
            # The NOTIFY has overtaken the 202.
            subscription = self._subscribe(session.dialog, 0, False, False, now)
        if subscription is None:
            transaction.respond(request.respond(481), now)
            return
        transaction.respond(request.respond(200), now)
        state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
        fragment = _FRAGMENT.match(request.body[:64]) if request.content_type == "message/sipfrag" else None
        final = state in _ENDS or (fragment is not None and int(fragment[1]) >= 200)
        status = int(fragment[1]) if fragment is not None else 408 if final else 100
        if not session.over:
            session.stack.emit(ReferProgress(session, status, final))
        if final:
            self._unsubscribe(subscription)

    # ----------------------------------------------------------------------------------------------- theirs

    def asked(self, request: Request, transaction: Transaction, now: float) -> None:
        """A REFER inside the dialog, its CSeq found in order."""
        session = self._session
        lines = request.headers.all("Refer-To")
        if len(lines) != 1:
            transaction.respond(request.respond(400, "Bad Refer-To"), now)
            return
        if session.over or session.dialog is None:
            transaction.respond(request.respond(481), now)
            return
        if (self._asked is not None and not self._asked.answered) or len(
            self._subscriptions
        ) >= MAX_REFERRALS:
            transaction.respond(request.respond(491), now)
            return
        try:
            uri = NameAddr.parse(lines[0]).uri
        except Malformed:
            transaction.respond(request.respond(400, "Bad Refer-To"), now)
            return
        named = next((value for name, value in uri.headers if name.lower() == "replaces"), None)
        replaced = find_replaced(session.stack.dialogs, named)
        self._asked = transaction
        session.stack.emit(Referred(session, uri, replaced, request.headers.get("Referred-By")))

    def accept(self, now: float) -> None:
        """202, and the first NOTIFY at once (RFC 3515 section 2.4.4)."""
        transaction, dialog = self._asked, self._session.dialog
        if transaction is None or dialog is None:
            return
        self._asked = None
        request = transaction.request
        silent = (request.headers.get("Refer-Sub") or "").strip().lower() == "false"
        headers = [("Contact", self._session.contact(transaction.hop))]
        if silent:
            headers.append(("Refer-Sub", "false"))
        if transaction.respond(request.respond(202, headers=headers), now):
            self._subscribe(dialog, request.cseq[0], True, silent, now)
            self.notify(100, None, now)

    def refuse(self, status: int, now: float) -> None:
        """No."""
        transaction, self._asked = self._asked, None
        if transaction is not None:
            transaction.respond(transaction.request.respond(status), now)

    def notify(self, status: int, reason: str | None, now: float) -> None:
        """Report to every referrer of the session; from 200 on it is the last report."""
        session = self._session
        for subscription in [each for each in self._subscriptions if each.notifies]:
            final = status >= 200
            if not subscription.silent:
                left = session.stack.settings.refer_expires
                state = "terminated;reason=noresource" if final else f"active;expires={left}"
                headers = [
                    ("Event", f"refer;id={subscription.id}"),
                    ("Subscription-State", state),
                    ("Content-Type", "message/sipfrag;version=2.0"),
                ]
                body = f"SIP/2.0 {status} {reason or REASONS.get(status, '')}\r\n".encode()
                session.send(
                    "NOTIFY",
                    self._on_notified,
                    now,
                    headers=headers,
                    body=body,
                    dialog=subscription.dialog,
                    contact=True,
                )
            if final:
                self._unsubscribe(subscription)

    def _on_notified(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status in (408, 481):  # nobody listens any more
            for subscription in [each for each in self._subscriptions if each.notifies]:
                self._unsubscribe(subscription)

    def resubscribed(self, request: Request, transaction: Transaction, now: float) -> None:
        """A SUBSCRIBE inside the dialog: Expires 0 ends the reports, anything else changes nothing."""
        subscription = next((each for each in self._subscriptions if each.notifies), None)
        if subscription is None:
            transaction.respond(request.respond(481), now)
            return
        expires = request.expires
        granted = 0 if expires == 0 else self._session.stack.settings.refer_expires
        transaction.respond(request.respond(200, headers=[("Expires", str(granted))]), now)
        if granted == 0:
            subscription.silent = True

    # ---------------------------------------------------------------------------------------- subscriptions

    def expired(self, subscription: Subscription, now: float) -> None:
        """Called by a subscription whose time is over."""
        session = self._session
        if subscription.notifies and not subscription.silent:
            self.notify(408, "Transfer Timeout", now)
        else:
            self._unsubscribe(subscription)
            if not session.over and not subscription.notifies:
                session.stack.emit(ReferProgress(session, 408, final=True))

    def stop(self, now: float) -> None:
        """The session ends; reports that are owed go on in the dialog.

        RFC 5057), reports awaited are let go.
        """
        transaction, self._asked = self._asked, None
        if transaction is not None:
            transaction.respond(transaction.request.respond(481), now)

    def _subscribe(self, dialog: Dialog, id: int, notifies: bool, silent: bool, now: float) -> Subscription:
        subscription = Subscription(self, dialog, id, notifies, silent)
        stack = self._session.stack
        subscription.expiry = stack.timeouts.start(
            now + stack.settings.refer_expires, subscription, "refer expires"
        )
        dialog.usages += 1
        self._subscriptions.append(subscription)
        return subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._session.stack.timeouts.cancel(subscription.expiry)
            self._session.stack.release(subscription.dialog)

    def _find(self, id: int | None, notifies: bool) -> Subscription | None:
        """By the id of the Event header field; without one the only one there is."""
        mine = [each for each in self._subscriptions if each.notifies == notifies]
        if id is not None:
            mine = [each for each in mine if each.id in (id, 0)]
        return mine[0] if mine else None


def _event_id(params: str) -> int | None:
    try:
        value = dict(parse_params(";" + params)).get("id")
    except Malformed:
        return None
    return int(value) if value is not None and value.isdecimal() and len(value) < 11 else None
