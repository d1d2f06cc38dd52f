"""The express lane of media.express with its loop over packets in native.c: one call a round."""

from __future__ import annotations

import ctypes

import numpy as np

from media import reception
from media.columns import I64
from media.express import LONGEST, Lane, Moved
from media.io import native
from media.io.native import Native
from media.network import HEADER, STRIDE, Batch, Network
from media.reception import WILD, Reception
from media.transmission import Transmission

RX = (
    *("armed", "highest", "unique", "received", "octets", "ssrc", "stream", "relay_to", "heard", "timestamp"),
    *("span", "clock", "last", "jitter"),
)
TX = (
    *("stream", "sequence", "timestamp", "time", "span", "packets", "octets", "head", "ssrc"),
    *("sequence_shift", "timestamp_shift"),
)
NOTHING: I64 = np.empty(0, np.int64)


class NativeLane:
    """`move` is media.express.move; `native` the loaded helper."""

    def __init__(self, helper: Native) -> None:
        self._native = helper
        self._lane = native.Lane(stride=STRIDE, header=HEADER, longest=LONGEST, wild=WILD)
        self._lane.rx_at[:] = [Reception.AT[name] for name in RX]
        self._lane.tx_at[:] = [Transmission.AT[name] for name in TX]
        self._passed = native.Passed()
        self._known: tuple[I64, I64, Batch] | None = None

    def _look_at(self, rx: Reception, tx: Transmission, batch: Batch) -> None:
        """Note where the tables and the batch lie: tables that grow lie elsewhere afterwards."""
        known, lane, passed = self._known, self._lane, self._passed
        if known is None or known[2] is not batch:
            self._plain = np.zeros(batch.capacity, np.bool_)
            self._places: I64 = np.zeros((5, batch.capacity), np.int64)
            passed.plain = self._plain.ctypes.data
            places = [place.ctypes.data for place in self._places]
            passed.targets, passed.slots, passed.sizes, passed.heard, passed.stamps = places
        self._known = rx.block, tx.block, batch
        (lane.rx_rows, lane.rx_width), (lane.tx_rows, lane.tx_width) = rx.block.shape, tx.block.shape
        lane.rx, lane.tx = rx.block.ctypes.data, tx.block.ctypes.data
        lane.buffer, lane.capacity = batch.buffer.ctypes.data, batch.capacity
        lane.rows, lane.sizes = batch.rows.ctypes.data, batch.sizes.ctypes.data
        lane.times = batch.times.ctypes.data

    def move(
        self, rx: Reception, tx: Transmission, batch: Batch, count: int, network: Network, now: float
    ) -> Moved:
        known, passed = self._known, self._passed
        if known is None or known[0] is not rx.block or known[1] is not tx.block or known[2] is not batch:
            self._look_at(rx, tx, batch)
        self._native.lane(ctypes.byref(self._lane), count, now, ctypes.byref(passed))
        going, hearing, places = passed.going, passed.hearing, self._places
        if going:
            network.forward(places[0, :going], batch, places[1, :going], places[2, :going])
        plain = self._plain[:count]
        if not hearing:
            return Moved(plain, None)
        return Moved(plain, _heard(rx, batch, places[3, :hearing].copy(), places[4, :hearing]))


def _heard(rx: Reception, batch: Batch, slots: I64, stamps: I64) -> Lane:
    """What the lane knows of the packets in these slots, whose headers may be other ones by now."""
    rows = batch.rows[slots]
    words = np.zeros((len(slots), 3), np.int64)
    words[:, 1], words[:, 2] = stamps, rx.ssrc[rows]
    known = rx.block[rows, : reception.HOT]
    return Lane(slots, rows, batch.sizes[slots] - HEADER, words, NOTHING, known, NOTHING)
