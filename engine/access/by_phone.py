"""Supervisors who come into a call by a code that they dial (engine/supervisor_phone.py), and what they do
there by keys: nobody asked the API, so the audit log is told here.
"""

from __future__ import annotations

from engine.access.audit import Audit
from engine.access.principal import How
from engine.events import Event
from engine.supervision_events import (
    SupervisionAsked,
    SupervisionBegan,
    SupervisionChanged,
    SupervisionEnded,
    SupervisionMissed,
    TakenOver,
)

WHAT = "supervise_call"  # as asked by the API


class ByPhone:
    """An observer of a switch's events. Holds what goes on alone, MOST of each call."""

    def __init__(self, log: Audit) -> None:
        self._log = log
        self._asked: set[tuple[str, str]] = set()  # calls and accounts that somebody had rung
        self._here: set[tuple[str, str]] = set()  # that dialled in

    def notice(self, event: object) -> None:
        match event:
            case SupervisionAsked():
                self._asked.add((event.call, event.who))
            case SupervisionBegan() if (event.call, event.who) not in self._asked:
                self._here.add((event.call, event.who))
                self._tell(event, event.who, event.mode)
            case SupervisionChanged() if (event.call, event.who) in self._here and event.by == event.who:
                self._tell(event, event.who, event.mode)
            case TakenOver() if (event.call, event.who) in self._here and event.by == event.who:
                self._tell(event, event.who, "take_over")
        if isinstance(event, SupervisionEnded | SupervisionMissed | TakenOver):
            self._asked.discard((event.call, event.who))
            self._here.discard((event.call, event.who))

    def _tell(self, event: Event, who: str, mode: str) -> None:
        detail = {"mode": mode}
        self._log.note(self._log.entry(who, How.PHONE, WHAT, f"calls/{event.call}", detail=detail))
