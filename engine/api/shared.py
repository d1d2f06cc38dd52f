"""Where links to recordings lead: a page for whoever has one, without a script and without a session.

    GET /shared/LINK          the page, and what was said with numbers masked where the link shows it
    GET /shared/LINK/sound    the recording

A link that is unknown, has ended, was revoked or used up leads nowhere, and no answer says which. Nothing on
the page leads elsewhere, and no address of it is told to others (Referrer-Policy). Each use is counted and in
the audit log before anything is shown; asking for a recording piece by piece is one use.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from engine.access import mask
from engine.access.access import Access
from engine.access.errors import AuditUnavailable
from engine.api.deps import EngineView, Node
from engine.api.sounds import Heard, NoSuchRange, sound_answer
from engine.sharing import Share
from engine.store.transcripts import Said
from engine.throttle import Throttle
from media.sealed import SealBroken

PER_MIN = 120  # of one source: a player asks for many pieces
MOST_SAID = 2000
STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:light-dark(#f3f5f4,#0f1413)}
main{max-width:42rem;margin:8vh auto;padding:2rem;border-radius:1.25rem;background:light-dark(#fff,#171d1b);
border:1px solid light-dark(#e1e7e5,#27312f);box-sizing:border-box}
h1{font-size:1.375rem;margin:0 0 1rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}audio{width:100%}
ol{list-style:none;padding:0;margin:0}li{margin:.75rem 0}b{display:block;font-size:.8125rem}
p.soft,b span{color:light-dark(#4d5b57,#a9b7b3);font-weight:400}"""
STYLED = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLED}'; media-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
NOWHERE = "<p>This link leads nowhere, or nowhere any more. Ask whoever gave it to you for another.</p>"

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
    wait = _wait(request)
    if wait:
        return _page("<p>Too many attempts. Try again in a minute.</p>", 429, {"Retry-After": f"{wait:.0f}"})
    try:
        share = await _opened(request, node, link)
    except AuditUnavailable:
        return _page("<p>This cannot be shown now. Try again in some minutes.</p>", 503)
    if share is None:
        return _page(NOWHERE, 404)
    said: Sequence[Said] | None = None
    if share.transcript and share.call:
        said = await run_in_threadpool(node.transcripts.lines, share.call)
    return _page(_drawn(share, link, said or ()))


@router.get("/shared/{link}/sound")
async def shared_sound(
    request: Request, node: Node, link: Link, asked: Annotated[str, Header(alias="Range")] = ""
) -> Response:
    wait = _wait(request)
    if wait:
        return Response(status_code=429, headers={**HEADERS, "Retry-After": f"{wait:.0f}"})
    try:
        share = await _opened(request, node, link)
    except AuditUnavailable:
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


async def _opened(request: Request, node: EngineView, link: str) -> Share | None:
    """What it leads to; once in a while its use is counted and told to the audit log. Raises
    AuditUnavailable.
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
    """One use, in the audit log as well; False where it leads nowhere by now. Raises AuditUnavailable."""
    share = await run_in_threadpool(node.shares.open, link, use=True)
    if share is None:
        return False
    if access is not None:
        trail = access.desk.log
        object = f"recordings/{share.recording}"
        await trail.keep(trail.entry(f"share {share.id}", "link", "open_share", object))
    log.info("a shared recording is listened to", recording=share.recording, share=share.id)
    return True


def _page(inner: str, status: int = 200, more: dict[str, str] | None = None) -> Response:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Recording</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Recording of a call</h1>{inner}</main></body></html>"
    )
    return Response(page, status, {**HEADERS, **(more or {})}, "text/html; charset=utf-8")


def _drawn(share: Share, link: str, said: Sequence[Said]) -> str:
    until = datetime.fromtimestamp(share.expires_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    hidden = mask.sides(said)
    rows = "".join(_row(each, *both) for each, both in list(zip(said, hidden))[:MOST_SAID])
    words = f"<h2>What was said</h2><ol>{rows}</ol>" if rows else ""
    player = f'<audio controls preload="none" src="/shared/{escape(link)}/sound"></audio>'
    return f'{player}<p class="soft">This link ends on {until}.</p>{words}'


def _row(said: Said, text: str, other: str) -> str:
    minutes, seconds = divmod(int(said.begin), 60)
    below = f'<br><span dir="auto">{escape(other)}</span>' if other else ""
    return (
        f"<li><b>{escape(said.side.title())} <span>{minutes}:{seconds:02}</span></b>"
        f'<span lang="{escape(said.language)}" dir="auto">{escape(text)}</span>{below}</li>'
    )
