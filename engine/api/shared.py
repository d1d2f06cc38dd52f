"""Where links to recordings lead: a page for whoever has one, without a script and without a session.

    GET /shared/LINK          the page, and what was said with numbers masked where the link shows it; in the
                              language that the visitor's browser asks for (shared_page.py)
    GET /shared/LINK/sound    the recording

A link that is unknown, has ended, was revoked or used up leads nowhere, and no answer says which. Nothing on
the page leads elsewhere, and no address of it is told to others (Referrer-Policy). Each use is counted and in
the audit log before anything is shown; asking for a recording piece by piece is one use.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from engine.access.access import Access
from engine.access.errors import AuditUnavailable
from engine.api.deps import EngineView, Node
from engine.api.shared_page import HEADERS, SharedPage
from engine.api.sounds import Heard, NoSuchRange, sound_answer
from engine.languages import chosen
from engine.sharing import Share
from engine.store.errors import StoreUnavailable
from engine.store.transcripts import Said
from engine.throttle import Throttle
from media.sealed import SealBroken

PER_MIN = 120  # of one source: a player asks for many pieces
AWAY = (AuditUnavailable, StoreUnavailable)

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("api")

Link = Annotated[str, Path(max_length=128)]


@dataclass(slots=True)
class Doorman:
    """Of a node: how often sources come, and what they listen to by now."""

    throttle: Throttle = field(default_factory=lambda: Throttle(PER_MIN))
    heard: Heard = field(default_factory=Heard)


@router.get("/shared/{link}")
async def shared_page(request: Request, node: Node, link: Link) -> Response:
    page = SharedPage(chosen("", "", request.headers.get("accept-language", "")))
    wait = _wait(request)
    if wait:
        return page.refused("too_often", 429, {"Retry-After": f"{wait:.0f}"})
    try:
        share = await _opened(request, node, link)
        said = await _said(node, share)
    except AWAY as away:
        log.warning("a shared recording is not shown", why=str(away))
        return page.refused("not_now", 503)
    return page.refused("nowhere", 404) if share is None else page.shown(share, link, said)


@router.get("/shared/{link}/sound")
async def shared_sound(
    request: Request, node: Node, link: Link, asked: Annotated[str, Header(alias="Range")] = ""
) -> Response:
    wait = _wait(request)
    if wait:
        return Response(status_code=429, headers={**HEADERS, "Retry-After": f"{wait:.0f}"})
    try:
        share = await _opened(request, node, link)
    except AWAY as away:
        log.warning("a shared recording is not played", why=str(away))
        return Response(status_code=503, headers=HEADERS)
    found = await run_in_threadpool(node.recording, share.recording) if share is not None else None
    if share is None or found is None:
        return Response(status_code=404, headers=HEADERS)
    try:
        answer = await sound_answer(share.recording, found, asked=asked)
    except NoSuchRange as none:
        return Response(status_code=416, headers={**HEADERS, "Content-Range": f"bytes */{none.size}"})
    except (SealBroken, OSError) as broken:
        log.warning("recording does not open", recording=share.recording, why=str(broken))
        return Response(status_code=404, headers=HEADERS)
    answer.headers.update(HEADERS)
    return answer


def _wait(request: Request) -> float:
    doorman: Doorman = request.app.state.doorman
    source = request.client.host if request.client else ""
    return doorman.throttle.take(source, time.monotonic())


async def _said(node: EngineView, share: Share | None) -> Sequence[Said]:
    """What the link shows of what was said. Raises StoreUnavailable."""
    if share is None or not share.transcript or not share.call:
        return ()
    return await run_in_threadpool(node.transcripts.lines, share.call) or ()


async def _opened(request: Request, node: EngineView, link: str) -> Share | None:
    """What it leads to; once in a while its use is counted and told to the audit log. Raises
    AuditUnavailable, StoreUnavailable.
    """
    doorman: Doorman = request.app.state.doorman
    access: Access | None = request.app.state.access
    source = request.client.host if request.client else ""
    known = await run_in_threadpool(node.shares.open, link, use=False)
    if known is None:
        return None
    counted = await doorman.heard.once(source, known.id, lambda: _counted(node, access, link))
    return known if counted else None


async def _counted(node: EngineView, access: Access | None, link: str) -> bool:
    """One use, in the audit log as well; False where it leads nowhere by now. Raises AuditUnavailable,
    StoreUnavailable.
    """
    share = await run_in_threadpool(node.shares.open, link, use=True)
    if share is None:
        return False
    if access is not None:
        trail = access.desk.log
        object = f"recordings/{share.recording}"
        await trail.keep(trail.entry(f"share {share.id}", "link", "open_share", object))
    log.info("a shared recording is listened to", recording=share.recording, share=share.id)
    return True
