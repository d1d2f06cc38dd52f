"""What went wrong with a request, as RFC 9457 problem details; every refusal of the API is one of these.

`type` is a name to program against (urn:isogloss:problem:unknown-call), `detail` a sentence for a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from engine.access.errors import AccessError
from engine.store.errors import StoreUnavailable
from engine.views import IllegalState, UnknownAgent, UnknownCall

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 20
BODY_FAULT = {"where": "body", "what": "not JSON"}

log = structlog.get_logger("api")


class Problem(Exception):
    """Raised in a route, answered as problem details. name: the last part of `type`, in kebab case. errors:
    each with `where` and `what`. next: where the same may be asked instead.
    """

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        next: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.next = next


def not_found(noun: str, name: str) -> Problem:
    """noun: "call", "agent" … ; the name is only quoted back, never looked at."""
    return Problem(404, f"unknown-{noun}", f"there is no {noun} {name!r} here")


def reply(
    request: Request,
    status: int,
    name: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    next: str = "",
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:isogloss:problem:{name}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if next:
        body["next"] = next
    if errors:
        body["errors"] = list(errors)
    # ensure_ascii keeps whatever a path or a value held out of the way of terminals and proxies.
    return Response(json.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI, methods_at: Callable[[str], Sequence[str]]) -> None:
    """Make every error of the app a problem. methods_at: what may be asked of a path."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(AccessError, _access)
    app.add_exception_handler(UnknownCall, _unknown("call"))
    app.add_exception_handler(UnknownAgent, _unknown("agent"))
    app.add_exception_handler(IllegalState, _illegal)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http(methods_at))
    app.add_exception_handler(Exception, _fault)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return reply(
        request,
        error.status,
        error.name,
        error.detail,
        headers=error.headers,
        errors=error.errors,
        next=error.next,
    )


async def _access(request: Request, error: Exception) -> Response:
    assert isinstance(error, AccessError)
    headers = {"Retry-After": str(int(error.retry_s) + 1)} if error.retry_s else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="isogloss"'
    return reply(request, error.status, error.name, str(error), headers=headers)


def _unknown(noun: str) -> Any:
    async def answer(request: Request, error: Exception) -> Response:
        return reply(request, 404, f"unknown-{noun}", f"there is no such {noun} here")

    return answer


async def _illegal(request: Request, error: Exception) -> Response:
    return reply(request, 409, "illegal-state", str(error))


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("the store did not answer a request", path=request.url.path, why=str(error))
    detail = "the store does not answer now; calls go on, try again"
    return reply(request, 503, "store-unavailable", detail, headers={"Retry-After": "5"})


async def _invalid(request: Request, error: Exception) -> Response:
    """What was wrong and where; never the value itself, which may be a secret or somebody's number."""
    assert isinstance(error, RequestValidationError)
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": str(fault["msg"])}
        for fault in error.errors()[:MAX_FAULTS]
    ]
    detail = f"the request has {len(error.errors())} fault{'s' * (len(error.errors()) != 1)}"
    return reply(request, 422, "invalid-request", detail, errors=faults)


def _http(methods_at: Callable[[str], Sequence[str]]) -> Any:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status, headers = error.status_code, dict(error.headers or {})
        if status == 400:  # FastAPI's word for a body so odd that its parser gave up
            return reply(request, 422, "invalid-request", "the body cannot be read", errors=[BODY_FAULT])
        if status == 405 and (methods := methods_at(request.url.path)):
            headers["Allow"] = ", ".join(methods)  # the framework names those of one route alone
        name = HTTPStatus(status).phrase.lower().replace(" ", "-").replace("'", "")
        return reply(request, status, name, str(error.detail), headers=headers)

    return answer


async def _fault(request: Request, error: Exception) -> Response:
    log.error("a request failed", path=request.url.path, method=request.method, exc_info=error)
    return reply(request, 500, "fault", "the node made a mistake; its log says which")
