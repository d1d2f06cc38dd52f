"""Links by which people outside hear a recording: made, listed, revoked (engine/api/shared.py opens them)."""

from __future__ import annotations

import time
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import View, may
from engine.api.documented import problems
from engine.api.idempotency import IdempotencyKey, sealed
from engine.api.problem import not_found
from engine.api.routes.recordings import Day, File
from engine.api.share_schemas import NewRecordingShare, RecordingShare, RecordingShareList, ShareWanted
from engine.sharing import Share, Wish

router = APIRouter(prefix="/v1/recordings/{day}/{file}/shares", tags=["recordings"])
log = structlog.get_logger("api")

Sharer = Annotated[Principal, may(Permission.SHARE)]
ShareId = Annotated[str, Path(alias="share", pattern=r"^[a-f0-9]{16}$", description="The link's `id`.")]
PATH = "/shared/"


@router.post(
    "",
    status_code=201,
    summary="Share a recording",
    operation_id="share_recording",
    responses=problems(401, 403, 404, 409, 413, 422, 503, noun="recording"),
)
async def share_recording(
    request: Request,
    view: View,
    caller: Sharer,
    day: Day,
    file: File,
    wanted: ShareWanted,
    response: Response,
    key: IdempotencyKey = None,
) -> NewRecordingShare:
    """Makes a link that opens without signing in, until it ends, is used up or is revoked. Each use is
    counted, and is a row of the audit log.
    """
    name = f"{day}/{file}"
    if await run_in_threadpool(view.recording, name) is None:
        raise not_found("recording", name)
    wish = Wish(
        lasts_s=float(wanted.lasts_s),
        most=wanted.uses or 0,
        transcript=wanted.transcript,
        note=wanted.note.strip(),
    )

    async def act() -> NewRecordingShare:
        made = await run_in_threadpool(view.shares.make, name, wish, caller.who)
        if made is None:
            raise not_found("recording", name)
        share, link = made
        log.info("a recording is shared", recording=name, share=share.id, by=caller.who)
        return NewRecordingShare(**_told(share), path=f"{PATH}{link}")

    response.headers["Cache-Control"] = "no-store"
    return await sealed(request, f"{caller.key} share {name}", key, wanted, NewRecordingShare, act)


@router.get(
    "",
    summary="Who hears a recording by a link",
    operation_id="list_recording_shares",
    responses=problems(401, 403, 404, 422, 503, noun="recording"),
)
async def list_recording_shares(view: View, _: Sharer, day: Day, file: File) -> RecordingShareList:
    """The newest first, with those that lead nowhere any more."""
    name = f"{day}/{file}"
    if await run_in_threadpool(view.recording, name) is None:
        raise not_found("recording", name)
    found = await run_in_threadpool(view.shares.of, name)
    return RecordingShareList(items=[RecordingShare(**_told(each)) for each in found])


@router.delete(
    "/{share}",
    summary="Revoke a link",
    operation_id="revoke_recording_share",
    responses=problems(401, 403, 404, 422, 503, noun="share"),
)
async def revoke_recording_share(
    view: View, caller: Sharer, day: Day, file: File, id: ShareId
) -> RecordingShare:
    """At once, for whoever listens by it too, from the next piece of sound on. Twice is once."""
    name = f"{day}/{file}"
    found = await run_in_threadpool(view.shares.revoke, name, id, caller.who)
    if found is None:
        raise not_found("share", id)
    log.info("a link was revoked", recording=name, share=id, by=caller.who)
    return RecordingShare(**_told(found))


def _told(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "recording": share.recording,
        "made_by": share.made_by,
        "made_at": share.made_at,
        "expires_at": share.expires_at,
        "note": share.note,
        "transcript": share.transcript,
        "uses": share.uses,
        "most_uses": share.most or None,
        "used_at": share.used_at,
        "revoked_at": share.revoked_at,
        "revoked_by": share.revoked_by,
        "leads": share.leads(time.time()),
    }
