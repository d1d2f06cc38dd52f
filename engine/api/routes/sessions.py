"""Signing in and out, and what people change of themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Query, Request, Response

from engine.access.desk import csrf_of
from engine.access.principal import Principal
from engine.access.role import Permission
from engine.api import access_schemas as bodies
from engine.api.deps import Door, may
from engine.api.documented import REASONS, problems
from engine.api.identify import COOKIE, bake, client_of, own_origin, source_of
from engine.api.problem import Problem

router = APIRouter(prefix="/v1/session", tags=["session"])

Oneself = Annotated[Principal, may(Permission.OWN_ACCOUNT)]

STATE = "isogloss_oidc"
STATE_PATH = "/v1/session/oidc"
STATE_S = 600
OWN = REASONS | {
    401: ("wrong-credentials", "Name, password or code are not right; `code-wanted`: a code is missing."),
    403: ("foreign-origin", "A page of another origin may not do this."),
    404: ("unknown-user", "Nobody signs in at this node, or not this way."),
    409: ("illegal-state", "That cannot be as things are now; `detail` says why."),
    422: ("invalid-request", "A part of the request is not valid; `weak-password`: it could be guessed."),
    429: ("too-many-requests", "Too many tries failed, or too many try at once; `Retry-After` says when."),
}
SAID = REASONS | {404: OWN[404]}
HERE: dict[int | str, dict[str, Any]] = {303: {"description": "Where the browser goes on."}}


@router.post(
    "",
    summary="Sign in",
    operation_id="sign_in",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=OWN),
)
async def sign_in(
    request: Request, door: Door, wish: bodies.SignInWish, response: Response
) -> bodies.SignedIn:
    """Begins a session; its cookie comes along. `code-wanted` asks for the same once more with a code."""
    if request.headers.get("origin") and not own_origin(request):
        raise Problem(403, "foreign-origin", "a page of another origin may not sign anybody in")
    before = request.cookies.get(COOKIE)
    opened = await door.desk.login(
        wish.name, wish.password, wish.code, source_of(request), client_of(request)
    )
    if before:
        await door.desk.logout(before)
    bake(request, response, COOKIE, opened.secret, "/", int(door.desk.terms.longest_s))
    return _told(opened.principal, opened.csrf)


@router.get("", summary="Who am I?", operation_id="get_session", responses=problems(401, 403, 404, own=SAID))
async def get_session(request: Request, oneself: Oneself, door: Door) -> bodies.SignedIn:
    """And what may I do; with the token that writes need."""
    return _told(oneself, csrf_of(request.cookies.get(COOKIE, "")))


@router.delete(
    "",
    status_code=204,
    summary="Sign out",
    operation_id="sign_out",
    responses=problems(401, 403, 404, own=SAID),
)
async def sign_out(request: Request, oneself: Oneself, door: Door, response: Response) -> None:
    await door.desk.logout(request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/")


@router.put(
    "/password",
    status_code=204,
    summary="Change one's password",
    operation_id="change_own_password",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=OWN),
)
async def change_own_password(
    oneself: Oneself, door: Door, wish: bodies.PasswordChange, response: Response
) -> None:
    """All one's sessions end, this one too."""
    await door.roster.change_password(oneself, wish.old, wish.new)
    response.delete_cookie(COOKIE, path="/")


@router.post(
    "/totp",
    status_code=201,
    summary="Begin with a second factor",
    operation_id="enrol_totp",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=OWN),
)
async def enrol_totp(oneself: Oneself, door: Door, proof: bodies.PasswordProof) -> bodies.TotpEnrolment:
    """It counts once a code of it was confirmed."""
    found = await door.roster.enrol(oneself, proof.password)
    return bodies.TotpEnrolment(secret=found.secret, uri=found.uri)


@router.put(
    "/totp",
    summary="Confirm the second factor",
    operation_id="confirm_totp",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=OWN),
)
async def confirm_totp(oneself: Oneself, door: Door, proof: bodies.CodeProof) -> bodies.RecoveryCodes:
    """From now on a code is wanted at each sign-in."""
    return bodies.RecoveryCodes(codes=await door.roster.confirm(oneself, proof.code))


@router.post(
    "/totp/removal",
    status_code=204,
    summary="Do without the second factor",
    operation_id="give_up_totp",
    responses=problems(401, 403, 404, 409, 413, 422, 429, 503, own=OWN),
)
async def give_up_totp(oneself: Oneself, door: Door, proof: bodies.CodeProof, response: Response) -> None:
    """Takes a code of it, or a recovery code. All one's sessions end, this one too."""
    await door.roster.give_up_totp(oneself, proof.code)
    response.delete_cookie(COOKIE, path="/")


@router.get(
    "/oidc",
    status_code=303,
    summary="Sign in by the provider",
    operation_id="sign_in_by_oidc",
    response_class=Response,
    responses={**HERE, **problems(401, 403, 404, 422, 503, own=OWN)},
)
async def sign_in_by_oidc(
    request: Request,
    door: Door,
    next: Annotated[
        str,
        Query(pattern=r"^/([A-Za-z0-9_.-][A-Za-z0-9_./-]{0,200})?$", description="Page of ours to go on at."),
    ] = "/console",
) -> Response:
    """Leads to the OpenID Connect provider of the configuration."""
    if door.vouching is None:
        raise Problem(404, "unknown-user", "nobody vouches for people at this node: see access.oidc")
    url, kept = await door.vouching.begin(next)
    answer = Response(status_code=303, headers={"Location": url})
    bake(request, answer, STATE, kept, STATE_PATH, STATE_S)
    return answer


@router.get(
    "/oidc/callback",
    status_code=303,
    summary="Come back from the provider",
    operation_id="finish_oidc",
    response_class=Response,
    responses={**HERE, **problems(401, 403, 404, 422, 503, own=OWN)},
)
async def finish_oidc(
    request: Request,
    door: Door,
    state: Annotated[str, Query(max_length=256, description="As it was given to the provider.")] = "",
    code: Annotated[str, Query(max_length=4096, description="The provider's.")] = "",
    kept: Annotated[str, Cookie(alias=STATE, max_length=4096, description="Of the browser that left.")] = "",
) -> Response:
    """Begins a session and leads on."""
    if door.vouching is None:
        raise Problem(404, "unknown-user", "nobody vouches for people at this node: see access.oidc")
    opened, next = await door.vouching.finish(kept, state, code, source_of(request), client_of(request))
    answer = Response(status_code=303, headers={"Location": next})
    answer.delete_cookie(STATE, path=STATE_PATH)
    bake(request, answer, COOKIE, opened.secret, "/", int(door.desk.terms.longest_s))
    return answer


def _told(principal: Principal, csrf: str) -> bodies.SignedIn:
    return bodies.SignedIn.model_validate(
        {
            "who": principal.who,
            "role": principal.role,
            "permissions": sorted(each for each in Permission if principal.may(each)),
            "markets": sorted(principal.markets),
            "teams": sorted(principal.teams),
            "how": principal.how,
            "expires_at": principal.expires_at,
            "csrf": csrf,
        }
    )
