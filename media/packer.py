"""Rendered sound into packets: one tick's samples of many legs, coded, cut to each leg's packet time and
sent.
"""

from __future__ import annotations

import numpy as np

from media import codecs
from media.clock import BLOCK, TICKS
from media.codecs import Tuning
from media.columns import I16, I64, U8
from media.encoding import Encoding, Packet
from media.network import HEADER, Batch, Network
from media.rtp import MARKER, U32, VERSION
from media.transmission import HOT, SEQUENCE, SPAN, TIMESTAMP, Transmission, due, send, store


class Packer:
    """Has the preallocated packets and the encoders; what else a leg has is in the Transmission's columns."""

    def __init__(self) -> None:
        self.encoding = Encoding()
        self._batch = Batch(64)

    def send(
        self, tx: Transmission, rows: I64, samples: I16, skipped: int, network: Network, now: float
    ) -> None:
        """Send one tick's sound, samples: int16[n, block] of `rows` at the rate of their codecs.

        skipped: ticks before that were not rendered.
        """
        busy = tx.busy[rows]
        if busy.any():
            tx.fresh[rows[busy]] = True
            rows, samples = rows[~busy], samples[~busy]
        if not len(rows):
            return
        if len(rows) > self._batch.capacity:
            self._batch = Batch(2 * len(rows))
        self._advance(tx, rows, skipped, now)
        raw = tx.codec[rows] <= codecs.PCMA
        if not raw.all():
            self._send_framed(tx, rows[~raw], samples[~raw], network, now)
            rows, samples = rows[raw], samples[raw]
        if len(rows):
            self._send_raw(tx, rows, samples, network, now)

    def tune(self, tx: Transmission, row: int, tuning: Tuning, ptime: int, copies: int) -> None:
        """Code the row's sound so from now on. ptime: ms a packet; copies: of earlier packets, sent along."""
        kind = int(tx.codec[row])
        if kind > codecs.PCMA:
            self.encoding.tune(row, tuning, ptime=ptime, copies=copies)
            return
        frame = codecs.packet_ms(kind, ptime) * BLOCK // 20
        if kind >= 0 and frame != tx.frame[row]:
            tx.frame[row], tx.filled[row], tx.fresh[row] = frame, 0, True

    def grant(self, wishes: dict[int, int]) -> None:
        """Take the modes (of AMR) that far ends asked for, by row, and send those from now on."""
        while wishes:
            row, mode = wishes.popitem()
            self.encoding.tune(row, Tuning(asked=mode))

    def forget(self, row: int) -> None:
        """The leg is closed."""
        self.encoding.close(row)

    def _advance(self, tx: Transmission, rows: I64, skipped: int, now: float) -> None:
        """Set timestamps so that the next packet's is one span on: legs that begin and skipped ticks catch up
        here.
        """
        fresh = tx.fresh[rows]
        if skipped:
            late = rows[~fresh]
            tx.timestamp[late] += skipped * tx.clock[late] // TICKS
        if fresh.any():
            first = rows[fresh]
            tx.timestamp[first] = due(tx, first, now) - tx.span[first]
            tx.marker[first] = True
            tx.fresh[first] = False
            for row in first[tx.codec[first] > codecs.PCMA].tolist():
                self.encoding.rest(row)

    # --- G.711 ------------------------------------------------------------------------------------

    def _send_raw(self, tx: Transmission, rows: I64, samples: I16, network: Network, now: float) -> None:
        coded = codecs.encode(tx.codec[rows], samples)
        plain = tx.frame[rows] == BLOCK
        if plain.all():
            self._emit_raw(tx, rows, coded, network, now)
            return
        if plain.any():
            self._emit_raw(tx, rows[plain], coded[plain], network, now)
        for i in np.flatnonzero(~plain).tolist():
            self._collect(tx, int(rows[i]), coded[i], network, now)

    def _collect(self, tx: Transmission, row: int, coded: U8, network: Network, now: float) -> None:
        """Keep one leg's coded tick until its packet time is full, and send as many packets as it fills."""
        here = np.array([row])
        waiting, filled, frame = tx.waiting[row], int(tx.filled[row]), int(tx.frame[row])
        waiting[filled : filled + BLOCK] = coded
        filled += BLOCK
        while filled >= frame:
            self._emit_raw(tx, here, waiting[None, :frame], network, now)
            waiting[: filled - frame] = waiting[frame:filled].copy()
            filled -= frame
        tx.filled[row] = filled

    def _emit_raw(self, tx: Transmission, rows: I64, payloads: U8, network: Network, now: float) -> None:
        """Send one packet a row, payloads: uint8[n, L]."""
        count, size = payloads.shape
        self._batch.buffer[:count, HEADER : HEADER + size] = payloads
        self._batch.size = HEADER + size
        sizes = np.full(count, size)
        heads = tx.head[rows] | np.where(tx.marker[rows], MARKER, 0)
        self._emit(tx, rows, sizes, sizes, heads, network, now)
        tx.marker[rows] = False

    def _emit(
        self, tx: Transmission, rows: I64, sizes: I64, spans: I64, heads: I64, network: Network, now: float
    ) -> None:
        """Send what is in the first slots, one packet a row. sizes: of payloads; heads: first words."""
        batch, count = self._batch, len(rows)
        leaving = tx.block[rows, :HOT]
        sequence = leaving[:, SEQUENCE] + 1
        timestamp = leaving[:, TIMESTAMP] + leaving[:, SPAN] & U32
        headers = np.empty((count, 3), np.int64)
        headers[:, 0] = heads | sequence & 0xFFFF
        headers[:, 1] = timestamp
        send(batch, batch.slots[:count], sizes, rows, leaving, headers, network)
        store(tx, rows, leaving, sequence, timestamp, spans, now)

    # --- codecs with frames -----------------------------------------------------------------------

    def _send_framed(self, tx: Transmission, rows: I64, samples: I16, network: Network, now: float) -> None:
        packets = self.encoding.add(rows, samples)
        if len({packet.row for packet in packets}) == len(packets):
            self._emit_framed(tx, packets, network, now)
            return
        turns: list[dict[int, Packet]] = []
        for packet in packets:
            turn = next((turn for turn in turns if packet.row not in turn), None)
            if turn is None:
                turns.append(turn := {})
            turn[packet.row] = packet
        for turn in turns:
            self._emit_framed(tx, list(turn.values()), network, now)

    def _emit_framed(self, tx: Transmission, packets: list[Packet], network: Network, now: float) -> None:
        """Send one packet a row; where there is nothing to say, time goes on all the same."""
        for packet in packets:
            if not packet.payload:
                row = packet.row
                tx.timestamp[row] = tx.timestamp[row] + tx.span[row] & U32
                tx.span[row], tx.time[row] = packet.duration, now
        packets = [packet for packet in packets if packet.payload]
        if not packets:
            return
        views = self._batch.views
        for view, packet in zip(views, packets):
            view[HEADER : HEADER + len(packet.payload)] = packet.payload
        self._batch.size = 0
        told = [(p.row, len(p.payload), p.duration, p.marker, p.copies) for p in packets]
        rows, sizes, spans, marks, copies = np.array(told, np.int64).T
        heads = np.where(copies, VERSION | tx.red_pt[rows] << 16, tx.head[rows]) | marks * MARKER
        self._emit(tx, rows, sizes, spans, heads, network, now)
