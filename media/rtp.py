"""RTP headers (RFC 3550 section 5.1) of a whole batch of packets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.columns import I64, Bool
from media.network import HEADER, STRIDE, Batch

VERSION = 0x8000_0000
MARKER = 0x0080_0000
U32 = 0xFFFF_FFFF


@dataclass(slots=True)
class Packets:
    """Well-formed RTP packets of a batch, one entry a packet, each int64[n].

    slots: where in the batch. rows: whose. start and size: of the payload in the slot, bytes.
    pt, sequence, timestamp, ssrc: as in the header; marker: bool.
    """

    slots: I64
    rows: I64
    start: I64
    size: I64
    pt: I64
    sequence: I64
    timestamp: I64
    ssrc: I64
    marker: Bool

    def __len__(self) -> int:
        return len(self.slots)

    def only(self, which: Bool | I64) -> Packets:
        """Those that `which` selects."""
        return Packets(
            self.slots[which],
            self.rows[which],
            self.start[which],
            self.size[which],
            self.pt[which],
            self.sequence[which],
            self.timestamp[which],
            self.ssrc[which],
            self.marker[which],
        )


def parse(batch: Batch, count: int) -> tuple[Packets, I64]:
    """The RTP packets among the first `count` slots, and the slots that look like RTCP (RFC 5761 section 4).

    Anything else is left out: short, longer than a slot, not version 2, or with extension, CSRC or padding
    that does not fit.
    """
    words = batch.words[:count, :3].astype(np.int64)
    sizes = batch.sizes[:count]
    first = words[:, 0]
    pt = first >> 16 & 0x7F
    reports = (pt >= 64) & (pt < 96)  # the second byte of RTCP is 192..223: marker bit and 64..95
    packets = Packets(
        np.arange(count),
        batch.rows[:count],
        np.full(count, HEADER),
        sizes - HEADER,
        pt,
        first & 0xFFFF,
        words[:, 1],
        words[:, 2],
        first & MARKER != 0,
    )
    good = (first >> 24 == 0x80) & (packets.size > 0) & (sizes < STRIDE) & ~reports
    if good.all():
        return packets, np.empty(0, np.int64)
    odd = ~good & ~reports & (first >> 30 == 2) & (sizes > HEADER) & (sizes < STRIDE)
    for slot in np.flatnonzero(odd).tolist():
        good[slot] = _unwrap(batch, packets, slot, int(sizes[slot]))
    control = reports & (first >> 30 == 2) & (sizes >= 8) & (sizes < STRIDE)
    return packets.only(good), np.flatnonzero(control)


def _unwrap(batch: Batch, packets: Packets, slot: int, size: int) -> bool:
    """Find the payload behind CSRCs, extension and before padding; whether there is one."""
    data = batch.views[slot]
    start = HEADER + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # an extension: 2 bytes profile, 2 bytes length in words
        if start + 4 > size:
            return False
        start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
    if data[0] & 0x20:  # padding: the last byte says how much
        size -= data[size - 1] or size
    packets.start[slot] = start
    packets.size[slot] = size - start
    return size > start


def straighten(batch: Batch, packets: Packets) -> None:
    """Move payloads that do not begin right behind a plain header, so that they do.

    Packets that had more than a plain header or padding get shorter by it.
    """
    if not ((packets.start == HEADER) & (packets.size + HEADER == batch.sizes[packets.slots])).all():
        batch.size = 0
    for i in np.flatnonzero(packets.start != HEADER).tolist():
        start, size = int(packets.start[i]), int(packets.size[i])
        slot = batch.buffer[int(packets.slots[i])]
        slot[HEADER : HEADER + size] = slot[start : start + size].copy()
        packets.start[i] = HEADER


def signed(difference: I64) -> I64:
    """A difference of 32-bit timestamps as the nearer of the two ways around."""
    wrapped: I64 = (difference + 0x8000_0000 & U32) - 0x8000_0000
    return wrapped


def nearer(difference: int) -> int:
    """The same for one difference."""
    return (difference + 0x8000_0000 & U32) - 0x8000_0000
