"""One place a message goes to or came from: transport, address and, for streams, which connection."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
WEBSOCKETS = frozenset({"ws", "wss"})  # RFC 7118
SECURED = frozenset({"tls", "wss"})
BETWEEN = ".between.isogloss.invalid"  # how names of nodes end that know each other by keys of their own


@dataclass(frozen=True, slots=True)
class Hop:
    """One address and how to speak to it.

    host: a numeric address (IPv6 without brackets). connection: the shell's number of one stream; 0 = any or
    a new one. name: the domain that was asked for, which a TLS certificate has to be for (RFC 5922 section
    7.1); two hops that differ in it alone are equal.
    """

    transport: str  # a key of DEFAULT_PORTS
    host: str
    port: int
    connection: int = 0
    name: str = field(default="", compare=False)

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself (RFC 3261 section 17)."""
        return self.transport != "udp"

    @property
    def between(self) -> bool:
        """Whether it leads to another node of ours, or comes from one (`AgentSettings.between`)."""
        return self.name.endswith(BETWEEN)

    @property
    def one_way(self) -> bool:
        """Whether only the peer can connect: all it is sent goes over the connection it opened (RFC 7118)."""
        return self.transport in WEBSOCKETS

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"
