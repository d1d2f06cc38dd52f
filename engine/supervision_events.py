"""What happened with supervisors in calls, as values (engine/events.py). who: the account of her phone. by:
who wanted it: that account by a key or a code, or a user or token of the API.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionAsked(Event):
    """Her phone is rung. mode: listen, whisper, barge or take_over."""

    kind = "supervision.asked"
    who: str
    by: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionBegan(Event):
    """She is in the call. announced: the two were told so."""

    kind = "supervision.began"
    who: str
    by: str
    mode: str
    announced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionChanged(Event):
    kind = "supervision.changed"
    who: str
    by: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionMissed(Event):
    """She was not reached. status: of SIP."""

    kind = "supervision.missed"
    who: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionEnded(Event):
    """why: "hung up", "sent off", "call moved on" or "call over"; whoever else talks talks on."""

    kind = "supervision.ended"
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver(Event):
    """The supervisor talks to the customer from now on. agent: who did before, and was let go."""

    kind = "supervision.took_over"
    who: str
    by: str
    agent: str
