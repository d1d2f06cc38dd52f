"""Recordings of calls: which there are, their sound, and pausing the one of a call in progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.problem import Problem, not_found
from engine.api.routes.calls import CallId
from engine.api.routes.records import RecordQuery, page_of
from engine.api.schemas import Call, RecordingChange, RecordPage
from media.sealed import SealBroken

router = APIRouter(tags=["recordings"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.CALLS)]
Listener = Annotated[Principal, may(Permission.LISTEN)]
Writer = Annotated[Principal, may(Permission.ACT_ON_CALLS)]

Day = Annotated[
    str,
    Path(
        pattern=r"^([A-Za-z0-9_.-]{1,64}:)?\d{4}-\d\d-\d\d$",
        description="The day of the file's name; NODE: before it names the node whose disk it is on.",
    ),
]
File = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_.-]{1,160}\.(opus|wav)(\.sealed)?$",
        description="The rest of a name in a record's `recording`.",
    ),
]


@router.get(
    "/v1/recordings",
    summary="List recorded calls",
    operation_id="list_recordings",
    responses=problems(401, 403, 422, 503),
)
async def list_recordings(view: View, _: Reader, query: Annotated[RecordQuery, Query()]) -> RecordPage:
    """Records of finished calls that have a recording, newest first."""
    return await page_of(view, query, query.filter(recorded=True))


@router.get(
    "/v1/recordings/{day}/{file}",
    summary="Download a recording",
    operation_id="get_recording",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"audio/ogg": {}, "audio/wav": {}}, "description": "The sound, unsealed."},
        **problems(401, 403, 404, 409, 422, noun="recording"),
    },
)
async def get_recording(view: View, caller: Listener, day: Day, file: File) -> StreamingResponse:
    """The sound of one file: left the customer, right what the customer heard. Sealed files come open; one
    without its end comes as far as it goes.
    """
    name = f"{day}/{file}"
    found = await run_in_threadpool(view.recording, name)
    node, elsewhere, _ = name.rpartition(":")
    if found is None and elsewhere:
        raise Problem(404, "unknown-recording", f"{name} is not on this node's disk; ask node {node} for it")
    if found is None:
        raise not_found("recording", name)
    try:
        first = await run_in_threadpool(next, found.pieces, b"")
    except (SealBroken, OSError) as broken:
        remedy = getattr(broken, "remedy", "look at the disk")
        raise Problem(409, "illegal-state", f"{name} does not open: {broken}; {remedy}") from broken
    log.info("recording downloaded", recording=name, by=caller.who)
    headers = {"Content-Disposition": f'attachment; filename="{found.file}"', "Cache-Control": "no-store"}
    return StreamingResponse(_sound(name, first, found.pieces), media_type=found.type, headers=headers)


def _sound(name: str, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces; a file that breaks off ends there, and the log says why."""
    yield first
    try:
        yield from rest
    except (SealBroken, OSError) as broken:
        log.warning("recording ends early", recording=name, why=str(broken))


@router.post(
    "/v1/calls/{call}/recording",
    status_code=202,
    summary="Pause or resume a call's recording",
    operation_id="pause_recording",
    responses=problems(401, 403, 404, 409, 413, 422, noun="call"),
)
async def pause_recording(view: View, caller: Writer, id: CallId, change: RecordingChange) -> Call:
    """For card numbers and the like: nothing of what is said in a pause is kept, and time goes on."""
    call = view.call(id)
    if call is None:
        raise not_found("call", id)
    view.pause_recording(id, change.paused, caller.who)
    return Call.model_validate(call)
