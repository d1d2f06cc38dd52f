"""UDP: one socket, read in batches.

Measured on two shared cores, 700-byte datagrams: reading until the socket is empty costs 6-7 µs a datagram
under asyncio and uvloop alike; asyncio's DatagramProtocol, one callback a datagram, 46 µs, and it lost every
second one.
"""

from __future__ import annotations

import select
import socket
import struct
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable

from sip.hop import Hop
from sip.io.marks import Marks, ancillary

BATCH = 64  # datagrams read before other callbacks of the loop get their turn
MAX_DATAGRAM = 65_535
MAX_KNOWN = 4096  # hops kept, so that none is made anew for each datagram
BUFFER = 4 << 20  # bytes asked of the kernel for each direction; it may give less

_LINUX_IP_RECVERR, _LINUX_IPV6_RECVERR = 11, 25  # linux/in.h, in6.h; not named by socket
_ICMP, _ICMP6 = 2, 3  # origins of an extended error, linux/errqueue.h
# RFC 3261 section 18.4: host, network, port or protocol unreachable; other ICMP errors mean nothing.
_UNREACHABLE = {(_ICMP, 3): frozenset({0, 1, 2, 3, 9, 10, 13}), (_ICMP6, 1): frozenset({0, 1, 3, 4})}


class UdpPort:
    """A bound socket.

    `receive` is called for each datagram, `drained` after each batch, `failed` for each hop that ICMP says
    cannot be reached.
    """

    def __init__(
        self,
        sock: socket.socket,
        receive: Callable[[bytes, Hop], None],
        drained: Callable[[], None],
        failed: Callable[[Hop, str], None],
        marks: Marks,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.family = sock.family
        self._socket = sock
        self._receive = receive
        self._drained = drained
        self._failed = failed
        self._marks = marks
        self._known: dict[tuple[str, int], Hop] = {}
        self._errors: select.epoll | None = None
        self._loop: AbstractEventLoop | None = None

    @staticmethod
    def bind(host: str, port: int) -> socket.socket:
        """A socket for `UdpPort`. Raises OSError when the address is taken or not ours."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            sock.setblocking(False)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return sock

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def start(self, loop: AbstractEventLoop) -> None:
        """Begin to read."""
        self._loop = loop
        loop.add_reader(self._watched(), self._on_readable)

    def close(self) -> None:
        """Stop reading and give the address back."""
        if self._loop is not None:
            self._loop.remove_reader(self._errors.fileno() if self._errors is not None else self._socket)
        if self._errors is not None:
            self._errors.close()
        self._socket.close()

    def knows(self, hop: Hop) -> bool:
        """Whether a datagram came from there lately."""
        return (hop.host, hop.port) in self._known

    def send(self, data: bytes, hop: Hop) -> str | None:
        """Send one datagram; the reason when it cannot be. A full buffer loses it, as networks do."""
        for _ in range(2):
            try:
                self._send(data, (hop.host, hop.port))
                self.counts["sent"] += 1
                return None
            except BlockingIOError:
                self.counts["send buffer full"] += 1
                return None
            except ConnectionRefusedError:
                continue  # what an earlier datagram ran into elsewhere; `_read_errors` tells where
            except OSError as error:
                self.counts["not sent"] += 1
                return error.strerror or type(error).__name__
        return None

    def _send(self, data: bytes, to: tuple[str, int]) -> None:
        dscp = self._marks.get(to)
        if dscp is None:
            self._socket.sendto(data, to)
        else:
            self._socket.sendmsg([data], ancillary(self.family, dscp), 0, to)

    def _watched(self) -> int:
        """The descriptor to watch.

        libuv gives up a socket that polls as faulty, which one with ICMP errors waiting does; an epoll around
        it polls as readable and never as anything else.
        """
        if not hasattr(select, "epoll"):
            return self._socket.fileno()
        if self.family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _LINUX_IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _LINUX_IP_RECVERR, 1)
        self._errors = select.epoll()
        self._errors.register(self._socket.fileno(), select.EPOLLIN)
        return self._errors.fileno()

    def _on_readable(self) -> None:
        receive_from, receive, known = self._socket.recvfrom, self._receive, self._known
        taken = 0
        while taken < BATCH:
            try:
                data, address = receive_from(MAX_DATAGRAM)
            except BlockingIOError:
                break
            except OSError:
                self._read_errors()
                break
            taken += 1
            # Keep-alives (CRLF, a lone NUL, "jaK") and STUN: nothing of SIP is that short or begins so.
            if len(data) < 16 or data[0] < 4:
                continue
            hop = known.get(address[:2])
            receive(data, self._meet(address) if hop is None else hop)
        if taken:
            self.counts["received"] += taken
        elif self._errors is not None:
            self._read_errors()
        self._drained()

    def _meet(self, address: tuple[str, int]) -> Hop:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        hop = self._known[address[:2]] = Hop("udp", address[0], address[1])
        return hop

    def _read_errors(self) -> None:
        """Take what ICMP brought off the error queue (ip(7), IP_RECVERR)."""
        if self._errors is None:
            return
        for _ in range(BATCH):
            try:
                _, ancillary, _, address = self._socket.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if any(_is_unreachable(content) for _, _, content in ancillary) and address:
                self.counts["unreachable"] += 1
                self._failed(Hop("udp", address[0], address[1]), "ICMP unreachable")


def _is_unreachable(content: bytes) -> bool:
    """Whether a struct sock_extended_err says that nothing gets there."""
    if len(content) < 8:
        return False
    _, origin, kind, code = struct.unpack_from("=IBBB", content)
    return code in _UNREACHABLE.get((origin, kind), frozenset())
