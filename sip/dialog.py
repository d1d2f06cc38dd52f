"""Dialogs: RFC 3261 section 12. What two user agents remember of each other between requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sip.hop import Hop
from sip.message import Headers, Request, Response
from sip.offer import OfferAnswer
from sip.reach import is_public
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from sip.session import Session

DialogKey = tuple[str, str, str]  # Call-ID, local tag, remote tag
MAX_ROUTES = 20


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the far end said it can do, in Allow and Supported.

    Kept from its first message and refreshed by later ones.
    """

    methods: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()

    @classmethod
    def of(cls, message: Request | Response, before: Abilities | None = None) -> Abilities:
        """Those of `message`; what it does not mention stays as `before`."""
        headers = message.headers
        allow, supported = headers.lines_of("Allow"), headers.lines_of("Supported")
        if allow is None and supported is None and before is not None:
            return before
        methods = _tokens(tuple(allow)) if allow is not None else before.methods if before else frozenset()
        options = (
            _tokens(tuple(supported)) if supported is not None else before.options if before else frozenset()
        )
        return cls(methods, options)

    def does(self, method: str) -> bool:
        """Whether it allows `method` (upper case)."""
        return method.lower() in self.methods


class Dialog:
    """One peer-to-peer relation. `hop` is where its last dialog-forming message came from.

    local, remote: addresses without tags in their params being needed elsewhere; the tags are in the key.
    """

    __slots__ = (
        "_from", "_to", "abilities", "call_id", "confirmed", "hop", "local", "local_seq", "local_tag",
        "offer", "remote", "remote_seq", "remote_tag", "route_set", "session", "symmetric", "target",
        "usages",
    )  # fmt: skip

    def __init__(
        self,
        call_id: str,
        local: NameAddr,
        remote: NameAddr,
        target: Uri,
        route_set: Sequence[str],
        hop: Hop,
        session: Session,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self._from = str(local)
        self._to = str(remote)
        self.local_tag = local.tag or ""
        self.remote_tag = remote.tag or ""  # RFC 2543 peers send none (section 12.1.1)
        self.target = target
        self.route_set = tuple(route_set)
        self.hop = hop
        self.session = session
        self.local_seq = 0
        self.remote_seq: int | None = None
        self.confirmed = False
        self.symmetric = False  # the peer sent straight to us: answering to where it sent from reaches it
        self.offer = OfferAnswer()
        self.abilities = Abilities()
        self.usages = 1  # the session, and each subscription made inside it (RFC 5057)

    @classmethod
    def as_uas(cls, request: Request, local_tag: str, hop: Hop, session: Session) -> Dialog:
        """From a request that we answer (section 12.1.1). Raises MalformedHeader or MalformedUri."""
        routes = request.headers.values("Record-Route")[:MAX_ROUTES]
        local = request.to.with_tag(local_tag)
        dialog = cls(request.call_id, local, request.from_, _contact(request), routes, hop, session)
        dialog.remote_seq = request.cseq[0]
        dialog.symmetric = len(request.vias) == 1
        dialog.abilities = Abilities.of(request)
        return dialog

    @classmethod
    def as_uac(cls, request: Request, response: Response, hop: Hop, session: Session) -> Dialog:
        """From a response to our request (section 12.1.2). Raises MalformedHeader or MalformedUri."""
        routes = response.headers.values("Record-Route")[:MAX_ROUTES]
        routes.reverse()
        dialog = cls(
            request.call_id, request.from_, response.to, _contact(response, request.uri), routes, hop, session
        )
        dialog.local_seq = request.cseq[0]
        dialog.answers_from_hop(request.uri)
        dialog.abilities = Abilities.of(response)
        return dialog

    @property
    def key(self) -> DialogKey:
        """What identifies it on the wire."""
        return (self.call_id, self.local_tag, self.remote_tag)

    def confirm(self, response: Response, uri: Uri) -> None:
        """A 2xx to our INVITE for `uri`: its route set is the one that counts (section 13.2.2.4)."""
        routes = response.headers.values("Record-Route")[:MAX_ROUTES]
        routes.reverse()
        self.route_set = tuple(routes)
        self.confirmed = True
        self.refresh_target(response)
        self.answers_from_hop(uri)

    def answers_from_hop(self, uri: Uri) -> None:
        """See whether whoever answered a request for `uri` sits behind the hop it went to.

        A Contact that is what we called by way of that hop is a phone behind a NAT; so is one that means
        nothing outside, when the hop is a public address.
        """
        behind = self.target.host == uri.host or is_public(self.hop.host)
        self.symmetric = not self.route_set and behind

    def refresh_target(self, message: Request | Response) -> None:
        """Target refresh requests and their 2xx move the remote target (section 12.2)."""
        contacts = message.contacts
        if contacts and contacts[0].uri.scheme in ("sip", "sips"):
            self.target = contacts[0].uri
        self.abilities = Abilities.of(message, self.abilities)

    def in_order(self, request: Request) -> bool:
        """Whether the CSeq moves on (section 12.2.2); remembers it when it does."""
        number = request.cseq[0]
        if self.remote_seq is not None and number <= self.remote_seq:
            return False
        self.remote_seq = number
        return True

    def next_seq(self) -> int:
        """The CSeq of our next request in this dialog."""
        self.local_seq += 1
        return self.local_seq

    def request(
        self, method: str, sequence: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> Request:
        """A request inside the dialog, its Via left to the sender (section 12.2.1.1)."""
        uri, routes = self.target, list(self.route_set)
        if routes and not NameAddr.parse(routes[0]).uri.has("lr"):
            # A strict router: it wants itself in the Request-URI and the target at the end of the route.
            uri = NameAddr.parse(routes.pop(0)).uri
            routes.append(f"<{self.target}>")
        lines = {"Via": [""], "Route": routes} if routes else {"Via": [""]}
        lines["Max-Forwards"] = ["70"]
        lines["From"] = [self._from]
        lines["To"] = [self._to]
        lines["Call-ID"] = [self.call_id]
        lines["CSeq"] = [f"{sequence} {method}"]
        fields = Headers.from_lines(lines)
        for name, value in headers:
            fields.add(name, value)
        return Request(method, uri, fields, body)

    def next_uri(self) -> Uri:
        """The URI whose hops a request inside the dialog goes to."""
        return NameAddr.parse(self.route_set[0]).uri if self.route_set else self.target


def _contact(message: Request | Response, otherwise: Uri | None = None) -> Uri:
    for contact in message.contacts:
        if contact.uri.scheme in ("sip", "sips"):
            return contact.uri
    return otherwise or message.from_.uri


@lru_cache(maxsize=1024)
def _tokens(lines: tuple[str, ...]) -> frozenset[str]:
    # Every phone of a make sends the same few lines, over and over.
    return Headers([("Supported", line) for line in lines]).tokens("Supported")
