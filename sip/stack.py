"""What all parts of one user agent share: its tables, timers, queues and chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from sip.dialog import Dialog, DialogKey
from sip.events import Event
from sip.hop import DEFAULT_PORTS, Hop
from sip.matching import Transactions
from sip.reach import is_numeric, is_public
from sip.registrar import RegistrarEvent
from sip.registration import RegistrationEvent
from sip.resolve import TRANSPORTS
from sip.settings import AgentSettings
from sip.timeouts import Timeouts
from sip.traffic import Traffic
from sip.transaction import Transaction
from sip.uri import Uri
from sip.via import MAGIC_COOKIE

if TYPE_CHECKING:
    from sip.session import Session
    from sip.watch import Watch

Resolve = Callable[[Uri], Sequence[Hop]]
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE"
SUPPORTED = "100rel, timer, replaces, norefersub"
ACCEPT = "application/sdp, application/dtmf-relay, application/dtmf, message/sipfrag"


class Stack:
    """Tables and queues of one `UserAgent`.

    `resolve` must answer at once; () sends back to where the peer was. flow_to: (address of record,
    contact) -> the connection over which that phone is registered now.
    """

    def __init__(self, settings: AgentSettings, rng: Random, resolve: Resolve | None) -> None:
        self.settings = settings
        self.timing = settings.timing
        self.rng = rng
        self.timeouts = Timeouts()
        self.transactions = Transactions(self)
        self.dialogs: dict[DialogKey, Dialog] = {}
        self.sessions: dict[int, Session] = {}
        self.watches: dict[tuple[str, str], Watch] = {}  # by Call-ID and our tag
        self.pending: Counter[str] = Counter()  # unanswered calls by source address
        self.dropped: Counter[str] = Counter()  # messages that went nowhere, by why
        self.traffic = Traffic()
        self.outgoing: list[tuple[bytes, Hop]] = []
        self.events: list[Event | RegistrarEvent | RegistrationEvent] = []
        self.flow_to: Callable[[Uri, Uri], Hop | None] = lambda aor, contact: None
        self._resolve = resolve
        self._last_id = 0

    def transmit(self, data: bytes, hop: Hop) -> None:
        """Queue bytes for the wire."""
        self.traffic.sent(data)
        self.outgoing.append((data, hop))

    def emit(self, event: Event) -> None:
        """Queue an event for the owner."""
        self.events.append(event)

    def forget(self, transaction: Transaction) -> None:
        """Called by a transaction that is over."""
        self.transactions.forget(transaction)

    def next_id(self) -> int:
        """A number no other session or question of this agent has."""
        self._last_id += 1
        return self._last_id

    def new_tag(self) -> str:
        """A From or To tag nobody can guess, given an `rng` nobody can."""
        return f"{self.rng.getrandbits(64):016x}"

    def new_branch(self) -> str:
        """A Via branch no other request has."""
        return f"{MAGIC_COOKIE}{self.rng.getrandbits(80):020x}"

    def new_call_id(self) -> str:
        """A Call-ID no other call has."""
        return f"{self.rng.getrandbits(128):032x}"

    def via(self, hop: Hop, branch: str) -> str:
        """Our Via value for a request over `hop`; rport lets answers through NATs (RFC 3581)."""
        host, port = self._address(hop)
        return f"SIP/2.0/{hop.transport.upper()} {_bracketed(host)}:{port};rport;branch={branch}"

    def contact(self, user: str, hop: Hop) -> str:
        """Our Contact value towards `hop`."""
        host, port = self._address(hop)
        at = f"{user}@" if user else ""
        word = "ws" if hop.one_way else hop.transport  # RFC 7118 section 5.3: of both kinds
        transport = "" if word == "udp" else f";transport={word}"
        return f"<sip:{at}{_bracketed(host)}:{port}{transport}>"

    def own_uri(self, hop: Hop | None) -> Uri:
        """Who asks, when nobody in particular does."""
        host, port = self._address(hop) if hop is not None else next(iter(self.settings.addresses.values()))
        return Uri("sip", "", "", host, port)

    def can_reach(self, hop: Hop) -> bool:
        """Whether we speak that transport."""
        addresses = self.settings.addresses
        if hop.between:
            return self.settings.between is not None
        return hop.transport in addresses or (":" in hop.host and f"{hop.transport}6" in addresses)

    def _address(self, hop: Hop) -> tuple[str, int]:
        if hop.between and self.settings.between is not None:
            return self.settings.between
        addresses = self.settings.addresses
        own = addresses.get(f"{hop.transport}6") if ":" in hop.host else None
        return own or addresses.get(hop.transport) or next(iter(addresses.values()))

    def hops_to(self, uri: Uri) -> Sequence[Hop]:
        """Where a request for `uri` can go; () when that cannot be known at once."""
        if self._resolve is not None:
            return self._resolve(uri)
        transport = (uri.param("transport") or ("tls" if uri.scheme == "sips" else "udp")).lower()
        if transport not in TRANSPORTS or not is_numeric(uri.host):
            return ()
        return (Hop(transport, uri.host, uri.port or DEFAULT_PORTS[transport]),)

    def hops_inside(self, dialog: Dialog) -> Sequence[Hop]:
        """Where requests inside a dialog go.

        The Contact of a peer behind a NAT names an address nobody else can reach; such a peer, when it
        speaks to us without proxies, is reached where its messages come from. Streams that are open are
        used again. One that only it can open is where it has registered since (RFC 5626 section 5.3).
        """
        uri, source = dialog.next_uri(), dialog.hop
        if source.one_way:
            return (self.flow_to(dialog.remote.uri, dialog.target) or source,)
        if dialog.symmetric and uri.host != source.host and not is_public(uri.host):
            return (source,)
        if dialog.symmetric and uri.param("transport") is None and source.reliable and uri.scheme != "sips":
            uri = uri.with_params(transport=source.transport)
        hops = self.hops_to(uri) or (source,)
        if source.between:  # to that node alone, whatever else is at its address
            there = hops[0]
            return (Hop(source.transport, there.host, there.port, source.connection, source.name),)
        if source.connection and hops[0].transport == source.transport and hops[0].host == source.host:
            first = Hop(source.transport, source.host, hops[0].port, source.connection, source.name)
            return (first, *hops[1:])
        return hops

    def release(self, dialog: Dialog) -> None:
        """One usage of the dialog less; with the last it leaves the table (RFC 5057)."""
        dialog.usages -= 1
        if dialog.usages <= 0 and self.dialogs.get(dialog.key) is dialog:
            del self.dialogs[dialog.key]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
