"""sip.yaml as values: where SIP is spoken, with whom, and within which limits."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from config.setting import (
    Address,
    Host,
    Network,
    Origin,
    Port,
    Positive,
    RingSeconds,
    SecretField,
    SomeSeconds,
    Text,
    Transport,
    setting,
    settings,
)
from sip.guard import GuardPolicy


@settings
class Listener:
    transport: Transport = setting(
        "`udp`, `tcp`, `tls`, `wss` (WebSockets over TLS, for softphones in browsers) or `ws` (the same in "
        "plain: behind a proxy that does the TLS)."
    )
    address: Address = setting("Local address; 0.0.0.0 for all.", default="0.0.0.0")
    port: Port = setting("Local port; 5060 is usual, 5061 for tls, 7443 for wss.", default=5060)


@settings
class Tls:
    certificate: Path | None = setting("Certificate chain in PEM.", default=None)
    key: Path | None = setting("Private key in PEM.", default=None)
    ca: Path | None = setting(
        "Who signed the certificates of proxies and carriers, in PEM, where the system does not know it; "
        "those that it knows are believed as well.",
        default=None,
    )
    self_signed: bool = setting(
        "Make and keep a self-signed certificate under data_dir; for trying out.", default=False
    )


@settings
class SessionTimers:
    expires_s: SomeSeconds = setting(
        "Session-Expires that is asked for and granted (RFC 4028).", default=1800.0
    )
    min_s: SomeSeconds = setting("Min-SE: shorter requests are answered 422.", default=90.0)


Share = Annotated[float, Gt(0), Le(1_000_000)]


@settings
class Guard:
    free_failures: Positive = setting("Mistyped passwords of a source that cost nothing.", default=2)
    first_delay_s: SomeSeconds = setting(
        "Delay of the answer to the next failure; doubles with each.", default=0.5
    )
    longest_delay_s: SomeSeconds = setting("Longest such delay, in seconds.", default=8.0)
    block_after: Positive = setting("Failures after which a source gets no answer at all.", default=10)
    first_block_s: SomeSeconds = setting(
        "First block, in seconds; each further one is twice as long.", default=300.0
    )
    longest_block_s: SomeSeconds = setting("Longest block, in seconds.", default=86_400.0)
    half_life_s: SomeSeconds = setting("Time after which a failure counts half, in seconds.", default=300.0)
    proven_factor: Annotated[float, Ge(1), Le(1000)] = setting(
        "How many times more a source of recent successes may fail: an office behind one address.",
        default=5.0,
    )
    proven_for_s: SomeSeconds = setting("How long a success counts for that, in seconds.", default=3600.0)
    challenge_rate: Share = setting(
        "Answers a second that one source gets without valid credentials.", default=50.0
    )
    challenge_burst: Share = setting("Such answers a source may draw at once.", default=500.0)
    ignore_after: Positive = setting(
        "Requests that prove nothing, of a source that never proved anything, after which only what proves "
        "itself is answered there: scanners.",
        default=60,
    )
    ignore_s: SomeSeconds = setting("How long a source is ignored so, in seconds.", default=300.0)
    max_sources: Positive = setting(
        "Sources remembered; the least recent are forgotten first.", default=20_000
    )
    exempt: tuple[Network, ...] = setting(
        "Networks never slowed or blocked, your own proxies say.", default=()
    )

    def policy(self) -> GuardPolicy:
        """The same limits in the words of `sip.guard`."""
        return GuardPolicy(
            free_failures=self.free_failures,
            first_delay=self.first_delay_s,
            longest_delay=self.longest_delay_s,
            block_after=self.block_after,
            first_block=self.first_block_s,
            longest_block=self.longest_block_s,
            half_life=self.half_life_s,
            proven_factor=self.proven_factor,
            proven_for=self.proven_for_s,
            challenge_rate=self.challenge_rate,
            challenge_burst=self.challenge_burst,
            ignore_after=self.ignore_after,
            ignore_for=self.ignore_s,
            max_sources=self.max_sources,
            exempt=tuple(ip_network(each) for each in self.exempt),
        )


@settings
class Registrar:
    min_expires_s: Positive = setting("Shortest registration; shorter ones are answered 423.", default=60)
    default_expires_s: Positive = setting("Registration lifetime when the phone asks for none.", default=300)
    max_expires_s: Positive = setting("Longest registration granted.", default=3600)
    max_contacts: Positive = setting("Phones registered at once by one account.", default=5)
    max_bindings: Positive = setting("Phones registered at once by all accounts.", default=20_000)
    flow_timer_s: Positive = setting(
        "Time within which phones that keep their connection (RFC 5626) are told to show life, in seconds.",
        default=120,
    )


@settings
class Digest:
    realm: Text = setting("Realm shown to phones; empty for the domain.", default="")
    algorithms: tuple[Literal["SHA-256", "MD5"], ...] = setting(
        "Offered in this order.", default=("SHA-256", "MD5")
    )
    nonce_s: SomeSeconds = setting("How long a nonce may be used, in seconds.", default=120.0)


@settings
class Timers:
    t1_ms: Positive = setting("Estimated round trip, T1 of RFC 3261, in milliseconds.", default=500)
    t2_ms: Positive = setting(
        "Longest retransmission interval, T2 of RFC 3261, in milliseconds.", default=4000
    )
    ring_s: RingSeconds = setting(
        "How long a called party that is not an agent may ring, in seconds.", default=60.0
    )


@settings
class Connections:
    max_body_bytes: Positive = setting(
        "Longest body of a message; one that is longer is answered 513.", default=65_536
    )
    max_connections: Positive = setting("TCP, TLS and WebSocket connections at once.", default=5000)
    max_per_source: Positive = setting("Such connections at once from one address.", default=100)
    handshake_s: SomeSeconds = setting(
        "Seconds a new connection has for its handshakes, and on TCP and TLS for its first message.",
        default=15.0,
    )
    idle_s: SomeSeconds = setting("Seconds of silence after which a connection is closed.", default=600.0)


@settings
class WebSocket:
    origins: tuple[Origin, ...] = setting(
        "Pages whose softphones may connect, by origin (https://www.example.com), beside pages of the host "
        "that they connect to; `*` for all. Clients that are no browsers name none and need none.",
        default=(),
    )
    ping_s: SomeSeconds = setting(
        "Seconds between pings; a client that answers none until the next is taken for gone.", default=25.0
    )


@settings
class Dns:
    servers: tuple[Address, ...] = setting(
        "Name servers that lines and phones are looked up at; those of the system when empty.", default=()
    )
    port: Port = setting("Their port.", default=53)


@settings
class Hep:
    host: Host | None = setting(
        "Collector that gets every SIP message by UDP, without credentials.", default=None
    )
    port: Port = setting("Its UDP port.", default=9060)
    id: Positive = setting("Number by which the collector knows this node.", default=2001)
    password: SecretField | None = setting("Its password for this node, where it wants one.", default=None)


@settings
class SipSettings:
    domain: Host = setting("Domain of the accounts: phones register as user@domain.")
    listen: tuple[Listener, ...] = setting("Where SIP is listened for.")
    external_address: Host | None = setting("Address that peers are told, when behind NAT.", default=None)
    trusted_proxies: tuple[Network, ...] = setting(
        "Networks of your own SIP proxies (docs/front.md): a request came from where they say. Over TLS they "
        "have to show a certificate of the domain.",
        default=(),
    )
    user_agent: Text = setting("User-Agent and Server header.", default="Isogloss")
    anonymous_callers: bool = setting(
        "Take calls from sources that are neither an account nor a line.", default=False
    )
    tls: Tls = setting(
        "Certificates: of tls and wss listeners, and of those who are called over TLS.", default=Tls()
    )
    timers: Timers = setting("Transaction timers.", default=Timers())
    session: SessionTimers = setting("Session timers (RFC 4028).", default=SessionTimers())
    digest: Digest = setting("Authentication of phones.", default=Digest())
    registrar: Registrar = setting("Registration of phones.", default=Registrar())
    guard: Guard = setting("Defence against guessing and floods, by source address.", default=Guard())
    dns: Dns = setting("Where names are looked up (NAPTR, SRV, addresses; RFC 3263).", default=Dns())
    connections: Connections = setting("Limits of TCP, TLS and WebSockets.", default=Connections())
    websocket: WebSocket = setting("Softphones in browsers (RFC 7118).", default=WebSocket())
    hep: Hep = setting("HOMER, or another collector of SIP by HEP version 3.", default=Hep())
