"""Who was called, where the Request-URI no longer says so."""

from __future__ import annotations

from sip.errors import Malformed
from sip.message import Request
from sip.uri import NameAddr, Uri


def called(request: Request, contact: str) -> Uri:
    """The Request-URI, but of a request for our own Contact what its network says beside it.

    contact: the user part that we registered, "" for none. A registrar puts the Contact in the place of the
    number; an IMS keeps that in P-Called-Party-ID (RFC 7315 section 4.2), others leave it in To.
    """
    if not contact or request.uri.user != contact:
        return request.uri
    for value in (request.headers.get("P-Called-Party-ID"), request.headers.get("To")):
        try:
            uri = NameAddr.parse(value or "").uri
        except Malformed:
            continue
        if uri.user:
            return uri
    return request.uri
