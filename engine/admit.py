"""A new call at the door: who calls, what for, and may it come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from engine import early_sound
from engine.browser import is_browsers
from engine.call import Call
from engine.cluster.redirect import nearer
from engine.description import Description, PhoneDescription
from engine.encryption import Encryption, policy
from engine.events import CallArrived, EndReason, Side
from engine.leg import Leg
from engine.signalling import PAGE, RESERVING, SIP, Manner, Signalling
from engine.states import State
from engine.talking import answer_customer
from engine.trunk.diversions import told
from engine.trunk.invitation import manner_of
from engine.trunk.parties import claimed
from routing.agent import IllegalTransition
from routing.dial import arrived
from routing.identity import ANONYMOUS, Caller, Diverted
from routing.number import Callers, Echo, Found, QueueTarget
from sip import early_media
from sip.called import called
from sip.errors import SipError
from sip.events import IncomingCall, Reserved
from sip.hop import WEBSOCKETS

if TYPE_CHECKING:
    from config.line import LineSettings
    from engine.switch import Switch

log = structlog.get_logger("admit")

LATER_S = 5.0  # told to whoever finds no room; a proxy before us takes it for a reason to ask another node


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call, by whatever way it came.

    source: the line or account it came by, or what kind of way that was. account: of ours, "" for none.
    transport: of its signalling. market, language: where the caller has a say in them.
    withheld: the number of a private caller. comeback: what tells that she is the same when she calls again.
    heeds: her network acts upon what may be heard before the answer (RFC 5009). owed: it wants an offer of
    ours with the first sign of progress (RFC 3262 section 5). diverted: whom the call was for before.
    """

    session: Signalling
    dialled: str
    source: str
    caller: str
    display: str = ""
    account: str = ""
    line: LineSettings | None = None
    transport: str = "udp"
    offer: bytes | None = None
    market: str = ""
    language: str = ""
    private: bool = False
    withheld: str = ""
    comeback: str = ""
    manner: Manner = SIP
    heeds: bool = False
    owed: bool = False
    diverted: Sequence[Diverted] = ()


def incoming(switch: Switch, event: IncomingCall, now: float) -> None:
    """An INVITE that was admitted."""
    elsewhere = nearer(switch, event, now) if event.replaces is None else ()
    if elsewhere:
        log.info("sent on to a node that is nearer", to=elsewhere[0].host)
        event.session.redirect(elsewhere, now=now)
        return
    arrival = _of_phone(switch, event)
    if event.replaces is None:
        begin(switch, arrival, now)
        return
    old = switch.sessions.get(event.replaces.id)
    if old is None or old.session is not event.replaces:
        event.session.reject(481, now=now)
    elif not arrival.account or arrival.account != old.account:
        event.session.reject(403, now=now)  # RFC 3891 section 5: knowing a dialog's tags proves nothing
    else:
        replace(old, arrival, now)


def _of_phone(switch: Switch, event: IncomingCall) -> Arrival:
    identity = event.identity
    account = identity.name if identity.kind == "user" else ""
    transport = event.source.transport
    browser = event.offer is not None and is_browsers(event.offer)
    line = switch.config.lines.get(identity.name) if identity.kind == "line" else None
    who = _caller(event, line)
    if line is not None:
        event.session.manner = manner_of(line)
    return Arrival(
        session=event.session,
        dialled=called(event.request, line.contact_user if line is not None else "").user,
        source=identity.name or identity.kind,
        caller=account or ("" if who.private else who.number) or ANONYMOUS,
        display=_account_name(switch, account) or ("" if who.private else who.name),
        withheld=who.number if who.private else "",
        account=account,
        line=line,
        transport=transport,
        offer=event.offer,
        private=who.private,
        manner=_manner(event, bool(account) and browser and transport in WEBSOCKETS),
        diverted=told(event.request, line.terms()) if line is not None else (),
        owed=event.offer is None and "100rel" in event.request.headers.tokens("Require"),
        heeds=line is not None and line.kind == "ims" and early_media.heeded(event.request),
    )


