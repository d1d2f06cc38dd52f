"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), read.

The far end tells of every packet of a transport whether it came and when; from that and our own note of what
was sent when follow loss, the rate that arrives and the delay that builds up on the way.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from media.columns import F64, I64

RTPFB, FMT = 205, 15
MAX_STATUSES = 4096  # packets in one message; a longer list is a lie
TICK_MS = 0.25  # unit of the deltas
REFERENCE_MS = 64.0  # unit of the reference time
KEPT = 2048  # packets sent that are remembered, a power of 2

_FIXED = struct.Struct("!IIHHI")


class Feedback(NamedTuple):
    """ssrc: whose packets. base: transport-wide sequence number of the first. serial: of the message, 0..255.

    arrived: F64[n], ms by the far end's clock, nan for packets that did not come.
    """

    ssrc: int
    base: int
    serial: int
    arrived: F64


def parse(body: bytes) -> Feedback | None:
    """body: a transport feedback packet behind its common header; None when it is not well-formed."""
    if len(body) < _FIXED.size:
        return None
    _, ssrc, base, statuses, rest = _FIXED.unpack_from(body)
    if not 0 < statuses <= MAX_STATUSES:
        return None
    symbols, at = _symbols(body, _FIXED.size, statuses)
    if len(symbols) < statuses:
        return None
    reference = rest >> 8
    reference -= (reference & 0x80_0000) << 1
    return _arrivals(
        body, at, Feedback(ssrc, base, rest & 0xFF, np.full(statuses, np.nan)), symbols, reference
    )


def _symbols(body: bytes, at: int, statuses: int) -> tuple[list[int], int]:
    """Status of each packet (section 3.1.1) and where the chunks end: 0 lost, 1 small delta, 2 large one."""
    symbols: list[int] = []
    while len(symbols) < statuses and at + 2 <= len(body):
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if not chunk & 0x8000:  # run length
            symbols += [chunk >> 13 & 3] * min(chunk & 0x1FFF, statuses - len(symbols))
        elif chunk & 0x4000:  # seven symbols of two bits
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:  # fourteen of one
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:statuses], at


def _arrivals(body: bytes, at: int, into: Feedback, symbols: list[int], reference: int) -> Feedback | None:
    """Fill in the times that the deltas (section 3.1.5) add up to."""
    now = reference * REFERENCE_MS
    for i, symbol in enumerate(symbols):
        if symbol == 0:
            continue
        size = symbol
        if symbol == 3 or at + size > len(body):
            return None
        now += TICK_MS * int.from_bytes(body[at : at + size], "big", signed=size == 2)
        into.arrived[i] = now
        at += size
    return into


class Figures(NamedTuple):
    """loss: share, 0..1. kbps: rate that arrived. queue_ms: delay that built up over this feedback's span."""

    loss: float
    kbps: float
    queue_ms: float


class Sent:
    """What one transport sent: time and size by transport-wide sequence number."""

    def __init__(self) -> None:
        self._sequence: I64 = np.full(KEPT, -1)
        self._ms: F64 = np.zeros(KEPT)
        self._bytes: F64 = np.zeros(KEPT)

    def note(self, sequence: int, now: float, size: int) -> None:
        """A packet of `size` bytes, headers included, leaves at `now` s."""
        place = sequence & KEPT - 1
        self._sequence[place], self._ms[place], self._bytes[place] = sequence & 0xFFFF, now * 1000.0, size

    def figures(self, feedback: Feedback) -> Figures | None:
        """What the feedback means; None when it tells of fewer than two packets that are remembered."""
        sequence = feedback.base + np.arange(len(feedback.arrived)) & 0xFFFF
        place = sequence & KEPT - 1
        known = self._sequence[place] == sequence
        came = known & ~np.isnan(feedback.arrived)
        if came.sum() < 2:
            return None
        arrived, sent = feedback.arrived[came], self._ms[place[came]]
        span = float(arrived.max() - arrived.min())
        transit = arrived - sent
        size = float(self._bytes[place[came]].sum() - self._bytes[place[came]][0])
        kbps = 8.0 * size / span if span > 0 else 0.0
        return Figures(1.0 - float(came.sum() / known.sum()), kbps, float(transit[-1] - transit[0]))
