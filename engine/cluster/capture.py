"""A call as it stands, written down for another node to go on with (engine/cluster/replica.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import recording
from engine.cluster.replica import (
    TEXT,
    VERSION,
    CallReplica,
    Farewell,
    LastWord,
    LegReplica,
    Recorded,
    Role,
    Told,
    Waited,
    write_destination,
)
from engine.description import PhoneDescription
from engine.signalling import PAGE, WHIP
from engine.states import State
from engine.whip import WhipSession
from sip.session import Session

if TYPE_CHECKING:
    from engine.call import Call
    from engine.leg import Leg

SAID_LAST = 8192  # bytes of last words

MANNERS = {PAGE: "page", WHIP: "whip"}


def capture(call: Call) -> CallReplica:
    """The call now. What of it cannot be gone on with (a phone that only rings, a call that is not answered)
    is left out: who reads it does what is to be done without.
    """
    wall, origin = call.switch.wall, call.origin
    return CallReplica(
        version=VERSION,
        id=call.id,
        contact=call.contact,
        caller=call.caller[:TEXT],
        display=call.display[:TEXT],
        number=call.number[:TEXT],
        source=call.source[:TEXT],
        market=call.market,
        region=call.region,
        language=call.language,
        chosen_language=call.chosen_language,
        state=call.state,
        destination=write_destination(call.destination),
        queue=call.queue.name if call.queue is not None else "",
        agent=call.agent,
        held_by=sorted(call.held_by),
        told=_told(call, wall),
        legs=[_leg(call, leg, role) for leg, role in _roles(call)],
        place=_place(call, wall),
        recorded=_recorded(call),
        farewell=_farewell(call, wall),
        misses=call.misses,
        transfers=call.transfers,
        taken_from=list(call.taken_from[-16:]),
        private=call.private,
        comeback=call.comeback[:TEXT],
        origin=(origin.node, origin.call, origin.agent) if origin is not None else None,
        last_words=_last_words(call),
    )


def _last_words(call: Call) -> list[LastWord]:
    """Of invitations that are not answered; as many as there is room for."""
    waits = call.customer.session if call.customer is not None and not call.customer.connected else None
    inviting = [waits, *(call.attempt.ringing if call.attempt is not None else ())]
    found: list[LastWord] = []
    for session in inviting:
        word = call.switch.user_agent.last_word(session) if isinstance(session, Session) else None
        if word is not None and sum(len(each[4]) for each in (*found, word)) <= SAID_LAST:
            found.append(word)
    return found


def _roles(call: Call) -> list[tuple[Leg, Role]]:
    """The legs whose far ends are in the call: a leg has one role, its last."""
    roles: dict[int, tuple[Leg, Role]] = {}
    named: tuple[tuple[Leg | None, Role], ...] = (
        (call.customer, "customer"),
        (call.party, "party"),
        (call.transferor, "transferor"),
    )
    for leg, role in named:
        if leg is not None and leg.connected:
            roles[leg.number] = (leg, role)
    return list(roles.values())


def _leg(call: Call, leg: Leg, role: Role) -> LegReplica:
    session, description = leg.session, leg.description
    snapshot = call.switch.user_agent.snapshot(session) if isinstance(session, Session) else None
    phone = description if isinstance(description, PhoneDescription) else None
    form = phone.encryption.form if phone is not None else None
    return LegReplica(
        role=role,
        side=leg.side,
        name=leg.name[:TEXT],
        account=leg.account,
        agent=leg.agent,
        manner=MANNERS.get(leg.manner, "sip"),  # type: ignore[arg-type]
        session=snapshot.plain() if snapshot is not None else None,
        token=session.token if isinstance(session, WhipSession) else "",
        local=phone.written() if phone is not None else b"",
        codec=leg.codec,
        proto=form.proto if form is not None else "",
        keyed=form is not None and form.keyed,
        policy=phone.encryption.policy if phone is not None else "",
        line=leg.line,
        node=leg.node,
    )


def _told(call: Call, wall: Callable[[float], float]) -> Told:
    def at(when: float | None) -> float | None:
        return None if when is None else wall(when)

    clocks = call.clocks
    return Told(
        wall(clocks.arrived),
        at(clocks.ringing),
        at(clocks.answered),
        at(clocks.queued),
        at(clocks.connected),
        at(clocks.held),
        clocks.hold_s,
    )


def _place(call: Call, wall: Callable[[float], float]) -> Waited | None:
    queue = call.switch.acd.queues.get(call.queue.name) if call.queue is not None else None
    place = queue.place(call.id) if queue is not None else None
    return None if place is None else Waited(wall(place.joined_at), place.priority, place.rank)


def _recorded(call: Call) -> Recorded | None:
    mine = call.recording
    files = recording.located(call)[-64:]
    if mine is None:
        return Recorded(0, files, False, False) if files else None
    return Recorded(mine.part, files, mine.paused, mine.heard)


def _farewell(call: Call, wall: Callable[[float], float]) -> Farewell | None:
    if call.reason is not None and call.ended_by is not None:
        return Farewell(call.ended_by, call.reason, wall(call.ended_at) if call.ending else None)
    return Farewell(*call.farewell) if call.state is State.LEAVING else None
