"""Somebody in a call beside the two who talk: a guest (engine/guest.py), a supervisor
(engine/supervision.py).

`TABLE` says whom she hears and who hears her, by how she sits there. What is in it is all that the gain
matrix has of her: the two hear each other by edges of their own (engine/bridge.py), which nobody here
touches. Whoever sits beside the two can leave, hang up or be lost, and their call goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from engine.leg import Media
from engine.states import State
from media.messages import SetGain

if TYPE_CHECKING:
    from engine.attempt import Attempt
    from engine.call import Call
    from engine.leg import Leg
    from engine.trunk.attempt import LineAttempt

Edges = Mapping[tuple[int, int], float]  # gain by source and listener, both numbers of legs


class Sits(StrEnum):
    """GUEST: between the two. LISTEN, WHISPER, BARGE: a supervisor, whom nobody, the agent or everybody
    hears.
    """

    GUEST = "guest"
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


class Who(StrEnum):
    """ME: whose seat it is. VOICE: a supervisor who speaks, to one who only listens."""

    ME = "me"
    CUSTOMER = "customer"
    AGENT = "agent"
    GUEST = "guest"
    VOICE = "voice"


_ME, _CUSTOMER, _AGENT, _GUEST, _VOICE = Who
_HEARS_ALL = {(who, _ME): 1.0 for who in (_CUSTOMER, _AGENT, _GUEST, _VOICE)}

# how she sits -> gain by (source, listener); what is not in it is not heard
TABLE: Mapping[Sits, Mapping[tuple[Who, Who], float]] = {
    Sits.GUEST: {
        (_CUSTOMER, _ME): 1.0,
        (_AGENT, _ME): 1.0,
        (_ME, _CUSTOMER): 1.0,
        (_ME, _AGENT): 1.0,
    },
    Sits.LISTEN: _HEARS_ALL,
    Sits.WHISPER: {**_HEARS_ALL, (_ME, _AGENT): 1.0},
    Sits.BARGE: {**_HEARS_ALL, (_ME, _AGENT): 1.0, (_ME, _CUSTOMER): 1.0, (_ME, _GUEST): 1.0},
}


def edges(sits: Sits, people: Mapping[Who, int], deaf: Collection[Who] = ()) -> dict[tuple[int, int], float]:
    """The seat's part of the gain matrix. people: legs of those who are there, whose seat it is among them.
    deaf: who hears music for now, and nothing else.
    """
    return {
        (people[source], people[listener]): gain
        for (source, listener), gain in TABLE[sits].items()
        if source in people and listener in people and listener not in deaf
    }


@dataclass(kw_only=True)
class Seat(ABC):
    """attempt: by which she is rung, None for one who dialled in. edges: gains that the worker was told.
    keys: whether those that she and the others press are passed on. role: what others call her.
    """

    keys: ClassVar[bool] = True
    role: ClassVar[str]
    leg: Leg
    attempt: Attempt | LineAttempt | None
    edges: Edges = field(default_factory=dict)

    @abstractmethod
    def gone(self, now: float) -> None:
        """Her far end is there no more."""

    def mix(self, wanted: Edges) -> None:
        """Have the worker know these edges of hers and no others."""
        worker, media = self.leg.worker, self.leg.call.switch.media
        for source, listener in self.edges.keys() - wanted.keys():
            media.send(worker, SetGain(source, listener, 0.0))
        for (source, listener), gain in wanted.items():
            if self.edges.get((source, listener)) != gain:
                media.send(worker, SetGain(source, listener, gain, self.keys))
        self.edges = dict(wanted)


def of(leg: Leg) -> Seat | None:
    """The seat of a leg beside the two."""
    call = leg.call
    seats: tuple[Seat | None, ...] = (call.guest, *call.supervisors)
    return next((each for each in seats if each is not None and each.leg is leg), None)


def gone(leg: Leg, now: float) -> bool:
    """Its far end is there no more; whether it was of somebody beside the two, whose call goes on."""
    found = of(leg)
    if found is not None:
        found.gone(now)
    return found is not None


def present(call: Call, worker: int, agent: str = "") -> dict[Who, int]:
    """The two, and a guest who is with them, as far as their sound is in that worker. agent: as `pair` has
    it.
    """
    guest = call.guest if call.guest is not None and call.guest.joined else None
    two: dict[Who, Leg | None] = dict(zip((_CUSTOMER, _AGENT), pair(call, agent), strict=True))
    two[_GUEST] = guest.leg if guest is not None else None
    return {who: leg.number for who, leg in two.items() if leg is not None and _sounds(leg, worker)}


def _sounds(leg: Leg, worker: int) -> bool:
    return leg.worker == worker and leg.media in (Media.OPENING, Media.OPEN)


def pair(call: Call, agent: str = "") -> tuple[Leg | None, Leg | None]:
    """Customer and agent, whichever of them called. agent: who is meant where both are agents."""
    customer, party = call.customer, call.party
    hers = customer is not None and bool(customer.agent)
    both = hers and party is not None and bool(party.agent)
    turned = hers and (not both or (bool(agent) and customer is not None and customer.agent == agent))
    return (party, customer) if turned else (customer, party)


def together(call: Call) -> bool:
    """Whether the two talk to each other at this moment."""
    two = [leg for leg in (call.customer, call.party) if leg is not None and not leg.away]
    return call.state is State.TALKING and len(two) == 2 and call.lost is None
