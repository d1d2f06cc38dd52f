"""Rendered sound into packets: one tick's samples of many legs, coded, cut to each leg's packet time and
sent.
"""

from __future__ import annotations

import numpy as np

from media import codecs
from media.clock import BLOCK
from media.columns import I16, I64, U8
from media.network import HEADER, Batch, Network
from media.rtp import MARKER, U32
from media.transmission import HEAD, HOT, SEQUENCE, SPAN, TIMESTAMP, Transmission, due, send, store


class Packer:
    """Has the preallocated packets; what belongs to a leg is in the Transmission's columns."""

    def __init__(self) -> None:
        self._batch = Batch(64)

    def send(
        self, tx: Transmission, rows: I64, samples: I16, skipped: int, network: Network, now: float
    ) -> None:
        """Send one tick's sound, samples: int16[n, BLOCK] of `rows`; `skipped` ticks before were not
        rendered.
        """
        busy = tx.busy[rows]
        if busy.any():
            tx.fresh[rows[busy]] = True
            rows, samples = rows[~busy], samples[~busy]
        if not len(rows):
            return
        if len(rows) > self._batch.capacity:
            self._batch = Batch(2 * len(rows))
        coded = codecs.encode(tx.codec[rows], samples)
        _advance(tx, rows, skipped, now)
        plain = tx.frame[rows] == BLOCK
        if plain.all():
            self._emit(tx, rows, coded, network, now)
            return
        if plain.any():
            self._emit(tx, rows[plain], coded[plain], network, now)
        for i in np.flatnonzero(~plain).tolist():
            self._collect(tx, int(rows[i]), coded[i], network, now)

    def _emit(self, tx: Transmission, rows: I64, payloads: U8, network: Network, now: float) -> None:
        """Send one packet a row, payloads: uint8[n, L]."""
        count, size = payloads.shape
        batch = self._batch
        leaving = tx.block[rows, :HOT]
        sequence = leaving[:, SEQUENCE] + 1
        timestamp = leaving[:, TIMESTAMP] + leaving[:, SPAN] & U32
        headers = np.empty((count, 3), np.int64)
        headers[:, 0] = leaving[:, HEAD] | np.where(tx.marker[rows], MARKER, 0) | sequence & 0xFFFF
        headers[:, 1] = timestamp
        batch.buffer[:count, HEADER : HEADER + size] = payloads
        batch.size = HEADER + size
        sizes = np.full(count, size)
        send(batch, batch.slots[:count], sizes, rows, leaving, headers, network)
        store(tx, rows, leaving, sequence, timestamp, sizes, now)
        tx.marker[rows] = False

    def _collect(self, tx: Transmission, row: int, coded: U8, network: Network, now: float) -> None:
        """Keep one leg's coded tick until its packet time is full, and send as many packets as it fills."""
        here = np.array([row])
        waiting, filled, frame = tx.waiting[row], int(tx.filled[row]), int(tx.frame[row])
        waiting[filled : filled + BLOCK] = coded
        filled += BLOCK
        while filled >= frame:
            self._emit(tx, here, waiting[None, :frame], network, now)
            waiting[: filled - frame] = waiting[frame:filled].copy()
            filled -= frame
        tx.filled[row] = filled


def _advance(tx: Transmission, rows: I64, skipped: int, now: float) -> None:
    """Set timestamps so that the next packet's is one span on: legs that begin and skipped ticks catch up
    here.
    """
    fresh = tx.fresh[rows]
    if skipped:
        tx.timestamp[rows[~fresh]] += skipped * BLOCK
    if fresh.any():
        first = rows[fresh]
        tx.timestamp[first] = due(tx, first, now) - tx.span[first]
        tx.marker[first] = True
        tx.fresh[first] = False
