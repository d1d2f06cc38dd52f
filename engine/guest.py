"""A guest in a call: somebody whom the agent asks in while two talk, above all a human interpreter.

The guest hears both in full, both hear the guest in full, and each other lowered. A machine that interprets
is silent meanwhile. While one of the two holds the other, or is out of reach, the guest waits with music.
Whoever of the three hangs up: the guest leaves the two to each other; each of the two ends the call.

`TABLE` says what follows from what; the call's own table (engine/transitions.py) says when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from engine import absence, seat, silence
from engine.dialling import reach
from engine.guest_events import GuestAsked, GuestJoined, GuestLeft, GuestMissed
from engine.guest_views import GuestView
from engine.leg import Media
from engine.seat import Seat, Sits, Who
from engine.states import State, Trigger
from engine.views import IllegalState, UnknownCall
from routing.number import AgentTarget, Destination, LineTarget, UriTarget

if TYPE_CHECKING:
    from engine.attempt import Outcome
    from engine.call import Call
    from engine.switch import Switch

LOWERED = 10 ** (-12 / 20)  # of the two to each other, while somebody speaks for them


class Standing(StrEnum):
    """RINGING; IN: all three hear each other; ASIDE: hears music, for the two do not talk now."""

    RINGING = "ringing"
    IN = "in"
    ASIDE = "aside"


class What(StrEnum):
    """TOGETHER, APART: the two talk to each other, or do not for now. MOVED_ON: nor will they."""

    CAME = "came"
    MISSED = "missed"
    HUNG_UP = "hung up"
    SENT_OFF = "sent off"
    TOGETHER = "together"
    APART = "apart"
    MOVED_ON = "call moved on"


@dataclass(kw_only=True)
class Guest(Seat):
    """name: as asked for."""

    role: ClassVar[str] = "guest"
    name: str
    standing: Standing = Standing.RINGING

    @property
    def joined(self) -> bool:
        return self.standing is not Standing.RINGING

    @property
    def between(self) -> float:
        """How loud the two hear each other."""
        return LOWERED if self.standing is Standing.IN else 1.0

    def gone(self, now: float) -> None:
        self.leg.call.fire(Trigger.GUEST_LEFT, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be rung, as the plan has it. by: who wants that."""

    name: str
    destination: Destination
    by: str


# --- asked by the API, or by an agent's phone


def ask(switch: Switch, call_id: str, to: str, by: str, now: float) -> None:
    """Ring somebody to join the two. to: whom the call's queue names when empty. Raises UnknownCall, and
    IllegalState with the remedy.
    """
    call = _call(switch, call_id)
    if not to and call.queue is not None:
        to = call.queue.speech.interpreter
    found = switch.plan.find(to)
    target = found.destination if found is not None else None
    if not isinstance(target, AgentTarget | LineTarget | UriTarget):
        raise IllegalState(f"{to[:40]!r} reaches nobody who could join; see numbers.yaml")
    if call.state not in (State.TALKING, State.HELD) or call.origin is not None:
        raise IllegalState("nobody can join now: the two do not talk to each other, or not at this node")
    if call.guest is not None:
        raise IllegalState(f"{call.guest.name} was asked already; send that one off first")
    call.fire(Trigger.GUEST_ASKED, now, Asked(found.number if found is not None else to, target, by))


def send_off(switch: Switch, call_id: str, now: float) -> None:
    """Hang the guest up. Raises UnknownCall, IllegalState."""
    call = _call(switch, call_id)
    if call.guest is None:
        raise IllegalState("nobody was asked to join this call")
    call.fire(Trigger.GUEST_SENT_OFF, now)


def look(switch: Switch, call_id: str) -> GuestView | None:
    """Raises UnknownCall."""
    guest = _call(switch, call_id).guest
    return view(guest) if guest is not None else None


def view(guest: Guest) -> GuestView:
    return GuestView(to=guest.name, standing=guest.standing, agent=guest.leg.agent)


def _call(switch: Switch, call_id: str) -> Call:
    call = switch.calls.get(call_id)
    if call is None:
        raise UnknownCall(f"no call {call_id} is in progress")
    return call


# --- actions of the call's table


def ring(call: Call, now: float, asked: Asked) -> None:
    attempt = reach(call, asked.destination, asked.name)
    if attempt is None or call.guest is not None:
        return
    attempt.aside = partial(_told, call)
    call.guest = Guest(name=asked.name, attempt=attempt, leg=attempt.leg)
    call.note(GuestAsked, now, guest=asked.name, by=asked.by)
    attempt.start(now)


