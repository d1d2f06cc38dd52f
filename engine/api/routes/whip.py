"""Calls from pages by WHIP (RFC 9725): POST of an offer, PATCH for candidates and ICE restarts, DELETE."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from engine.api.caller_schemas import DIALLED
from engine.api.callers import Caller, Entered, Known, onward, preflight
from engine.api.deps import CallerDesk, Desk
from engine.api.documented import problems
from engine.api.problem import Problem
from engine.tokens import Claims
from engine.whip import Answered, Refused, Sought

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
CHALLENGE = 'Bearer realm="isogloss", error="invalid_token"'

REASONS = {
    400: ("malformed-offer", "The description cannot be read; `detail` says where."),
    401: ("unauthorized", "No token, or one that is no good for this."),
    403: (
        "foreign-origin",
        "The origin of the page may not call; or `wrong-destination`, as the token has it.",
    ),
    406: ("not-acceptable", "There is nothing in the offer that both sides can do."),
    409: ("call-over", "The token's call is only beginning, or just ending."),
    412: ("precondition-failed", "The ETag is not that of the present ICE session."),
    415: ("unsupported-media-type", "The body is of another type than this takes."),
    421: ("elsewhere", "The call to be resumed is not at this node, or not yet: it may be at another."),
    428: ("precondition-required", "If-Match is missing."),
    429: ("too-many-requests", "Too many, from this address or with this token; `Retry-After` says when."),
    503: (
        "draining",
        "The node stops, and `next` says where to go; or has its hands full (`overloaded`), or lets nobody "
        "in at the moment (`browsers-away`).",
    ),
}

router = APIRouter(prefix="/whip", tags=["callers"], dependencies=[Entered])

Destination = Annotated[str, Path(pattern=DIALLED, description="What to call, as in the token.")]
Resume = Annotated[bool, Query(description="Come back into the token's call or be refused; begin none.")]
Session = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="As `Location` had it.")]


def body(kind: str) -> dict[str, Any]:
    """In the OpenAPI."""
    content = {kind: {"schema": {"type": "string"}}}
    return {"requestBody": {"required": True, "content": content}}


def said(status: int, what: str, kind: str = "") -> dict[int | str, dict[str, Any]]:
    """An answer of ours, in the OpenAPI."""
    content = {"content": {kind: {"schema": {"type": "string"}}}} if kind else {}
    return {status: {"description": what, **content}}


@router.options(
    "/{destination}",
    status_code=204,
    summary="What a caller may ask",
    operation_id="call_options",
    responses={
        **said(204, "Headers alone."),
        **problems(401, 403, 404, 422, 429, noun="destination", own=REASONS),
    },
    response_class=Response,
)
async def call_options(desk: Desk, destination: Destination, claims: Known) -> Response:
    """For browsers that ask before they POST. With a token: STUN and TURN servers as `Link` headers, too."""
    answer = preflight("POST, OPTIONS", {"Accept-Post": SDP})
    if claims is not None:
        _link(answer, _servers(desk, claims))
    return answer


@router.options(
    "/{destination}/{session}",
    status_code=204,
    summary="What a caller in a call may ask",
    operation_id="session_options",
    responses={**said(204, "Headers alone."), **problems(403, 404, 422, 429, noun="session", own=REASONS)},
    response_class=Response,
)
async def session_options(destination: Destination, session: Session) -> Response:
    """For browsers that ask before they PATCH or DELETE."""
    return preflight("PATCH, DELETE, OPTIONS", {"Accept-Patch": FRAGMENT})


@router.post(
    "/{destination}",
    status_code=201,
    summary="Call",
    operation_id="begin_call",
    responses={
        **said(201, "Our answer; `Location` is the call's from now on, `ETag` its ICE session's.", SDP),
        **problems(
            *(400, 401, 403, 404, 406, 409, 413, 415, 421, 422, 429, 503), noun="destination", own=REASONS
        ),
    },
    openapi_extra=body(SDP),
    response_class=Response,
)
async def begin_call(
    request: Request, desk: Desk, destination: Destination, claims: Caller, resume: Resume = False
) -> Response:
    """The body is an SDP offer with one audio stream. A token whose call goes on comes back into it: reloaded
    pages POST anew within `webrtc.resume_s`. One whose node is lost finds its call at another, with `resume`:
    the nodes that `Link` named as `next`, which answer 421 until they have it.
    """
    offer = await _text(request, SDP, "malformed-offer")
    if claims.destination != destination:
        raise Problem(403, "wrong-destination", "the token is for another destination")
    outcome = await desk.call(claims, offer, resume)
    if not isinstance(outcome, Answered):
        raise _problem(outcome, request, destination)
    headers = {
        "Location": f"/whip/{quote(destination)}/{outcome.session}",
        "ETag": f'"{outcome.version}"',
        "Accept-Patch": FRAGMENT,
        "Isogloss-Call": outcome.call,
        **({"Isogloss-Resumed": "true"} if outcome.resumed else {}),
    }
    answer = Response(outcome.sdp, 201, headers, SDP)
    _link(answer, _servers(desk, claims))
    _link(answer, (f'<{url}>; rel="next"' for url in onward(request, quote(destination))))
    return answer


@router.patch(
    "/{destination}/{session}",
    summary="Tell candidates, or restart ICE",
    operation_id="patch_session",
    responses={
        **said(200, "ICE was restarted: our side of it, and its `ETag`.", FRAGMENT),
        **said(204, "The candidates were taken."),
        **problems(
            *(400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 503),
            noun="session",
            own=REASONS | {400: ("malformed-fragment", REASONS[400][1])},
        ),
    },
    openapi_extra=body(FRAGMENT),
    response_class=Response,
)
async def patch_session(
    request: Request, desk: Desk, destination: Destination, session: Session, claims: Caller
) -> Response:
    """The body is a fragment (RFC 8840). `If-Match` has the ETag for more candidates, or `*` for a restart,
    which has other credentials than before.
    """
    fragment = await _text(request, FRAGMENT, "malformed-fragment")
    outcome = await desk.patch(session, claims.id, fragment, request.headers.get("if-match"))
    if not isinstance(outcome, Sought):
        raise _problem(outcome, request, destination)
    if not outcome.fragment:
        return Response(status_code=204)
    return Response(outcome.fragment, 200, {"ETag": f'"{outcome.version}"'}, FRAGMENT)


@router.delete(
    "/{destination}/{session}",
    summary="Hang up",
    operation_id="end_session",
    responses={
        **said(200, "The call is over."),
        **problems(401, 403, 404, 422, 429, noun="session", own=REASONS),
    },
    response_class=Response,
)
async def end_session(
    request: Request, desk: Desk, destination: Destination, session: Session, claims: Caller
) -> Response:
    refused = await desk.hang_up(session, claims.id)
    if refused is not None:
        raise _problem(refused, request, destination)
    return Response(status_code=200)


async def _text(request: Request, kind: str, fault: str) -> str:
    """The body. Raises Problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise Problem(415, "unsupported-media-type", f"the body must be {kind}", headers={"Accept": kind})
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise Problem(400, fault, "the body is no text in UTF-8") from error


def _problem(outcome: object, request: Request, destination: str) -> Problem:
    assert isinstance(outcome, Refused), "the other outcomes are answers"
    headers = {"Retry-After": str(outcome.retry_s)} if outcome.retry_s else {}
    if outcome.status == 401:
        headers["WWW-Authenticate"] = CHALLENGE
    elsewhere = onward(request, quote(destination)) if outcome.status == 503 else ()
    following = elsewhere[0] if elsewhere else ""
    return Problem(outcome.status, outcome.name, outcome.detail, headers=headers, next=following)


def _servers(desk: CallerDesk, claims: Claims) -> Iterable[str]:
    return (link for server in desk.servers(claims.id, time.time()) for link in server.links())


def _link(answer: Response, links: Iterable[str]) -> None:
    for link in links:
        answer.headers.append("Link", link)
