"""What is looked at now and then, not packet by packet: reports, figures, silence, ports that must open
again.
"""

from __future__ import annotations

import numpy as np

from media import codecs, quality, rtcp
from media.clock import RATE, TICK, ntp
from media.columns import I64
from media.core import Core
from media.legs import Flow, Leg, Way
from media.messages import Address, LegStats, RtpStopped, Stats
from media.rtcp import Block, SenderInfo
from media.transmission import NEVER

PERIOD = 0.2  # s between two looks for silence
STATS_EVERY = 5.0  # s between two figures of a leg
SHARES = round(
    STATS_EVERY / TICK
)  # the legs are told of in so many groups, one a tick, so that no tick is long
STOPPED = 5.0  # s without a packet
PACKET_MS, BUFFER_MS = (
    20.0,
    40.0,
)  # one-way delay beside the network's: packet time, and the far or our own buffer


class Watch:
    """Looks after the core's legs; `epoch` is what to add to `now` for seconds since 1970."""

    def __init__(self, core: Core, epoch: float) -> None:
        self._core = core
        self._epoch = epoch
        self._next = 0.0
        self._share = 0

    def begin(self, leg: Leg, now: float) -> None:
        """A leg was opened: its first report is due within an interval."""
        self._core.table.common.report_at[leg.row] = now + rtcp.INTERVAL * self._core.rng.uniform(0.1, 0.6)

    def look(self, now: float) -> None:
        """Do what is due at this tick."""
        table = self._core.table
        if now >= self._next:
            self._next = now + PERIOD
            self._reopen(now)
            self._find_stopped(now)
        for row in np.flatnonzero(table.common.report_at <= now).tolist():
            self._report(table.at(row), now)
        share = table.common.number[self._share :: SHARES]
        self._share = (self._share + 1) % SHARES
        numbers = share[share >= 0].tolist()
        if numbers:
            legs = [table.find(number) for number in numbers]
            self._core.events.append(Stats([self.stats(leg) for leg in legs if leg is not None]))

    # --- silence ----------------------------------------------------------------------------------

    def _reopen(self, now: float) -> None:
        """Legs whose one source is silent may be reached from elsewhere again."""
        table, network = self._core.table, self._core.network
        common, rx = table.common, table.rx
        silent = common.connected & (now - rx.last > self._core.policy.silence)
        for row in np.flatnonzero(silent).tolist():
            latch = table.at(row).latch
            latch.reopened(int(rx.ssrc[row]), int(rx.highest[row]) & 0xFFFF, float(rx.last[row]))
            common.connected[row] = False
            network.disconnect(row)
            network.aim(row, latch.target)

    def _find_stopped(self, now: float) -> None:
        common, rx = self._core.table.common, self._core.table.rx
        since = np.maximum(rx.last, common.expects)
        stopped = common.receives & (common.flow != Flow.STOPPED) & (now - since > STOPPED)
        for row in np.flatnonzero(stopped).tolist():
            self._core.table.set_flow(row, Flow.STOPPED)
            self._core.events.append(RtpStopped(int(common.number[row])))

    # --- RTCP -------------------------------------------------------------------------------------

    def read_reports(self, now: float) -> None:
        """Reports that arrived; those from other hosts than the leg's source are not looked at."""
        if not self._core.reports:
            return
        table = self._core.table
        for row, data, source in self._core.reports:
            leg = table.legs[row]
            if leg is None or leg.latch.target is None:
                continue
            if source is not None and source[0] != leg.latch.target[0]:
                continue
            theirs, ours = int(table.rx.ssrc[row]), int(table.tx.ssrc[row])
            for report in rtcp.parse(data):
                leg.view.take(report, ours, theirs, now, self._epoch)
                if source is not None and table.rx.started[row] and report.ssrc == theirs:
                    leg.report_to = source
        self._core.reports.clear()

    def _report(self, leg: Leg, now: float) -> None:
        """Send the leg's report and set when the next is due (RFC 3550 section 6.2: half to one and a
        half).
        """
        table, row = self._core.table, leg.row
        table.common.report_at[row] = now + rtcp.INTERVAL * self._core.rng.uniform(0.5, 1.5)
        target = leg.latch.target
        tx, rx = table.tx, table.rx
        if target is None or not (rx.started[row] or tx.packets[row]):
            return
        sender = None
        if tx.packets[row]:
            passed = round((now - float(tx.time[row])) * RATE) if tx.time[row] != NEVER else 0
            stamp = int(tx.timestamp[row]) + passed & 0xFFFF_FFFF
            sent, octets = int(tx.packets[row]) & 0xFFFF_FFFF, int(tx.octets[row]) & 0xFFFF_FFFF
            sender = SenderInfo(ntp(self._epoch + now), stamp, sent, octets)
        block = self._block(leg, now) if rx.started[row] else None
        data = rtcp.build(int(tx.ssrc[row]), sender, block, b"%08x@isogloss" % int(tx.ssrc[row]))
        if leg.rtcp_mux:
            self._core.network.send([row], [memoryview(data)])
        else:
            to: Address = leg.report_to or (target[0], target[1] + 1)
            self._core.network.send_report(row, data, to)

    def _block(self, leg: Leg, now: float) -> Block:
        """RFC 3550 appendix A.3 and section 6.4.1."""
        rx, row = self._core.table.rx, leg.row
        here = np.array([row])
        expected = int(rx.expected(here)[0])
        unique = int(rx.unique[row])
        expected_since = expected - int(rx.reported_expected[row])
        lost_since = expected_since - (unique - int(rx.reported_unique[row]))
        rx.reported_expected[row], rx.reported_unique[row] = expected, unique
        fraction = (
            min(lost_since * 256 // expected_since, 255) if lost_since > 0 and expected_since > 0 else 0
        )
        highest, jitter = int(rx.highest[row]) & 0xFFFF_FFFF, int(rx.jitter[row])
        return Block(
            int(rx.ssrc[row]), fraction, expected - unique, highest, jitter, leg.view.lsr, leg.view.dlsr(now)
        )

    # --- figures ----------------------------------------------------------------------------------

    def stats(self, leg: Leg) -> LegStats:
        """The leg's figures now."""
        table, row = self._core.table, leg.row
        rx, tx = table.rx, table.tx
        here: I64 = np.array([row])
        lost = int(rx.lost(here)[0])
        late = self._core.late(row)
        received, duplicate = int(rx.received[row]), int(rx.duplicate[row])
        kind = int(rx.codec[row] if rx.started[row] else tx.codec[row])
        rtt = leg.view.rtt
        mos = None
        if received:
            rendered = bool(rx.heard[row]) or table.common.way[row] == Way.RENDERED
            bpl = quality.BPL_G711 if rendered else quality.BPL_G711_CONCEALED
            gone = (lost + late) / max(received - duplicate + lost, 1)
            delay = (rtt or 0.0) * 500.0 + PACKET_MS + BUFFER_MS
            mos = round(quality.mos(quality.rating(gone, delay, bpl)), 2)
        return LegStats(
            leg=leg.number,
            codec=codecs.KINDS[kind].name if kind >= 0 else "",
            sent=int(tx.packets[row]),
            received=received,
            lost=lost,
            late=late,
            duplicate=duplicate,
            reordered=int(rx.reordered[row]),
            jitter_ms=round(float(rx.jitter[row]) * 1000.0 / RATE, 2),
            rtt_ms=None if rtt is None else round(rtt * 1000.0, 1),
            remote_lost=leg.view.lost,
            mos=mos,
            source=leg.latch.source,
        )
