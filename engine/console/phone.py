"""The phone in a console's page: an account of its own for a shift, and how it gets to the node."""

from __future__ import annotations

import msgspec
import structlog
from starlette.responses import Response

from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.page_phones import LIFE_S
from engine.views import IceTerms, IllegalState

log = structlog.get_logger("console")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What web/hand.js registers with. sip: where to, "" for scheme and port at this very host; port 0: the
    node takes no SIP over WebSockets.
    """

    account: str
    password: str
    domain: str
    sip: str
    scheme: str
    port: int
    ice: IceTerms
    expires_in_s: float


def phone(desk: Desk, who: Principal, sip_url: str) -> Response:
    """403 for who may not supervise; 409 where there are as many as a node takes."""
    if not who.may(Permission.SUPERVISE):
        desk.door.note(who, "make_page_phone", "phones", "refused (403)")
        return Response("your role may not supervise calls", 403)
    try:
        made = desk.view.hand.phone(who.name)
    except IllegalState as full:
        return Response(str(full), 409)
    desk.door.note(who, "make_page_phone", "phones")
    log.info("a phone in a page", account=made.account, by=who.name)
    terms = desk.view.phone_terms()
    given = Given(
        account=made.account,
        password=made.password,
        domain=terms.domain,
        sip=sip_url,
        scheme=terms.scheme,
        port=terms.port,
        ice=desk.view.ice_terms(who.name),
        expires_in_s=LIFE_S,
    )
    return Response(
        msgspec.json.encode(given), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
