"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01), read.

The far end tells of every packet of a transport whether it came and when; from that and our own note of what
was sent when follow loss, the rate that arrives and the delay that builds up on the way.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

import numpy as np

from media.columns import F64, I64

RTPFB, FMT = 205, 15
MAX_STATUSES = 4096  # packets in one message; a longer list is a lie
TICK_MS = 0.25  # unit of the deltas
REFERENCE_MS = 64.0  # unit of the reference time
QUEUE = 40.0  # ms that must stand, or the rate that arrives is what we send and not what the path carries
LEAK = (
    0.05  # ms a message that the fastest way is forgotten by: a route may have become longer, a clock drifts
)
ENOUGH = 40  # packets told of, for their figures to be believed
KEPT = 512  # packets sent that are remembered, a power of 2: ten seconds of speech

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
    """loss: share, 0..1. kbps: rate that arrived. queue_ms: delay that built up over this feedback's span.
    packets: that it tells of. transit_ms: middle one of their times on the way, by two clocks.
    """

    loss: float
    kbps: float
    queue_ms: float
    packets: int
    transit_ms: float


class Sent:
    """What transports sent: time and size by transport-wide sequence number, a row each."""

    def __init__(self) -> None:
        self._sequence: I64 = np.full((0, KEPT), -1)
        self._ms: F64 = np.zeros((0, KEPT))
        self._bytes: F64 = np.zeros((0, KEPT))

    def clear(self, row: int) -> None:
        """A transport begins in this row."""
        while row >= len(self._sequence):
            more = max(len(self._sequence), 4)
            self._sequence = np.concatenate((self._sequence, np.full((more, KEPT), -1)))
            self._ms = np.concatenate((self._ms, np.zeros((more, KEPT))))
            self._bytes = np.concatenate((self._bytes, np.zeros((more, KEPT))))
        self._sequence[row] = -1

    def note(self, rows: I64, sequence: I64, now: float, sizes: I64) -> None:
        """A packet of each row leaves at `now` s; sizes: bytes, headers included."""
        place = sequence & KEPT - 1
        self._sequence[rows, place], self._bytes[rows, place] = sequence & 0xFFFF, sizes
        self._ms[rows, place] = now * 1000.0

    def figures(self, row: int, feedback: Feedback) -> Figures | None:
        """What the feedback means; None when it tells of fewer than two packets that are remembered."""
        sequence = feedback.base + np.arange(len(feedback.arrived)) & 0xFFFF
        place = sequence & KEPT - 1
        known = self._sequence[row, place] == sequence
        came = known & ~np.isnan(feedback.arrived)
        if came.sum() < 2:
            return None
        arrived, sent = feedback.arrived[came], self._ms[row, place[came]]
        span = float(arrived.max() - arrived.min())
        transit = arrived - sent
        size = float(self._bytes[row, place[came]].sum() - self._bytes[row, place[came]][0])
        kbps = 8.0 * size / span if span > 0 else 0.0
        told, lost = int(known.sum()), int(known.sum() - came.sum())
        return Figures(lost / told, kbps, float(transit[-1] - transit[0]), told, float(np.median(transit)))


class Path:
    """What feedback adds up to since it was last looked at.

    A queue is what packets take longer than the fastest of late did, and one that stood all the time: jitter
    comes and goes.
    """

    __slots__ = ("_base", "_kilobits", "_lost", "_ms", "_packets", "queue_ms")

    def __init__(self) -> None:
        self._base = math.inf  # ms, by two clocks
        self._begin()

    def _begin(self) -> None:
        self.queue_ms = math.inf
        self._packets = 0
        self._lost = self._kilobits = self._ms = 0.0

    def take(self, figures: Figures) -> None:
        """Another message."""
        self._base = min(self._base + LEAK, figures.transit_ms)
        self.queue_ms = min(self.queue_ms, figures.transit_ms - self._base)
        self._packets += figures.packets
        self._lost += figures.loss * figures.packets
        if figures.kbps > 0.0:
            self._kilobits += figures.packets
            self._ms += figures.packets / figures.kbps

    def look(self) -> tuple[float | None, float | None]:
        """Loss, 0..1, and what the path carries, kb/s; None for what is not known. Begins anew, unless there
        is too little yet.
        """
        if self._packets < ENOUGH:
            return None, None
        loss = self._lost / self._packets
        kbps = self._kilobits / self._ms if self._ms and self.queue_ms >= QUEUE else None
        self._begin()
        return loss, kbps
