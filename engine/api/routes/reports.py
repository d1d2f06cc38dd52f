"""Reports of calls by region, market, queue, line, language, agent and time, as JSON and as CSV."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import EngineView, View, may
from engine.api.documented import problems
from engine.api.problem import Problem
from engine.api.report_schemas import CallReport, ReportFigures, ReportRow
from engine.api.routes.records import Instant
from engine.api.schemas import Plain
from engine.api.tables import table_of
from engine.drill import FORMULAS, LONGEST_S, TIMES, Ask, Dimension, Formula, Report, zones
from engine.store.drill import TooManyRows

router = APIRouter(prefix="/v1/reports", tags=["reports"])

Reader = Annotated[Principal, may(Permission.CALLS)]

DAY_S = 86_400.0
CSV = "text/csv"
TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, as JSON or, where the request accepts `text/csv`, as a table.",
        "content": {CSV: {"schema": {"type": "string"}}},
    }
}
ONLY_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report as a table.", "content": {CSV: {"schema": {"type": "string"}}}}
}


class CallReportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: list[Dimension] = Field(
        default=[Dimension.QUEUE],
        min_length=1,
        max_length=2,
        json_schema_extra={"uniqueItems": True},
        description="One or two dimensions.",
    )
    since: Instant | None = Field(
        default=None, alias="from", description="Calls that arrived then or later; a day back when left out."
    )
    until: Instant | None = Field(
        default=None, alias="to", description="Calls that arrived before then; now when left out."
    )
    threshold_s: float = Field(default=20.0, ge=0, le=3600, description="Of the service level, seconds.")
    formula: Formula = Field(
        default=Formula.OF_HANDLED,
        description=" ".join(f"`{name}`: {words}." for name, words in FORMULAS.items()),
    )
    zone: str = Field(
        default="UTC", max_length=64, description="Time zone of hours and days, such as Europe/Madrid."
    )
    region: Plain | None = Field(default=None, description="Only calls of this region.")
    market: Plain | None = Field(default=None, description="Only calls of this market.")
    queue: Plain | None = Field(default=None, description="Only calls of this queue.")
    line: Plain | None = Field(default=None, description="Only calls that came over this line.")
    language: Plain | None = Field(default=None, description="Only calls in this language.")
    agent: Plain | None = Field(default=None, description="Only calls of this agent.")
    node: Plain | None = Field(default=None, description="Only calls that this node carried.")

    @field_validator("by")
    @classmethod
    def _different(cls, by: list[Dimension]) -> list[Dimension]:
        if len(set(by)) < len(by):
            raise ValueError("name two different dimensions, or one")
        return by

    def ask(self, now: float) -> Ask:
        """now: epoch seconds. Raises Problem."""
        until = self.until.timestamp() if self.until else now
        since = self.since.timestamp() if self.since else until - DAY_S
        if not 0 < until - since <= LONGEST_S:
            raise Problem(422, "invalid-request", "`to` comes after `from`, by 93 days at most")
        if self.zone not in zones():
            raise Problem(422, "invalid-request", "`zone` is a name such as Europe/Madrid")
        values = {each: getattr(self, each.value, None) for each in Dimension if each not in TIMES}
        return Ask(
            since=since,
            until=until,
            by=tuple(self.by),
            threshold_s=self.threshold_s,
            formula=self.formula,
            zone=self.zone,
            only={each: value for each, value in values.items() if value is not None},
        )


async def _report(view: EngineView, query: CallReportQuery) -> Report:
    try:
        return await run_in_threadpool(view.report, query.ask(time.time()))
    except TooManyRows as many:
        raise Problem(422, "invalid-request", str(many)) from None


@router.get(
    "/calls",
    summary="Report what calls came to",
    operation_id="get_call_report",
    response_model=CallReport,
    responses={**problems(401, 403, 422, 503), **TABLE},
)
async def get_call_report(
    view: View, _: Reader, request: Request, query: Annotated[CallReportQuery, Query()]
) -> Any:
    """Offered, answered, abandoned, service level, times, quality and mood, by one or two dimensions, of all
    nodes that keep their journal together. A call counts at the time when it arrived.
    """
    report = await _report(view, query)
    if CSV in request.headers.get("accept", ""):
        return _table(report)
    return _body(report)


@router.get(
    "/calls.csv",
    summary="Report what calls came to, as a table",
    operation_id="get_call_report_table",
    response_class=Response,
    responses={**problems(401, 403, 422, 503), **ONLY_TABLE},
)
async def get_call_report_table(
    view: View, _: Reader, query: Annotated[CallReportQuery, Query()]
) -> Response:
    """The rows alone, as RFC 4180 has them."""
    return _table(await _report(view, query))


def _body(report: Report) -> CallReport:
    ask = report.ask
    return CallReport(
        since=ask.since,  # type: ignore[arg-type]
        until=ask.until,  # type: ignore[arg-type]
        by=list(ask.by),
        zone=ask.zone,
        formula=ask.formula,
        formula_words=FORMULAS[ask.formula],
        threshold_s=ask.threshold_s,
        items=[
            ReportRow(key=dict(zip(ask.by, row.key)), figures=ReportFigures.model_validate(row.figures))
            for row in report.rows
        ],
        total=ReportFigures.model_validate(report.total),
    )


def _table(report: Report) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="calls.csv"', "Vary": "Accept"}
    return Response(table_of(report), media_type=CSV, headers=headers)
