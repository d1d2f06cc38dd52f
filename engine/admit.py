"""A new call at the door: who calls, what for, and may it come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from engine.browser import is_browsers
from engine.call import Call
from engine.description import Description, PhoneDescription
from engine.encryption import Encryption, policy
from engine.events import CallArrived, EndReason, Side
from engine.leg import Leg
from engine.states import State
from routing.agent import IllegalTransition
from routing.number import Callers, Found, QueueTarget
from sip.errors import SipError
from sip.events import IncomingCall

if TYPE_CHECKING:
    from config.line import LineSettings
    from engine.switch import Switch

log = structlog.get_logger("admit")


def incoming(switch: Switch, event: IncomingCall, now: float) -> None:
    """Every admitted INVITE becomes a call with a record, also one that is refused here."""
    if event.replaces is not None:
        _replacing(switch, event, now)
        return
    room = _room(switch, now)
    found = switch.plan.find(event.request.uri.user or "", _country(switch, event)) if room else None
    call = _new_call(switch, event, found, now)
    if not room:
        call.end(Side.ENGINE, EndReason.OVERLOAD, now, refusal=503)
        return
    if found is None or not _may_dial(switch, event, found):
        call.end(Side.ENGINE, EndReason.UNKNOWN_NUMBER, now, refusal=404)
        return
    call.number = found.number
    call.found = found
    if event.identity.name in switch.acd.agents:
        try:
            switch.acd.begin(event.identity.name, call.id, now)
        except IllegalTransition:
            call.end(Side.ENGINE, EndReason.BUSY, now, refusal=486)
            return
        assert call.customer is not None
        call.customer.agent = event.identity.name
    _open(switch, call, event, now)


class Rate:
    """So many a second, a second's worth at once (a token bucket)."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._tokens = per_s
        self._at = 0.0

    def take(self, now: float) -> bool:
        self._tokens = min(self._per_s, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def _room(switch: Switch, now: float) -> bool:
    """Whether one more call can be carried without harm to those in progress."""
    in_rate = switch.call_rate.take(now)
    return (
        in_rate
        and len(switch.calls) < switch.config.node.limits.max_calls
        and switch.media.place() is not None
    )


def ready(call: Call, now: float) -> None:
    """The customer's media leg is open: send the call on its way."""
    if call.state is State.ARRIVED:
        assert call.found is not None
        call.switch.direct(call, call.found, now)


def _new_call(switch: Switch, event: IncomingCall, found: Found | None, now: float) -> Call:
    user = event.request.uri.user or ""
    call = Call(switch, switch.new_id(now), user, event.identity.name or event.identity.kind, now)
    caller = event.request.from_
    call.caller = event.identity.name if event.identity.kind == "user" else (caller.uri.user or "anonymous")
    call.display = _account_name(switch, event) or caller.display
    node = switch.config.node
    call.market = _market(switch, event, found)
    call.region, call.language = node.region, node.language
    switch.calls[call.id] = call
    call.customer = call.new_leg(Side.CUSTOMER)
    call.customer.name = call.caller
    call.customer.session = event.session
    switch.sessions[event.session.id] = call.customer
    call.note(
        CallArrived,
        now,
        contact=call.contact,
        customer=call.caller,
        market=call.market,
        region=call.region,
        number=call.number,
        language=call.language,
        source=call.source,
        node=node.name,
    )
    return call


def _open(switch: Switch, call: Call, event: IncomingCall, now: float) -> None:
    leg = call.customer
    assert leg is not None
    leg.description = _description(switch, leg, event)
    if event.offer:
        try:
            leg.take_offer(event.offer)
        except SipError as error:
            call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now, refusal=error.sip_status)
            return
    leg.open()


def _replacing(switch: Switch, event: IncomingCall, now: float) -> None:
    """INVITE with Replaces (RFC 3891): only an account of ours may take a leg's place."""
    assert event.replaces is not None
    old = switch.sessions.get(event.replaces.id)
    if old is None or old.session is not event.replaces or event.identity.kind != "user":
        event.session.reject(481 if old is None else 403, now=now)
        return
    call = old.call
    leg: Leg = call.new_leg(old.side)
    leg.session, leg.name, leg.replaces = event.session, event.identity.name, old
    leg.description = _description(switch, leg, event)
    switch.sessions[event.session.id] = leg
    try:
        if event.offer:
            leg.take_offer(event.offer)
        if leg.name in switch.acd.agents:
            switch.acd.begin(leg.name, call.id, now)
            leg.agent = leg.name
    except (SipError, IllegalTransition) as error:
        event.session.reject(getattr(error, "sip_status", 486), now=now)
        leg.session = None
        return
    leg.open()


def _line(switch: Switch, event: IncomingCall) -> LineSettings | None:
    return switch.config.lines.get(event.identity.name) if event.identity.kind == "line" else None


def _description(switch: Switch, leg: Leg, event: IncomingCall) -> Description:
    """How the far end describes itself; a browser's offer is refused as any other where none is let in."""
    browsers = leg.give_door() if event.offer and is_browsers(event.offer) else None
    return browsers or PhoneDescription(switch.media.capabilities, _encryption(switch, event))


def _encryption(switch: Switch, event: IncomingCall) -> Encryption:
    line, media, dialog = _line(switch, event), switch.config.media, event.session.dialog
    transport = dialog.hop.transport if dialog is not None else "udp"
    wanted = policy(line.srtp if line else media.srtp, transport)
    return Encryption(wanted, media.srtp_suites, switch.rng)


def _country(switch: Switch, event: IncomingCall) -> str:
    line = _line(switch, event)
    return line.country if line else switch.config.node.country


def _market(switch: Switch, event: IncomingCall, found: Found | None) -> str:
    """The queue's that was dialled, else that of the line it was dialled over, else the node's."""
    target = found.destination if found else None
    queue = switch.acd.queues[target.name].spec.market if isinstance(target, QueueTarget) else ""
    line = _line(switch, event)
    return queue or (line.market if line else None) or switch.config.node.market


def _account_name(switch: Switch, event: IncomingCall) -> str:
    """What the caller's account is called, "" for none: a name that the phone cannot make up."""
    if event.identity.kind != "user":
        return ""
    config, name = switch.config, event.identity.name
    account = config.agents.get(name) or config.users.get(name)
    return account.display if account else ""


def _may_dial(switch: Switch, event: IncomingCall, found: Found) -> bool:
    allowed = found.rule.callers
    if allowed is Callers.ANYONE:
        return True
    if event.identity.kind != "user":
        return False
    return allowed is Callers.USERS or event.identity.name in switch.acd.agents
