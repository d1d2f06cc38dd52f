"""Lines as the API and the command line see them: engine.line_views, made afresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from config.line import LineSettings
from engine.line_events import LineProbed
from engine.line_views import LineReportView, LineStandView, PartView, ProbeView, ReportView, Standing
from engine.probe.desk import Probing, Refused
from engine.views import IllegalState
from routing.cost import cost_of
from routing.report import COLUMNS, F64, HOUR_S, Cell, added, badness, figures, level, reasons

if TYPE_CHECKING:
    from engine.app import Engine

NOTHING = np.zeros(len(COLUMNS))


class LineSight:
    """See engine.api.deps.TrunkView, which this is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- on the event loop --------------------------------------------------------------------------

    def stands(self) -> Sequence[LineStandView]:
        return [self._stand(line) for line in self._engine.switch.config.lines.values()]

    def _stand(self, line: LineSettings) -> LineStandView:
        board = self._engine.switch.trunks.exchange.board
        at = board.index[line.name]
        return LineStandView(
            name=line.name,
            kind=line.kind,
            country=line.country,
            region=line.region or "",
            state=self._state(line, at),
            share=round(float(board.share[at]), 3) if line.calls_out else 0.0,
            active=int(board.active[at]),
            channels=line.max_calls,
            probe_number=line.probe.number if line.probe else "",
            probe_every_s=line.probe.every_s if line.probe else 0.0,
        )

    def _state(self, line: LineSettings, at: int) -> Standing:
        board = self._engine.switch.trunks.exchange.board
        if not line.enabled:
            return Standing.OFF
        if not line.calls_out:
            return Standing.INCOMING
        if board.unregistered[at]:
            return Standing.UNREGISTERED
        if board.share[at] <= 0:
            return Standing.RESTING if board.tripped[at] else Standing.DEAD
        if board.share[at] < 1:
            return Standing.RETURNING
        return Standing.DOUBTED if board.doubted[at] else Standing.FIT

    def begin_probe(self, line: str, number: str, by: str) -> ProbeView:
        try:
            return _probe(self._engine.probes.begin(line, number, by))
        except Refused as refused:
            raise IllegalState(str(refused)) from refused

    def probe(self, line: str, id: str) -> ProbeView | None:
        found = self._engine.probes.known(id)
        return _probe(found) if found is not None and found.line == line else None

    # --- the store: blocks, in a worker thread ------------------------------------------------------

    def report(self, since: float, until: float) -> ReportView:
        sums = self._engine.journal.lines
        config = self._engine.config
        found = report(sums.cells(since, until), sums.newest(since), list(config.lines), since, until)
        uses = sums.uses(since, until)
        costs = {
            name: cost_of(spec.tariff, uses.get(name, ()))
            for name, spec in config.specs.items()
            if spec.tariff.rates
        }
        return replace(found, lines=tuple(replace(each, cost=costs.get(each.line)) for each in found.lines))

    def probes(self, line: str) -> Sequence[LineProbed]:
        return self._engine.journal.lines.probes(line)


def report(
    cells: Sequence[Cell], newest: Mapping[str, LineProbed], known: Sequence[str], since: float, until: float
) -> ReportView:
    """known: lines that are to be told of even where they did nothing."""
    regions = added(cells, ("line", "region"))
    hours = added(cells, ("line", "hour"))
    by_line: dict[str, F64] = {str(key[0]): sums for key, sums in added(cells, ("line",)).items()}
    order = sorted(by_line, key=lambda line: (-badness(by_line[line]), line))
    lines = tuple(_line(line, by_line[line], regions, hours, newest.get(line)) for line in order)
    nothing = sorted(line for line in known if line not in by_line)
    idle = tuple(_line(line, NOTHING, {}, {}, None) for line in nothing)
    return ReportView(since=since, until=until, lines=lines + idle)


def _line(
    line: str,
    sums: F64,
    regions: Mapping[tuple[str | int, ...], F64],
    hours: Mapping[tuple[str | int, ...], F64],
    newest: LineProbed | None,
) -> LineReportView:
    mine = sorted((str(key[1]), row) for key, row in regions.items() if key[0] == line)
    when = sorted((int(key[1]) * HOUR_S, row) for key, row in hours.items() if key[0] == line)
    return LineReportView(
        line=line,
        figures=figures(sums),
        level=level(sums),
        reasons=reasons(sums),
        regions=tuple(_part(key, row) for key, row in mine),
        hours=tuple(_part(key, row) for key, row in when),
        newest=newest,
    )


def _part(key: str | int, sums: F64) -> PartView:
    return PartView(key=key, figures=figures(sums), level=level(sums), reasons=reasons(sums))


def _probe(probing: Probing) -> ProbeView:
    return ProbeView(
        id=probing.id,
        line=probing.line,
        number=probing.number,
        by=probing.by,
        began=probing.began,
        steps=tuple(probing.steps),
        result=probing.result,
    )
