"""What somebody knows already is not sent again, and what another changed is not written over: `ETag`,
`If-None-Match`, 304, `If-Match` (RFC 9110, 8.8.3, 13.1.1 and 13.1.2).

For answers in JSON, which are whole in memory. A route whose tag is a version, for `If-Match`, keeps its own.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.problem import Problem

HEADER = "If-None-Match"
MOST = 1024  # characters of the header: some tags of ours
KEPT_OUT = ("content-length", "content-type")  # of a 304, which has no content
# Part of a route's `responses`, where its tag is a version.
VERSIONED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}}}}
}
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def matched(condition: str | None, shape: str, such: str) -> str | None:
    """The tag that `If-Match` names; None where it names none, or any (`*`). shape: a pattern of the route's
    tags; such: how they look, for who wrote another. Raises Problem (412).
    """
    if condition is None or condition.strip() == "*":
        return None
    found = re.fullmatch(rf'\s*"({shape})"\s*', condition)
    if found is None:
        raise Problem(412, "other-version", f"If-Match has to be {such}")
    return found[1]


class Unchanged:
    """Outside of `Audited`: who is told that nothing changed has looked at it too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _in_json(message):
                start = message  # until its body is there
                return
            if start is not None:
                begun, start = start, None
                if not message.get("more_body", False):
                    begun, message = tagged(begun, message, Headers(scope=scope).get(HEADER, ""))
                await send(begun)
            await send(message)

        await self.app(scope, receive, sent)


def _in_json(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0]
    return start["status"] == 200 and kind == "application/json" and "etag" not in headers


def tagged(start: Message, body: Message, known: str) -> tuple[Message, Message]:
    """The answer with its tag, or 304 and no body. known: the value of `If-None-Match`."""
    tag = f'"{hashlib.sha256(body.get("body", b"")).hexdigest()[:24]}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = tag
    if not is_known(tag, known):
        return {**start, "headers": headers.raw}, body
    for name in KEPT_OUT:
        del headers[name]
    return {**start, "status": 304, "headers": headers.raw}, {**body, "body": b""}


def is_known(tag: str, known: str) -> bool:
    """Whether `If-None-Match` has the tag, compared weakly, or is `*`; one too long for ours has none."""
    return len(known) <= MOST and (known.strip() == "*" or tag in _TAG.findall(known))


def document(paths: dict[str, Any]) -> None:
    """Say so in the OpenAPI of every route that answers with JSON and has no tag of its own."""
    for path, operations in paths.items():
        reads = operations.get("get", {})
        answer = reads.get("responses", {}).get("200", {})
        if not path.startswith("/v1/") or "application/json" not in answer.get("content", {}):
            continue
        if "ETag" in answer.get("headers", {}):
            continue
        described = {"description": "Of what is answered.", "schema": {"type": "string"}}
        answer["headers"] = answer.get("headers", {}) | {"ETag": described}
        reads["responses"]["304"] = {"description": f"It is as `{HEADER}` says: nothing is sent."}
        reads.setdefault("parameters", []).append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": "The `ETag` of what is known already.",
                "schema": {"type": "string"},
                "example": '"5e0c9a4b17d2f3868a9b01c2"',
            }
        )
