"""Whether a line that is there does its work: a circuit breaker over what became of its calls.

A gateway may answer OPTIONS all day and refuse every call, so that this is judged apart from
`routing.health`. Of the last `window` calls that began, or of fewer where they are long ago (`half_life_s`),
at least `least_failures` and a share of `share` have to have failed through the line's fault. Then it is left
alone for `rest_s`, doubled each time it fails its trial, or for as long as it said itself (Retry-After);
calls try it one at a time; `rise` in a row that do well close the circuit, and its share grows from there.

Failures are counted against calls that began, not against calls that did well: a refusal takes milliseconds
and an answer many seconds, so that a good line would look bad until its first calls are answered, and a line
that has just gone bad would look good for as long as the answers of earlier calls come in. What the callee
says (busy, no such number) is the line doing its work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"


class Event(StrEnum):
    """WORKED, FAILED: what became of a call. MUTE: one was answered, and nothing was heard of it. BEGAN: one
    was sent there. DROPPED: one ended before anything could be said of the line. TOLD: it asked to be left
    alone. RESTED: what time brings (`due`).
    """

    BEGAN = "began"
    WORKED = "worked"
    FAILED = "failed"
    MUTE = "mute"
    DROPPED = "dropped"
    TOLD = "told"
    RESTED = "rested"


@dataclass(frozen=True, slots=True)
class Terms:
    """Durations in seconds, window in calls. longest_rest_s: also of what a line may ask for itself."""

    half_life_s: float = 30.0
    window: int = 20
    least_failures: int = 5
    share: float = 0.5
    rest_s: float = 5.0
    longest_rest_s: float = 300.0
    rise: int = 3
    return_s: float = 30.0
    least_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Breaker:
    """One line's. began, failed: faded counts at `at`. rest_s: of the present or the last rest. mute: it
    rests, or is tried, because its calls were not heard: an answer says nothing of it then, but sound does.
    """

    circuit: Circuit = Circuit.CLOSED
    since: float = 0.0
    began: float = 0.0
    failed: float = 0.0
    at: float = 0.0
    rest_s: float = 0.0
    hits: int = 0
    trying: bool = False
    mute: bool = False
    tripped: bool = False  # it has been open: since it closed its share grows

    def passes(self) -> bool:
        """Whether a call may be sent there now."""
        return self.circuit is Circuit.CLOSED or (self.circuit is Circuit.TRIAL and not self.trying)

    def listens(self) -> bool:
        """Whether only the sound of a call will tell what the line is worth."""
        return self.mute and self.circuit is Circuit.TRIAL

    def share_of_calls(self, now: float, terms: Terms) -> float:
        """Share of its calls, 0 to 1, that it is given now."""
        if not self.passes():
            return 0.0
        if self.circuit is Circuit.TRIAL:
            return terms.least_share
        if not self.tripped or terms.return_s <= 0:
            return 1.0
        return min(1.0, max(terms.least_share, (now - self.since) / terms.return_s))


class Next(Enum):
    """A next state that depends on the counts."""

    SAME = "same"
    IF_TOO_MANY = "open when too many failed, else the same"
    IF_ENOUGH = "closed after `rise` that did well, else the same"


class Do(Enum):
    COUNT_BEGAN = "one more that began"
    COUNT_FAILED = "one more that failed"
    HIT = "one more in a row of the trial; the next may be tried"
    TRY = "a trial is on its way"
    UNTRY = "no trial is on its way"
    REST = "leave it alone, from the first"
    REST_LONGER = "leave it alone for twice as long"
    REST_AS_TOLD = "leave it alone for as long as it said"
    FORGET = "forget what became of earlier calls"


_CLOSED, _OPEN, _TRIAL = Circuit
_E = Event

TABLE: dict[tuple[Circuit, Event], tuple[Circuit | Next, tuple[Do, ...]]] = {
    # circuit    event             next circuit      what else
    (_CLOSED, _E.BEGAN): (Next.SAME, (Do.COUNT_BEGAN,)),
    (_CLOSED, _E.FAILED): (Next.IF_TOO_MANY, (Do.COUNT_FAILED,)),
    (_CLOSED, _E.MUTE): (Next.IF_TOO_MANY, (Do.COUNT_FAILED,)),
    (_CLOSED, _E.TOLD): (_OPEN, (Do.REST_AS_TOLD, Do.FORGET)),
    (_OPEN, _E.TOLD): (Next.SAME, (Do.REST_AS_TOLD,)),
    (_OPEN, _E.RESTED): (_TRIAL, (Do.UNTRY,)),
    (_TRIAL, _E.BEGAN): (Next.SAME, (Do.TRY,)),
    (_TRIAL, _E.DROPPED): (Next.SAME, (Do.UNTRY,)),
    (_TRIAL, _E.WORKED): (Next.IF_ENOUGH, (Do.HIT,)),
    (_TRIAL, _E.FAILED): (_OPEN, (Do.REST_LONGER, Do.FORGET)),
    (_TRIAL, _E.MUTE): (_OPEN, (Do.REST_LONGER, Do.FORGET)),
    (_TRIAL, _E.TOLD): (_OPEN, (Do.REST_AS_TOLD, Do.FORGET)),
}


def apply(breaker: Breaker, event: Event, now: float, terms: Terms, *, told_s: float = 0.0) -> Breaker:
    """The breaker after `event`; the same where it means nothing. told_s: Retry-After, with TOLD."""
    row = TABLE.get((breaker.circuit, event))
    if row is None:
        return breaker
    target, actions = row
    changed = breaker
    for action in actions:
        changed = _act(changed, action, now, terms, told_s)
    circuit = _destination(changed, target, terms)
    if circuit is changed.circuit:
        return replace(changed, since=now) if Do.REST_AS_TOLD in actions else changed
    if circuit is Circuit.OPEN and target is Next.IF_TOO_MANY:
        changed = _act(_act(changed, Do.REST, now, terms, 0.0), Do.FORGET, now, terms, 0.0)
    mute = event is Event.MUTE if circuit is Circuit.OPEN else changed.mute and circuit is Circuit.TRIAL
    return replace(changed, circuit=circuit, since=now, hits=0, trying=False, mute=mute, tripped=True)


def due(breaker: Breaker, now: float) -> Event | None:
    """RESTED when the rest is over; None before, and while there is none."""
    over = breaker.circuit is Circuit.OPEN and now >= breaker.since + breaker.rest_s
    return Event.RESTED if over else None


def next_timeout(breaker: Breaker) -> float | None:
    """When the rest is over; None while there is none."""
    return breaker.since + breaker.rest_s if breaker.circuit is Circuit.OPEN else None


def _act(breaker: Breaker, action: Do, now: float, terms: Terms, told_s: float) -> Breaker:
    match action:
        case Do.COUNT_BEGAN:
            fade = _fade(breaker, now, terms) * (1 - 1 / terms.window)
            return replace(breaker, began=breaker.began * fade + 1, failed=breaker.failed * fade, at=now)
        case Do.COUNT_FAILED:
            fade = _fade(breaker, now, terms)
            return replace(breaker, began=breaker.began * fade, failed=breaker.failed * fade + 1, at=now)
        case Do.HIT:
            return replace(breaker, hits=breaker.hits + 1, trying=False)
        case Do.TRY:
            return replace(breaker, trying=True)
        case Do.UNTRY:
            return replace(breaker, trying=False)
        case Do.REST:
            return replace(breaker, rest_s=terms.rest_s)
        case Do.REST_LONGER:
            longer = max(terms.rest_s, 2 * breaker.rest_s)
            return replace(breaker, rest_s=min(longer, terms.longest_rest_s))
        case Do.REST_AS_TOLD:
            return replace(breaker, rest_s=min(max(told_s, 1.0), terms.longest_rest_s))
        case Do.FORGET:
            return replace(breaker, began=0.0, failed=0.0)


def _fade(breaker: Breaker, now: float, terms: Terms) -> float:
    """What is left of counts after the time since they were made."""
    return math.exp2(-max(0.0, now - breaker.at) / terms.half_life_s)


def _destination(breaker: Breaker, target: Circuit | Next, terms: Terms) -> Circuit:
    match target:
        case Next.SAME:
            return breaker.circuit
        case Next.IF_TOO_MANY:
            # Five calls in a row fade to a little under five.
            many = breaker.failed > terms.least_failures - 1 and breaker.failed >= terms.share * breaker.began
            return Circuit.OPEN if many else breaker.circuit
        case Next.IF_ENOUGH:
            return Circuit.CLOSED if breaker.hits >= terms.rise else breaker.circuit
        case _:
            return target
