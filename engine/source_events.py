"""What happened with sources that guess or scan (sip/guard.py), as values (engine/events.py)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTurnedAway(Event):
    """For `seconds` nothing is answered there (`how` is blocked), or nothing but what proves itself
    (ignored). why: see `sip.guard.Why`. count: failures, or requests that proved nothing.
    """

    kind = "source.turned_away"
    source: str
    how: str
    why: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLetOff(Event):
    """It is answered again. by: who let it off; "": its time was over, or it proved itself."""

    kind = "source.let_off"
    source: str
    by: str = ""
