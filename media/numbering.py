"""Packets numbered across a whole transport, so that the far end can tell of each whether and when it came.

A network around the encrypted one, for legs that agreed on the header extension (RFC 8285 and
draft-holmer-rmcat-transport-wide-cc-extensions-01). What leaves gets a number in an extension, and is noted;
what comes with extensions loses them, so that the express lane knows it. Other legs pass by untouched.
"""

from __future__ import annotations

import struct

import numpy as np

from media.columns import I64
from media.libsrtp import TRAILER
from media.network import HEADER, STRIDE, Batch, Judge, Layer, Network
from media.twcc import Feedback, Figures, Sent

EXTENSION = 8  # bytes: a head of four, and one element with its number, padded (RFC 8285 section 4.2)
PROFILE = 0xBEDE
WIRE = 28 + 10  # bytes of IP, UDP and encryption that a packet has on its way besides
X = 0x10  # of a header's first byte: an extension follows
_EXTENSION = struct.Struct("!HHBHx")


class Numbering(Layer):
    """See the module. now: set it at each drain and tick, for when packets left."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._sent = Sent()
        self._place: I64 = np.full(64, -1)  # among those numbered, by row
        self._spare: list[int] = []
        self._number: I64 = np.zeros(0, np.int64)  # of the extension, by place
        self._next: I64 = np.zeros(0, np.int64)  # to be given
        self._count = 0
        self._outbox = Batch(1)
        self.now = 0.0

    def agree(self, row: int, number: int) -> None:
        """The leg's packets carry this extension from now on; 0: none."""
        place = int(self._place[row])
        if number and place < 0:
            place = self._spare.pop() if self._spare else self._grow()
            self._place[row], self._next[place] = place, 0
            self._sent.clear(place)
            self._count += 1
        elif not number and place >= 0:
            self._spare.append(place)
            self._place[row] = -1
            self._count -= 1
        if number:
            self._number[place] = number

    def _grow(self) -> int:
        self._number, self._next = np.append(self._number, 0), np.append(self._next, 0)
        return len(self._next) - 1

    def figures(self, row: int, feedback: Feedback) -> Figures | None:
        """What the far end's feedback means; None where there is nothing to be learnt from it."""
        place = int(self._place[row])
        return self._sent.figures(place, feedback) if place >= 0 else None

    # --- ports ------------------------------------------------------------------------------------

    def open(self, row: int) -> int:
        if row >= len(self._place):
            self._place = np.concatenate((self._place, np.full(row, -1)))
        return self._network.open(row)

    def close(self, row: int) -> None:
        self.agree(row, 0)
        self._network.close(row)

    # --- what comes -------------------------------------------------------------------------------

    def receive(self, batch: Batch, judge: Judge) -> int:
        count = self._network.receive(batch, judge)
        if self._count and count:
            extended = batch.buffer[:count, 0] & X != 0
            if extended.any():
                slots = (extended & (self._place[batch.rows[:count]] >= 0)).nonzero()[0]
                if len(slots):
                    _strip(batch, count, slots)
        return count

    # --- what goes --------------------------------------------------------------------------------

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        if not self._count:
            self._network.forward(targets, batch, slots, sizes)
            return
        numbered = (self._place[targets] >= 0) & (sizes <= STRIDE - TRAILER - EXTENSION)
        if not numbered.all():
            plain = ~numbered
            self._network.forward(targets[plain], batch, slots[plain], sizes[plain])
        if numbered.any():
            self._forward_numbered(targets[numbered], batch, slots[numbered], sizes[numbered])

    def _forward_numbered(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None:
        """Copies with the extension: the packets themselves may go on to other legs, without."""
        count, widest = len(targets), int(sizes.max())
        if count > self._outbox.capacity:
            self._outbox = Batch(max(2 * count, 64))
        outbox, places = self._outbox, self._place[targets]
        numbers = self._next[places] & 0xFFFF
        self._next[places] += 1
        out = outbox.buffer
        out[:count, :HEADER] = batch.buffer[slots, :HEADER]
        out[:count, HEADER + EXTENSION : widest + EXTENSION] = batch.buffer[slots, HEADER:widest]
        out[:count, 0] |= X
        outbox.words[:count, 3] = PROFILE << 16 | 1
        outbox.words[:count, 4] = self._number[places] << 28 | 1 << 24 | numbers << 8
        longer = sizes + EXTENSION
        outbox.size = int(longer[0]) if (longer == longer[0]).all() else 0
        self._sent.note(places, numbers, self.now, longer + WIRE)
        self._network.forward(targets, outbox, outbox.slots[:count], longer)

    def send(self, rows: list[int], packets: list[memoryview]) -> None:
        if self._count:
            packets = [self._numbered(row, packet) for row, packet in zip(rows, packets)]
        self._network.send(rows, packets)

    def _numbered(self, row: int, packet: memoryview) -> memoryview:
        """The same for one packet; RTCP has no extensions."""
        place = int(self._place[row])
        if place < 0 or 192 <= packet[1] <= 223 or packet[0] & 0x1F or len(packet) > STRIDE - 64:
            return packet
        number = int(self._next[place]) & 0xFFFF
        self._next[place] += 1
        extension = _EXTENSION.pack(PROFILE, 1, int(self._number[place]) << 4 | 1, number)
        data = bytes([packet[0] | X]) + bytes(packet[1:HEADER]) + extension + bytes(packet[HEADER:])
        here = np.array([place])
        self._sent.note(here, np.array([number]), self.now, np.array([len(data) + WIRE]))
        return memoryview(data)


def _strip(batch: Batch, count: int, slots: I64) -> None:
    """Take the extensions out of RTP packets in these slots; those with CSRCs go the general way anyhow."""
    head, sizes = batch.buffer[slots, : HEADER + 4].astype(np.int64), batch.sizes[slots]
    extra = 4 + 4 * (head[:, 14] << 8 | head[:, 15])
    good = (head[:, 0] & 0x1F == X) & ((head[:, 1] < 192) | (head[:, 1] > 223))
    good &= (sizes > HEADER + extra) & (sizes < STRIDE)
    if not good.any():
        return
    for length in np.unique(extra[good]).tolist():
        which = slots[good & (extra == length)]
        widest = int(batch.sizes[which].max())
        batch.buffer[which, HEADER : widest - length] = batch.buffer[which, HEADER + length : widest]
        batch.sizes[which] -= length
        batch.buffer[which, 0] ^= X
    left = batch.sizes[:count]
    batch.size = int(left[0]) if (left == left[0]).all() else 0
