"""What one attempt over a line comes to: whom to call, at which address, in which form, with which sound.

The values are those of SIP and RTP without being either: the engine writes them into an INVITE. Everything
that differs between an IP gateway and an IMS line is here, so that moving a call from one to the other is no
more than another `Dial` of the same number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from routing.emergency import service
from routing.identity import Caller, CallerId, Diverted, Shown, shown
from routing.number import Destination, Found, NumberPlan, Rule
from routing.rewriting import NumberStyle


class Target(StrEnum):
    """How the callee is named. SIP: sip:number@host. PHONE: the same with user=phone. TEL: tel:number."""

    SIP = "sip"
    PHONE = "sip-phone"
    TEL = "tel"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a line is reached. port 0: by SRV, and 5060 or 5061 where there is none (RFC 3263). priority,
    weight: as in SRV records, lowest priority first; an address stays the same when these change.
    """

    host: str
    port: int = 0
    priority: int = field(default=10, compare=False)
    weight: float = field(default=1.0, compare=False)

    @property
    def key(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def domain(self) -> str:
        """As a request URI has it (RFC 3261 section 8.1.1.1): of IPv6 without the port."""
        return self.host if ":" in self.host else self.key


@dataclass(frozen=True, slots=True)
class Terms:
    """How calls go over one line. transport: "" for whatever DNS says. codecs: best first, none for the
    node's. domain: of the request URI, the address called when empty. dscp: of signalling and sound, None for
    the system's. extensions: option tags that are asked for (Supported). preconditions: RFC 3312 among them.
    access_network: P-Access-Network-Info, "" for none. early_media_rings: a 183 with a description may be a
    phone that rings. options_every_s: between questions, None as for all lines. services: emergency calls are
    for urn:service:sos (RFC 5031) where their number is for all services.
    """

    transport: str = ""
    addresses: tuple[Address, ...] = ()
    target: Target = Target.SIP
    domain: str = ""
    outgoing: NumberStyle = field(default_factory=NumberStyle)
    incoming: NumberStyle = field(default_factory=NumberStyle)
    caller_id: CallerId = field(default_factory=CallerId)
    codecs: tuple[str, ...] = ()
    srtp: str = "auto"
    signalling_dscp: int | None = None
    media_dscp: int | None = None
    extensions: tuple[str, ...] = ()
    preconditions: bool = False
    access_network: str = ""
    early_media_rings: bool = True
    options_every_s: float | None = None
    dids: Mapping[str, Destination] = field(default_factory=dict)
    only_dids: bool = False
    services: bool = False


@dataclass(frozen=True, slots=True)
class Dial:
    """One attempt. number: as the line writes it. addresses: in the order to try them. service: the emergency
    service that is called in place of a number, as a URN; "" for none.
    """

    target: Target
    number: str
    domain: str
    transport: str
    addresses: tuple[Address, ...]
    shown: Shown
    codecs: tuple[str, ...]
    srtp: str
    signalling_dscp: int | None
    media_dscp: int | None
    extensions: tuple[str, ...]
    access_network: str
    service: str = ""


def dial(
    terms: Terms,
    number: str,
    caller: Caller,
    addresses: Sequence[Address],
    *,
    diverted: tuple[Diverted, ...] = (),
    emergency: bool = False,
) -> Dial:
    """addresses: of the line, in order (`in_order`); names, not what they were found to be (RFC 3263 section
    4).
    """
    return Dial(
        target=terms.target,
        number=terms.outgoing.outgoing(number),
        domain=terms.domain or (addresses[0].domain if addresses else ""),
        transport=terms.transport,
        addresses=tuple(addresses),
        shown=shown(terms.caller_id, terms.outgoing, caller, diverted=diverted, emergency=emergency),
        codecs=terms.codecs,
        srtp=terms.srtp,
        signalling_dscp=terms.signalling_dscp,
        media_dscp=terms.media_dscp,
        extensions=(*terms.extensions, "precondition") if terms.preconditions else terms.extensions,
        access_network=terms.access_network,
        service=service(number, terms.outgoing.country) if emergency and terms.services else "",
    )


def in_order(
    addresses: Sequence[Address], usable: Callable[[Address], bool], rng: Random
) -> tuple[Address, ...]:
    """Those that may be called, lowest priority first, by lot of their weight within one (RFC 2782)."""
    alive = [each for each in addresses if usable(each)]
    drawn = {each: -math.log(1.0 - rng.random()) / max(each.weight, 1e-6) for each in alive}
    return tuple(sorted(alive, key=lambda each: (each.priority, drawn[each])))


def arrived(terms: Terms, plan: NumberPlan, dialled: str) -> Found | None:
    """What a number that was dialled over the line leads to: its own DIDs first, then the node's numbers,
    unless the line is for its DIDs alone. None: nothing, 404.
    """
    number = terms.incoming.incoming(dialled)
    if number in terms.dids:
        return Found(Rule(number, terms.dids[number]), number)
    return None if terms.only_dids else plan.find(number, terms.incoming.country)
