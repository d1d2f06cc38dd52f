"""An INVITE is sent to one address of a line: who is called, who calls, and whom it was diverted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.trunk.diversions import diverted_of
from engine.trunk.invitation import invitation
from engine.trunk.parties import caller_of
from routing.dial import dial

if TYPE_CHECKING:
    from engine.call import Call
    from engine.trunk.group import Way
    from routing.failover import Attempt
    from routing.identity import Caller
    from sip.session import Session

SPARE_S = 5.0  # after ours, the user agent's own patience: it is never to be the first to give up


def invite(
    call: Call, wanted: str, step: Attempt, way: Way, offer: bytes, caller: Caller | None, now: float
) -> Session:
    """wanted: the number that the attempt is for; the step's own is another where it was redirected. caller:
    who calls, the call's own when None.
    """
    switch, trunks = call.switch, call.switch.trunks
    dialled = dial(
        trunks.exchange.terms(step.line),
        step.number,
        caller or caller_of(call),
        (way.called,),
        diverted=() if caller else diverted_of(call, wanted, step.number),
        emergency=trunks.exchange.demand(step.number, switch.config.node.country).emergency,
    )
    call.shown = dialled.shown
    said = invitation(dialled, trunks.own(step.line))
    return switch.user_agent.invite(
        said.uri,
        [way.hop],
        from_=said.from_,
        to=said.to,
        offer=offer,
        headers=said.headers,
        route=trunks.route(step.line),
        credentials=trunks.account(step.line),
        manner=trunks.manner(step.line),
        ring_timeout=step.progress_s + step.ring_s + SPARE_S,
        now=now,
    )
