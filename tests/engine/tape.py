"""The recorder at a house in the simulation, and what it wrote."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any, Protocol

from engine import recording
from engine.events import Event
from media.recorder import Recorder
from media.recording import RecordingCommand
from media.tap import Reader, Taps
from media.tapping import Tapping
from tests.media.reels import Memory, read
from tests.sim.house import House
from tests.sim.world import World


class Housed(Protocol):
    """Whatever has a house."""

    world: World
    house: House


class Tape:
    """The real recorder on the virtual clock, fed by the real worker's taps. `alive`: whether it answers."""

    taps = "tape"

    def __init__(self, stage: Housed) -> None:
        self.stage = stage
        self.alive = True
        self.disk = Memory()
        self.asked: list[RecordingCommand] = []
        self.events: list[Event] = []
        self.start()
        switch = stage.house.switch
        switch.recordings.recorder = self
        switch.observers.append(self._note)
        for worker in stage.house.workers:
            core = worker.control.core
            core.taps = Tapping(core.table, core.plan, core.planes, Taps(partial(self._open, worker.number)))
        self._look()

    def start(self) -> None:
        self.recorder = Recorder(self.disk, entropy=Random(1).randbytes, epoch=1.7e9)

    def send(self, command: RecordingCommand) -> None:
        self.asked.append(command)
        if self.alive:
            self.recorder.handle(command, self.stage.world.now)

    def close(self) -> None: ...

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def sound(self) -> Any:
        """The only file, both channels."""
        (data,) = self.disk.files.values()
        return read(bytes(data))

    def _note(self, what: Any) -> None:
        if isinstance(what, Event):
            self.events.append(what)

    def _open(self, worker: int, to: str) -> Any:
        tape, reader = self, Reader()

        class Outlet:
            def send(self, data: memoryview) -> int:
                for frame in reader.feed(data):
                    tape.recorder.take(worker, frame, tape.stage.world.now)
                return len(data)

            def close(self) -> None: ...

        return Outlet()

    def _look(self) -> None:
        self.stage.world.after(0.05, self._look)
        if self.alive:
            now = self.stage.world.now
            for event in self.recorder.look(now):
                recording.told(self.stage.house.switch, event, now)
            self.stage.house.host.pump()
