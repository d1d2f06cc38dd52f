"""A leg's UDP sockets: an even port for RTP, the next for RTCP, drained in batches through epoll.

Plain Python loops with as little as possible in them; media.io.native_udp does the same in C where it can. A
connected leg's packets are received straight into the batch; an unconnected one's come with their source, for
the judge. Errors of single datagrams (a full
buffer, a far port that is closed) are counted and otherwise like loss on the way.
"""

from __future__ import annotations

import ctypes
import errno
import select
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

from media.columns import F64, I64
from media.messages import Address
from media.network import Batch, Judge, NoPort

EVENTS = 4096  # sockets reported by one poll
REPORTS = 64  # RTCP datagrams taken in one drain
STRANGERS = 8  # datagrams of one leg that are refused in one round before the rest has to wait
TRIES = 64  # pairs of ports tried for a leg
AF_UNSPEC = bytes(16)

Receive = Callable[[memoryview], int]
Send = Callable[[memoryview], object]

_libc = ctypes.CDLL(None, use_errno=True)


class Port:
    """One leg's sockets."""

    __slots__ = ("connected", "number", "reports", "rtp", "target")

    def __init__(self, number: int, rtp: socket.socket, reports: socket.socket) -> None:
        self.number = number
        self.rtp = rtp
        self.reports = reports
        self.target: Address | None = None
        self.connected = False


def _nowhere(packet: memoryview) -> object:
    """What sending does while there is no one to send to."""
    return None


