"""A call of a node that was lost goes on here, from what was written down of it (engine/cluster/replica.py).

A leg that comes from another node is one that moves to another worker (engine/housing.py): it is opened, its
phone told the new port by a re-INVITE, and heard as soon as that is answered. Browsers are waited for
(engine/absence.py): only they can find the way. What a call does next stands in GOES_ON, by its state:

- who talked or held goes on so; who was greeted is greeted again, for a notice must be heard to its end;
- who waited has her place again. A phone that rang for her is not ours to answer: that offer is over;
- a caller who was answered and for whom somebody was dialled hears music while he is dialled anew;
- in a transfer the target's ringing is lost: the transferor has the customer back (engine/transfer.py);
- what was not answered cannot go on: its INVITE is one transaction of the node that is gone. The caller's
  phone, or the proxy in front, sends it again to another node, where it is a call of its own;
- what was over has its record written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from engine import absence, dialling, echo, halves, recording, talking, waiting
from engine.attempt import Outcome
from engine.bridge import part
from engine.call import Call
from engine.cluster.replica import CallReplica, LegReplica, Told, read_destination
from engine.crossed import Origin
from engine.description import PhoneDescription
from engine.encryption import Encryption, Form, Policy
from engine.events import CallCrossed, CallTaken, EndReason, LegReturned, Side
from engine.leg import Media
from engine.signalling import PAGE, SIP, WHIP, Signalling
from engine.states import State, Trigger
from engine.transfer import Referral
from routing.queue import Place
from sip import sdp
from sip.errors import BadSnapshot, Malformed, WrongState
from sip.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.leg import Leg
    from engine.switch import Switch

MANNERS = {"sip": SIP, "page": PAGE, "whip": WHIP}
UNAVAILABLE = Outcome(503)
LAST_WORDS_AT = (0.0, 0.5, 1.5)  # seconds after it was taken over

log = structlog.get_logger("takeover")


def revive(switch: Switch, replica: CallReplica, taken_from: str, now: float) -> Call:
    """The call, in this switch from now on; one that cannot go on ends at once, with its record. Its agents
    are engaged in it already (Acd.resume).
    """
    talks = replica.state in halves.TALKS
    whole = None
    if talks and replica.origin is not None:
        whole = halves.customers(switch, replica.origin[1], taken_from)
    if whole is not None:
        _rejoin(whole, replica, now)
        return whole
    call = _call(switch, replica, taken_from)
    switch.calls[call.id] = call
    _tell(call, replica, taken_from, now)
    _say_last(call, replica, now)
    if replica.state is State.ENDING:
        _ended(call, replica, now)
        return call
    half = halves.agents(switch, call.id, taken_from) if talks else None
    if half is not None:
        halves.dissolve(half, call, now)
    for each in replica.legs:
        if half is None or each.role == "customer":
            _bring(call, each, now)
    if call.customer is None:
        call.end(Side.ENGINE, EndReason.NODE_LOST, now)
    else:
        call.recording = recording.resumed(call, replica.recorded, now)
        GOES_ON[replica.state](call, replica, now)
    switch.touched(call, now)
    return call


def _say_last(call: Call, replica: CallReplica, now: float) -> None:
    """Who rings for it need not ring on, and who waits for an answer gets one: by UDP perhaps, so time and
    again. The answers go to the node that is gone.
    """

    def say(at: float) -> None:
        for word in replica.last_words:
            try:
                call.switch.user_agent.say_last(word)
            except BadSnapshot as fault:
                log.warning("a last word cannot be said", call=call.id, why=str(fault))

    for after in LAST_WORDS_AT if replica.last_words else ():
        call.switch.timers.at(now + after, say)


def _tell(call: Call, replica: CallReplica, taken_from: str, now: float) -> None:
    """The call's first event here; of one that crossed to the node that was lost, whose it is."""
    if call.origin is not None:
        origin, queue = call.origin, replica.queue
        call.note(
            CallCrossed,
            now,
            contact=call.contact,
            customer=call.caller,
            node=origin.node,
            origin=origin.call,
            agent=origin.agent,
            queue=queue,
        )
        return
    call.note(
        CallTaken,
        now,
        contact=call.contact,
        customer=call.caller,
        market=call.market,
        region=call.region,
        number=call.number,
        language=call.language,
        source=call.source,
        node=call.switch.config.node.name,
        taken_from=taken_from,
        state=replica.state,
        began=replica.told.arrived,
        recording=" ".join(call.recorded),
    )


