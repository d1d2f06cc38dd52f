"""What each leg sends: one stream under our own SSRC, whatever it is made of and however often that
changes.

The far end must never notice that a caller was taken from music to an agent, held or transferred: sequence
numbers go on by one and timestamps by the time that passed. Relayed packets keep the gaps of their source,
so that the far end's concealment sees what was lost; `move` is where one source's numbering is laid behind
the other's.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media import rtp
from media.clock import BLOCK, RATE
from media.columns import F64, I8, I64, U8, Bool, Column, Columns
from media.network import Batch, Network
from media.rtp import HEADER, U32, Packets

MAX_FRAME = 480  # samples of 60 ms
NEVER = -1e9


class Transmission(Columns):
    """sequence: of the newest packet sent, not wrapped. timestamp: of it. time: when it was sent, s.

    span: samples it covers. open: direction and address allow sending. busy: telephone events have the
    stream now. stream: whose numbering the shifts belong to, -1: none. floor: the least sequence that this
    source may send. fresh: the next rendered packet must first catch up with the clock. marker: and be
    marked as the first of a talkspurt. frame: samples of a rendered packet. waiting: coded bytes that do
    not fill a frame yet, `filled` of them.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "open": Column(np.bool_),
        "busy": Column(np.bool_),
        "fresh": Column(np.bool_, True),
        "marker": Column(np.bool_, True),
        "codec": Column(np.int8, -1),
        "pt": Column(np.int64),
        "dtmf_pt": Column(np.int64, -1),
        "ssrc": Column(np.int64),
        "sequence": Column(np.int64),
        "timestamp": Column(np.int64),
        "time": Column(np.float64, NEVER),
        "span": Column(np.int64, BLOCK),
        "stream": Column(np.int64, -1),
        "sequence_shift": Column(np.int64),
        "timestamp_shift": Column(np.int64),
        "floor": Column(np.int64),
        "packets": Column(np.int64),
        "octets": Column(np.int64),
        "frame": Column(np.int64, BLOCK),
        "filled": Column(np.int64),
        "waiting": Column(np.uint8, 0, MAX_FRAME + BLOCK),
    }
    open: Bool
    busy: Bool
    fresh: Bool
    marker: Bool
    codec: I8
    pt: I64
    dtmf_pt: I64
    ssrc: I64
    sequence: I64
    timestamp: I64
    time: F64
    span: I64
    stream: I64
    sequence_shift: I64
    timestamp_shift: I64
    floor: I64
    packets: I64
    octets: I64
    frame: I64
    filled: I64
    waiting: U8


def due(tx: Transmission, rows: I64, now: float) -> I64:
    """The timestamp that a packet sent now ought to have: the time passed since the last, at least its
    span.
    """
    elapsed = np.rint((now - tx.time[rows]) * RATE).astype(np.int64)
    elapsed[tx.time[rows] == NEVER] = 0
    stamps: I64 = tx.timestamp[rows] + np.maximum(elapsed, tx.span[rows]) & U32
    return stamps


def move(tx: Transmission, rows: I64, stream: I64, sequence: I64, timestamp: I64, now: float) -> None:
    """Lay the numbering of another source behind what was sent, its packet at hand first.

    sequence and timestamp: of that packet in its own stream.
    """
    follow = tx.sequence[rows] + 1
    tx.stream[rows] = stream
    tx.sequence_shift[rows] = follow - sequence
    tx.timestamp_shift[rows] = due(tx, rows, now) - timestamp
    tx.floor[rows] = follow


def release(tx: Transmission, row: int) -> None:
    """Forget the source of the row's stream; whatever is sent next begins by catching up."""
    tx.stream[row] = -1
    tx.fresh[row] = True
    tx.filled[row] = 0


def relay(
    tx: Transmission,
    batch: Batch,
    packets: Packets,
    extended: I64,
    targets: I64,
    pts: I64,
    spans: I64,
    stream: I64,
    network: Network,
    now: float,
) -> None:
    """Send packets on to their target legs with rewritten headers, payloads untouched.

    extended: sequence numbers without wrap. targets: row that each goes to, all distinct. pts: payload type
    to send it as. spans: samples it covers. stream: number of the stream it belongs to. Each int64[n].
    """
    moved = tx.stream[targets] != stream
    if moved.any():
        move(tx, targets[moved], stream[moved], extended[moved], packets.timestamp[moved], now)
    sequence = extended + tx.sequence_shift[targets]
    timestamp = packets.timestamp + tx.timestamp_shift[targets] & U32
    fit = sequence >= tx.floor[targets]  # else it was overtaken by the change of source
    if not fit.all():
        packets, targets, pts, spans = packets.only(fit), targets[fit], pts[fit], spans[fit]
        sequence, timestamp, moved = sequence[fit], timestamp[fit], moved[fit]
        if not len(targets):
            return
    slots = packets.slots
    batch.words[slots, 0] = rtp.first_words(pts, sequence, packets.marker | moved)
    batch.words[slots, 1] = timestamp
    batch.words[slots, 2] = tx.ssrc[targets]
    network.send(targets.tolist(), batch.packets(slots, packets.size + HEADER))
    tx.packets[targets] += 1
    tx.octets[targets] += packets.size
    ahead = sequence > tx.sequence[targets]
    if not ahead.all():
        targets, sequence, timestamp, spans = targets[ahead], sequence[ahead], timestamp[ahead], spans[ahead]
    tx.sequence[targets] = sequence
    tx.timestamp[targets] = timestamp
    tx.time[targets] = now
    tx.span[targets] = spans
