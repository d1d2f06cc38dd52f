"""Recordings as the console plays them: for whoever may listen, read piece by piece in worker threads."""

from __future__ import annotations

import re

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.access.errors import AuditUnavailable
from engine.access.role import Permission
from engine.api.sounds import NoSuchRange, sound_answer
from engine.console.desk import Desk
from engine.console.door import Principal
from media.sealed import SealBroken

# as records name files: NODE:DAY/FILE, without the node for this one's
NAME = re.compile(r"([A-Za-z0-9_.-]{1,64}:)?\d{4}-\d\d-\d\d/[A-Za-z0-9_.-]{1,160}\.(opus|wav)(\.sealed)?")

log = structlog.get_logger("console")


async def sound(desk: Desk, who: Principal, name: str, asked: str = "", *, save: bool = False) -> Response:
    """asked: the Range header. save: to be kept, not played. 403 for who may not listen; 404 for what is no
    recording of this node, or does not open; 416 for what is beyond its end; 503 where the audit log takes
    nothing.
    """
    if not who.may(Permission.LISTEN):
        return Response("your role may not listen to recordings", 403)
    if not NAME.fullmatch(name):
        return Response(status_code=404)
    found = await run_in_threadpool(desk.of(who).view.recording, name)
    if found is None:
        return Response(status_code=404)
    try:
        answer = await sound_answer(name, found, asked=asked, attached=save)
    except NoSuchRange as none:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{none.size}"})
    except (SealBroken, OSError) as broken:
        log.warning("recording does not open", recording=name, why=str(broken))
        return Response(status_code=404)
    what = "get_recording" if save else "listen_recording"

    async def told() -> bool:
        await desk.door.keep(who, what, f"recordings/{name}")
        log.info("recording listened to", recording=name, by=who.name)
        return True

    try:
        await desk.heard.once(who.name, f"{what} {name}", told)
    except AuditUnavailable:
        return Response("the audit log takes nothing now, so nothing is played", 503)
    return answer
