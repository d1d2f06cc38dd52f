"""What happened with guests in calls, as values (engine/events.py)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestAsked(Event):
    """Somebody is rung to join two who talk. by: who asked: an agent, or a token of the API."""

    kind = "call.guest_asked"
    guest: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestJoined(Event):
    """agent: of ours, "" where the guest is none."""

    kind = "call.guest_joined"
    guest: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMissed(Event):
    """The guest was not reached. status: of SIP, that stands for all that was tried."""

    kind = "call.guest_missed"
    guest: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLeft(Event):
    """why: "hung up", "sent off", or "call moved on"; the two talk on alone."""

    kind = "call.guest_left"
    guest: str
    why: str
