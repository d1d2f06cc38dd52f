"""UdpNetwork with the loops over packets done by native.c: one call a round, whatever the number of legs.

Sockets that anyone may send to are few and short-lived, and stay with the Python of UdpNetwork and its judge.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from ipaddress import IPv6Address, ip_address
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.columns import F64, I64
from media.io.native import Native, Round
from media.io.udp import Port, UdpNetwork
from media.messages import Address
from media.network import STRIDE, Batch, Judge

NOWHERE = -1
MOST_PLACES = 32  # arrays whose address is remembered
FD, LENGTH, ADDRESS, WIDTH = 0, 1, 2, 6  # of `struct way`, in words of eight bytes


class NativeUdpNetwork(UdpNetwork):
    """See the module; `native` is the loaded helper."""

    def __init__(
        self, bind: str, ports: tuple[int, int], address: str = "", *, dscp: int = 0, native: Native
    ) -> None:
        super().__init__(bind, ports, address, dscp=dscp)
        self._native = native
        self._ways: I64 = np.full((64, WIDTH), NOWHERE)  # by row
        self._row_of: I64 = np.full(256, NOWHERE)  # by file descriptor
        self._open: I64 = np.zeros(1024, np.int64)
        self._outbox: I64 = np.zeros((3, 1024), np.int64)  # targets, slots, sizes
        self._round = Round()
        self._told = ctypes.byref(self._round)
        self._at: dict[int, tuple[NDArray[Any], int]] = {}

    def _point(self, row: int, port: Port) -> None:
        super()._point(row, port)
        if row >= len(self._ways):
            self._ways = _longer(self._ways, row)
        way = self._ways[row]
        if port.target is None:
            way[FD] = NOWHERE
            return
        address = b"" if port.connected else _packed(self._family, port.target)
        way[FD], way[LENGTH] = port.rtp.fileno(), len(address)
        way[ADDRESS:].view(np.uint8)[: len(address)] = np.frombuffer(address, np.uint8)

    def _trust(self, row: int, rtp: socket.socket) -> None:
        super()._trust(row, rtp)
        if rtp.fileno() >= len(self._row_of):
            self._row_of = _longer(self._row_of, rtp.fileno())
        self._row_of[rtp.fileno()] = row

    def _distrust(self, fd: int) -> None:
        super()._distrust(fd)
        if fd < len(self._row_of):
            self._row_of[fd] = NOWHERE

    def receive(self, batch: Batch, judge: Judge) -> int:
        if batch.capacity > len(self._open):
            self._open = np.zeros(batch.capacity, np.int64)
        told, known, where = self._round, self._row_of, self._where
        count: int = self._native.receive(
            *(self._epoll.fileno(), where(known), len(known)),
            *(where(batch.buffer), STRIDE, batch.capacity),
            *(where(batch.rows), where(batch.sizes), where(self._open)),
            self._told,
        )
        if count < 0:
            raise OSError("epoll failed")
        self.errors += told.errors
        waiting = self._open[: told.open].tolist()
        if self._settling and told.ready < batch.capacity:
            self._settle(set(waiting))
        batch.size = told.size
        for fd in waiting:
            row = self._open_fds[fd]
            size = self._receive_judged(row, batch.views[count], judge)
            if size:
                batch.rows[count], batch.sizes[count] = row, size
                batch.size = size if not count or size == batch.size else 0
                count += 1
        return count

    def _where(self, array: NDArray[Any]) -> int:
        """Its address; numpy takes a microsecond to say it, and there are ten in a tick."""
        known = self._at.get(id(array))
        if known is None or known[0] is not array:
            if len(self._at) >= MOST_PLACES:
                self._at.clear()
            known = self._at[id(array)] = array, array.ctypes.data
        return known[1]

    def note(self, seen: F64, since: float, now: float) -> None:
        known = self._row_of
        self._native.note(
            *(self._epoll.fileno(), self._where(known), len(known), self._where(seen), len(seen), since, now)
        )

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        count = len(targets)
        if count > self._outbox.shape[1]:
            self._outbox = np.zeros((3, 2 * count), np.int64)
        outbox = self._outbox
        outbox[0, :count], outbox[1, :count], outbox[2, :count] = targets, slots, sizes
        first, step = self._where(outbox), outbox.strides[0]
        self.errors += self._native.send(
            *(self._where(self._ways), len(self._ways)),
            *(first, first + step, first + 2 * step, count),
            *(self._where(batch.buffer), STRIDE, batch.capacity),
        )


def _longer(array: I64, place: int) -> I64:
    """The array with room for `place`, what is added being NOWHERE."""
    longer = np.full((2 * (place + 1), *array.shape[1:]), NOWHERE)
    longer[: len(array)] = array
    return longer


def _packed(family: socket.AddressFamily, address: Address) -> bytes:
    """As struct sockaddr_in or sockaddr_in6; b"" for what is no address, which cannot be sent to."""
    try:
        host = ip_address(address[0])
        if isinstance(host, IPv6Address):
            scope = host.scope_id or "0"
            number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
            head = struct.pack("=H", family) + struct.pack("!HI", address[1], 0)
            return head + host.packed + struct.pack("=I", number)
        return struct.pack("=H", family) + struct.pack("!H", address[1]) + host.packed + bytes(8)
    except (ValueError, OSError, struct.error):
        return b""
