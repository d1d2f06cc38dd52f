"""A house in the simulation whose calls are looked into: real SIP, real media workers, a virtual clock."""

from __future__ import annotations

import json
from typing import Any

from engine.events import CallRecord, Event
from engine.insight.diagnosis import Verdict, diagnose
from engine.insight.facts import Case
from engine.insight.insight import case_of
from engine.insight.trace import Look, Trace, pack, unpack
from engine.insight.traces import Traces
from engine.store.rows import Entry, encode
from sip.ladder import Ladders
from tests.sim.house import ADDRESS
from tests.sim.stage import Stage


class Watched:
    """looks: of calls that are over. A case is what would be kept of a call, packed and unpacked again."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        switch = stage.house.switch
        self.ladders = stage.house.host.tap = Ladders()
        self.looks: dict[str, Look] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.records: dict[str, CallRecord] = {}
        self.traces = Traces(switch, self.ladders, self._done, lambda hop: (ADDRESS, 5060))
        switch.observers.append(self._note)

    def _done(self, look: Look) -> None:
        self.looks[look.call] = look

    def _note(self, what: Event | CallRecord) -> None:
        if isinstance(what, CallRecord):
            self.records[what.call] = what
            return
        data, person = encode(what)
        kept: Any = json.loads(person) if person else {}
        entries = self.entries.setdefault(what.call, [])
        entries.append(
            Entry(node="sim", seq=len(entries) + 1, at=what.at, call=what.call, kind=what.kind,
                  data=json.loads(data), person=kept)
        )  # fmt: skip

    @property
    def call(self) -> str:
        """The only call there was."""
        (call,) = {each for each in self.entries if each}
        return call

    def trace(self) -> Trace:
        look = self.looks.get(self.call) or self.traces.look(self.call)
        assert look is not None, "nothing is kept of it"
        return unpack(pack(look.trace()))

    def case(self) -> Case:
        call = self.call
        return case_of(call, self.trace(), self.records.get(call), self.entries[call], self._now)

    @property
    def _now(self) -> float:
        return self.stage.house.switch.wall(self.stage.world.now)

    def verdict(self) -> Verdict:
        return diagnose(self.case())
