"""Lines as somebody may see them (engine/access/seen.py): those of their markets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.access import mask
from engine.access.principal import Reach
from engine.line_events import LineProbed
from engine.line_views import LineReportView, LineStandView, ProbeView, ReportView
from engine.views import IllegalState

if TYPE_CHECKING:
    from engine.api.deps import TrunkView


class SeenTrunks:
    """See engine.api.deps.TrunkView, which this is."""

    def __init__(self, trunks: TrunkView, reach: Reach, unmasked: bool, priced: bool = True) -> None:
        """priced: whether she may know what lines cost, which the configuration says."""
        self._trunks = trunks
        self._reach = reach
        self._unmasked = unmasked
        self._priced = priced

    def stands(self) -> Sequence[LineStandView]:
        return [each for each in self._trunks.stands() if self._reach.sees_line(each.name)]

    def begin_probe(self, line: str, number: str, by: str) -> ProbeView:
        if not self._reach.sees_line(line):
            raise IllegalState(f"there is no line {line!r} here")
        return self._trunks.begin_probe(line, number, by)

    def probe(self, line: str, id: str) -> ProbeView | None:
        found = self._trunks.probe(line, id) if self._reach.sees_line(line) else None
        if found is None or self._unmasked:
            return found
        steps = tuple((at, mask.text(words)) for at, words in found.steps)
        return replace(found, number=mask.who(found.number), steps=steps)

    def report(self, since: float, until: float) -> ReportView:
        found = self._trunks.report(since, until)
        lines = (each for each in found.lines if self._reach.sees_line(each.line))
        return replace(found, lines=tuple(map(self._did, lines)))

    def _did(self, line: LineReportView) -> LineReportView:
        return replace(line, newest=self._told(line.newest), cost=line.cost if self._priced else None)

    def probes(self, line: str) -> Sequence[LineProbed]:
        found = self._trunks.probes(line) if self._reach.sees_line(line) else ()
        return [told for each in found if (told := self._told(each)) is not None]

    def _told(self, probed: LineProbed | None) -> LineProbed | None:
        """Who was called may be somebody."""
        if probed is None or self._unmasked:
            return probed
        return replace(probed, number=mask.who(probed.number))
