"""Tokens that users make for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import access_schemas as bodies
from engine.api.audited import tell
from engine.api.deps import Door, may
from engine.api.documented import REASONS, problems
from engine.api.idempotency import IdempotencyKey, sealed
from engine.api.paging import PageQuery, cut
from engine.store.accounts import ApiKey

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])

Maker = Annotated[Principal, may(Permission.MAKE_TOKENS)]
Id = Annotated[str, Path(alias="token", pattern=r"^[0-9a-f]{16}$", description="The token's `id`.")]
OWN = REASONS | {
    403: ("forbidden", "More than one may oneself."),
    404: ("unknown-token", "There is no such token of yours."),
}


@router.get(
    "",
    summary="List tokens",
    operation_id="list_tokens",
    responses=problems(401, 403, 404, 422, 503, own=OWN),
)
async def list_tokens(maker: Maker, door: Door, query: Annotated[PageQuery, Query()]) -> bodies.ApiTokenPage:
    """One's own; everybody's for those who manage users. Those of the configuration are not among them."""
    page, after = cut(await door.roster.tokens(maker), lambda key: key.id, query)
    return bodies.ApiTokenPage(items=[_told(each) for each in page], next=after)


@router.post(
    "",
    status_code=201,
    summary="Make a token",
    operation_id="create_token",
    responses=problems(401, 403, 404, 409, 413, 422, 503, own=OWN),
)
async def create_token(
    request: Request, maker: Maker, door: Door, wish: bodies.ApiTokenWish, key: IdempotencyKey = None
) -> bodies.ApiTokenMade:
    """Its scopes, markets and teams are among one's own; what one loses later it loses, too."""

    async def act() -> bodies.ApiTokenMade:
        life_s = wish.days * 86_400.0
        made, secret = await door.roster.mint(
            maker, wish.name, wish.scopes, markets=wish.markets, teams=wish.teams, life_s=life_s
        )
        return bodies.ApiTokenMade(token=_told(made), secret=secret)

    done = await sealed(request, f"{maker.key} token", key, wish, bodies.ApiTokenMade, act)
    told, scopes = done.token, [str(each) for each in done.token.scopes]
    tell(request, id=told.id, name=told.name, scopes=scopes, markets=wish.markets, teams=wish.teams)
    return done


@router.delete(
    "/{token}",
    status_code=204,
    summary="Revoke a token",
    operation_id="revoke_token",
    responses=problems(401, 403, 404, 422, 503, noun="token", own=OWN),
)
async def revoke_token(maker: Maker, door: Door, id: Id) -> None:
    await door.roster.revoke(maker, id)


def _told(key: ApiKey) -> bodies.ApiTokenTold:
    """Without the digest: field by field."""
    return bodies.ApiTokenTold.model_validate(
        {name: getattr(key, name) for name in bodies.ApiTokenTold.model_fields}
    )
