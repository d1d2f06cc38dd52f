"""Users, by those who manage them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field

from engine.access.principal import Principal
from engine.access.role import Permission, Role
from engine.api import access_schemas as bodies
from engine.api.audited import tell
from engine.api.deps import Door, may
from engine.api.documented import REASONS, problems
from engine.api.idempotency import IdempotencyKey, sealed
from engine.api.paging import PageQuery, cut
from engine.api.plain import Plain
from engine.api.unchanged import VERSIONED, matched
from engine.store import accounts

router = APIRouter(prefix="/v1/users", tags=["users"])

Manager = Annotated[Principal, may(Permission.MANAGE_USERS)]
Name = Annotated[str, Path(alias="user", pattern=bodies.NAME, description="The user's `name`.")]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=64, description="The ETag of the user that was looked at."),
]
OWN = REASONS | {
    403: ("forbidden", "More than one may oneself, or of oneself."),
    409: ("name-taken", "There is such a user; or `illegal-state`, such as the last administrator's end."),
    412: ("other-version", "Somebody changed the user meanwhile."),
    422: ("invalid-request", "A part of the request is not valid; `weak-password`: it could be guessed."),
    429: ("too-many-requests", "More passwords are set at once than can be worked out."),
}
NOBODY = OWN | {404: ("unknown-user", "Nobody signs in at this node.")}


class UserQuery(PageQuery):
    role: Role | None = Field(default=None, description="Only users of this role.")
    market: Plain | None = Field(default=None, description="Only who may see this market.")
    team: Plain | None = Field(default=None, description="Only who may see this team.")
    disabled: bool | None = Field(default=None, description="Only who is shut out, or who is not.")
    totp: bool | None = Field(default=None, description="Only who has a second factor, or who has none.")

    def wants(self, user: accounts.User) -> bool:
        sees = all(
            wanted is None or not limits or wanted in limits
            for wanted, limits in ((self.market, user.markets), (self.team, user.teams))
        )
        proved = self.totp in (None, user.totp_on)
        return sees and proved and self.role in (None, user.role) and self.disabled in (None, user.disabled)


@router.get(
    "",
    summary="List users",
    operation_id="list_users",
    responses=problems(401, 403, 404, 422, 503, own=NOBODY),
)
async def list_users(_: Manager, door: Door, query: Annotated[UserQuery, Query()]) -> bodies.UserPage:
    """Users by name."""
    page, after = cut(filter(query.wants, await door.roster.users()), lambda user: user.name, query)
    return bodies.UserPage(items=[_told(each) for each in page], next=after)


@router.post(
    "",
    status_code=201,
    summary="Make a user",
    operation_id="create_user",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=NOBODY),
)
async def create_user(
    request: Request,
    manager: Manager,
    door: Door,
    wish: bodies.UserWish,
    response: Response,
    key: IdempotencyKey = None,
) -> bodies.UserMade:
    """Nobody gives a role that may more than they may themselves."""
    tell(request, user=wish.name, role=wish.role, markets=wish.markets, teams=wish.teams)

    async def act() -> bodies.UserMade:
        made, password = await door.roster.create(
            manager,
            wish.name,
            wish.role,
            display=wish.display,
            markets=wish.markets,
            teams=wish.teams,
            password=wish.password,
        )
        return bodies.UserMade(user=_told(made), password=password)

    done = await sealed(request, f"{manager.key} user", key, wish, bodies.UserMade, act)
    _tag(response, done.user)
    return done


@router.get(
    "/{user}",
    summary="Look at a user",
    operation_id="get_user",
    responses={**VERSIONED, **problems(401, 403, 404, 422, 503, noun="user", own=OWN)},
)
async def get_user(_: Manager, door: Door, name: Name, response: Response) -> bodies.User:
    """The version is the ETag."""
    found = await door.roster.user(name)
    _tag(response, found)
    return _told(found)


@router.patch(
    "/{user}",
    summary="Change a user",
    operation_id="change_user",
    responses=problems(401, 403, 404, 409, 412, 413, 422, 503, noun="user", own=OWN),
)
async def change_user(
    request: Request,
    manager: Manager,
    door: Door,
    name: Name,
    wish: bodies.UserChange,
    response: Response,
    expected: IfMatch = None,
) -> bodies.User:
    """Whose rights change has to sign in again. Nobody changes their own; the last administrator stays."""
    values = {each: value for each, value in wish.model_dump().items() if value is not None}
    tell(request, **values)
    values |= {each: tuple(values[each]) for each in ("markets", "teams") if each in values}
    changed = await door.roster.change(manager, name, _version(expected), values)
    _tag(response, changed)
    return _told(changed)


@router.put(
    "/{user}/password",
    summary="Give somebody another password",
    operation_id="reset_password",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, noun="user", own=OWN),
)
async def reset_password(
    manager: Manager, door: Door, name: Name, wish: bodies.PasswordReset
) -> bodies.PasswordMade:
    """All their sessions end."""
    return bodies.PasswordMade(password=await door.roster.reset_password(manager, name, wish.password))


@router.delete(
    "/{user}/totp",
    summary="Take somebody's second factor away",
    operation_id="remove_totp",
    responses=problems(401, 403, 404, 409, 422, 503, noun="user", own=OWN),
)
async def remove_totp(manager: Manager, door: Door, name: Name) -> bodies.User:
    """For who has lost phone and recovery codes. All their sessions end."""
    return _told(await door.roster.remove_totp(manager, name))


def _told(user: accounts.User) -> bodies.User:
    """No hash, no secret: field by field."""
    found = asdict(user)
    told = {name: found[name] for name in bodies.User.model_fields if name in found}
    return bodies.User.model_validate(told | {"totp": user.totp_on, "vouched": user.subject is not None})


def _tag(response: Response, user: accounts.User | bodies.User) -> None:
    response.headers["ETag"] = f'"{user.version}"'


def _version(condition: str | None) -> int | None:
    found = matched(condition, "[0-9]{1,9}", 'a version in quotes, such as "3"')
    return None if found is None else int(found)
