"""Captions: what is said in a call, as text, on the pages of those who talk in it.

Whoever recognises speech tells `Captions.show` of every version of a sentence; the pages put the newest in
the place of the one before. Cards, accounts and papers are hidden from all of them
(engine/hidden_captions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from engine.events import CallRecord, Event
from engine.hidden_captions import HiddenCaptions
from engine.views import Caption, LegSide, UnknownCall

if TYPE_CHECKING:
    from engine.agent_desk import Desks
    from engine.caller_line import Lines
    from engine.switch import Switch

BOTH = frozenset(LegSide)


class Captions:
    """Of all calls of a node."""

    def __init__(self, switch: Switch, desks: Desks, lines: Lines) -> None:
        self._switch = switch
        self._desks = desks
        self._lines = lines
        self.observers: list[Callable[[Caption], None]] = []  # told what agents read
        self._hidden = HiddenCaptions()
        switch.observers.append(self.notice)

    def notice(self, event: Event | CallRecord) -> None:
        """Of a call that is over nothing is kept."""
        if isinstance(event, CallRecord):
            self._hidden.forget(event.call)

    def show(self, caption: Caption, readers: Collection[LegSide] = BOTH) -> int:
        """Show a caption to these sides; how many pages there are. Sides that read different languages are
        told one by one. Raises UnknownCall for a call that is not in progress.
        """
        call = self._switch.calls.get(caption.call)
        if call is None:
            raise UnknownCall(f"no call {caption.call} is in progress")
        agents = {leg.agent for leg in call.legs if leg.agent and LegSide(leg.side) in readers}
        *before, shown = self._hidden.put(caption, readers)
        for each in before:
            self._tell(each, readers, agents)
        return self._tell(shown, readers, agents)

    def _tell(self, caption: Caption, readers: Collection[LegSide], agents: Collection[str]) -> int:
        if LegSide.AGENT in readers:
            for observer in self.observers:
                observer(caption)
        pages = sum(self._desks.say(agent, caption) for agent in agents)
        return pages + (self._lines.say(caption) if LegSide.CUSTOMER in readers else 0)
