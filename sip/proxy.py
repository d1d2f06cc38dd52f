"""Where a request really came from, when a proxy of ours stands before us.

Behind a proxy every message comes from the proxy's address. Lines are known by their sources, guesses are
counted by theirs, and nonces are good for one alone: so the proxy writes the source it saw into a header,
having taken out whatever a sender had put there. Our own proxies are believed, and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from sip.guard import Network, within
from sip.hop import DEFAULT_PORTS, Hop
from sip.message import Request

HEADER = "X-Isogloss-Source"  # transport:address:port, IPv6 in brackets, as `Hop` is written
_SOURCE = re.compile(r"([a-z]{2,3}):(?:\[([0-9a-f:.]{2,45})\]|([0-9.]{7,15})):([0-9]{1,5})", re.IGNORECASE)


def origin(request: Request, hop: Hop, trusted: Sequence[Network]) -> Hop:
    """Where `request`, which came from `hop`, was first sent from; `hop` where no proxy of ours knows better.

    trusted: addresses of proxies. What one of them writes that cannot be read is no word at all.
    """
    if not trusted or not within(hop.host, trusted):
        return hop
    written = request.headers.all(HEADER)
    return (_read(written[0]) or hop) if len(written) == 1 else hop


def shown(host: str, trusted: Sequence[Network], domain: str) -> str:
    """What the certificate of a peer at `host` has to name, over TLS (RFC 5922 section 7).

    A proxy of ours is known by an address, which no public authority certifies: it speaks for our domain, and
    shows the certificate that phones ask for. Others show the address that they are called at.
    """
    return domain if within(host, trusted) else host


def _read(text: str) -> Hop | None:
    found = _SOURCE.fullmatch(text.strip())
    if found is None:
        return None
    transport, six, four, port = found.groups()
    try:
        host = str(ip_address(six or four))
    except ValueError:
        return None
    if transport.lower() not in DEFAULT_PORTS or not 0 < int(port) < 65_536:
        return None
    return Hop(transport.lower(), host, int(port))
