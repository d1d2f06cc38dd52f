"""Finished calls: their detail records."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BeforeValidator, Field

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.paging import PageQuery, bad_cursor
from engine.api.problem import not_found
from engine.api.routes.calls import CallId
from engine.api.schemas import Plain, Record, RecordPage
from engine.events import EndReason
from engine.store.records import BadCursor, Outcome, RecordFilter

router = APIRouter(prefix="/v1/records", tags=["records"])

Reader = Annotated[Principal, may(Permission.CALLS)]


TIMES = ("since", "until", "arrived_since", "arrived_until")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _instant(value: object) -> object:
    """Only what the description says; pydantic would also take 5 for five seconds after 1970."""
    if isinstance(value, str) and not RFC_3339.fullmatch(value):
        raise ValueError("not an instant as RFC 3339 writes it, with its offset from UTC")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class RecordQuery(PageQuery):
    since: Instant | None = Field(default=None, description="Only calls that ended then or later.")
    until: Instant | None = Field(default=None, description="Only calls that ended before then.")
    arrived_since: Instant | None = Field(
        default=None, description="Only calls that arrived then or later; reports count by this."
    )
    arrived_until: Instant | None = Field(default=None, description="Only calls that arrived before then.")
    line: Plain | None = Field(
        default=None, description="Only calls that came over this line, by its name in the configuration."
    )
    queue: Plain | None = Field(default=None, description="Only calls of this queue.")
    agent: Plain | None = Field(default=None, description="Only calls of this agent.")
    market: Plain | None = Field(default=None, description="Only calls of this market.")
    region: Plain | None = Field(default=None, description="Only calls of this region.")
    customer: Plain | None = Field(default=None, description="Only calls of this customer.")
    contact: Plain | None = Field(default=None, description="Only calls of this contact.")
    number: Plain | None = Field(default=None, description="Only calls to this number.")
    language: Plain | None = Field(default=None, description="Only calls in this language.")
    node: Plain | None = Field(default=None, description="Only calls that this node carried.")
    reason: EndReason | None = Field(default=None, description="Only calls that ended for this reason.")
    outcome: Outcome | None = Field(
        default=None,
        description="Only calls that this came of: `answered`, somebody talked; `abandoned`, the caller hung "
        "up before; `failed`, any other end before anybody talked.",
    )

    def filter(self, *, recorded: bool | None = None) -> RecordFilter:
        times = {name: getattr(self, name) for name in TIMES}
        values = self.model_dump(exclude={"cursor", "limit", *TIMES})
        values |= {name: at.timestamp() if at else None for name, at in times.items()}
        return RecordFilter(recorded=recorded, **values)


async def page_of(view: View, query: RecordQuery, wanted: RecordFilter) -> RecordPage:
    """The page of the records wanted that the query's cursor leads to. Raises Problem."""
    try:
        page = await run_in_threadpool(view.records, wanted, cursor=query.cursor, limit=query.limit)
    except BadCursor:
        raise bad_cursor() from None
    return RecordPage(items=[Record.model_validate(record) for record in page.items], next=page.next)


@router.get(
    "",
    summary="List finished calls",
    operation_id="list_records",
    responses=problems(401, 403, 422, 503),
)
async def list_records(view: View, _: Reader, query: Annotated[RecordQuery, Query()]) -> RecordPage:
    """Newest first. A call is here the moment it has ended."""
    return await page_of(view, query, query.filter())


@router.get(
    "/{call}",
    summary="Look at a finished call",
    operation_id="get_record",
    responses=problems(401, 403, 404, 422, 503, noun="record"),
)
async def get_record(view: View, _: Reader, id: CallId) -> Record:
    record = await run_in_threadpool(view.record, id)
    if record is None:
        raise not_found("record", id)
    return Record.model_validate(record)
