"""What is looked at now and then, not packet by packet: silence, troubles, figures, reports, ports that must
open again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from media import codecs
from media.adaptation import Adaptation
from media.clock import TICK
from media.columns import I16, I64, Bool, Columns
from media.core import Core
from media.diagnosis import SIGNS, Change, Diagnosis, Evidence
from media.legs import Flow, Leg
from media.losses import Losses
from media.messages import LegStats, OpenLeg, RtpStopped, SetRemote, Stats, Trouble
from media.reports import Reports
from media.standing import Standing
from media.twcc import Feedback, Figures

PERIOD = 0.2  # s between two looks for silence and troubles
STATS_EVERY = 5.0  # s between two figures of a leg
ROUND = round(STATS_EVERY / TICK)  # ticks
TOGETHER = 16  # legs whose figures and reports are worked out in one go: of one alone they cost as much
LONGEST_WAIT = 25  # ticks that these may wait for others
HEARD = 4  # of so many blocks of a decoded leg one is looked at


class Watch:
    """Looks after the core's legs; `epoch` is what to add to `now` for seconds since 1970, `refused` counts
    the packets of rows that were not authentic, `figures` says what feedback on a row's packets means.
    """

    def __init__(
        self,
        core: Core,
        epoch: float,
        refused: Callable[[I64], I64],
        figures: Callable[[int, Feedback], Figures | None],
    ) -> None:
        rows = core.table.rx.rows
        self._core = core
        self._epoch = epoch
        self._refused = refused
        self.losses = Losses(rows)
        self.diagnosis = Diagnosis(rows)
        self.standing = Standing(core, self.losses)
        self._reports = Reports(core, self.losses, self.diagnosis, self.standing, epoch, figures)
        self.adaptation = Adaptation(core, self.losses, self.standing)
        self._columns: tuple[Columns, ...] = (self.losses, self.diagnosis, self.standing.measured)
        self._next = 0.0
        self._looked = 0.0
        self._share = 0
        self._blocks = self._ticks = 0
        self._every = LONGEST_WAIT  # ticks between two groups of legs
        core.ear = self.hear

    def begin(self, leg: Leg, command: OpenLeg, now: float) -> None:
        """A leg was opened."""
        self._fit()
        for columns in self._columns:
            columns.clear(leg.row)
        self._reports.begin(leg, now)
        self.adaptation.begin(leg, command)

    def agreed(self, leg: Leg, command: SetRemote) -> None:
        """Something was agreed on anew with the leg's far end."""
        self.adaptation.agree(leg, command)

    def forget(self, leg: Leg) -> None:
        """The leg is closed."""
        self.adaptation.forget(leg)
        self.diagnosis.clear(leg.row)  # what was wrong with it is of nobody any more

    def moved(self, leg: Leg) -> None:
        """The leg's far end is another one by agreement: that its stream is another is no news."""
        self._fit()
        self.diagnosis.stream[leg.row] = -1

    def turned(self, leg: Leg) -> None:
        """We begin to send to the leg's far end, or stop."""
        self._fit()
        leg.view.begin_anew()
        self.diagnosis.unheard[leg.row] = False

    def look(self, now: float) -> None:
        """Do what is due at this tick."""
        if now >= self._next:
            self._next = now + PERIOD
            self._reopen(now)
            self._find_stopped(now)
            self._find_troubles(now)
        self._ticks += 1
        if self._ticks >= self._every:
            self._ticks = 0
            self._every = min(max(TOGETHER * ROUND // max(len(self._core.table), 1), 1), LONGEST_WAIT)
            for leg in self._reports.send(now):
                self.adaptation.reported(leg, now)
            self._tell(now)

    def read_reports(self) -> None:
        """Reports that arrived."""
        if self._core.reports:
            for leg, at in self._reports.read():
                self.standing.measured.rtt[leg.row] = (leg.view.rtt or 0.0) * 1000.0
                self.adaptation.learnt(leg, at)

    def _fit(self) -> None:
        """Have a row for each of the table's."""
        rows = self._core.table.rx.rows
        if self.losses.rows < rows:
            for columns in self._columns:
                columns.grow(rows)

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
        stopped = common.receives & (common.flow != Flow.STOPPED) & (now - since > common.patience)
        for row in np.flatnonzero(stopped).tolist():
            self._core.table.set_flow(row, Flow.STOPPED)
            self._core.events.append(RtpStopped(int(common.number[row])))

    # --- troubles ---------------------------------------------------------------------------------

    def hear(self, rows: I64, block: I16, there: Bool, now: float) -> None:
        """Samples that are played of decoded legs, int16[n, L]; there: whether any are the leg's own."""
        self._blocks += 1
        if self._blocks % HEARD == 0:
            self.diagnosis.hear(rows, block, there, now)

    def _find_troubles(self, now: float) -> None:
        rows = self._core.table.rows()
        passed, self._looked = now - self._looked, now
        if not len(rows):
            return
        self.losses.look(self._core.table.rx, rows, self.standing.late(rows), passed)
        self.standing.measure(rows, now)
        for change in self.diagnosis.look(rows, self._evidence(rows), self._silent(rows, now), now):
            self._tell_trouble(change)
        self.adaptation.look(rows, now)

    def _evidence(self, rows: I64) -> Evidence:
        table = self._core.table
        common, rx, tx = table.common, table.rx, table.tx
        clocks = self.standing.clocks(rows)
        return Evidence(
            last=rx.last[rows],
            since=np.where(common.receives[rows], common.expects[rows], np.inf),
            sent=tx.time[rows],
            received=rx.received[rows],
            foreign=rx.foreign[rows],
            refused=self._refused(rows),
            stream=rx.stream[rows],
            media=rx.timestamp[rows] / clocks,
            jitter=rx.jitter[rows] / clocks,
            rests=common.rests[rows],
        )

    def _silent(self, rows: I64, now: float) -> Bool:
        """Which are in digital silence while somebody they hear talks; once told, until they are not."""
        silent = np.zeros(len(rows), np.bool_)
        for row in self.diagnosis.muted(now).tolist():
            others = self._core.mixer.sources(row)
            known = self.diagnosis.is_told_silent(row)
            if known or any(self.diagnosis.talks(other, now) for other in others):
                silent[np.searchsorted(rows, row)] = True
        return silent

    def _tell_trouble(self, change: Change) -> None:
        leg = self._core.table.at(change.row)
        cause = self.diagnosis.cause(
            change.row, change.sign, leg.latch.target, int(self._core.table.rx.foreign_type[change.row])
        )
        since = round(self._epoch + change.since, 3)
        kind = SIGNS[change.sign].kind
        self._core.events.append(Trouble(leg.number, kind, cause, since, change.over))

    # --- figures ----------------------------------------------------------------------------------

    def _tell(self, now: float) -> None:
        """Figures of the next share of the legs."""
        common, shares = self._core.table.common, -(-ROUND // self._every)
        self._share = (self._share + 1) % shares
        rows = np.arange(self._share, common.rows, shares)
        rows = rows[common.number[rows] >= 0]
        if len(rows):
            self._core.events.append(Stats(self._figures(rows)))

    def stats(self, legs: Sequence[Leg]) -> list[LegStats]:
        """The legs' figures now."""
        return self._figures(np.array([leg.row for leg in legs]))

    def _figures(self, rows: I64) -> list[LegStats]:
        figures, lost, late = self.standing.of(rows), self._core.table.rx.lost(rows), self.standing.late(rows)
        jitter_ms = 1000.0 * self._core.table.rx.jitter[rows] / self.standing.clocks(rows)
        levels, speech = self.diagnosis.loudness(rows)
        told, coded, played = [], self.standing.codecs(rows), self._core.hearing.played(rows).tolist()
        for i, row in enumerate(rows.tolist()):
            table, leg = self._core.table, self._core.table.at(row)
            rx, tx, view = table.rx, table.tx, leg.view
            kind = int(coded[i] if rx.started[row] else tx.codec[row])
            came = bool(rx.received[row])
            there = view.metrics.mos_cq if view.metrics else 127
            _, concealed, accelerated, expanded, resets = played[i]
            told.append(
                LegStats(
                    leg=leg.number,
                    codec=codecs.KINDS[kind].name if kind >= 0 else "",
                    sent=int(tx.packets[row]),
                    received=int(rx.received[row]),
                    lost=int(lost[i]),
                    late=int(late[i]),
                    failed=self._core.hearing.decoding.failed(row),
                    concealed_ms=concealed,
                    accelerated_ms=accelerated,
                    expanded_ms=expanded,
                    resets=resets,
                    duplicate=int(rx.duplicate[row]),
                    reordered=int(rx.reordered[row]),
                    jitter_ms=round(float(jitter_ms[i]), 2),
                    rtt_ms=None if view.rtt is None else round(view.rtt * 1000.0, 1),
                    remote_lost=view.lost,
                    mos=round(float(figures.mos[i]), 2) if came else None,
                    mos_now=round(float(figures.mos_now[i]), 2) if came else None,
                    burst_ratio=round(float(figures.burst[i]), 2),
                    mos_there=there / 10.0 if 10 <= there <= 50 else None,
                    kbps=round(float(figures.kbps[i]), 1),
                    buffer_ms=round(float(figures.buffer_ms[i]), 1),
                    level_db=None if np.isnan(levels[i]) else round(float(levels[i]), 1),
                    speech=None if np.isnan(speech[i]) else round(float(speech[i]), 2),
                    source=leg.latch.source,
                )
            )
        return told
