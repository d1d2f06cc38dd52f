"""The halves of a call that crossed: the customer's at her node, the agent's at hers. What one half does when
the node of the other is gone.

Its leg to that node stays in the call, `bereft`, and whoever is left hears that the connection broke off.
Meanwhile the other half is taken over (engine/cluster/revival.py). Where another node has it, that one asks
this leg over by a re-INVITE in its dialog, and the call crosses to there from now on. Where this node has it
itself the two become one call: nothing crosses any more. What nobody has brought back after PATIENCE_S is
over: a customer is the next to be served, an agent is let go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from engine import absence
from engine.bridge import part
from engine.crossing import Crossing
from engine.events import EndReason, Side
from engine.states import State, Trigger

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg
    from engine.switch import Switch

PATIENCE_S = 6.0  # within which the heir of a node that is gone has asked over what it had
TALKS = (State.TALKING, State.HELD)

log = structlog.get_logger("crossing")


def lost(switch: Switch, node: str, now: float) -> None:
    """A node is gone. What rings there or comes from there is over; who talks is given time to be found."""
    for call in list(switch.calls.values()):
        attempt = call.attempt
        if isinstance(attempt, Crossing) and attempt.node == node:
            attempt.node_lost(now)
        elif call.origin is not None and call.origin.node == node and not call.clocks.connected:
            call.end(Side.ENGINE, EndReason.NODE_LOST, now, refusal=503)
        else:
            for leg in (call.customer, call.party):
                if leg is not None and leg.node == node and leg.connected:
                    bereave(leg, now)


def back(switch: Switch, node: str, now: float) -> None:
    """It is there after all, with its calls."""
    for call in list(switch.calls.values()):
        for leg in (call.customer, call.party):
            if leg is not None and leg.node == node and leg.session is not None:
                _met(leg, now)


def bereave(leg: Leg, now: float) -> bool:
    """Its node is gone, or nobody there knows the call any more; whether it is waited for."""
    if not leg.node or leg.call.ending or leg not in (leg.call.customer, leg.call.party):
        return False
    if not leg.bereft:
        leg.bereft = True
        leg.call.arm_action(_timer(leg), PATIENCE_S, lambda at: _expired(leg, at), now)
    heard(leg, now)
    return True


def heard(leg: Leg, now: float) -> None:
    """Sound of it stopped or came again. While it comes nothing is missing, whatever became of its node."""
    if not leg.bereft:
        return
    if _is_mute(leg):
        absence.gone(leg, now)
    else:
        absence.found(leg, now)


def asked_over(leg: Leg, now: float) -> None:
    """Its far end said where it is now: at the same node, or at one that has taken its half over."""
    call, between = leg.call, leg.call.switch.between
    session = leg.session
    if not leg.node or between is None or session is None:
        return
    node = between.node_of(session)
    if node and node != leg.node:
        log.info("a call crosses to another node from now on", call=call.id, before=leg.node, node=node)
        leg.node = node
        if call.origin is not None and leg is call.customer:
            call.origin = replace(call.origin, node=node)
    _met(leg, now)


def _met(leg: Leg, now: float) -> None:
    if leg.bereft:
        leave(leg)
        absence.found(leg, now)


def leave(leg: Leg) -> None:
    """It is waited for no more."""
    leg.bereft = False
    leg.call.disarm(_timer(leg))


def _is_mute(leg: Leg) -> bool:
    return leg.session is None or leg.silent or not leg.should_speak


def _expired(leg: Leg, now: float) -> None:
    leg.bereft = False
    if not _is_mute(leg):  # it is heard: only the ways by which its node is known to live are broken
        absence.found(leg, now)
    elif leg is leg.call.customer:
        leg.call.end(Side.ENGINE, EndReason.NODE_LOST, now)
    elif leg.call.state in TALKS:
        leg.call.fire(Trigger.AGENT_LOST, now)
    else:
        leg.call.fire(Trigger.PARTY_LEFT, now, EndReason.NODE_LOST)


def _timer(leg: Leg) -> str:
    return f"node of {leg.number}"


# --- two halves at one node become one call -----------------------------------------------------------------


def customers(switch: Switch, call: str, node: str) -> Call | None:
    """The customer's half, if it is here and talked to an agent at `node` last."""
    found = switch.calls.get(call)
    return found if found is not None and found.origin is None and _talks(found, found.party, node) else None


def agents(switch: Switch, call: str, node: str) -> Call | None:
    """The agent's half of a customer's call, if it is here and she talked to `node` last."""
    halves = (each for each in switch.calls.values() if each.origin is not None and each.origin.call == call)
    return next((each for each in halves if _talks(each, each.customer, node)), None)


def _talks(call: Call, leg: Leg | None, node: str) -> bool:
    return call.state in TALKS and leg is not None and leg.node == node


def forget(leg: Leg, now: float) -> None:
    """A leg that crossed to a node that is gone: nothing is said to anybody."""
    from engine.talking import drop

    session, leg.session = leg.session, None
    if session is not None:
        leg.call.switch.forget_session(session)
        session.surrender(now=now)
    leave(leg)
    leg.agent = ""
    drop(leg.call, leg, now)


def dissolve(half: Call, whole: Call, now: float) -> None:
    """The agent's leg becomes the party of the customer's call, and her half ends without a record."""
    leg, crossed = half.party, half.customer
    assert leg is not None and crossed is not None
    part(half, crossed, leg)
    for each in (crossed, leg):
        half.hush(each)
    forget(crossed, now)
    half.party = None
    whole.adopt(leg, Side.AGENT)
    whole.party = leg
    if leg.agent:
        half.switch.acd.move(leg.agent, half.id, whole.id)
    held = half.held_by & {Side.AGENT}
    whole.held_by = (whole.held_by - {Side.AGENT}) | held
    half.end(Side.ENGINE, EndReason.TRANSFERRED, now)
