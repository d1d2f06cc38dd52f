"""A stage on which it is known who hears whom, as the media workers were told, and what the journal was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.events import CallRecord, Event
from engine.leg import Leg
from engine.states import State
from engine.switch import Switch
from media.messages import CloseLeg, SetGain
from tests.sim.stage import Stage

PATIENCE_S = 20.0


class Overheard(Stage):
    """gains: above nothing, by source and listener. noted: events of the journal."""

    def __init__(self, folder: Path, agents: int = 2, **settings: Any) -> None:
        super().__init__(folder, agents, **settings)
        self.gains: dict[tuple[int, int], float] = {}
        self.noted: list[Any] = []
        self.switch.observers.append(self._note)
        media = self.switch.media
        send = media.send

        def watched(worker: int, command: object) -> None:
            self._watch(command)
            send(worker, command)  # type: ignore[arg-type]

        media.send = watched  # type: ignore[method-assign]

    def _note(self, event: Event | CallRecord) -> None:
        if isinstance(event, Event):
            self.noted.append(event)

    def _watch(self, command: object) -> None:
        if isinstance(command, SetGain):
            self.gains[command.src, command.dst] = command.gain
        elif isinstance(command, CloseLeg):
            self.gains = {pair: gain for pair, gain in self.gains.items() if command.leg not in pair}

    def talk(self) -> None:
        """A customer calls, and talks to agent0."""
        self.caller = self.customer()
        self.run(6.0)
        until = self.world.now + PATIENCE_S
        while self.call.state is not State.TALKING and self.world.now < until:
            self.run(0.5)
        assert self.call.state is State.TALKING and self.call.agent == "agent0"

    @property
    def switch(self) -> Switch:
        return self.house.switch

    def between(self, legs: Mapping[str, Leg | None]) -> dict[str, float]:
        """Who hears whom: by listener and source as they are named, what is above nothing."""
        numbers = {name: leg.number for name, leg in legs.items() if leg is not None}
        return {
            listener + source: self.gains[numbers[source], numbers[listener]]
            for listener in numbers
            for source in numbers
            if self.gains.get((numbers[source], numbers[listener]), 0.0) > 0
        }

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.noted]
