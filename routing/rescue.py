"""Mid-call rescue: when a leg over a line is given up, and what becomes of the call then, as a table.

Silence alone is no death: a muted phone, a held call and a far end with silence suppression send nothing
either. So a leg of which no RTP came for `doubt_s` is asked by signalling (OPTIONS, or UPDATE, within the
dialog), and is dead when nothing was heard either way for `dead_s`, or when the asking says so itself (481, a
broken transport). Then the same number is called over the next line while the other party hears comfort
noise; the line it was lost on is left out. What comes too late ends the call as not rescued.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    WELL = "well"
    DOUBTED = "doubted"
    RESCUING = "rescuing"
    LOST = "lost"


class Event(StrEnum):
    """MEDIA, SIGNALLING: something came. GONE: signalling says that the leg is no more (481, transport
    error). QUIET, DEAD, TOO_LATE: what time brings (`due`). TAKEN: another line answered. NO_LINE: none did.
    """

    MEDIA = "media"
    SIGNALLING = "signalling"
    GONE = "gone"
    QUIET = "quiet"
    DEAD = "dead"
    TAKEN = "taken"
    NO_LINE = "no line"
    TOO_LATE = "too late"


class Do(StrEnum):
    """What the engine is to do."""

    ASK = "ask the leg by signalling"
    COMFORT = "give the other party comfort noise"
    REDIAL = "call the same number over another line"
    JOIN = "put the parties together again"
    STOP_DIALLING = "call off what is being dialled"
    END = "end the call as not rescued"


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds. enabled, call_back: by the operator's word, for far ends that were called and for those who
    called; a leg that is not rescued is ended by its silence timer as ever.
    """

    doubt_s: float = 1.0
    dead_s: float = 3.0
    within_s: float = 20.0
    enabled: bool = True
    call_back: bool = False


@dataclass(frozen=True, slots=True)
class Rescue:
    """One leg now. media_at, signalling_at: when it was last heard of. held: it need not send."""

    state: State = State.WELL
    since: float = 0.0
    media_at: float = 0.0
    signalling_at: float = 0.0
    held: bool = False
    rescued: int = 0


_WELL, _DOUBTED, _RESCUING, _LOST = State
_E = Event

TABLE: dict[tuple[State, Event], tuple[State, tuple[Do, ...]]] = {
    # state        event             next state   what is to be done
    (_WELL, _E.QUIET): (_DOUBTED, (Do.ASK,)),
    (_WELL, _E.GONE): (_RESCUING, (Do.COMFORT, Do.REDIAL)),
    (_DOUBTED, _E.MEDIA): (_WELL, ()),
    (_DOUBTED, _E.SIGNALLING): (_WELL, ()),
    (_DOUBTED, _E.GONE): (_RESCUING, (Do.COMFORT, Do.REDIAL)),
    (_DOUBTED, _E.DEAD): (_RESCUING, (Do.COMFORT, Do.REDIAL)),
    (_RESCUING, _E.TAKEN): (_WELL, (Do.JOIN,)),
    (_RESCUING, _E.NO_LINE): (_LOST, (Do.END,)),
    (_RESCUING, _E.TOO_LATE): (_LOST, (Do.STOP_DIALLING, Do.END)),
    (_RESCUING, _E.MEDIA): (_WELL, (Do.STOP_DIALLING, Do.JOIN)),  # it was only away
}


def apply(rescue: Rescue, event: Event, now: float) -> tuple[Rescue, tuple[Do, ...]]:
    """The leg after `event`, and what is to be done; the same and nothing where it means nothing."""
    if event is Event.MEDIA:
        rescue = replace(rescue, media_at=now)
    elif event is Event.SIGNALLING:
        rescue = replace(rescue, signalling_at=now)
    row = TABLE.get((rescue.state, event))
    if row is None:
        return rescue, ()
    state, actions = row
    if event is Event.TAKEN:
        rescue = replace(rescue, media_at=now, signalling_at=now, rescued=rescue.rescued + 1)
    return replace(rescue, state=state, since=now), actions


def due(rescue: Rescue, now: float, terms: Terms) -> Event | None:
    """The event that time has brought; None when there is none."""
    at = next_timeout(rescue, terms)
    if at is None or now < at:
        return None
    return {State.WELL: Event.QUIET, State.DOUBTED: Event.DEAD, State.RESCUING: Event.TOO_LATE}[rescue.state]


def next_timeout(rescue: Rescue, terms: Terms) -> float | None:
    """When time has something to say next; None when it has not."""
    if rescue.state is State.LOST or not terms.enabled:
        return None
    if rescue.state is State.RESCUING:
        return rescue.since + terms.within_s
    if rescue.held:
        return None
    if rescue.state is State.WELL:
        # An answer to the asking is as good as sound: the next is asked for after as long again.
        return max(rescue.media_at, rescue.signalling_at) + terms.doubt_s
    return max(rescue.media_at, rescue.signalling_at) + terms.dead_s