class UdpNetwork:
    """Ports of a worker, bound to `bind`, announced as `address`; even ports from low to high, high
    excluded. dscp: what routers on the way are told of every packet (RFC 2474), 0 to 63.

    A port that was given back is the last to be used again, so that stragglers of one call do not reach
    another.
    """

    def __init__(self, bind: str, ports: tuple[int, int], address: str = "", *, dscp: int = 0) -> None:
        self.address = address or bind
        self.errors = 0
        self._bind = bind
        self._family = socket.AF_INET6 if ip_address(bind).version == 6 else socket.AF_INET
        self._tos = dscp << 2  # the two bits below are for congestion notification
        self._spare = deque(range(ports[0] + ports[0] % 2, ports[1] - 1, 2))
        self._ports: dict[int, Port] = {}
        self._by_fd: dict[int, tuple[Receive, int]] = {}  # connected legs' ports
        self._open_fds: dict[int, int] = {}  # row of ports that anyone may send to
        self._report_fds: dict[int, int] = {}
        self._settling: set[int] = set()  # rows just connected whose queue may still hold strangers' packets
        self._sends: list[Send] = []
        self._epoll = select.epoll()
        self._report_epoll = select.epoll()
        self._hastened: set[int] = set()
        self.urgent = select.epoll()  # readable when what has come is not to wait for the next drain

    @property
    def free(self) -> int:
        return len(self._spare)

    def open(self, row: int) -> int:
        for _ in range(min(TRIES, len(self._spare))):
            number = self._spare.popleft()
            pair = self._pair(number)
            if pair is not None:
                break
            self._spare.append(number)
        else:
            raise NoPort(f"no free pair of ports at {self._bind}")
        port = self._ports[row] = Port(number, *pair)
        self._point(row, port)
        self._open_fds[port.rtp.fileno()] = row
        self._report_fds[port.reports.fileno()] = row
        self._epoll.register(port.rtp.fileno(), select.EPOLLIN)
        self._report_epoll.register(port.reports.fileno(), select.EPOLLIN)
        return number

    def _pair(self, number: int) -> tuple[socket.socket, socket.socket] | None:
        """Sockets bound to the port and the next; None when either is taken or the system gives no socket."""
        pair: list[socket.socket] = []
        try:
            for offset in (0, 1):
                one = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                pair.append(one)
                if self._tos:
                    _mark(one, self._family, self._tos)
                one.bind((self._bind, number + offset))
        except OSError as error:
            for one in pair:
                one.close()
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise NoPort(str(error)) from error
            return None
        return pair[0], pair[1]

    def mark(self, row: int, dscp: int) -> None:
        port = self._ports[row]
        for one in (port.rtp, port.reports):
            _mark(one, self._family, dscp << 2)

    def close(self, row: int) -> None:
        port = self._ports.pop(row)
        port.target, port.connected = None, False
        self._point(row, port)
        self._settling.discard(row)
        self._distrust(port.rtp.fileno())
        self._open_fds.pop(port.rtp.fileno(), None)
        self._report_fds.pop(port.reports.fileno(), None)
        self._epoll.unregister(port.rtp.fileno())
        self._report_epoll.unregister(port.reports.fileno())
        if row in self._hastened:
            self._hastened.discard(row)
            self.urgent.unregister(port.rtp.fileno())
        port.rtp.close()
        port.reports.close()
        self._spare.append(port.number)

    def aim(self, row: int, address: Address | None) -> None:
        port = self._ports[row]
        port.target = address
        self._point(row, port)

    def connect(self, row: int, address: Address) -> None:
        port = self._ports[row]
        self.aim(row, address)
        try:
            port.rtp.connect(address)
        except OSError:
            self.errors += 1
            return  # it stays open; the judge goes on filtering
        port.connected = True
        self._point(row, port)
        self._settling.add(row)

    def disconnect(self, row: int) -> None:
        port = self._ports[row]
        if port.connected:
            _libc.connect(port.rtp.fileno(), AF_UNSPEC, len(AF_UNSPEC))  # dissolves it; the bound port stays
            port.connected = False
        self._settling.discard(row)
        self._distrust(port.rtp.fileno())
        self._open_fds[port.rtp.fileno()] = row
        self._point(row, port)

    def hasten(self, row: int, soon: bool) -> None:
        if soon == (row in self._hastened):
            return
        fd = self._ports[row].rtp.fileno()
        if soon:
            self._hastened.add(row)
            self.urgent.register(fd, select.EPOLLIN)
        else:
            self._hastened.discard(row)
            self.urgent.unregister(fd)

    def _point(self, row: int, port: Port) -> None:
        """Note how the row's packets are sent, as the port now stands."""
        while len(self._sends) <= row:
            self._sends.append(_nowhere)
        if port.target is None:
            self._sends[row] = _nowhere
        else:
            self._sends[row] = port.rtp.send if port.connected else partial(_send_to, port.rtp, port.target)

    def _trust(self, row: int, rtp: socket.socket) -> None:
        """What this socket gets from now on has passed the kernel's filter."""
        self._by_fd[rtp.fileno()] = rtp.recv_into, row

    def _distrust(self, fd: int) -> None:
        """What this socket gets has to be judged, or is no one's."""
        self._by_fd.pop(fd, None)

    # --- packets ----------------------------------------------------------------------------------

    def receive(self, batch: Batch, judge: Judge) -> int:
        ready = self._epoll.poll(0, batch.capacity)
        if self._settling and len(ready) < batch.capacity:
            self._settle({fd for fd, _ in ready})
        if not ready:
            return 0
        rows: list[int] = []
        sizes: list[int] = []
        known, views, slot = self._by_fd, batch.views, 0
        for fd, _ in ready:
            try:
                receive, row = known[fd]
                size = receive(views[slot])
            except KeyError:
                row = self._open_fds[fd]
                size = self._receive_judged(row, views[slot], judge)
            except OSError:
                self.errors += 1
                continue
            if size:
                rows.append(row)
                sizes.append(size)
                slot += 1
        return batch.fill(rows, sizes)

    def note(self, seen: F64, since: float, now: float) -> None:
        known = self._by_fd
        for fd, _ in self._epoll.poll(0, EVENTS):
            if fd in known and seen[known[fd][1]] < since:
                seen[known[fd][1]] = now

    def _receive_judged(self, row: int, view: memoryview, judge: Judge) -> int:
        """The next datagram to be taken of a leg that anyone may send to: its size, 0 when there is none."""
        port = self._ports[row]
        for _ in range(STRANGERS):
            try:
                size, source = port.rtp.recvfrom_into(view)
            except BlockingIOError:
                return 0
            except OSError:
                self.errors += 1
                continue
            address: Address = source[0], source[1]
            if address == port.target if port.connected else judge(row, address, view, size):
                return size
        return 0

    def _settle(self, waiting: set[int]) -> None:
        """Trust the connected ports where nothing waits any more from before."""
        for row in list(self._settling):
            rtp = self._ports[row].rtp
            if rtp.fileno() not in waiting:
                self._settling.discard(row)
                self._open_fds.pop(rtp.fileno(), None)
                self._trust(row, rtp)

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        self.send(targets.tolist(), batch.cut(slots, sizes))

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        sends = self._sends
        for row, packet in zip(rows, packets):
            try:
                sends[row](packet)
            except (
                OSError
            ):  # ECONNREFUSED of an earlier one, EAGAIN, ENOBUFS, ENETUNREACH: lost like any other
                self.errors += 1

    # --- RTCP -------------------------------------------------------------------------------------

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        found: list[tuple[int, bytes, Address]] = []
        for fd, _ in self._report_epoll.poll(0, REPORTS):
            row = self._report_fds[fd]
            try:
                data, source = self._ports[row].reports.recvfrom(1500)
            except OSError:
                self.errors += 1
                continue
            found.append((row, data, (source[0], source[1])))
        return found

    def send_report(self, row: int, data: bytes, address: Address) -> None:
        try:
            self._ports[row].reports.sendto(data, address)
        except OSError:
            self.errors += 1

    def post(self, row: int, data: bytes, address: Address) -> None:
        try:
            self._ports[row].rtp.sendto(data, address)
        except OSError:
            self.errors += 1

    def shut(self) -> None:
        """Close everything."""
        for row in list(self._ports):
            self.close(row)
        for each in (self._epoll, self._report_epoll, self.urgent):
            each.close()


def _mark(one: socket.socket, family: socket.AddressFamily, tos: int) -> None:
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
    else:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)


def _send_to(rtp: socket.socket, address: Address, packet: memoryview) -> object:
    return rtp.sendto(packet, address)
