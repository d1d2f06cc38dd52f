"""What the core needs of the outside: packets in, packets out, a port a leg. Sockets and simulation give
it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from media.columns import F64, I64, U8
from media.messages import Address

STRIDE = 1600  # bytes kept of a packet; one that fills them was longer and is dropped. No power of 2: caches

HEADER = 12  # bytes of a plain RTP header

Judge = Callable[[int, Address, memoryview, int], bool]
"""(row, source, packet, size): whether to take a packet that came to a leg whose far end is not certain."""


class NoPort(Exception):
    """No free port in the range, or none that the system would give."""


class Batch:
    """Packets of one round of receiving, at most one a leg: `count` rows of `buffer`, all preallocated.

    buffer: uint8[capacity, STRIDE]; words: the same bytes as big-endian uint32. slots, rows and sizes:
    int64[capacity], the slots' numbers, whose packets they hold and how many bytes. times: float64[capacity],
    when they came, s, set by whoever knows the time. size: that of all packets when they have one in common,
    else 0.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.capacity = capacity
        self.buffer: U8 = np.zeros((capacity, STRIDE), np.uint8)
        self.words = self.buffer.view(">u4")
        self.slots: I64 = np.arange(capacity)
        self.rows: I64 = np.zeros(capacity, np.int64)
        self.sizes: I64 = np.zeros(capacity, np.int64)
        self.times: F64 = np.zeros(capacity)
        self.size = 0
        whole = self.buffer.reshape(-1).data
        self.views = [whole[i * STRIDE : (i + 1) * STRIDE] for i in range(capacity)]
        self._cut: dict[int, list[memoryview]] = {}

    def fill(self, rows: list[int], sizes: list[int]) -> int:
        """Note whose packets the first slots hold; returns how many there are."""
        count = len(rows)
        self.rows[:count] = rows
        self.sizes[:count] = sizes
        self.size = sizes[0] if count and sizes.count(sizes[0]) == count else 0
        return count

    def head(self, slots: I64, headers: I64) -> None:
        """Write plain headers, int64[n, 3] words, into ascending slots."""
        first, last = int(slots[0]), int(slots[-1])
        adjacent = last - first + 1 == len(slots)
        self.words[slice(first, last + 1) if adjacent else slots, :3] = headers

    def cut(self, slots: I64, sizes: I64) -> list[memoryview]:
        """Views on the packets in ascending slots; sizes: theirs, bytes.

        Sizes met often are cut once for all slots and kept.
        """
        first, last = int(slots[0]), int(slots[-1])
        size = self.size
        if not size:
            views = self.views
            return [views[slot][:end] for slot, end in zip(slots.tolist(), sizes.tolist())]
        cut = self._cut.get(size)
        if cut is None:
            cut = [view[:size] for view in self.views]
            if len(self._cut) < 8:
                self._cut[size] = cut
        if last - first + 1 == len(slots):
            return cut[first : last + 1]
        return [cut[slot] for slot in slots.tolist()]


class Network(Protocol):
    """Ports of a worker's legs, by row. A leg has an even port for RTP and the next for RTCP."""

    @property
    def address(self) -> str:
        """What to put in SDP."""

    @property
    def free(self) -> int:
        """Legs that can still be opened."""

    def open(self, row: int) -> int:
        """Bind a pair of ports; returns the RTP port. Raises NoPort."""

    def close(self, row: int) -> None:
        """Give the ports back."""

    def mark(self, row: int, dscp: int) -> None:
        """What routers are told of its packets from now on (RFC 2474), 0 to 63."""

    def aim(self, row: int, address: Address | None) -> None:
        """Where packets go while the leg is not connected; None: nowhere."""

    def connect(self, row: int, address: Address) -> None:
        """Send to and receive from `address` alone from now on; the filter is the kernel's."""

    def disconnect(self, row: int) -> None:
        """Receive from everywhere again, asking the judge."""

    def hasten(self, row: int, soon: bool) -> None:
        """Whether what comes to the row's RTP port is not to wait for the next drain."""

    def receive(self, batch: Batch, judge: Judge) -> int:
        """Fill the batch with at most one waiting packet a leg; returns how many. Never blocks."""

    def note(self, seen: F64, since: float, now: float) -> None:
        """Put `now` into `seen`, by row, where a packet waits and nothing was noted from `since` on. Of rows
        whose source is not certain yet nothing is noted.
        """

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        """Send the packets in ascending slots of the batch, sizes[i] bytes of each, from the target rows'
        RTP ports.
        """

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        """Send each packet from its row's RTP port. What cannot be sent is lost, as on any network."""

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        """RTCP that waits: (row, datagram, source), a bounded number at a time."""

    def send_report(self, row: int, data: bytes, address: Address) -> None:
        """Send RTCP from the row's RTCP port."""

    def post(self, row: int, data: bytes, address: Address) -> None:
        """Send a single datagram from the row's RTP port, to whatever address, as it is."""


class Layer:
    """A network around another. Everything passes through as it is but what a subclass takes in hand."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def address(self) -> str:
        return self._network.address

    @property
    def free(self) -> int:
        return self._network.free

    def open(self, row: int) -> int:
        return self._network.open(row)

    def close(self, row: int) -> None:
        self._network.close(row)

    def mark(self, row: int, dscp: int) -> None:
        self._network.mark(row, dscp)

    def aim(self, row: int, address: Address | None) -> None:
        self._network.aim(row, address)

    def connect(self, row: int, address: Address) -> None:
        self._network.connect(row, address)

    def disconnect(self, row: int) -> None:
        self._network.disconnect(row)

    def hasten(self, row: int, soon: bool) -> None:
        self._network.hasten(row, soon)

    def receive(self, batch: Batch, judge: Judge) -> int:
        return self._network.receive(batch, judge)

    def note(self, seen: F64, since: float, now: float) -> None:
        self._network.note(seen, since, now)

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        self._network.forward(targets, batch, slots, sizes)

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        self._network.send(rows, packets)

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        return self._network.receive_reports()

    def send_report(self, row: int, data: bytes, address: Address) -> None:
        self._network.send_report(row, data, address)

    def post(self, row: int, data: bytes, address: Address) -> None:
        self._network.post(row, data, address)


def remove(batch: Batch, count: int, slots: list[int]) -> int:
    """Take packets out of a round: the last ones move into their places; how many are left."""
    for slot in sorted(slots, reverse=True):
        count -= 1
        if slot != count:
            size = int(batch.sizes[count])
            batch.buffer[slot, :size] = batch.buffer[count, :size]
            batch.rows[slot], batch.sizes[slot] = batch.rows[count], size
    left = batch.sizes[:count]
    batch.size = int(left[0]) if count and (left == left[0]).all() else 0
    return count
