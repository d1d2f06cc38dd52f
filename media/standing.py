"""How each leg stands: packet time, rate, loss, delay and what they come to in MOS; many legs at once."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from media import codecs, quality
from media.columns import F64, I8, I64, Column, Columns
from media.core import Core
from media.losses import Losses
from media.rtp import signed

CLOCKS: I64 = np.array([kind.clock for kind in codecs.KINDS])  # of RTP timestamps by codec, Hz
BUFFER_MS = 40.0  # the far end's jitter buffer, where it does not say
MEASURED = 1.0  # s over which packet time and rate are taken


class Measured(Columns):
    """packet_ms: packet time that comes. kbps: payload that comes, kb/s. rtt: round trip, ms, 0 while not
    known. at, stamp, highest, octets, stream: as at the measurement before.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "packet_ms": Column(np.float64, 20.0),
        "kbps": Column(np.float64),
        "rtt": Column(np.float64),
        "at": Column(np.float64, -np.inf),
        "stamp": Column(np.int64),
        "highest": Column(np.int64),
        "octets": Column(np.int64),
        "stream": Column(np.int64, -1),
    }
    packet_ms: F64
    kbps: F64
    rtt: F64
    at: F64
    stamp: I64
    highest: I64
    octets: I64
    stream: I64


class Figures(NamedTuple):
    """Of n legs, F64[n] each. loss: share of recent packets lost or late; burst: BurstR of them. r_now,
    mos_now: with those; mos_listening: the same without delay; mos: of the whole leg.
    """

    packet_ms: F64
    buffer_ms: F64
    kbps: F64
    loss: F64
    burst: F64
    r_now: F64
    mos_now: F64
    mos_listening: F64
    mos: F64


class Standing:
    """Figures of the core's legs."""

    def __init__(self, core: Core, losses: Losses) -> None:
        self._core = core
        self._losses = losses
        self.measured = Measured(core.table.rx.rows)

    def clocks(self, rows: I64) -> I64:
        """RTP clock of what comes, Hz."""
        return CLOCKS[np.maximum(self.codecs(rows), 0)]

    def codecs(self, rows: I64) -> I8:
        """What comes is coded so, whether copies come with it (RED) or not."""
        return codecs.sounds(self._core.table.rx.codec[rows])

    def late(self, rows: I64) -> I64:
        """Packets that came after their turn to be played, in all."""
        return self._core.hearing.late(rows)

    def measure(self, rows: I64, now: float) -> None:
        """Take packet time and rate of the last MEASURED seconds."""
        rx, own = self._core.table.rx, self.measured
        rows = rows[(now - own.at[rows] >= MEASURED) & rx.started[rows]]
        if not len(rows):
            return
        packets = rx.highest[rows] - own.highest[rows]
        span = signed(rx.timestamp[rows] - own.stamp[rows])
        fair = (rx.stream[rows] == own.stream[rows]) & (packets > 0) & (span > 0)
        packet_ms = 1000.0 * span / np.maximum(packets, 1) / self.clocks(rows)
        fair &= (packet_ms >= 2.5) & (packet_ms <= 200.0)
        own.packet_ms[rows] = np.where(fair, packet_ms, own.packet_ms[rows])
        seconds = np.maximum(now - own.at[rows], MEASURED)
        rate = 8e-3 * (rx.octets[rows] - own.octets[rows]) / seconds
        own.kbps[rows] = np.where(fair & np.isfinite(seconds), rate, own.kbps[rows])
        own.at[rows], own.stream[rows] = now, rx.stream[rows]
        own.stamp[rows], own.highest[rows] = rx.timestamp[rows], rx.highest[rows]
        own.octets[rows] = rx.octets[rows]

    def buffer_ms(self, rows: I64) -> F64:
        """Delay of the jitter buffer that plays what comes: ours, or the far listener's."""
        ours: F64 = np.sum([plane.depth_ms(rows) for plane in self._core.planes], axis=0)
        return np.where(ours > 0.0, ours, BUFFER_MS)

    def of(self, rows: I64) -> Figures:
        """Figures of the rows now; meaningless where nothing was ever received."""
        rx, own, losses = self._core.table.rx, self.measured, self._losses
        packet, buffer = own.packet_ms[rows], self.buffer_ms(rows)
        delay = own.rtt[rows] / 2.0 + packet + buffer
        loss = np.minimum(losses.loss(rows) + losses.discards(rows), 1.0)
        burst = losses.burst_ratio(rows)
        how = quality.coding(self.codecs(rows), np.where(own.kbps[rows] > 0, own.kbps[rows], 64.0))
        lost, late = rx.lost(rows), self.late(rows)
        came = rx.received[rows] - rx.duplicate[rows]
        whole = np.minimum((lost + late) / np.maximum(came + lost, 1), 1.0)
        # now, now without delay, of the whole leg
        delays = np.stack([delay, np.zeros(len(rows)), delay])
        r = quality.rating(how, np.stack([loss, loss, whole]), burst, delays)
        now, listening, overall = quality.mos(r)
        return Figures(
            packet,
            buffer,
            own.kbps[rows],
            loss,
            burst,
            r[0],
            now,
            listening,
            overall,
        )
