"""Who a call over a line is from, either way: numbers instead of accounts and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from routing.dial import Terms
from routing.identity import ANONYMOUS, Caller, received
from sip.errors import SipError
from sip.uri import NameAddr

if TYPE_CHECKING:
    from engine.call import Call
    from sip.message import Request

MOST = 4  # identities that are looked at


def caller_of(call: Call) -> Caller:
    """The caller's number, where that is one: an account of ours has none of its own."""
    customer = call.customer
    account = customer.account if customer is not None else ""
    known = call.withheld or call.caller
    number = known if known.startswith("+") and known[1:].isdecimal() else ""
    return Caller("" if account else number, call.display, call.private)


def claimed(request: Request, terms: Terms) -> Caller:
    """Who calls over a line, as far as it is to be believed."""
    from_ = request.from_
    privacy = tuple(each.strip().lower() for each in (request.headers.get("Privacy") or "").split(";"))
    hidden = from_.uri.host.endswith(".invalid") or from_.uri.user_text.lower() == ANONYMOUS
    said = Caller("" if hidden else from_.uri.user_text, "" if hidden else from_.display, hidden)
    return received(terms.caller_id, terms.incoming, said, next(_asserted(request), ""), privacy)


def _asserted(request: Request) -> Iterator[str]:
    """Numbers of P-Asserted-Identity (RFC 3325 section 9.1): a SIP URI, a tel URI, or one after the other."""
    try:
        values = request.headers.values("P-Asserted-Identity")[:MOST]
    except SipError:
        return
    for value in values:
        try:
            uri = NameAddr.parse(value).uri
        except SipError:
            continue
        if uri.user_text.lstrip("+").isdecimal():
            yield uri.user_text
