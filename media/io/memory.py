"""Ports without sockets: the simulation and unit tests carry the datagrams, the rest is as with the
kernel's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from media.columns import F64, I64
from media.messages import Address
from media.network import STRIDE, Batch, Judge, NoPort

QUEUE = 256  # datagrams that wait at a port, as a socket's buffer holds about so many

Transmit = Callable[[bytes, Address, Address], None]
"""(datagram, source, destination)"""


class _Port:
    __slots__ = ("connected", "number", "queue", "reports", "target")

    def __init__(self, number: int) -> None:
        self.number = number
        self.queue: deque[tuple[bytes, Address]] = deque()
        self.reports: deque[tuple[bytes, Address]] = deque()
        self.target: Address | None = None
        self.connected = False


class MemoryNetwork:
    """A worker's ports at `address`; `transmit` carries what they send, `deliver` brings what is for them."""

    def __init__(self, address: str, ports: tuple[int, int], transmit: Transmit) -> None:
        self.address = address
        self._transmit = transmit
        self._spare = deque(range(ports[0] + ports[0] % 2, ports[1], 2))
        self._ports: dict[int, _Port] = {}  # by row
        self._rows: dict[int, int] = {}  # row by RTP port
        self.hastened: set[int] = set()
        self.marks: dict[int, int] = {}  # DSCP by row
        self._waiting: dict[int, None] = {}  # rows with RTP queued, in order of arrival

    @property
    def free(self) -> int:
        return len(self._spare)

    def deliver(self, data: bytes, source: Address, destination: Address) -> bool:
        """A datagram arrives; False when no leg has that port (or it is full, or connected elsewhere)."""
        row = self._rows.get(destination[1] & ~1)
        if row is None or destination[0] != self.address:
            return False
        port = self._ports[row]
        if destination[1] & 1:
            queue = port.reports
        elif port.connected and source != port.target:
            return False
        else:
            queue = port.queue
            self._waiting[row] = None
        if len(queue) >= QUEUE:
            return False
        queue.append((data, source))
        return True

    def open(self, row: int) -> int:
        if not self._spare:
            raise NoPort(f"all ports of {self.address} are in use")
        number = self._spare.popleft()
        self._ports[row] = _Port(number)
        self._rows[number] = row
        return number

    def close(self, row: int) -> None:
        port = self._ports.pop(row)
        del self._rows[port.number]
        self._waiting.pop(row, None)
        self._spare.append(port.number)

    def mark(self, row: int, dscp: int) -> None:
        self.marks[row] = dscp

    def aim(self, row: int, address: Address | None) -> None:
        self._ports[row].target = address

    def connect(self, row: int, address: Address) -> None:
        port = self._ports[row]
        port.target = address
        port.connected = True
        port.queue = deque(item for item in port.queue if item[1] == address)

    def disconnect(self, row: int) -> None:
        self._ports[row].connected = False

    def receive(self, batch: Batch, judge: Judge) -> int:
        rows: list[int] = []
        sizes: list[int] = []
        for row in list(self._waiting):
            if len(rows) == batch.capacity:
                break
            port = self._ports[row]
            if self._next(port, row, batch, len(rows), judge, sizes):
                rows.append(row)
            if not port.queue:
                del self._waiting[row]
        return batch.fill(rows, sizes)

    @staticmethod
    def _next(port: _Port, row: int, batch: Batch, slot: int, judge: Judge, sizes: list[int]) -> bool:
        """Put the row's oldest acceptable datagram into the slot."""
        while port.queue:
            data, source = port.queue.popleft()
            size = min(len(data), STRIDE)
            batch.views[slot][:size] = data[:size]
            if port.connected or judge(row, source, batch.views[slot], size):
                sizes.append(size)
                return True
        return False

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        self.send(targets.tolist(), batch.cut(slots, sizes))

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        for row, packet in zip(rows, packets):
            port = self._ports[row]
            if port.target is not None:
                self._transmit(bytes(packet), (self.address, port.number), port.target)

    def hasten(self, row: int, soon: bool) -> None:
        (self.hastened.add if soon else self.hastened.discard)(row)

    def note(self, seen: F64, since: float, now: float) -> None:
        for row in self._waiting:
            if self._ports[row].connected and seen[row] < since:
                seen[row] = now

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        found: list[tuple[int, bytes, Address]] = []
        for row, port in self._ports.items():
            while port.reports:
                data, source = port.reports.popleft()
                found.append((row, data, source))
        return found

    def post(self, row: int, data: bytes, address: Address) -> None:
        self._transmit(data, (self.address, self._ports[row].number), address)

    def send_report(self, row: int, data: bytes, address: Address) -> None:
        self._transmit(data, (self.address, self._ports[row].number + 1), address)
