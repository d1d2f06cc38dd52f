"""Inspection of a request before it gets a transaction (RFC 3261 section 8.2.1 to 8.2.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sip.errors import MalformedHeader
from sip.message import Request, Response
from sip.multipart import MAX_PARTS, split_multipart

# Methods that exist: one of them that we do not take is 405, any other method is 501 (section 8.2.1, 21.5.2).
KNOWN_METHODS = frozenset(
    """
    ACK BYE CANCEL INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER SUBSCRIBE UPDATE
    """.split()
)
# Their success carries a session description, so that an Accept without one cannot be met.
_DESCRIBING = frozenset({"INVITE", "UPDATE"})
_SDP = "application/sdp"


def screen(
    request: Request,
    *,
    methods: Collection[str],
    schemes: Collection[str] = ("sip", "sips", "tel"),
    extensions: Collection[str] = (),
    body_types: Collection[str] = (_SDP,),
    forwarding: bool = False,
) -> Response | None:
    """The refusal a request earns before anyone looks at what it wants, or None when it may go on.

    In this order, after `parse` has answered for syntax (400), version (505) and size (513):
    501 or 405 with Allow for a method not in `methods`; 416 for a Request-URI scheme not in `schemes`, and
    400 for a REGISTER whose To is no address of record; 483 when Max-Forwards is 0 and the request is
    `forwarding`, i.e. would be sent on (an endpoint answers it, RFC 4475 section 3.3.11); 420 with
    Unsupported for an option tag in Require that is not in `extensions`; 415 with Accept for a body that is
    not in `body_types`, unless it says that it is optional; 415 with Accept-Encoding for a coded body; 406
    when an INVITE or UPDATE accepts no session description.

    An ACK is never answered. Names are compared as RFC 3261 section 7.3.1 says: methods with, option tags,
    schemes and media types without regard to case. Pure: keeps nothing, sends nothing.
    """
    if request.method == "ACK":
        return None
    if request.method not in methods:
        status = 405 if request.method in KNOWN_METHODS else 501
        return request.respond(status, headers=[("Allow", ", ".join(methods))])
    if request.uri.scheme not in schemes:
        return request.respond(416)
    if request.method == "REGISTER" and request.to.uri.scheme not in ("sip", "sips"):
        return request.respond(400, "Not An Address Of Record")
    if forwarding and request.max_forwards == 0:
        return request.respond(483)
    return (
        _extensions_refused(request, extensions)
        or _body_refused(request, body_types)
        or _accept_refused(request)
    )


def is_stray(response: Response) -> bool:
    """Whether a response was meant for someone else: it has more than our own Via (section 8.1.3.3)."""
    return len(response.vias) != 1


def _extensions_refused(request: Request, extensions: Collection[str]) -> Response | None:
    if request.method == "CANCEL" or "Require" not in request.headers:
        return None
    try:
        wanted = request.headers.values("Require")
    except MalformedHeader:
        return request.respond(400, "Bad Require")
    ours = {name.lower() for name in extensions}
    unknown = [name for name in wanted if name.lower() not in ours]
    if not unknown:
        return None
    return request.respond(420, headers=[("Unsupported", ", ".join(unknown))])


def _body_refused(request: Request, body_types: Collection[str]) -> Response | None:
    if not request.body or request.method == "CANCEL":
        return None
    coding = request.headers.get("Content-Encoding")
    if coding and coding.lower() != "identity":
        return (
            None if _is_optional(request) else request.respond(415, headers=[("Accept-Encoding", "identity")])
        )
    if "Content-Type" not in request.headers:
        return request.respond(400, "Content-Type Missing")
    if request.content_type in body_types or _is_optional(request):
        return None
    if request.content_type.startswith("multipart/"):
        parts = split_multipart(request.headers.get("Content-Type") or "", request.body)
        if any(part.content_type in body_types for part in parts[:MAX_PARTS]):
            return None
    return request.respond(415, headers=[("Accept", ", ".join(body_types))])


def _is_optional(request: Request) -> bool:
    disposition = request.headers.get("Content-Disposition") or ""
    return "handling=optional" in disposition.lower().replace(" ", "").replace('"', "")


def _accept_refused(request: Request) -> Response | None:
    lines = request.headers.all("Accept")
    if not lines or request.method not in _DESCRIBING:
        return None
    try:
        if _accepts(request.headers.values("Accept"), _SDP):
            return None
    except MalformedHeader:
        return request.respond(400, "Bad Accept")
    return request.respond(406)


def _accepts(ranges: Iterable[str], media_type: str) -> bool:
    family = media_type.partition("/")[0]
    wanted = (text.partition(";")[0].strip().lower().replace(" ", "") for text in ranges)
    return any(each in (media_type, f"{family}/*", "*/*") for each in wanted)
