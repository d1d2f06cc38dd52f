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

from media.clock import BLOCK, RATE
from media.columns import F64, I8, I64, U8, Bool, Column, Columns
from media.network import HEADER, Batch, Network
from media.rtp import MARKER, U32, VERSION, Packets

MAX_FRAME = 480  # samples of 60 ms
NEVER = -1e9


class Transmission(Columns):
    """head: first header word of what it sends but for the sequence number: version and payload type.

    sequence: of the newest packet sent, not wrapped. timestamp: of it. time: when it was sent, s. span: of
    it, clock: in so many units a second. rate: of the sound that is coded for it, Hz.

    open: direction and address allow sending. busy: telephone events have the stream now. stream: whose
    numbering the shifts belong to, -1: none. floor: the least sequence that this source may send. fresh: the
    next rendered packet must first catch up with the clock. marker: and be marked as the first of a
    talkspurt. frame: samples of a rendered packet. waiting: coded bytes that do not fill a frame yet,
    `filled` of them.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "stream": Column(np.int64, -1),
        "sequence": Column(np.int64),
        "timestamp": Column(np.int64),
        "time": Column(np.float64, NEVER),
        "span": Column(np.int64, BLOCK),
        "packets": Column(np.int64),
        "octets": Column(np.int64),
        "head": Column(np.int64, VERSION),
        "ssrc": Column(np.int64),
        "sequence_shift": Column(np.int64),
        "timestamp_shift": Column(np.int64),
        "floor": Column(np.int64),
        "clock": Column(np.int64, RATE),
        "rate": Column(np.int64, RATE),
        "dtmf_pt": Column(np.int64, -1),
        "red_pt": Column(np.int64, -1),
        "noise_pt": Column(np.int64, -1),
        "dtmf_clock": Column(np.int64, RATE),
        "frame": Column(np.int64, BLOCK),
        "filled": Column(np.int64),
        "waiting": Column(np.uint8, 0, MAX_FRAME + BLOCK),
        "codec": Column(np.int8, -1),
        "open": Column(np.bool_),
        "busy": Column(np.bool_),
        "fresh": Column(np.bool_, True),
        "marker": Column(np.bool_, True),
    }
    stream: I64
    sequence: I64
    timestamp: I64
    time: F64
    span: I64
    packets: I64
    octets: I64
    head: I64
    ssrc: I64
    sequence_shift: I64
    timestamp_shift: I64
    floor: I64
    clock: I64
    rate: I64
    dtmf_pt: I64
    red_pt: I64
    noise_pt: I64
    dtmf_clock: I64
    frame: I64
    filled: I64
    waiting: U8
    codec: I8
    open: Bool
    busy: Bool
    fresh: Bool
    marker: Bool


_AT = Transmission.AT
STREAM, SEQUENCE, TIMESTAMP, TIME = _AT["stream"], _AT["sequence"], _AT["timestamp"], _AT["time"]
SPAN, PACKETS, OCTETS, HEAD, SSRC = _AT["span"], _AT["packets"], _AT["octets"], _AT["head"], _AT["ssrc"]
SEQUENCE_SHIFT, TIMESTAMP_SHIFT = _AT["sequence_shift"], _AT["timestamp_shift"]
HOT = TIMESTAMP_SHIFT + 1  # columns that every packet needs, the first of the block


def due(tx: Transmission, rows: I64, now: float) -> I64:
    """The timestamp that a packet sent now ought to have: the time passed since the last, at least its
    span.
    """
    elapsed = np.rint((now - tx.time[rows]) * tx.clock[rows]).astype(np.int64)
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
    heads: I64,
    spans: I64,
    stream: I64,
    network: Network,
    now: float,
) -> None:
    """Send packets on to their target legs with rewritten headers, payloads untouched.

    extended: sequence numbers without wrap. targets: row that each goes to, all distinct. heads: as the
    column, for each packet. spans: samples it covers. stream: number of the stream it belongs to. Each
    int64[n].
    """
    moved = tx.stream[targets] != stream
    if moved.any():
        move(tx, targets[moved], stream[moved], extended[moved], packets.timestamp[moved], now)
    leaving = tx.block[targets, :HOT]
    sequence = extended + leaving[:, SEQUENCE_SHIFT]
    fit = sequence >= tx.floor[targets]  # else it was overtaken by the change of source
    if not fit.all():
        packets, targets, leaving, moved = packets.only(fit), targets[fit], leaving[fit], moved[fit]
        sequence, heads, spans = sequence[fit], heads[fit], spans[fit]
        if not len(targets):
            return
    timestamp = packets.timestamp + leaving[:, TIMESTAMP_SHIFT] & U32
    headers = np.empty((len(targets), 3), np.int64)
    headers[:, 0] = heads | np.where(packets.marker | moved, MARKER, 0) | sequence & 0xFFFF
    headers[:, 1] = timestamp
    send(batch, packets.slots, packets.size, targets, leaving, headers, network)
    ahead = sequence > leaving[:, SEQUENCE]
    if not ahead.all():
        behind = ~ahead
        sequence[behind], timestamp[behind] = leaving[behind, SEQUENCE], leaving[behind, TIMESTAMP]
        spans = np.where(ahead, spans, leaving[:, SPAN])
    store(tx, targets, leaving, sequence, timestamp, spans, now)


def send(
    batch: Batch, slots: I64, sizes: I64, targets: I64, leaving: I64, headers: I64, network: Network
) -> None:
    """Send the packets in the slots and count them in `leaving`, the targets' rows.

    sizes: of payloads. headers: the three words of each, int64[n, 3], but for the SSRC, which is filled in.
    """
    headers[:, 2] = leaving[:, SSRC]
    batch.head(slots, headers)
    network.forward(targets, batch, slots, sizes + HEADER)
    leaving[:, PACKETS] += 1
    leaving[:, OCTETS] += sizes


def store(
    tx: Transmission,
    targets: I64,
    leaving: I64,
    sequence: I64,
    timestamp: I64,
    spans: I64,
    now: float,
) -> None:
    """Note what was sent last."""
    leaving[:, SEQUENCE] = sequence
    leaving[:, TIMESTAMP] = timestamp
    leaving[:, SPAN] = spans
    leaving.view(np.float64)[:, TIME] = now
    tx.block[targets, :HOT] = leaving
