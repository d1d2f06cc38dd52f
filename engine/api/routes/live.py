"""What goes on, as it changes: a snapshot, then what differs; at a WebSocket and as server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, Query, Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api.deps import may
from engine.api.documented import problems
from engine.api.live import EventStream, Known, LiveConversation, angle
from engine.api.live_words import EVERY, PROTOCOL, Subscribe
from engine.api.problem import Problem
from engine.live.feed import Feed
from engine.live.hub import TooManyReaders
from engine.live.tree import Topic
from engine.store.errors import StoreUnavailable
from sip.io.ws import may_connect

router = APIRouter(prefix="/v1/live", tags=["live"])
log = structlog.get_logger("api")

Reader = Annotated[Principal, may(Permission.BOARD)]

FORBIDDEN = 1008  # before a WebSocket is accepted any code is answered 403
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `snapshot`, `delta` and `resync`, for as long as the reader stays.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
TOO_MANY = {503: ("too-many-readers", "So many read already; ask again later.")}

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^[\x20-\x7e]*$")]


class LiveQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    topics: list[Topic] = Field(
        default=sorted(EVERY), max_length=16, description="What to tell of; all but captions when left out."
    )
    queues: list[Name] = Field(default=[], max_length=64, description="Only what belongs to these queues.")
    teams: list[Name] = Field(default=[], max_length=64, description="Only what belongs to these teams.")
    markets: list[Name] = Field(default=[], max_length=64, description="Only what belongs to these markets.")
    since: Id = Field(default="", description="The last id that was had, to go on from there.")

    def asked(self) -> Subscribe:
        return Subscribe(
            topics=frozenset(self.topics),
            queues=frozenset(self.queues),
            teams=frozenset(self.teams),
            markets=frozenset(self.markets),
        )


def feed_of(app: Any) -> Feed:
    """Raises Problem where nothing is told live."""
    feed: Feed | None = app.state.live
    if feed is None:
        raise Problem(503, "too-many-readers", "this node tells nothing live")
    return feed


@router.get(
    "",
    summary="Watch what goes on",
    operation_id="watch_live",
    response_class=Response,
    responses={**problems(401, 403, 422), **problems(503, own=TOO_MANY), **STREAM},
)
async def watch_live(
    request: Request,
    _: Reader,
    query: Annotated[LiveQuery, Query()],
    last_event_id: Annotated[
        Id, Header(description="As `since`, which it goes before: what a browser sends that comes back.")
    ] = "",
) -> Response:
    """First a snapshot, by topic and id; then deltas, each of which holds all that differs from the state of
    its `after`. A reader that was away names the last id it had and goes on from there, or gets a snapshot if
    that was too long ago. One that is too slow is told `resync`, and a snapshot. The same is to be had as a
    WebSocket at this very path, docs/monitoring.md.
    """
    feed, asked, known = feed_of(request.app), query.asked(), Known(request)
    seen = await known.sight()
    if seen is None:
        raise Problem(403, "forbidden", "you may not read any more")
    await known.tell(asked, seen)

    async def still() -> bool:
        try:
            return await known.sight() == seen
        except StoreUnavailable:  # nobody knows whether she may
            return False

    try:
        return EventStream(feed, angle(asked, seen), last_event_id or query.since, still)
    except TooManyReaders as full:
        raise Problem(503, "too-many-readers", str(full), headers={"Retry-After": "5"}) from None


@router.websocket("")
async def live(socket: WebSocket) -> None:
    """See engine/api/live_words.py for what is said."""
    settings, feed = socket.app.state.settings, socket.app.state.live
    origin, host = socket.headers.get("origin"), socket.headers.get("host", "")
    if feed is None or (origin is not None and not may_connect(origin, host, settings.live_origins)):
        log.warning("a page of another origin was refused", origin=(origin or "")[:200])
        await socket.close(FORBIDDEN)
        return
    offered = socket.scope["subprotocols"]
    await socket.accept(PROTOCOL if PROTOCOL in offered else None)
    await LiveConversation(socket, feed).run()
