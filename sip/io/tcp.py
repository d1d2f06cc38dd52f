"""TCP and TLS connections: accepted, opened, found again, and closed when they are of no more use."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from sip.errors import StreamBroken
from sip.framing import Framed, Framer
from sip.guard import source_of
from sip.head import MAX_BODY
from sip.hop import Hop

ACCEPT_BATCH = 32  # connections taken before other callbacks of the loop get their turn
_PONG = b"\r\n"

Peer = tuple[str, str, int]  # transport, host, port
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


@dataclass(slots=True)
class Owner:
    """What a shell lends its connections."""

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], float]
    receive: Callable[[Framed, Hop, float], None]
    drained: Callable[[], None]
    failed: Callable[[Hop, str], None]
    refuses: Callable[[str], bool]  # whether a host is not to be let in


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
        self._framer = Framer(streams.limits.body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open, and the TLS handshake is done."""
        self.transport = cast(asyncio.Transport, transport)  # what a loop gives to protocols of streams
        _keep_alive(transport.get_extra_info("socket"))
        waiting, self.waiting = self.waiting, []
        for data, undelivered in waiting:
            self.write(data, undelivered)

    def data_received(self, data: bytes) -> None:
        """Cut it into messages and hand them on."""
        streams, broken = self._streams, ""
        try:
            framed = self._framer.feed(data)
        except StreamBroken as error:
            framed, broken = error.framed, error.reason
        pings, self._framer.pings = self._framer.pings, 0
        if self.transport is not None and pings:
            self.transport.write(_PONG * min(pings, 8))
        if framed or pings:
            streams.heard(self)
        now = streams.owner.clock()
        for message in framed:
            streams.owner.receive(message, self.hop, now)
        streams.owner.drained()
        if broken:
            streams.counts["broken"] += 1
            self.close(broken)

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed, by either side."""
        self._streams.forget(self, self.reason or (_describe(error) if error else "closed by peer"))

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
        elif transport.get_write_buffer_size() + len(data) > limits.unsent:
            self._streams.counts["peer does not read"] += 1
            self.reason = "the peer does not read"
            undelivered(self.reason)
            transport.abort()
        else:
            transport.write(data)
            self._streams.counts["sent"] += 1

    def close(self, reason: str) -> None:
        """Close it once what was written is sent."""
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.close()

    def abort(self, reason: str) -> None:
        """Close it now."""
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abort()


class Streams:
    """All connections of a node.

    A message goes by the number of its hop, else by its peer's address, else over a new connection.
    """

    def __init__(self, owner: Owner, limits: StreamLimits, client_tls: ssl.SSLContext | None) -> None:
        self.owner = owner
        self.limits = limits
        self.counts: Counter[str] = Counter()
        self._client_tls = client_tls
        self._by_number: dict[int, Connection] = {}
        self._by_peer: dict[Peer, Connection] = {}
        self._by_source: Counter[str] = Counter()
        self._silent: OrderedDict[Connection, None] = OrderedDict()  # accepted, no message yet; oldest first
        self._quiet: OrderedDict[Connection, None] = OrderedDict()  # the rest; longest unheard first
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def listen(self, transport: str, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        """Accept connections on a bound, listening, non-blocking socket from now on."""
        self._listeners.append(sock)
        self.owner.loop.add_reader(sock, self._accept, transport, sock, context)

    def send(self, data: bytes, hop: Hop, undelivered: Undelivered, patience: float | None = None) -> None:
        """Send over the connection of `hop`, or over one to its address, opened when there is none.

        patience: seconds for opening it, `limits.connect` when not said.
        """
        connection = self._by_number.get(hop.connection) if hop.connection else None
        if connection is None:
            connection = self._by_peer.get((hop.transport, hop.host, hop.port))
        if connection is None:
            connection = self._open(hop, undelivered, patience or self.limits.connect)
        if connection is not None:
            connection.write(data, undelivered)

    def heard(self, connection: Connection) -> None:
        """A message or a keep-alive has come over it."""
        connection.since = self.owner.clock()
        self._silent.pop(connection, None)
        if connection.hop.connection in self._by_number:
            self._quiet[connection] = None
            self._quiet.move_to_end(connection)

    def forget(self, connection: Connection, reason: str) -> None:
        """It is gone: whatever waited on it fails."""
        number = connection.hop.connection
        if self._by_number.pop(number, None) is None:
            return
        peer = _peer(connection.hop)
        if self._by_peer.get(peer) is connection:
            del self._by_peer[peer]
        self._silent.pop(connection, None)
        self._quiet.pop(connection, None)
        self._by_source[connection.source] -= 1
        if self._by_source[connection.source] <= 0:
            del self._by_source[connection.source]
        waiting, connection.waiting = connection.waiting, []
        for _, undelivered in waiting:
            undelivered(reason)
        if connection.transport is not None:
            self.owner.failed(connection.hop, reason)
        self.owner.drained()

    def next_timeout(self) -> float | None:
        """When a connection may have been silent for too long."""
        ends = []
        if self._silent:
            ends.append(next(iter(self._silent)).since + self.limits.first_message)
        if self._quiet:
            ends.append(next(iter(self._quiet)).since + self.limits.idle)
        return min(ends, default=None)

    def timeout(self, now: float) -> None:
        """Close what has been silent for too long."""
        for table, patience in ((self._silent, self.limits.first_message), (self._quiet, self.limits.idle)):
            while table:
                connection = next(iter(table))
                if connection.since + patience > now:
                    break
                del table[connection]
                self.counts["silent"] += 1
                connection.abort("silent for too long")

    async def close(self) -> None:
        """Hang up on everybody."""
        for sock in self._listeners:
            self.owner.loop.remove_reader(sock)
            sock.close()
        self._listeners.clear()
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._by_number.values()):
            connection.abort("shutting down")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, transport: str, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        for _ in range(ACCEPT_BATCH):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of descriptors: leave the rest in the backlog for a while
                self.counts[f"not accepted: {error.strerror}"] += 1
                self.owner.loop.remove_reader(listener)
                self.owner.loop.call_later(1.0, self._resume, transport, listener, context)
                return
            host, port = address[:2]
            if self._is_full(host) or self.owner.refuses(host):
                self.counts["refused"] += 1
                sock.close()
                continue
            sock.setblocking(False)
            self.counts["accepted"] += 1
            connection = self._add(Hop(transport, host, port), inbound=True)
            self._start(self._take(connection, sock, context))

    def _resume(self, transport: str, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        if listener in self._listeners:
            self.owner.loop.add_reader(listener, self._accept, transport, listener, context)

    async def _take(
        self, connection: Connection, sock: socket.socket, context: ssl.SSLContext | None
    ) -> None:
        loop, patience = self.owner.loop, self.limits.first_message
        try:
            await loop.connect_accepted_socket(
                lambda: connection, sock, ssl=context, ssl_handshake_timeout=patience if context else None
            )
        except (OSError, EOFError) as error:
            self.counts["handshake failed"] += 1
            sock.close()
            self.forget(connection, _describe(error))

    def _open(self, hop: Hop, undelivered: Undelivered, patience: float) -> Connection | None:
        if hop.transport == "tls" and self._client_tls is None:
            undelivered("TLS is not set up")
            return None
        if len(self._by_number) >= self.limits.connections:
            undelivered("too many connections")
            return None
        connection = self._add(Hop(hop.transport, hop.host, hop.port, name=hop.name), inbound=False)
        self._start(self._connect(connection, patience))
        return connection

    async def _connect(self, connection: Connection, patience: float) -> None:
        hop = connection.hop
        context = self._client_tls if hop.transport == "tls" else None
        name = (hop.name or hop.host) if context is not None else None
        try:
            async with asyncio.timeout(patience):
                await self.owner.loop.create_connection(
                    lambda: connection, hop.host, hop.port, ssl=context, server_hostname=name
                )
            self.counts["opened"] += 1
        except TimeoutError:
            self.forget(connection, "connecting took too long")
        except (OSError, EOFError) as error:
            self.forget(connection, _describe(error))

    def _add(self, hop: Hop, *, inbound: bool) -> Connection:
        self._last_number += 1
        numbered = Hop(hop.transport, hop.host, hop.port, self._last_number, hop.name)
        connection = Connection(self, numbered, inbound=inbound)
        self._by_number[self._last_number] = connection
        self._by_peer[_peer(hop)] = connection
        self._by_source[connection.source] += 1
        (self._silent if inbound else self._quiet)[connection] = None
        return connection

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.owner.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_full(self, host: str) -> bool:
        if len(self._by_number) >= self.limits.connections:
            return True
        return self._by_source[source_of(host)] >= self.limits.per_source


def listening(host: str, port: int) -> socket.socket:
    """A socket for `Streams.listen`. Raises OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


def _peer(hop: Hop) -> Peer:
    return hop.transport, hop.host, hop.port


def _describe(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)  # asyncio puts words of its own into strerror
    return type(error).__name__


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
