"""One connection of TCP, TLS or a WebSocket, as asyncio drives it."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from sip.framing import Framed
from sip.guard import source_of
from sip.head import MAX_BODY
from sip.hop import BETWEEN, Hop
from sip.io.marks import mark

if TYPE_CHECKING:
    from sip.io.tcp import Streams

FAREWELL = 2.0  # seconds a peer has to take our last words

Undelivered = Callable[[str], None]  # told the reason when a message could not be sent


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Times are seconds. A registered phone that sends no keep-alives is quiet for up to an hour."""

    connections: int = 4000
    per_source: int = 200
    first_message: float = (
        15.0  # an accepted connection has this long to say something, its handshake included
    )
    idle: float = 3900.0
    connect: float = 5.0  # to open one of ours, its handshake included
    unsent: int = 1 << 20  # bytes a peer may leave unread before it is hung up on
    waiting: int = 64  # messages that wait for one connection to open
    body: int = MAX_BODY  # bytes of a message's body; a longer one is answered 513
    origins: frozenset[str] = frozenset()  # of pages whose WebSockets are taken, see `WebSocketPolicy`
    ping: float = 25.0  # between our pings on a WebSocket; one unanswered until the next ends it


@dataclass(slots=True)
class Owner:
    """What a shell lends its connections."""

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], float]
    receive: Callable[[Framed, bytes, Hop, float], None]
    drained: Callable[[], None]
    failed: Callable[[Hop, str], None]
    refuses: Callable[[str], bool]  # whether a host is not to be let in
    ponged: Callable[[Hop], None]  # a ping over a stream was answered


class Connection(asyncio.Protocol):
    """One stream, ours or theirs."""

    def __init__(self, streams: Streams, hop: Hop, *, inbound: bool) -> None:
        self.hop = hop
        self.source = source_of(hop.host)
        self.inbound = inbound
        self.since = streams.owner.clock()  # of its last message, or of its beginning
        self.waiting: list[tuple[bytes, Undelivered]] = []
        self.transport: asyncio.Transport | None = None
        self.reason = ""  # why we closed it
        self._streams = streams
        self._wire = streams.wire(hop.transport)
        self._answered = True  # whether anything came since our last ping
        self._beating: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open, and the TLS handshake is done."""
        self.transport = cast(asyncio.Transport, transport)  # what a loop gives to protocols of streams
        if self.inbound and self.hop.between:
            self.hop = replace(self.hop, name=_certified(transport))
        if not self.inbound:
            self._streams.left(self.hop, transport.get_extra_info("sockname"))
        sock = transport.get_extra_info("socket")
        _keep_alive(sock)
        dscp = None if self.inbound else self._streams.marks.get((self.hop.host, self.hop.port))
        if sock is not None and dscp is not None:
            mark(sock, dscp)
        waiting, self.waiting = self.waiting, []
        for data, undelivered in waiting:
            self.write(data, undelivered)

    def data_received(self, data: bytes) -> None:
        """Cut it into messages and hand them on."""
        streams = self._streams
        taken = self._wire.feed(data)
        if taken.reply:
            self._put(taken.reply)
        if taken.alive:
            streams.heard(self)
            self._answered = True
            if self._beating is None and self.hop.one_way:
                self._beat()
        if taken.pong:
            streams.owner.ponged(self.hop)
        now = streams.owner.clock()
        for message, raw in zip(taken.framed, taken.raw):
            streams.owner.receive(message, raw, self.hop, now)
        streams.owner.drained()
        if taken.over:
            streams.counts["left" if taken.clean else "broken"] += 1
            self.close(taken.over)

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed, by either side."""
        if self._beating is not None:
            self._beating.cancel()
        self._streams.forget(self, self.reason or (describe(error) if error else "closed by peer"))

    def write(self, data: bytes, undelivered: Undelivered) -> None:
        """Send, or keep until it is open. A peer that does not read is hung up on."""
        transport, limits = self.transport, self._streams.limits
        if transport is None:
            if len(self.waiting) >= limits.waiting:
                undelivered("too many messages wait for the connection")
            else:
                self.waiting.append((data, undelivered))
        elif transport.is_closing():
            undelivered("the connection is closing")
        else:
            wrapped = self._wire.wrap(data)
            if not wrapped:
                undelivered("the connection is closing")
            elif not self._put(wrapped):
                undelivered(self.reason)
            else:
                self._streams.counts["sent"] += 1

    def close(self, reason: str) -> None:
        """Close it once what was written is sent, at the latest after `FAREWELL` seconds."""
        self.reason = self.reason or reason
        transport = self.transport
        if transport is not None and not transport.is_closing():
            last = self._wire.farewell(self.reason)
            if not last or self._put(last):
                transport.close()
                self._streams.owner.loop.call_later(FAREWELL, transport.abort)

    def abort(self, reason: str) -> None:
        """Close it now."""
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abort()

    def _put(self, data: bytes) -> bool:
        """Write, unless the peer has left too much unread: then it is hung up on."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() + len(data) > self._streams.limits.unsent:
            self._streams.counts["peer does not read"] += 1
            self.abort("the peer does not read")
            return False
        transport.write(data)
        return True

    def _beat(self) -> None:
        """Ask for a sign of life, unless the last question was not answered."""
        streams = self._streams
        if not self._answered:
            streams.counts["gone"] += 1
            self.abort("no answer to a ping")
            return
        ping = self._wire.ping() if self._beating is not None else b""
        if ping:
            self._answered = False
            self._put(ping)
        self._beating = streams.owner.loop.call_later(streams.limits.ping, self._beat)


def describe(error: Exception) -> str:
    """Why a connection failed, in words for a log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio puts words of its own into strerror
    return type(error).__name__


def _certified(transport: asyncio.BaseTransport) -> str:
    """Which of our nodes has connected, by the certificate that it has shown; "" for none."""
    shown = transport.get_extra_info("peercert") or {}
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS"]
    return next((name for name in names if name.endswith(BETWEEN)), "")


def _keep_alive(sock: socket.socket | None) -> None:
    """Let the kernel find out dead peers, and keep NATs open, without a timer here."""
    if sock is None or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, 60),
        (socket.TCP_KEEPINTVL, 15),
        (socket.TCP_KEEPCNT, 4),
        (socket.TCP_USER_TIMEOUT, 30_000),
    ):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
