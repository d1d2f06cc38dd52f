"""The audit log: who read personal data and who changed what."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from engine.access.chain import Row
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import access_schemas as bodies
from engine.api.deps import Door, may
from engine.api.documented import REASONS, problems
from engine.api.paging import PageQuery, bad_cursor
from engine.api.plain import Plain
from engine.api.routes.records import Instant
from engine.store.trail import NAMES, TrailFilter

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Auditor = Annotated[Principal, may(Permission.READ_AUDIT)]
OWN = REASONS | {404: ("unknown-user", "Nobody signs in at this node.")}


class AuditQuery(PageQuery):
    since: Instant | None = Field(default=None, description="Only what happened then or later.")
    until: Instant | None = Field(default=None, description="Only what happened before then.")
    who: Plain | None = Field(default=None, description="Only of this user or token.")
    what: Plain | None = Field(default=None, description="Only this operation.")
    object: Annotated[Plain | None, Field(description="Only on this, as in `records/…`.")] = None
    outcome: Plain | None = Field(default=None, description="Only what ended so.")
    node: Plain | None = Field(default=None, description="Only at this node.")

    def filter(self) -> TrailFilter:
        values = self.model_dump(exclude={"cursor", "limit", "since", "until"})
        return TrailFilter(
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            **values,
        )


@router.get(
    "",
    summary="List the audit log",
    operation_id="list_audit",
    responses=problems(401, 403, 404, 422, 503, own=OWN),
)
async def list_audit(_: Auditor, door: Door, query: Annotated[AuditQuery, Query()]) -> bodies.AuditPage:
    """Newest first. `isogloss audit verify` says whether it is whole."""
    before = _before(query.cursor)
    rows, after = await run_in_threadpool(door.trail.page, query.filter(), before=before, limit=query.limit)
    return bodies.AuditPage(items=[_told(row) for row in rows], next=str(after) if after else None)


def _before(cursor: str | None) -> int | None:
    if not cursor:
        return None
    if not cursor.isdecimal() or not cursor.isascii() or len(cursor) > 18:
        raise bad_cursor()
    return int(cursor)


def _told(row: Row) -> bodies.AuditEntry:
    entry = {name: getattr(row.entry, name) for name in NAMES}
    detail = json.loads(row.entry.detail)
    return bodies.AuditEntry.model_validate(
        {**entry, "detail": detail, "seq": row.seq, "prev": row.prev, "hash": row.hash}
    )
