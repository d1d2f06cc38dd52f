"""What the OpenAPI says of the answers a route can give beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.api import (
    access_schemas,
    assist_schemas,
    card_schemas,
    config_schemas,
    guest_schemas,
    hand_schemas,
    hook_schemas,
    insight_schemas,
    line_schemas,
    node_schemas,
    record_schemas,
    report_schemas,
    review_schemas,
    schemas,
    share_schemas,
    speech_schemas,
    unchanged,
)
from engine.api.problem import MEDIA_TYPE

DESCRIPTION = """\
Calls, queues, agents and registrations of a node: what they are now, what they were, and the hand on them.

Every request carries a token, `Authorization: Bearer TOKEN`, or the cookie of somebody who signed in. What is
out of the markets and teams of who asks is not there for them; numbers of people are masked for those without
the permission `personal`. Lists come in pages: while `next` is not null,
ask again with it as `cursor`. Whoever asks again with an answer's `ETag` as `If-None-Match` is told 304 while
nothing changed. Every refusal is RFC 9457 problem details; `type` is the name to program
against.
"""

TAGS = [
    {"name": "calls", "description": "Calls in progress."},
    {"name": "records", "description": "Finished calls."},
    {"name": "recordings", "description": "Sound of calls that were recorded."},
    {"name": "transcripts", "description": "What was said in finished calls, and how well they went."},
    {"name": "scorecards", "description": "Calls that supervisors judged by forms."},
    {"name": "assist", "description": "What helps agents while they talk."},
    {"name": "speech", "description": "Calls put into words: who does it, and interpreters in calls."},
    {"name": "reports", "description": "What calls came to, by any two dimensions."},
    {"name": "queues", "description": "Queues now, and their day so far."},
    {"name": "agents", "description": "Agents and their states."},
    {"name": "registrations", "description": "Phones that registered."},
    {"name": "lines", "description": "Lines to the telephone network: how they stand, how they did, probes."},
    {"name": "callers", "description": "Callers from pages: their tokens, and calls by WHIP (RFC 9725)."},
    {
        "name": "config",
        "description": "The node's configuration: checked, compared, applied.",
    },
    {"name": "live", "description": "What goes on, as it changes."},
    {"name": "hooks", "description": "Webhooks: who is told what happens."},
    {"name": "session", "description": "Signing in and out, and what people change of themselves."},
    {"name": "users", "description": "People who may sign in."},
    {"name": "tokens", "description": "Tokens that users make for programs."},
    {"name": "audit", "description": "Who read personal data and who changed what."},
    {"name": "nodes", "description": "Nodes of the cluster, and which one is near."},
    {"name": "node", "description": "The node itself: for load balancers and collectors."},
]

REASONS = {
    401: ("unauthorized", "No token or session, or one that is unknown or has expired."),
    403: ("forbidden", "Who asks does not have the permission."),
    404: ("unknown-{noun}", "There is no such {noun}."),
    409: ("illegal-state", "That cannot be as things are now; `detail` says why."),
    413: ("too-large", "The body is longer than the node reads."),
    416: ("no-such-range", "The recording ends before the range that was asked for."),
    422: ("invalid-request", "A part of the request is not valid; `errors` says which."),
    429: ("too-many-requests", "Too many unknown tokens came from there; `Retry-After` says when."),
    503: ("store-unavailable", "The store does not answer now; calls go on."),
}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    428: "Precondition Required",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


MODULES = (  # of models
    schemas,
    access_schemas,
    assist_schemas,
    card_schemas,
    config_schemas,
    guest_schemas,
    hook_schemas,
    insight_schemas,
    hand_schemas,
    line_schemas,
    node_schemas,
    record_schemas,
    report_schemas,
    review_schemas,
    share_schemas,
    speech_schemas,
)

Reasons = Mapping[int, tuple[str, str]]  # name of the problem and what it means, by status


def problems(*statuses: int, noun: str = "", own: Reasons = REASONS) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses as problem details. noun: what a 404 did not find. own:
    reasons that are the route's. Whoever has to be known may also have guessed too often, or be known to the
    store alone, which is away.
    """
    known = (429, 503) if 401 in statuses else ()
    return {status: _response(status, noun, own) for status in sorted({*statuses, *known})}


def _response(status: int, noun: str, own: Reasons) -> dict[str, Any]:
    name, description = own.get(status) or REASONS[status]
    example = {
        "type": f"urn:isogloss:problem:{name.format(noun=noun)}",
        "title": TITLES[status],
        "status": status,
        "detail": description.format(noun=noun),
        "instance": "/v1/…",
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    answer: dict[str, Any] = {"description": description.format(noun=noun), "content": {MEDIA_TYPE: content}}
    if status == 401:
        challenge = {"description": "RFC 6750.", "schema": {"type": "string"}}
        answer["headers"] = {"WWW-Authenticate": challenge}
    return answer


def model_of(name: str) -> type | None:
    """The model that a schema of the document is made from."""
    return next((getattr(module, name) for module in MODULES if hasattr(module, name)), None)


def _restore_examples(components: dict[str, Any]) -> None:
    """FastAPI drops every null from its document, those of our examples among them."""
    for name, component in components.items():
        extra = getattr(model_of(name), "model_config", {}).get("json_schema_extra", {})
        if "examples" in extra:
            component["examples"] = extra["examples"]


def install(app: FastAPI) -> None:
    """Have the app's OpenAPI made with the schema that problems refer to."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            unchanged.document(document["paths"])
            components = document.setdefault("components", {}).setdefault("schemas", {})
            problem = schemas.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components.update(problem.pop("$defs", {}))
            components["Problem"] = problem
            _restore_examples(components)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
