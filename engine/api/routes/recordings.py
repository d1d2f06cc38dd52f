"""Recordings of calls: which there are, their sound, and pausing the one of a call in progress."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.problem import Problem, not_found
from engine.api.routes.calls import CallId
from engine.api.routes.records import RecordQuery, page_of
from engine.api.schemas import Call, RecordingChange, RecordingOutline, RecordPage
from engine.api.sounds import NoSuchRange, sound_answer
from media.outline import Unreadable
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
        206: {"content": {"audio/ogg": {}, "audio/wav": {}}, "description": "The range asked for."},
        **problems(401, 403, 404, 409, 416, 422, noun="recording"),
    },
)
async def get_recording(
    view: View,
    caller: Listener,
    day: Day,
    file: File,
    asked: Annotated[str | None, Header(alias="Range", description="One range of bytes.")] = None,
) -> StreamingResponse:
    """The sound of one file: left the customer, right what the customer heard. Sealed files come open; one
    without its end comes as far as it goes. Players may ask for a range of its bytes.
    """
    name = f"{day}/{file}"
    found = await run_in_threadpool(view.recording, name)
    node, elsewhere, _ = name.rpartition(":")
    if found is None and elsewhere:
        raise Problem(404, "unknown-recording", f"{name} is not on this node's disk; ask node {node} for it")
    if found is None:
        raise not_found("recording", name)
    try:
        answer = await sound_answer(name, found, asked=asked or "", attached=True)
    except NoSuchRange as none:
        headers = {"Content-Range": f"bytes */{none.size}"}
        raise Problem(416, "no-such-range", f"{none}; ask for less", headers=headers) from none
    except (SealBroken, OSError) as broken:
        raise does_not_open(name, broken) from broken
    log.info("recording downloaded", recording=name, by=caller.who)
    return answer


def does_not_open(name: str, broken: Exception) -> Problem:
    remedy = getattr(broken, "remedy", "look at the disk")
    return Problem(409, "illegal-state", f"{name} does not open: {broken}; {remedy}")


@router.get(
    "/v1/recordings/{day}/{file}/outline",
    summary="See a recording",
    operation_id="get_outline",
    responses=problems(401, 403, 404, 409, 422, noun="recording"),
)
async def get_outline(view: View, _: Listener, day: Day, file: File) -> RecordingOutline:
    """How loud each side is from moment to moment, to be drawn: at most 1000 values of either, each the
    loudest of as long a stretch of the file.
    """
    name = f"{day}/{file}"
    try:
        found = await run_in_threadpool(view.outline, name)
    except (SealBroken, OSError, Unreadable) as broken:
        raise does_not_open(name, broken) from broken
    if found is None:
        raise not_found("recording", name)
    return RecordingOutline(seconds=found.seconds, customer=list(found.left), agent=list(found.right))


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