def _manner(event: IncomingCall, page: bool) -> Manner:
    if page:
        return PAGE
    return RESERVING if event.session.reserves else SIP


def _caller(event: IncomingCall, line: LineSettings | None) -> Caller:
    """Over a line, whom its carrier is to be believed; else what From says."""
    if line is not None:
        return claimed(event.request, line.terms())
    from_ = event.request.from_
    return Caller(from_.uri.user, from_.display)


def begin(switch: Switch, arrival: Arrival, now: float) -> Call:
    """Every call at the door has a record, also one that is refused here."""
    free = room(switch, now) or _emergency(switch, arrival)
    found = _leads_to(switch, arrival) if free else None
    call = _new_call(switch, arrival, found, now)
    found = _probed(call, arrival, found)
    if not free or not _channel(call, arrival):
        call.retry_after_s = LATER_S
        call.end(Side.ENGINE, EndReason.OVERLOAD, now, refusal=503)
    elif found is None or not _may_dial(switch, arrival.account, found):
        call.end(Side.ENGINE, EndReason.UNKNOWN_NUMBER, now, refusal=404)
    else:
        call.number, call.found = found.number, found
        if isinstance(found.destination, Echo):
            call.repair = "off"  # who hears herself is to hear the network as it is
        _open(switch, call, arrival, now)
    return call


def replace(old: Leg, arrival: Arrival, now: float) -> None:
    """The far end of a leg came back by another session: it takes the leg's place (engine/transfer.py)."""
    call, session = old.call, arrival.session
    switch = call.switch
    leg: Leg = call.new_leg(old.side)
    leg.session, leg.replaces, leg.manner = session, old, arrival.manner
    leg.name, leg.account = old.name, arrival.account
    leg.description = _description(switch, leg, arrival)
    switch.bind(session, leg)
    try:
        if arrival.offer:
            leg.take_offer(arrival.offer)
    except SipError as error:
        session.reject(error.sip_status, now=now)
        leg.session = None
        call.discard(leg)
    else:
        leg.open()


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


def room(switch: Switch, now: float) -> bool:
    """Whether one more call can be carried without harm to those in progress."""
    in_rate = switch.call_rate.take(now)
    return (
        in_rate
        and len(switch.calls) < switch.config.node.limits.max_calls
        and switch.media.place() is not None
    )


def _emergency(switch: Switch, arrival: Arrival) -> bool:
    """Calls for help pass the node's limits."""
    country = arrival.line.country if arrival.line else switch.config.node.country
    return (
        switch.media.place() is not None and switch.trunks.exchange.demand(arrival.dialled, country).emergency
    )


def ready(call: Call, now: float) -> None:
    """The customer's media leg is open: send the call on its way."""
    if call.state is State.ARRIVED:
        assert call.found is not None and call.customer is not None
        if not call.customer.manner.rings:
            answer_customer(call, now, None)
        elif call.customer.manner.reserves and call.customer.session is not None:
            early_sound.tell(call.customer, early_sound.PROGRESS, "inactive", now, describes=True)
            return
        call.switch.direct(call, call.found, now)


def reserved(switch: Switch, event: Reserved, now: float) -> None:
    """A mobile network's call has all it needs: now somebody may be rung."""
    leg = switch.sessions.get(event.session.id)
    call = leg.call if leg is not None else None
    if call is not None and call.state is State.ARRIVED and call.found is not None:
        switch.direct(call, call.found, now)


def _channel(call: Call, arrival: Arrival) -> bool:
    """Whether the line that it came over has one for it, where it came over one."""
    assert call.customer is not None
    if arrival.line is None:
        return True
    if not call.switch.trunks.exchange.took(arrival.line.name):
        return False
    call.customer.line = arrival.line.name
    call.customer.patience_s = call.switch.trunks.patience_s(arrival.line.name, back=True)
    return True


