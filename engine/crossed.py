"""Calls of other nodes that have crossed to this one, for an agent of ours.

Such an INVITE is a call like any other, but for what it may do (ring her whom its ticket names) and for its
record: the customer's call has one, at her own node, and here there is a `call.crossed` that says whose it
is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import admit
from engine.attempt import Attempt, Outcome
from engine.call import Call
from engine.cluster.ticket import HEADER, Ticket, peek
from engine.crossing import NOT_HERS, NOTICED_S, TAKEN
from engine.description import PhoneDescription
from engine.dialling import REASONS
from engine.encryption import Encryption, Policy
from engine.events import CallCrossed, CallOffered, EndReason, OfferMissed, Side
from engine.states import State, Trigger
from media.messages import Direction
from routing.number import AgentTarget
from sip.errors import SipError

if TYPE_CHECKING:
    from engine.switch import Switch
    from sip.events import IncomingCall


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose call it is that has crossed to this node: of that node, under that id, for that agent."""

    node: str
    call: str
    agent: str


def arrive(switch: Switch, event: IncomingCall, now: float) -> None:
    """An INVITE with a good ticket. She is granted here, or nowhere, and to this call alone."""
    ticket, session = peek(event.request.headers.get(HEADER) or ""), event.session
    between = switch.between
    if ticket is None or between is None or event.replaces is not None:
        session.reject(403, now=now)
        return
    queue = switch.acd.queues.get(ticket.queue)
    if not admit.room(switch, now):
        session.reject(503, now=now)
        return
    id = switch.new_id(now)
    granted = between.sharing.grants(ticket.agent, ticket.claim, now)
    if granted and ticket.queue:
        granted = queue is not None and switch.acd.grant(ticket.agent, id, ticket.queue, now)
    if not granted:
        between.sharing.refused(ticket.source)
        session.reject(TAKEN, now=now)
        return
    _open(switch, id, ticket, event, now)


def _open(switch: Switch, id: str, ticket: Ticket, event: IncomingCall, now: float) -> None:
    call = Call(switch, id, ticket.number, f"node:{ticket.source}", now)
    call.origin = Origin(ticket.source, ticket.call, ticket.agent)
    call.contact, call.caller, call.display = ticket.contact, ticket.caller, ticket.display
    call.private, call.market, call.region = ticket.private, ticket.market, ticket.region
    call.language = ticket.language
    call.clocks.queued = now - ticket.wait_s if ticket.queue else None
    if ticket.queue:
        call.queue, call.offered_agent = switch.acd.queues[ticket.queue].spec, ticket.agent
    switch.calls[id] = call
    leg = call.customer = call.new_leg(Side.CUSTOMER)
    leg.name, leg.session, leg.node = call.caller, event.session, ticket.source
    leg.patience_s = NOTICED_S
    switch.bind(event.session, leg)
    call.note(
        CallCrossed, now, contact=call.contact, customer=call.caller, node=ticket.source, origin=ticket.call,
        agent=ticket.agent, queue=ticket.queue,
    )  # fmt: skip
    media = switch.config.media
    encryption = Encryption(Policy.REQUIRED, media.srtp_suites, switch.rng)
    leg.description = PhoneDescription(switch.media.capabilities, encryption)
    try:
        leg.take_offer(event.offer or b"")
    except SipError as error:
        call.end(Side.ENGINE, EndReason.NOT_ACCEPTABLE, now, refusal=error.sip_status)
    else:
        leg.open()


def ready(call: Call, now: float) -> None:
    """Its sound can pass: ring her."""
    assert call.origin is not None
    if call.queue is not None:
        call.fire(Trigger.CROSSED, now)
    else:
        call.destination = AgentTarget(call.origin.agent)
        call.fire(Trigger.TO_PARTY, now)


def ring(call: Call, now: float, _: Any) -> None:
    assert call.queue is not None and call.origin is not None
    why = f"by node {call.origin.node}"
    call.note(CallOffered, now, queue=call.queue.name, agent=call.offered_agent, why=why)
    call.attempt = Attempt.to_agent(call, call.offered_agent, call.queue.ring_timeout_s)
    call.attempt.start(now)


def answered(call: Call, now: float, _: Any) -> None:
    call.switch.acd.accepted(call.offered_agent, call.id, now)
    call.agent, call.offered_agent = call.offered_agent, ""


def tell_hold(call: Call, now: float) -> None:
    """The customer's node is told whether her agent holds her: it plays music meanwhile, and it counts."""
    leg = call.customer
    if call.origin is None or leg is None or leg.session is None or not leg.connected:
        return
    held = call.state is State.HELD and Side.AGENT in call.held_by
    wanted: Direction = "sendonly" if held else "sendrecv"
    description = leg.description
    if isinstance(description, PhoneDescription) and description.direction != wanted:
        description.direction = wanted
        leg.session.reoffer(leg.offer(), now=now)


def missed(call: Call, now: float, outcome: Outcome) -> None:
    """She is counted a miss here; what became of it her caller's node is told by the status."""
    agent, call.offered_agent = call.offered_agent, ""
    call.attempt = None
    call.note(OfferMissed, now, agent=agent, outcome=outcome.word)
    call.switch.acd.missed(agent, call.id, now, refused=outcome.refused)
    reason = REASONS.get(outcome.status, EndReason.UNREACHABLE)
    refusal = 480 if outcome.status in NOT_HERS else outcome.status
    call.end(Side.ENGINE, reason, now, refusal=refusal)
