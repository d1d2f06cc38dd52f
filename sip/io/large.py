"""Requests too large for a datagram go over TCP, or by UDP where nobody listens (RFC 3261 section 18.1.1)."""

from __future__ import annotations

import re
from collections import OrderedDict

from sip.hop import DEFAULT_PORTS, Hop

LARGE = 1300  # bytes: 200 less than the MTU that every path is believed to have
MEMORY = 64.0  # seconds a transaction is remembered: its ACK and CANCEL have to take its way
BAR = 600.0  # seconds a peer without TCP is not tried again
PATIENCE = 0.4  # seconds for the connection: a line has half a second to say 100 before the next is called
MAX_REMEMBERED = 4096

_TOP_VIA = re.compile(
    rb"\r\n(?:Via|v)[ \t]*:[ \t]*SIP/2\.0/(UDP)[ \t][^\r\n,]*;branch=([^;,\s]+)", re.IGNORECASE
)


class LargeRequests:
    """Which transactions were moved to TCP, and which peers have none."""

    def __init__(self) -> None:
        # By branch: since when, and the methods that were sent.
        self._moved: OrderedDict[bytes, tuple[float, set[bytes]]] = OrderedDict()
        self._barred: OrderedDict[tuple[str, int], float] = OrderedDict()  # peer -> until

    def concerns(self, data: bytes) -> bool:
        """Whether `move` may have something to say; cheap, for every datagram sent."""
        return len(data) > LARGE or bool(self._moved)

    def move(self, data: bytes, hop: Hop, now: float) -> tuple[bytes, Hop] | None:
        """The request as it goes over TCP, and to where; None: UDP is right. Empty: TCP has it already.

        Only peers that were looked up, or sit at the default port, are tried: others are phones behind NATs,
        which no connection reaches.
        """
        while self._moved and next(iter(self._moved.values()))[0] + MEMORY < now:
            self._moved.popitem(last=False)
        found = _TOP_VIA.search(data)
        if found is None or data.startswith(b"SIP/2.0 "):
            return None
        method, branch = data.partition(b" ")[0], found[2]
        known = self._moved.get(branch)
        if known is None:
            if len(data) <= LARGE or not self._may_have_tcp(hop, now):
                return None
            known = self._moved[branch] = (now, set())
            if len(self._moved) > MAX_REMEMBERED:
                self._moved.popitem(last=False)
        tcp = Hop("tcp", hop.host, hop.port, name=hop.name)
        if method in known[1]:
            return b"", tcp
        known[1].add(method)
        return data[: found.start(1)] + b"TCP" + data[found.end(1) :], tcp

    def failed(self, data: bytes, hop: Hop, now: float) -> None:
        """There was no TCP at the peer: the transaction goes on over UDP, later ones do too for a while."""
        found = _TOP_VIA.search(data)
        if found is not None:
            self._moved.pop(found[2], None)
        self._barred[(hop.host, hop.port)] = now + BAR
        if len(self._barred) > MAX_REMEMBERED:
            self._barred.popitem(last=False)

    def _may_have_tcp(self, hop: Hop, now: float) -> bool:
        if not hop.name and hop.port != DEFAULT_PORTS["udp"]:
            return False
        return self._barred.get((hop.host, hop.port), now) <= now