def _told(call: Call, trigger: Trigger, now: float, what: Any) -> None:
    """What the attempt to ring one tells."""
    if trigger in MEANT:
        call.fire(MEANT[trigger], now, what)


def came(call: Call, now: float, _: Any) -> None:
    _step(call, What.CAME, now)


def missed(call: Call, now: float, outcome: Outcome) -> None:
    guest = call.guest
    if guest is not None:
        call.note(GuestMissed, now, guest=guest.name, status=outcome.status)
        if guest.leg.media is Media.NONE:  # busy: no phone rang
            call.discard(guest.leg)
    _step(call, What.MISSED, now)


def hung_up(call: Call, now: float, _: Any) -> None:
    _step(call, What.HUNG_UP, now)


def sent_off(call: Call, now: float, _: Any) -> None:
    _step(call, What.SENT_OFF, now)


def reconsider(call: Call, now: float) -> None:
    """The call is in another state, or its legs are."""
    if call.guest is None or call.ending:
        return
    if call.state not in (State.TALKING, State.HELD):
        _step(call, What.MOVED_ON, now)
        return
    _step(call, What.TOGETHER if seat.together(call) else What.APART, now)


# --- the table at work


def _step(call: Call, what: What, now: float) -> None:
    guest = call.guest
    row = TABLE.get((guest.standing, what)) if guest is not None else None
    if guest is None or row is None:
        return
    after, actions = row
    if after is None:
        call.guest = None
    else:
        guest.standing = after
    for action in actions:
        action(call, guest, what, now)


def _greet(call: Call, guest: Guest, what: What, now: float) -> None:
    call.note(GuestJoined, now, guest=guest.name, agent=guest.leg.agent)
    silence.reconsider(guest.leg, now)
    call.switch.speech.give_way(call, now)


def _mix(call: Call, guest: Guest, what: What, now: float) -> None:
    """Let all three hear each other, as loud as they should, wherever their sound is by now."""
    people = {**seat.present(call, guest.leg.worker), Who.ME: guest.leg.number}
    guest.mix(seat.edges(Sits.GUEST, people))


def _reunite(call: Call, guest: Guest, what: What, now: float) -> None:
    """The two hear each other as loud as they do from now on."""
    absence.reunite(call)


def _part(call: Call, guest: Guest, what: What, now: float) -> None:
    guest.mix({})


def _hush(call: Call, guest: Guest, what: What, now: float) -> None:
    call.hush(guest.leg)


def _music(call: Call, guest: Guest, what: What, now: float) -> None:
    call.play(guest.leg, ("music",), loop=True)


def _drop(call: Call, guest: Guest, what: What, now: float) -> None:
    from engine.talking import drop

    drop(call, guest.leg, now)


def _tell(call: Call, guest: Guest, what: What, now: float) -> None:
    call.note(GuestLeft, now, guest=guest.name, why=what.value)


def _resume(call: Call, guest: Guest, what: What, now: float) -> None:
    call.switch.speech.take_up(call, now)


# what an attempt tells -> what that is to the call; nothing else is
MEANT: Mapping[Trigger, Trigger] = {
    Trigger.ANSWERED: Trigger.GUEST_CAME,
    Trigger.FAILED: Trigger.GUEST_MISSED,
}

Action = Callable[["Call", Guest, What, float], None]

TABLE: Mapping[tuple[Standing, What], tuple[Standing | None, tuple[Action, ...]]] = {
    (Standing.RINGING, What.CAME): (Standing.ASIDE, (_greet, _music)),  # what the two do now is asked next
    (Standing.RINGING, What.MISSED): (None, ()),
    (Standing.RINGING, What.SENT_OFF): (None, (_drop, _tell)),
    (Standing.RINGING, What.MOVED_ON): (None, (_drop, _tell)),
    (Standing.ASIDE, What.TOGETHER): (Standing.IN, (_hush, _reunite, _mix)),
    (Standing.ASIDE, What.HUNG_UP): (None, (_drop, _tell, _resume)),
    (Standing.ASIDE, What.SENT_OFF): (None, (_drop, _tell, _resume)),
    (Standing.ASIDE, What.MOVED_ON): (None, (_drop, _tell, _resume)),
    (Standing.IN, What.TOGETHER): (Standing.IN, (_mix,)),
    (Standing.IN, What.APART): (Standing.ASIDE, (_part, _music)),
    (Standing.IN, What.HUNG_UP): (None, (_part, _drop, _tell, _reunite, _resume)),
    (Standing.IN, What.SENT_OFF): (None, (_part, _drop, _tell, _reunite, _resume)),
    (Standing.IN, What.MOVED_ON): (None, (_part, _drop, _tell, _resume)),
}
