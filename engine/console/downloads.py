"""Tables to take along: a report of calls and the audit log as CSV, by the words of a page's address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from engine.access.errors import AuditUnavailable
from engine.access.role import Permission
from engine.api.tables import lines, table_of
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Place
from engine.console.reports import wish_of
from engine.console.trail import filter_of, zone_of
from engine.store.drill import TooManyRows
from engine.store.errors import StoreUnavailable
from engine.store.trail import NAMES, Trail, TrailFilter

CSV = "text/csv; charset=utf-8"
AT_ONCE = 1000  # rows of the audit log; all there are go out, page by page

log = structlog.get_logger("console")


async def download(desk: Desk, who: Principal, request: Request, name: str) -> Response:
    """404 for what is no table; 403 for who may not; 422 for too much; 503 where the store or the audit log
    does not answer.
    """
    place = Place.of(f"/{name}?{request.url.query}")
    try:
        if name == "calls.csv":
            return await _calls(desk.of(who), who, place)
        if name == "audit.csv" and desk.access is not None:
            return await _audit(desk.of(who), who, place)
    except StoreUnavailable:
        return Response("the records cannot be reached now", 503)
    except AuditUnavailable:
        return Response("the audit log takes nothing now, so nothing is shown", 503)
    return Response(status_code=404)


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


async def _calls(desk: Desk, who: Principal, place: Place) -> Response:
    if not who.may(Permission.CALLS):
        return Response("your role may not read calls", 403)
    wish = wish_of(place, desk.zone, desk.wall())
    try:
        report = await desk.ask(desk.view.report, wish.ask)
    except TooManyRows as many:
        return Response(str(many), 422)
    desk.door.note(who, "export_report", "reports/calls")
    log.info("a report was taken along", by=who.name, rows=len(report.rows))
    name = f"calls-{wish.first}-{wish.last}.csv"
    return Response(table_of(report), media_type=CSV, headers=_headers(name))


async def _audit(desk: Desk, who: Principal, place: Place) -> Response:
    """Newest first, with the hashes, so that the chain can be proved elsewhere."""
    if not who.may(Permission.READ_AUDIT):
        return Response("your role may not read the audit log", 403)
    assert desk.access is not None
    wanted, _ = filter_of(place, zone_of(place, desk))
    await desk.door.keep(who, "export_audit", "audit")
    log.info("the audit log was taken along", by=who.name)
    pieces = _rows(desk, desk.access.trail, wanted)
    first = await anext(pieces)  # what the store does not answer is told before anything went out
    return StreamingResponse(_all(first, pieces), media_type=CSV, headers=_headers("audit.csv"))


async def _all(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece


async def _rows(desk: Desk, trail: Trail, wanted: TrailFilter) -> AsyncIterator[str]:
    """All of them, however many: a log that ends early would look whole."""
    head, before = [["row", *NAMES, "prev", "hash"]], None
    while True:
        rows, before = await desk.ask(trail.page, wanted, before=before, limit=AT_ONCE)
        told = [[row.seq, *(_value(row.entry, name) for name in NAMES), row.prev, row.hash] for row in rows]
        yield lines([*head, *told])
        head = []
        if before is None:
            return


def _value(entry: object, name: str) -> object:
    """Times as people and sheets read them; the number that the hash is of has six digits as well."""
    value = getattr(entry, name)
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="microseconds") if name == "at" else value