def _leads_to(switch: Switch, arrival: Arrival) -> Found | None:
    """Where what was dialled leads: over a line in that line's form, and to its own numbers first."""
    if arrival.line is None:
        own = switch.tickets.leads_to(arrival.account)
        return own or switch.plan.find(arrival.dialled, switch.config.node.country)
    return arrived(arrival.line.terms(), switch.plan, arrival.dialled)


def _probed(call: Call, arrival: Arrival, found: Found | None) -> Found | None:
    """Where it leads if it is a probe's call that comes back over a line; else as found."""
    tickets = call.switch.tickets
    tickets.began(arrival.account, call)
    if arrival.line is None or not len(tickets):
        return found
    number = found.number if found is not None else arrival.line.terms().incoming.incoming(arrival.dialled)
    return tickets.arrives(call, number, found) or found


def _new_call(switch: Switch, arrival: Arrival, found: Found | None, now: float) -> Call:
    node = switch.config.node
    call = Call(switch, switch.new_id(now), arrival.dialled, arrival.source, now)
    call.caller, call.display, call.private = arrival.caller, arrival.display, arrival.private
    call.diverted, call.withheld = arrival.diverted, arrival.withheld
    call.line, call.comeback = arrival.line, arrival.comeback or _comeback(arrival)
    call.market = _market(switch, arrival, found)
    call.region, call.chosen_language = node.region, arrival.language
    call.language = arrival.language or node.language
    switch.calls[call.id] = call
    leg = call.customer = call.new_leg(Side.CUSTOMER)
    leg.name, leg.account = call.caller, arrival.account
    leg.session, leg.manner = arrival.session, arrival.manner
    leg.preview.heeds, leg.preview.owed = arrival.heeds, arrival.owed
    switch.bind(arrival.session, leg)
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


def _open(switch: Switch, call: Call, arrival: Arrival, now: float) -> None:
    leg = call.customer
    assert leg is not None
    try:
        if arrival.account in switch.acd.agents:
            switch.acd.begin(arrival.account, call.id, now)
            leg.agent = arrival.account
        leg.description = _description(switch, leg, arrival)
        if arrival.offer:
            leg.take_offer(arrival.offer)
    except IllegalTransition:
        call.end(Side.ENGINE, EndReason.BUSY, now, refusal=486)
    except SipError as error:
        call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now, refusal=error.sip_status)
    else:
        leg.open()


def _description(switch: Switch, leg: Leg, arrival: Arrival) -> Description:
    """How the far end describes itself; a browser's offer is refused as any other where none is let in."""
    browsers = leg.give_door() if arrival.offer and is_browsers(arrival.offer) else None
    if browsers is not None:
        return browsers
    media = switch.config.media
    wanted = policy(arrival.line.srtp if arrival.line else media.srtp, arrival.transport)
    name = arrival.line.name if arrival.line else ""
    encryption = Encryption(wanted, media.srtp_suites, switch.rng)
    return PhoneDescription(switch.trunks.capabilities(name), encryption)


def _market(switch: Switch, arrival: Arrival, found: Found | None) -> str:
    """The caller's, the queue's that was dialled, that of the line it was dialled over, or the node's."""
    target = found.destination if found else None
    queue = switch.acd.queues[target.name].spec.market if isinstance(target, QueueTarget) else ""
    line = arrival.line.market if arrival.line else None
    return arrival.market or queue or line or switch.config.node.market


def _comeback(arrival: Arrival) -> str:
    """Who calls by phone is who has that account, or calls by that line from that number."""
    if arrival.account:
        return f"account:{arrival.account}"
    known = arrival.line is not None and arrival.caller != ANONYMOUS
    return f"number:{arrival.caller}" if known else ""


def _account_name(switch: Switch, account: str) -> str:
    """What the caller's account is called, "" for none: a name that the phone cannot make up."""
    config = switch.config
    known = config.agents.get(account) or config.users.get(account)
    return known.display if known else ""


def _may_dial(switch: Switch, account: str, found: Found) -> bool:
    if account in switch.page_phones:
        return False
    allowed = found.rule.callers
    if allowed is Callers.ANYONE:
        return True
    return bool(account) and (allowed is Callers.USERS or account in switch.acd.agents)
