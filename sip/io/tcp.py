"""Connections: accepted, opened, found again, and closed when they are of no more use."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from ipaddress import ip_address
from typing import Any

from sip.guard import source_of
from sip.hop import WEBSOCKETS, Hop
from sip.io.connection import Connection, Owner, StreamLimits, Undelivered, describe
from sip.io.marks import Marks
from sip.io.wire import StreamWire, Wire
from sip.io.ws import WebSocketPolicy, WebSocketWire
from sip.reach import is_numeric

MAX_LEFT = 1000  # connections of ours of which it is known where they began
ACCEPT_BATCH = 32  # connections taken before other callbacks of the loop get their turn

Peer = tuple[str, str, int]  # transport, host, port


class Streams:
    """All connections of a node.

    A message goes by the number of its hop, else by its peer's address, else over a new connection; to a
    WebSocket by its number alone, for nothing else leads there.
    """

    def __init__(
        self,
        owner: Owner,
        limits: StreamLimits,
        client_tls: ssl.SSLContext | None,
        between: ssl.SSLContext | None = None,
        marks: Marks | None = None,
        names: Callable[[str], str] = str,
    ) -> None:
        """names: what the certificate of an address that we connect to has to name; itself, as a rule."""
        self.owner = owner
        self.marks = marks if marks is not None else {}
        self.limits = limits
        self.counts: Counter[str] = Counter()
        self._client_tls = client_tls
        self._names = names
        self._between = between
        self._websocket = WebSocketPolicy(limits.origins, limits.body)
        self._by_number: dict[int, Connection] = {}
        self._by_peer: dict[Peer, Connection] = {}
        self._by_source: Counter[str] = Counter()
        self._silent: OrderedDict[Connection, None] = OrderedDict()  # accepted, no message yet; oldest first
        self._quiet: OrderedDict[Connection, None] = OrderedDict()  # the rest; longest unheard first
        self._listeners: list[socket.socket] = []
        self._own: dict[str, list[str]] = {}  # addresses that are listened at, by transport
        self._left: OrderedDict[Peer, tuple[str, int]] = OrderedDict()  # where ours begin, the newest last
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def wire(self, transport: str) -> Wire:
        """How a new connection's messages are written."""
        return WebSocketWire(self._websocket) if transport in WEBSOCKETS else StreamWire(self.limits.body)

    def listen(
        self, transport: str, sock: socket.socket, context: ssl.SSLContext | None, name: str = ""
    ) -> None:
        """Accept connections on a bound, listening, non-blocking socket from now on. name: of their hops."""
        self._listeners.append(sock)
        self._own.setdefault(transport, []).append(sock.getsockname()[0])
        self.owner.loop.add_reader(sock, self._accept, transport, sock, context, name)

    def send(self, data: bytes, hop: Hop, undelivered: Undelivered, patience: float | None = None) -> None:
        """Send over the connection of `hop`, or over one to its address, opened when there is none.

        patience: seconds for opening it, `limits.connect` when not said.
        """
        connection = self._by_number.get(hop.connection) if hop.connection else None
        if connection is None:
            connection = self._by_peer.get((hop.transport, hop.host, hop.port))
        if connection is None and hop.one_way:
            undelivered("the connection that led there is closed")
        elif connection is None:
            connection = self._open(hop, undelivered, patience or self.limits.connect)
        if connection is not None:
            connection.write(data, undelivered)

    def left(self, hop: Hop, begins: tuple[str, int] | None) -> None:
        """A connection of ours is open: where it begins, by its socket."""
        if begins is None:
            return
        self._left[_peer(hop)] = begins[0], begins[1]
        while len(self._left) > MAX_LEFT:
            self._left.popitem(last=False)

    def local(self, hop: Hop) -> tuple[str, int] | None:
        """Where the newest connection that we opened to there begins, or began; None: we opened none."""
        return self._left.get(_peer(hop))

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
                connection.close("silent for too long")

    async def close(self) -> None:
        """Hang up on everybody."""
        for sock in self._listeners:
            self.owner.loop.remove_reader(sock)
            sock.close()
        self._listeners.clear()
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._by_number.values()):
            connection.close("shutting down")
        await asyncio.sleep(0)  # last words leave with the next round of the loop
        for connection in list(self._by_number.values()):
            connection.abort("shutting down")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(
        self, transport: str, listener: socket.socket, context: ssl.SSLContext | None, name: str
    ) -> None:
        for _ in range(ACCEPT_BATCH):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of descriptors: leave the rest in the backlog for a while
                self.counts[f"not accepted: {error.strerror}"] += 1
                self.owner.loop.remove_reader(listener)
                self.owner.loop.call_later(1.0, self._resume, transport, listener, context, name)
                return
            host, port = address[:2]
            if self._is_full(host) or self.owner.refuses(host):
                self.counts["refused"] += 1
                sock.close()
                continue
            sock.setblocking(False)
            self.counts["accepted"] += 1
            connection = self._add(Hop(transport, host, port, name=name), inbound=True)
            self._start(self._take(connection, sock, context))

    def _resume(
        self, transport: str, listener: socket.socket, context: ssl.SSLContext | None, name: str
    ) -> None:
        if listener in self._listeners:
            self.owner.loop.add_reader(listener, self._accept, transport, listener, context, name)

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
            self.forget(connection, describe(error))

    def _open(self, hop: Hop, undelivered: Undelivered, patience: float) -> Connection | None:
        if hop.transport == "tls" and self._context(hop) is None:
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
        context = self._context(hop) if hop.transport == "tls" else None
        named = bool(hop.name) and not is_numeric(hop.name)
        name = (hop.name if named else self._names(hop.host)) if context is not None else None
        try:
            async with asyncio.timeout(patience):
                await self.owner.loop.create_connection(
                    lambda: connection,
                    hop.host,
                    hop.port,
                    ssl=context,
                    server_hostname=name,
                    local_addr=leaving_from(self._own.get(hop.transport, ()), hop.host),
                )
            self.counts["opened"] += 1
        except TimeoutError:
            self.forget(connection, "connecting took too long")
        except (OSError, EOFError) as error:
            self.forget(connection, describe(error))

    def _context(self, hop: Hop) -> ssl.SSLContext | None:
        return self._between if hop.between else self._client_tls

    def _add(self, hop: Hop, *, inbound: bool) -> Connection:
        self._last_number += 1
        numbered = Hop(hop.transport, hop.host, hop.port, self._last_number, hop.name)
        connection = Connection(self, numbered, inbound=inbound)
        self._by_number[self._last_number] = connection
        if not hop.one_way:
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


def leaving_from(own: Sequence[str], host: str) -> tuple[str, int] | None:
    """Where a connection to `host` leaves from: the first address listened at, for peers know us by it.

    None leaves it to the kernel: where we listen everywhere, or the way there begins elsewhere.
    """
    peer = ip_address(host.partition("%")[0])
    for each in map(ip_address, own):
        if each.version == peer.version and not each.is_unspecified and each.is_loopback == peer.is_loopback:
            return str(each), 0
    return None


def _peer(hop: Hop) -> Peer:
    return hop.transport, hop.host, hop.port
