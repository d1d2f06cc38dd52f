"""Reads of personal data and writes by people go into the audit log before anybody sees an answer.

One place for all routes: what a route needs (`Require`) says whether reading by it is a read of personal data
(engine.access.role), or the route itself where its permission is the board's, which says nothing of people
else; its method says whether it is a write. An answer that shows personal data leaves only when
the log has it; where the log takes nothing, 503 goes out instead.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.access import mask
from engine.access.access import Access
from engine.access.errors import AuditUnavailable
from engine.access.principal import Principal
from engine.access.role import SENSITIVE, SENSITIVE_UNMASKED, Permission
from engine.api.identify import SAFE
from engine.api.problem import reply


def tell(request: Request, **detail: Any) -> None:
    """What the audit log is to say of this request beside its path; no secrets, no personal data."""
    request.scope["state"].setdefault("audit_detail", {}).update(detail)


class Audited:
    """See the module. Within `Guard`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        access: Access | None = scope["app"].state.access if scope["type"] == "http" else None
        if access is None:
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        replaced = False

        async def sent(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                try:
                    await _told(access, scope, message["status"])
                except AuditUnavailable as error:
                    replaced = True
                    answer = reply(Request(scope), 503, error.name, f"{error}; nothing is shown unseen")
                    await answer(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, sent)


async def _told(access: Access, scope: Scope, status: int) -> None:
    """Raises AuditUnavailable for a read that must not be shown."""
    state: Mapping[str, Any] = scope["state"]
    principal: Principal | None = state.get("principal")
    if principal is None:
        return
    reads = scope["method"] in SAFE
    on_board = bool(state.get("personal"))
    if reads and (status >= 400 or not sensitive(principal, state.get("permission"), on_board)):
        return
    what = getattr(scope.get("route"), "operation_id", None) or scope["method"].lower()
    object = scope["path"].removeprefix("/v1/")[:512]
    asked = parse_qsl(scope["query_string"].decode("latin-1"))
    query = {name: mask.who(value) if name == "customer" else mask.text(value) for name, value in asked}
    detail = {**({"query": query} if query else {}), **state.get("audit_detail", {})}
    if not reads:
        outcome = "done" if status < 400 else f"refused ({status})"
        await access.desk.audit(principal, what, object, outcome=outcome, detail=detail)
        return
    followed = on_board or not scope.get("path_params")  # looked at again and again, as it goes on
    key = f"{principal.key} {what} {object} {scope['query_string']!r}" if followed else ""
    if key and access.desk.log.again(key, time.monotonic()):
        return
    await access.desk.audit(principal, what, object, read=True, detail=detail)
    if key:
        access.desk.log.listed(key, time.monotonic())


def sensitive(principal: Principal, permission: Permission | None, on_board: bool = False) -> bool:
    """Whether who reads with this permission reads personal data. on_board: a route that shows some as it is
    to who has `personal`, whatever permission it needs.
    """
    unmasked = (on_board or permission in SENSITIVE_UNMASKED) and principal.may(Permission.PERSONAL)
    return unmasked or permission in SENSITIVE
