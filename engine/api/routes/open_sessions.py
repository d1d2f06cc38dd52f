"""Sessions that are open: one's own, and those of users for who manages them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from engine.access import addresses
from engine.access.desk import digest_of
from engine.access.principal import How, Principal
from engine.access.role import Permission
from engine.api import access_schemas as bodies
from engine.api.audited import tell
from engine.api.deps import Door, may
from engine.api.documented import REASONS, problems
from engine.api.identify import COOKIE
from engine.api.problem import not_found
from engine.api.routes.users import Name

own = APIRouter(prefix="/v1/session/sessions", tags=["session"])
router = APIRouter(prefix="/v1/users/{user}/sessions", tags=["users"])

Oneself = Annotated[Principal, may(Permission.OWN_ACCOUNT)]
Manager = Annotated[Principal, may(Permission.MANAGE_USERS)]
Id = Annotated[str, Path(alias="session", pattern=r"^[0-9a-f]{16}$", description="The session's `id`.")]
NOBODY = REASONS | {404: ("unknown-user", "Nobody signs in at this node, or the user is not known.")}
NONE = REASONS | {404: ("unknown-session", "There is no such session, or it is over.")}


@own.get(
    "",
    summary="My sessions",
    operation_id="list_own_sessions",
    responses=problems(401, 403, 404, 503, own=NOBODY),
)
async def list_own_sessions(request: Request, oneself: Oneself, door: Door) -> bodies.SessionList:
    """Those that are not over, the newest first."""
    return await _listed(request, door, oneself, oneself.who)


@own.delete(
    "",
    summary="End all my sessions",
    operation_id="end_own_sessions",
    responses=problems(401, 403, 404, 503, own=NOBODY),
)
async def end_own_sessions(request: Request, oneself: Oneself, door: Door) -> bodies.SessionsEnded:
    """This one, too: for who has left a browser somewhere."""
    return await _ended(request, door, oneself, oneself.who)


@own.delete(
    "/{session}",
    status_code=204,
    summary="End a session of mine",
    operation_id="end_own_session",
    responses=problems(401, 403, 404, 422, 503, own=NONE),
)
async def end_own_session(request: Request, oneself: Oneself, door: Door, id: Id) -> None:
    await _end(request, door, oneself, oneself.who, id)


@router.get(
    "",
    summary="Sessions of a user",
    operation_id="list_user_sessions",
    responses=problems(401, 403, 404, 422, 503, own=NOBODY),
)
async def list_user_sessions(
    request: Request, manager: Manager, door: Door, name: Name
) -> bodies.SessionList:
    """Those that are not over, the newest first. Of a role that may more than one may oneself: 403."""
    return await _listed(request, door, manager, name)


@router.delete(
    "",
    summary="End a user's sessions",
    operation_id="end_user_sessions",
    responses=problems(401, 403, 404, 422, 503, own=NOBODY),
)
async def end_user_sessions(
    request: Request, manager: Manager, door: Door, name: Name
) -> bodies.SessionsEnded:
    """All of them. To keep somebody out, set `disabled` of the user."""
    return await _ended(request, door, manager, name)


@router.delete(
    "/{session}",
    status_code=204,
    summary="End one session of a user",
    operation_id="end_user_session",
    responses=problems(401, 403, 404, 422, 503, own=NONE),
)
async def end_user_session(request: Request, manager: Manager, door: Door, name: Name, id: Id) -> None:
    await _end(request, door, manager, name, id)


async def _listed(request: Request, door: Door, who: Principal, name: str) -> bodies.SessionList:
    """One's own addresses one may read; those of others with the permission for it, and it is told of."""
    found = await door.roster.sessions(who, name)
    if name != who.who:
        await door.desk.audit(who, "list_user_sessions", f"users/{name}/sessions", read=True)
    shown = name == who.who or who.may(Permission.PERSONAL)
    mine = digest_of(request.cookies.get(COOKIE, ""))
    items = [
        bodies.OpenSession(
            id=each.id,
            how=How(each.how),
            client=each.client,
            source=each.source if shown else addresses.cut(each.source),
            made_at=each.made_at,  # type: ignore[arg-type]
            seen_at=each.seen_at,  # type: ignore[arg-type]
            expires_at=each.expires_at,  # type: ignore[arg-type]
            current=each.digest == mine,
        )
        for each in found
    ]
    return bodies.SessionList(items=items)


async def _ended(request: Request, door: Door, who: Principal, name: str) -> bodies.SessionsEnded:
    ended = await door.roster.end_sessions(who, name)
    tell(request, user=name, ended=ended)
    return bodies.SessionsEnded(ended=ended)


async def _end(request: Request, door: Door, who: Principal, name: str, id: str) -> None:
    tell(request, user=name, session=id)
    if not await door.roster.end_sessions(who, name, id):
        raise not_found("session", id)
