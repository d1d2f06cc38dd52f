"""RTCP of the core's legs: what the far ends report is read, and ours go out when they are due."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from media import rtcp, xr
from media.clock import ntp
from media.columns import F64, I64
from media.core import Core
from media.diagnosis import Diagnosis
from media.legs import Leg
from media.losses import Losses, clusters
from media.messages import Address
from media.rtcp import Block, SenderInfo
from media.standing import Figures, Standing
from media.transmission import NEVER
from media.twcc import Feedback
from media.twcc import Figures as PathFigures


class Due(NamedTuple):
    """What the reports say that go out together: found at once for all legs concerned.

    expected: packets of the stream that comes. discards: share of them that came too late to be played.
    """

    figures: Figures
    expected: I64
    discards: F64


class Reports:
    """epoch: what to add to `now` for seconds since 1970. figures: what feedback on a row's packets means."""

    def __init__(
        self,
        core: Core,
        losses: Losses,
        diagnosis: Diagnosis,
        standing: Standing,
        epoch: float,
        figures: Callable[[int, Feedback], PathFigures | None],
    ) -> None:
        self._core = core
        self._losses = losses
        self._diagnosis = diagnosis
        self._standing = standing
        self._epoch = epoch
        self._path_figures = figures

    def begin(self, leg: Leg, now: float) -> None:
        """A leg was opened: its first report is due within an interval."""
        self._core.table.common.report_at[leg.row] = now + rtcp.INTERVAL * self._core.rng.uniform(0.1, 0.6)

    # --- theirs -----------------------------------------------------------------------------------

    def read(self) -> list[tuple[Leg, float]]:
        """Take what arrived; those from other hosts than the leg's source are not looked at. Returns the
        legs of which something was learnt, and when.
        """
        learnt: list[tuple[Leg, float]] = []
        for row, data, source, at in self._core.reports:
            leg = self._core.table.legs[row]
            if leg is None or leg.latch.target is None:
                continue
            if source is None or source[0] == leg.latch.target[0]:
                self._take(leg, data, source, at)
                learnt.append((leg, at))
        self._core.reports.clear()
        return learnt

    def _take(self, leg: Leg, data: bytes, source: Address | None, now: float) -> None:
        table, row = self._core.table, leg.row
        theirs, ours = int(table.rx.ssrc[row]), int(table.tx.ssrc[row])
        found = rtcp.parse(data)
        for report in found.reports:
            sent, newest = int(table.tx.packets[row]), int(table.tx.sequence[row])
            leg.view.take(report, ours, theirs, sent, newest, now, self._epoch)
            if source is not None and table.rx.started[row] and report.ssrc == theirs:
                leg.report_to = source
        for extended in found.extended:
            leg.view.take_extended(extended, ours, now, self._epoch)
        for feedback in found.feedback:
            told = self._path_figures(row, feedback)
            if told is not None:
                leg.view.path.take(told)
        self._diagnosis.unheard[row] = leg.view.unheard

    # --- ours -------------------------------------------------------------------------------------

    def send(self, now: float) -> list[Leg]:
        """Send the reports that are due; returns the legs that they are of."""
        rows = np.flatnonzero(self._core.table.common.report_at <= now)
        if not len(rows):
            return []
        expected, discards = self._core.table.rx.expected(rows), self._losses.discards(rows)
        due = Due(self._standing.of(rows), expected, discards)
        legs = [self._core.table.at(row) for row in rows.tolist()]
        for place, leg in enumerate(legs):
            self._report(leg, due, place, now)
        return legs

    def _report(self, leg: Leg, due: Due, place: int, now: float) -> None:
        """Send the leg's report and set when the next is due (RFC 3550 section 6.2: half to one and a
        half).
        """
        table, row = self._core.table, leg.row
        table.common.report_at[row] = now + rtcp.INTERVAL * self._core.rng.uniform(0.5, 1.5)
        target = leg.latch.target
        tx, rx = table.tx, table.rx
        if target is None or not (rx.started[row] or tx.packets[row]):
            return
        sender = self._sender(row, now) if tx.packets[row] else None
        block = self._block(leg, int(due.expected[place]), now) if rx.started[row] else None
        ssrc = int(tx.ssrc[row])
        roomy = leg.profile != "mobile-2g"  # there it would hold speech up for 25 ms
        extended = xr.build(
            ssrc,
            self._metrics(leg, due, place) if rx.started[row] and roomy else None,
            0 if sender is not None else ntp(self._epoch + now),
            leg.view.dlrr(now),
        )
        data = rtcp.build(ssrc, sender, block, b"%08x@isogloss" % ssrc, extended)
        if leg.rtcp_mux:
            self._core.network.send([row], [memoryview(data)])
        else:
            to: Address = leg.report_to or (target[0], target[1] + 1)
            self._core.network.send_report(row, data, to)

    def _sender(self, row: int, now: float) -> SenderInfo:
        tx = self._core.table.tx
        passed = round((now - float(tx.time[row])) * int(tx.clock[row])) if tx.time[row] != NEVER else 0
        stamp = int(tx.timestamp[row]) + passed & 0xFFFF_FFFF
        sent, octets = int(tx.packets[row]) & 0xFFFF_FFFF, int(tx.octets[row]) & 0xFFFF_FFFF
        return SenderInfo(ntp(self._epoch + now), stamp, sent, octets)

    def _block(self, leg: Leg, expected: int, now: float) -> Block:
        """RFC 3550 appendix A.3 and section 6.4.1."""
        rx, row = self._core.table.rx, leg.row
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

    def _metrics(self, leg: Leg, due: Due, place: int) -> xr.VoipMetrics:
        """RFC 3611 section 4.7, of the stream that comes in now."""
        row, told = leg.row, due.figures
        expected = max(int(due.expected[place]), 1)
        return xr.metrics(
            int(self._core.table.rx.ssrc[row]),
            clusters(self._losses, row),
            loss=min(int(self._losses.lost[row]) / expected, 1.0),
            discards=float(due.discards[place]),
            packet_ms=float(told.packet_ms[place]),
            round_trip_ms=(leg.view.rtt or 0.0) * 1000.0,
            buffer_ms=float(told.buffer_ms[place]),
            max_buffer_ms=self._core.buffer.max_ms,
            r=float(told.r_now[place]),
            mos_lq=float(told.mos_listening[place]),
            mos_cq=float(told.mos_now[place]),
        )
