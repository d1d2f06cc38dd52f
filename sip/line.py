"""What a registration of ours is told, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sip.digest import Account
from sip.errors import Malformed
from sip.hop import Hop
from sip.manner import PLAIN, Manner
from sip.message import Response
from sip.uri import NameAddr, Uri

MAX_IDENTITIES = 32


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """One account at one registrar. Times are seconds.

    contact: our address as it can be reached over a hop. refresh_after: share of the granted time after which
    it is renewed, less up to a tenth by chance, so that a thousand lines do not renew as one. instance: a URN
    (RFC 5626 section 4.1) under which connections are registered where a hop is one; "": addresses alone are.
    manner: what the network wants in its requests. home: the realm of an IMS network, which is told who
    registers before it asks, has its own times for renewals (TS 24.229 section 5.1.1.4.1), is called by way
    of the hop that registered us, and is watched (RFC 3680) for taking the registration back; "": none such.
    """

    line: str
    registrar: Uri
    account: NameAddr
    contact: Callable[[Hop], Uri]
    credentials: Account | None = None
    expires: int = 600
    refresh_after: float = 0.75
    first_back_off: float = 5.0  # doubles with each round of hops that failed, RFC 5626 section 4.5
    longest_back_off: float = 600.0
    rest: float = 600.0  # after a refusal, such as a wrong password
    bar_hop: float = 120.0  # a hop that failed is not tried first again before that
    user_agent: str = "Isogloss"
    instance: str = ""
    reg_id: int = 1
    manner: Manner = PLAIN
    home: str = ""


@dataclass(frozen=True, slots=True)
class LineUp:
    """The registrar knows us for `expires` seconds; reported when it had not before, or over another hop.

    identities: who we are to the network (P-Associated-URI, RFC 7315 section 4.1), the default one first.
    """

    line: str
    hop: Hop
    expires: int
    identities: tuple[NameAddr, ...] = ()


@dataclass(frozen=True, slots=True)
class LineDown:
    """Registering failed on every hop, was refused, or taken back; tried again in `retry_in` seconds."""

    line: str
    status: int
    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class LineLeft:
    """Stopped; nothing follows."""

    line: str


RegistrationEvent = LineUp | LineDown | LineLeft


def identities(response: Response) -> tuple[NameAddr, ...]:
    """Who a registrar says that we are; none where that cannot be read."""
    try:
        values = response.headers.values("P-Associated-URI")[:MAX_IDENTITIES]
        return tuple(NameAddr.parse(value) for value in values)
    except Malformed:
        return ()


def refusal(response: Response) -> str:
    """Why a registrar will not have us, and what to do where that can be told."""
    wanted = response.headers.tokens("Require") | response.headers.tokens("Unsupported")
    if response.status == 494 or (response.status in (420, 421) and "sec-agree" in wanted):
        return (
            f"{response.reason}: the network insists on IPsec (RFC 3329, TS 33.203), which is not spoken; "
            "ask for SIP digest or AKA over TLS or a private network"
        )
    return response.reason
