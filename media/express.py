"""The express lane: packets that are exactly what was expected, most of all there are.

A packet's first header word says version, flags, payload type and sequence number. When a leg's stream
flows, that word and the SSRC of its next packet are known beforehand, and so is where it goes; one
comparison for all packets of a round finds those, and a few operations on whole rows of the table move
them. Everything else (the first packet after anything has changed, losses, other orders, telephone events,
wraps) takes the general way of media.core, which arms the lane again. What both do to a packet is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from media import reception, transmission
from media.columns import F64, I64, Bool
from media.network import HEADER, Batch, Network
from media.reception import SEVERAL, Reception, measure_jitter
from media.rtp import MARKER, U32
from media.transmission import HEAD, SEQUENCE_SHIFT, STREAM, TIMESTAMP_SHIFT, Transmission

_AT = Reception.AT
ARMED, OCTETS, SSRC, RELAY_TO, HEARD = (
    _AT[name] for name in ("armed", "octets", "ssrc", "relay_to", "heard")
)
COUNTED = slice(_AT["armed"], _AT["received"] + 1)  # what grows by one with each packet: armed to received
LONGEST = 480  # bytes of a payload; longer ones take the general way, which knows the codecs
RX_STREAM, HIGHEST, STAMP = _AT["stream"], _AT["highest"], _AT["timestamp"]
SPAN, CLOCK, LAST, JITTER = _AT["span"], _AT["clock"], _AT["last"], _AT["jitter"]


class Lane(NamedTuple):
    """A round of packets and what is known of them, one entry a packet.

    slots: in the batch. words: first three header words, int64[n, 3]. marks: the first's marker bit. known,
    leaving: rows of the legs they came to and of those they leave by, int64[n, HOT]. sizes: of payloads,
    bytes.
    """

    slots: I64
    rows: I64
    sizes: I64
    words: I64
    marks: I64
    known: I64
    leaving: I64

    def only(self, which: Bool | I64) -> Lane:
        """Those that `which` selects."""
        return Lane(*(part[which] for part in self))


class Moved(NamedTuple):
    """plain: of each packet of a round, whether the lane took it. heard: those that must be decoded, or
    None.
    """

    plain: Bool
    heard: Lane | None


Mover = Callable[[Reception, Transmission, Batch, int, Network, float], Moved]


def move(rx: Reception, tx: Transmission, batch: Batch, count: int, network: Network, now: float) -> Moved:
    """Take the packets of a round that may take the lane: count them in and send on what is relayed.

    media.io.native_lane does the same in C. Their headers are other ones afterwards, their payloads are not.
    """
    lane, plain = enter(rx, tx, batch, count)
    if not plain.all():
        lane = lane.only(plain)
    if not len(lane.slots):
        return Moved(plain, None)
    receive(rx, lane, batch.times[lane.slots])
    heard = np.flatnonzero(lane.known[:, HEARD])
    kept = lane.only(heard) if len(heard) else None
    relay(tx, batch, lane, network, now)
    return Moved(plain, kept)


def enter(rx: Reception, tx: Transmission, batch: Batch, count: int) -> tuple[Lane, Bool]:
    """All packets of the round, and which of them may take the lane."""
    words = batch.words[:count, :3].astype(np.int64)
    rows = batch.rows[:count]
    sizes = batch.sizes[:count] - HEADER
    first = words[:, 0]
    marks = first & MARKER
    known = rx.block[rows, : reception.HOT]
    to = known[:, RELAY_TO]
    leaving = tx.block[to, : transmission.HOT]
    plain = first ^ marks == known[:, ARMED]
    plain &= words[:, 2] == known[:, SSRC]
    plain &= (leaving[:, STREAM] == known[:, RX_STREAM]) | (to < 0)
    if not HEADER < batch.size <= HEADER + LONGEST:
        plain &= (sizes > 0) & (sizes <= LONGEST)
    return Lane(batch.slots[:count], rows, sizes, words, marks, known, leaving), plain


def receive(rx: Reception, lane: Lane, times: F64) -> None:
    """Count in the packets, which came at these times."""
    known, stamps = lane.known, lane.words[:, 1]
    known[:, COUNTED] += 1
    known[:, OCTETS] += lane.sizes
    floats = known.view(np.float64)
    measure_jitter(floats[:, JITTER], times - floats[:, LAST], stamps - known[:, STAMP], floats[:, CLOCK])
    floats[:, LAST] = times
    known[:, STAMP] = stamps
    rx.block[lane.rows, : reception.HOT] = known


def relay(tx: Transmission, batch: Batch, lane: Lane, network: Network, now: float) -> None:
    """Send on what is relayed; the lane's words become the headers that are sent."""
    going = lane.known[:, RELAY_TO] >= 0
    if not going.all():
        if not going.any():
            return
        lane = lane.only(going)
    targets, leaving = lane.known[:, RELAY_TO], lane.leaving
    sequence = lane.known[:, HIGHEST] + leaving[:, SEQUENCE_SHIFT]
    headers = lane.words
    headers[:, 0] = sequence & 0xFFFF | leaving[:, HEAD] | lane.marks
    headers[:, 1] = headers[:, 1] + leaving[:, TIMESTAMP_SHIFT] & U32
    transmission.send(batch, lane.slots, lane.sizes, targets, leaving, headers, network)
    transmission.store(tx, targets, leaving, sequence, headers[:, 1], lane.known[:, SPAN], now)


def arm(rx: Reception, rows: I64, pt: I64) -> None:
    """Expect the next packet of streams whose newest packets the general way has just taken, sound of type
    `pt`.
    """
    words = 0x8000_0000 | pt << 16 | rx.highest[rows] + 1 & 0xFFFF
    rx.armed[rows] = np.where(rx.relay_to[rows] == SEVERAL, -1, words)
