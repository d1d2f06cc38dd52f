"""Lines to the telephone network: how they stand, how they did, and calls that try them out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.idempotency import IdempotencyKey, Once
from engine.api.line_schemas import (
    Line,
    LineDid,
    LineHour,
    LinePage,
    LineProbe,
    LineProbeList,
    LineProbeTold,
    LineRegion,
    LineReport,
    ProbeOutcome,
    ProbeStep,
    ProbeWish,
)
from engine.api.paging import PageQuery, cut
from engine.api.plain import Plain
from engine.api.problem import Problem, not_found
from engine.line_views import LineReportView, LineStandView, PartView, ProbeView, Standing
from engine.views import IllegalState

router = APIRouter(prefix="/v1/lines", tags=["lines"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.BOARD)]
ProbeReader = Annotated[Principal, may(Permission.BOARD, personal=True)]  # of whom a probe called
Writer = Annotated[Principal, may(Permission.PROBE)]

HOUR_S = 3600
MAX_HOURS = 24 * 7

LineName = Annotated[
    str, Path(alias="line", pattern=r"^[a-z0-9_.-]{1,64}$", description="The line's `name`.")
]


class ReportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hours: int = Field(default=24, ge=1, le=MAX_HOURS, description="So many hours back, whole ones.")


class LineQuery(PageQuery):
    region: Plain | None = Field(default=None, description="Only lines of this region.")
    country: Plain | None = Field(default=None, description="Only lines of this country.")
    kind: Plain | None = Field(default=None, description="Only lines of this kind: `ip`, `ims`.")
    state: Standing | None = Field(default=None, description="Only lines that stand so.")

    def wants(self, line: LineStandView) -> bool:
        placed = self.region in (None, line.region) and self.country in (None, line.country)
        return placed and self.kind in (None, line.kind) and self.state in (None, line.state)


@router.get("", summary="List lines", operation_id="list_lines", responses=problems(401, 403, 422))
async def list_lines(view: View, _: Reader, query: Annotated[LineQuery, Query()]) -> LinePage:
    """Lines by name, as they stand now."""
    page, after = cut(filter(query.wants, view.trunks.stands()), lambda line: line.name, query)
    return LinePage(items=[Line.model_validate(line) for line in page], next=after)


@router.get(
    "/report",
    summary="How lines did",
    operation_id="get_line_report",
    responses=problems(401, 403, 422, 503),
)
async def get_line_report(view: View, _: ProbeReader, query: Annotated[ReportQuery, Query()]) -> LineReport:
    """By line, region and hour, of all nodes that keep their journal together. The worst line comes first."""
    until = time.time()
    since = (until // HOUR_S - query.hours + 1) * HOUR_S
    found = await run_in_threadpool(view.trunks.report, since, until)
    lines = [_did(line) for line in found.lines]
    return LineReport.model_validate({"since": found.since, "until": found.until, "lines": lines})


@router.get(
    "/{line}/probes",
    summary="List a line's probes",
    operation_id="list_line_probes",
    responses=problems(401, 403, 404, 422, 503, noun="line"),
)
async def list_line_probes(view: View, _: ProbeReader, name: LineName) -> LineProbeList:
    """Those that are over, the newest first."""
    _known(view, name)
    found = await run_in_threadpool(view.trunks.probes, name)
    return LineProbeList(items=[LineProbeTold.model_validate(probe) for probe in found])


@router.post(
    "/{line}/probes",
    status_code=202,
    summary="Probe a line",
    operation_id="begin_line_probe",
    responses=problems(401, 403, 404, 409, 413, 422, noun="line"),
)
async def begin_line_probe(
    request: Request,
    view: View,
    caller: Writer,
    name: LineName,
    wish: ProbeWish,
    key: IdempotencyKey = None,
) -> LineProbe:
    """A call is placed over the line, and what comes back is compared with what was said. It takes some
    fifteen seconds; look at the probe to follow it. It may cost what a call costs.
    """
    _known(view, name)

    async def act() -> LineProbe:
        try:
            begun = view.trunks.begin_probe(name, wish.number, caller.who)
        except IllegalState as refused:
            raise Problem(409, "illegal-state", str(refused)) from refused
        log.info("a line is probed", line=name, by=caller.who)
        return _probe(begun)

    once: Once = request.app.state.once
    done: LineProbe = await once.do(f"{caller.key} probe {name}", key, wish, time.monotonic(), act)
    return done


@router.get(
    "/{line}/probes/{probe}",
    summary="Look at a probe",
    operation_id="get_line_probe",
    responses=problems(401, 403, 404, 422, noun="probe"),
)
async def get_line_probe(
    view: View,
    _: ProbeReader,
    name: LineName,
    id: Annotated[str, Path(alias="probe", pattern=r"^[0-9a-f]{32}$", description="The probe's `id`.")],
) -> LineProbe:
    """One that goes on, or of the last fifty that this node began."""
    found = view.trunks.probe(name, id)
    if found is None:
        raise not_found("probe", id)
    return _probe(found)


def _known(view: View, name: str) -> None:
    if all(line.name != name for line in view.trunks.stands()):
        raise not_found("line", name)


def _part(part: PartView) -> dict[str, Any]:
    return {"figures": part.figures, "level": part.level, "reasons": list(part.reasons)}


def _did(line: LineReportView) -> LineDid:
    regions = [LineRegion.model_validate({"region": each.key, **_part(each)}) for each in line.regions]
    hours = [LineHour.model_validate({"at": each.key, **_part(each)}) for each in line.hours]
    newest = LineProbeTold.model_validate(line.newest) if line.newest is not None else None
    told: Mapping[str, Any] = {
        "line": line.line,
        "figures": line.figures,
        "level": line.level,
        "reasons": list(line.reasons),
        "regions": regions,
        "hours": hours,
        "newest": newest,
        "cost": line.cost,
    }
    return LineDid.model_validate(told)


def _probe(probe: ProbeView) -> LineProbe:
    return LineProbe(
        id=probe.id,
        line=probe.line,
        number=probe.number,
        by=probe.by,
        began=probe.began,  # type: ignore[arg-type]
        steps=[ProbeStep(at=at, words=words) for at, words in probe.steps],  # type: ignore[arg-type]
        result=ProbeOutcome.model_validate(probe.result.data()) if probe.result is not None else None,
    )