def _call(switch: Switch, replica: CallReplica, taken_from: str) -> Call:
    call = Call(switch, replica.id, replica.number, replica.source, switch.instant(replica.told.arrived))
    call.contact, call.caller, call.display = replica.contact, replica.caller, replica.display
    call.market, call.region = replica.market, replica.region
    call.private, call.comeback = replica.private, replica.comeback
    call.line = switch.config.lines.get(replica.source)
    call.language, call.chosen_language = replica.language, replica.chosen_language
    call.destination = read_destination(replica.destination)
    queue = switch.acd.queues.get(replica.queue)
    call.queue = queue.spec if queue is not None else None
    call.agent, call.held_by = replica.agent, set(replica.held_by)
    call.misses, call.transfers = replica.misses, replica.transfers
    call.taken_from = (*replica.taken_from, taken_from)
    recording.inherited(call, replica.recorded)
    call.origin = Origin(*replica.origin) if replica.origin is not None else None
    _tell_time(call, replica.told)
    return call


def _tell_time(call: Call, told: Told) -> None:
    def at(when: float | None) -> float | None:
        return None if when is None else call.switch.instant(when)

    clocks = call.clocks
    clocks.ringing, clocks.answered, clocks.queued = at(told.ringing), at(told.answered), at(told.queued)
    clocks.connected, clocks.held, clocks.hold_s = at(told.connected), at(told.held), told.hold_s


# --- legs --------------------------------------------------------------------------------------------------


def _bring(call: Call, replica: LegReplica, now: float) -> Leg | None:
    """A leg, as far as its far end can be spoken to."""
    session = None
    if call.customer is not None or replica.role == "customer":
        session = _session(call, replica, now)
    if session is None:
        call.switch.acd.release(replica.agent, call.id, now)
        return None
    leg = call.new_leg(Side.CUSTOMER if replica.role == "customer" else replica.side)
    leg.session, leg.manner, leg.connected = session, MANNERS[replica.manner], True
    leg.name, leg.account, leg.agent = replica.name, replica.account, replica.agent
    leg.node = replica.node
    call.switch.bind(session, leg)
    if replica.line in call.switch.config.lines and call.switch.trunks.exchange.took(replica.line):
        leg.line = replica.line
    if replica.role == "customer":
        call.customer = leg
    else:
        call.party = leg
        call.transferor = leg if replica.role == "transferor" else None
    if leg.manner is SIP:
        _describe(leg, replica)
        leg.moving = True
        leg.open()
    return leg


def _session(call: Call, replica: LegReplica, now: float) -> Signalling | None:
    switch = call.switch
    if replica.manner == "whip":
        return switch.whip.expect(replica.token) if switch.whip is not None and replica.token else None
    try:
        account = switch.trunks.account(replica.line)
        session = switch.user_agent.restore(Snapshot.read(replica.session), account, now=now)
        session.manner = switch.trunks.manner(replica.line)
        return session
    except (BadSnapshot, WrongState) as fault:
        log.warning("a leg cannot be taken up", call=call.id, role=replica.role, why=str(fault))
        return None


def _describe(leg: Leg, replica: LegReplica) -> None:
    """Its side of offer and answer, with the same profile and fresh keys."""
    switch = leg.call.switch
    known = replica.policy in set(Policy)
    policy = Policy(replica.policy) if known else Policy.OFF
    encryption = Encryption(policy, switch.config.media.srtp_suites, switch.rng)
    if replica.proto:
        encryption.form = Form(replica.proto, replica.keyed)
    leg.description = description = PhoneDescription(switch.trunks.capabilities(replica.line), encryption)
    if leg.node and leg is leg.call.customer and Side.AGENT in leg.call.held_by:
        description.direction = "sendonly"  # engine/crossed.py
    try:
        description.resume(sdp.parse(replica.local), replica.codec)
    except Malformed as fault:  # then it is described as if for the first time
        log.warning("a description cannot be read", call=leg.call.id, why=str(fault))


# --- the other half is here --------------------------------------------------------------------------------


def _rejoin(whole: Call, replica: CallReplica, now: float) -> None:
    """The agent's half of a call whose customer is at this node: her leg takes the place of the one that
    crossed, and the two talk or hold as they did.
    """
    crossed, whole.party = whole.party, None
    assert whole.customer is not None and crossed is not None
    part(whole, whole.customer, crossed)
    halves.forget(crossed, now)
    hers = next((each for each in replica.legs if each.role == "party"), None)
    leg = _bring(whole, hers, now) if hers is not None else None
    if leg is None:
        whole.switch.acd.release(hers.agent if hers else "", replica.id, now)
        whole.fire(Trigger.AGENT_LOST, now)
        return
    whole.switch.acd.move(leg.agent, replica.id, whole.id)
    whole.note(LegReturned, now, leg=leg.number, side=leg.side)
    _await(leg, now)
    _hold(whole, Side.AGENT in replica.held_by, now)
    whole.switch.touched(whole, now)


def _hold(call: Call, by_agent: bool, now: float) -> None:
    """As the agent's half had it."""
    call.held_by = (call.held_by - {Side.AGENT}) | ({Side.AGENT} if by_agent else set())
    if call.state is State.TALKING and call.held_by:
        call.fire(Trigger.HOLD, now, next(iter(call.held_by)))
    elif call.state is State.HELD and not call.held_by:
        call.fire(Trigger.RESUME, now, Side.AGENT)
    elif call.state is State.HELD:
        for side in sorted(call.held_by):
            talking.entertain(call, side)
    else:
        absence.reunite(call)


