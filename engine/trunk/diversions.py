"""Whom a call was for before it was diverted (Diversion, RFC 5806; History-Info, RFC 7044).

A number of ours that leads on to a destination diverts nothing: the call is where it was meant to go. Nor
does a transfer, which somebody asked for who had answered. Told is what the network told that the call came
from, where it is believed, and a redirection (3xx) that was followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from routing.dial import Terms
from routing.identity import Diverted
from sip.errors import SipError
from sip.uri import NameAddr

if TYPE_CHECKING:
    from engine.call import Call
    from sip.message import Request

MOST = 8  # diversions that are looked at, and told
# Reasons of RFC 5806 as the causes that RFC 7044 section 5.2 tells them by (RFC 4458 section 2).
CAUSES = {
    "unknown": 404,
    "user-busy": 486,
    "no-answer": 408,
    "unavailable": 503,
    "unconditional": 302,
    "deflection": 480,
}
_REASONS = {str(cause): reason for reason, cause in CAUSES.items()}


def diverted_of(call: Call, asked: str, number: str) -> tuple[Diverted, ...]:
    """The first that happened first. asked: the number that was to be called; number: the one that is, after
    redirections.
    """
    redirected = (Diverted(asked, "unconditional"),) if asked != number and _is_number(asked) else ()
    return (*call.diverted, *redirected)[-MOST:]


def told(request: Request, terms: Terms) -> tuple[Diverted, ...]:
    """What the network that a call came from tells of it, where its line is believed."""
    if not terms.caller_id.trusted:
        return ()
    found = list(_diversions(request))[::-1] or list(_history(request))
    read = (Diverted(terms.incoming.incoming(each.number), each.reason) for each in found)
    return tuple(each for each in read if _is_number(each.number))


def _diversions(request: Request) -> Iterator[Diverted]:
    """The newest first (RFC 5806 section 4)."""
    for address in _addresses(request, "Diversion"):
        reason = (dict(address.params).get("reason") or "").lower()
        yield Diverted(address.uri.user_text, reason if reason in CAUSES else "unknown")


def _history(request: Request) -> Iterator[Diverted]:
    """Each entry that another followed with a cause; those that want to be private are passed over."""
    entries = _addresses(request, "History-Info")
    for before, after in pairwise(entries):
        cause = after.uri.param("cause")
        private = any(name.lower() == "privacy" for name, _ in before.uri.headers)
        if cause is not None and not private:
            yield Diverted(before.uri.user_text, _REASONS.get(cause, "unknown"))


def _addresses(request: Request, name: str) -> Sequence[NameAddr]:
    try:
        return [NameAddr.parse(value) for value in request.headers.values(name)[:MOST]]
    except SipError:
        return ()


def _is_number(text: str) -> bool:
    return text.startswith("+") and text[1:].isascii() and text[1:].isdecimal()
