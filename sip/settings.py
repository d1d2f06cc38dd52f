"""What a user agent is told about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sip.guard import Network
from sip.timeouts import Timing


@dataclass(slots=True)
class AgentSettings:
    """Only `draining` is meant to change while the agent lives.

    addresses: what stands in Via and Contact for each transport, as the far ends can reach it; a transport
    that is not named is not used. "udp6", "tcp6" and "tls6" are for IPv6 where it has addresses of its own.
    """

    addresses: Mapping[str, tuple[str, int]]
    between: tuple[str, int] | None = None  # for other nodes of ours, over TLS of their own
    user_agent: str = "Isogloss"
    timing: Timing = field(default_factory=Timing)
    draining: bool = False  # take no new calls; OPTIONS are answered 503 so that balancers look elsewhere

    ring_timeout: float = 180.0  # seconds our own INVITE may go unanswered
    max_ringing: float = 600.0  # seconds a call to us may go unanswered before it is answered 480
    session_expires: int = 1800  # seconds (RFC 4028); 0: sessions of ours ask for no timer
    min_se: int = 90  # seconds; RFC 4028 section 5 knows no smaller one
    we_refresh: bool = False  # as callee, take the refreshing on ourselves when the caller leaves the choice
    prefer_update: bool = False  # change confirmed sessions by UPDATE where possible, else by re-INVITE
    refer_expires: int = 180  # seconds a transfer may take

    max_sessions: int = 4000
    max_transactions: int = 100_000
    max_pending_per_source: int = 400  # unanswered calls from one address
    shares_dialogs: bool = False  # one that is not known here may be at another of us: a proxy is to ask it
    retry_after: int = 5  # seconds told to those turned away by a limit
    trusted_proxies: tuple[Network, ...] = ()  # whose word on where a request came from counts (sip.proxy)