# --- what the call does next -------------------------------------------------------------------------------


def _talks(call: Call, replica: CallReplica, now: float) -> None:
    customer, party = call.customer, call.party
    assert customer is not None
    if party is None:
        call.end(Side.ENGINE, EndReason.NODE_LOST, now)
        return
    call.state = State.HELD if call.held_by else State.TALKING
    _limit(call, now)
    for leg in (customer, party):
        _await(leg, now)
    if call.state is State.HELD:
        call.clocks.held = call.clocks.held or now
        for side in sorted(call.held_by):
            talking.entertain(call, side)
    else:
        absence.reunite(call)


def _nowhere(call: Call, now: float) -> None:
    """There is a caller, and nothing more that is known here to be done for her."""
    call.state = State.DIALLING
    call.leave("unreachable", Side.ENGINE, EndReason.UNREACHABLE, now)


def _limit(call: Call, now: float) -> None:
    """The node's longest call, as counted from its beginning."""
    longest = call.switch.config.node.limits.max_call_s
    left = longest - (now - (call.clocks.connected or now))
    call.arm_action("too_long", max(0.0, left), lambda at: call.end(Side.ENGINE, EndReason.TOO_LONG, at), now)


def _await(leg: Leg, now: float) -> None:
    """One that only its far end can bring back."""
    waits = leg.manner is not SIP and leg.media is Media.NONE
    if waits and not absence.gone(leg, now):
        talking.left(leg.call, leg, "gone", now)


def _waits(call: Call, replica: CallReplica, now: float) -> None:
    if call.queue is None or call.customer is None:
        _nowhere(call, now)
        return
    call.state = State.QUEUED
    place = replica.place
    joined = call.switch.instant(place.joined_at) if place is not None else now
    back = None
    if place is not None:
        back = Place(call.id, joined, place.priority, place.rank, caller=call.comeback)
    waiting.return_to_place(call, now, back)
    _await(call.customer, now)


def _greeted(call: Call, replica: CallReplica, now: float) -> None:
    if call.queue is None or call.customer is None or call.customer.manner is not SIP:
        _waits(call, replica, now)
        return
    call.state = State.GREETING
    waiting.welcome(call, now, None)


def _dials(call: Call, replica: CallReplica, now: float) -> None:
    """The caller was answered: who was rung is rung anew."""
    assert call.customer is not None
    call.state = State.DIALLING
    if call.destination is None:
        _nowhere(call, now)
        return
    dialling.dial(call, now, None)
    _await(call.customer, now)


def _transfers(call: Call, replica: CallReplica, now: float) -> None:
    if call.transferor is None:
        call.state = State.TRANSFERRING
        _dials(call, replica, now) if call.destination is not None else _waits(call, replica, now)
        return
    call.state = State.TRANSFERRING
    call.referral = Referral(call.transferor, call.transferor.name, call.destination)
    _limit(call, now)
    for leg in tuple(call.legs):
        _await(leg, now)
    call.fire(Trigger.FAILED, now, UNAVAILABLE)


def _echoes(call: Call, replica: CallReplica, now: float) -> None:
    call.state = State.ECHOING
    echo.loop_back(call, now, None)


def _leaves(call: Call, replica: CallReplica, now: float) -> None:
    farewell = replica.farewell
    by, reason = (farewell.by, farewell.reason) if farewell else (Side.ENGINE, EndReason.NODE_LOST)
    call.end(by, reason, now)


def _lost(call: Call, replica: CallReplica, now: float) -> None:
    call.end(Side.ENGINE, EndReason.NODE_LOST, now)


def _ended(call: Call, replica: CallReplica, now: float) -> None:
    """It was over; what the media workers would have told of it nobody knows."""
    farewell = replica.farewell
    call.state = State.ENDING
    call.ended_at = now
    call.ended_by, call.reason = Side.ENGINE, EndReason.NODE_LOST
    if farewell is not None:
        call.ended_by, call.reason = farewell.by, farewell.reason
        call.ended_at = call.switch.instant(farewell.at) if farewell.at is not None else now
    call.fire(Trigger.CLOSED, now)


GOES_ON: dict[State, Callable[[Call, CallReplica, float], None]] = {
    State.ARRIVED: _lost,
    State.GREETING: _greeted,
    State.QUEUED: _waits,
    State.OFFERED: _waits,
    State.DIALLING: _dials,
    State.CROSSED: _lost,
    State.TALKING: _talks,
    State.HELD: _talks,
    State.TRANSFERRING: _transfers,
    State.ECHOING: _echoes,
    State.LEAVING: _leaves,
    State.ENDED: _lost,
}
