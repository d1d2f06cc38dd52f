"""How the losses of each leg's stream lie: alone, in runs, in bursts; the counts of RFC 3611 appendix A.2.

Looked at every fifth of a second for all legs at once: what is SETTLE packets behind the newest will not come
any more, and Reception's window says which of those did.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from media.columns import F64, I64, Column, Columns
from media.reception import WINDOW, Reception

SETTLE = 10  # packets behind the newest at which one that is missing is lost
GMIN = 16  # packets between two losses that part one burst from the next (RFC 3611 section 4.7.2)
MEMORY = 10.0  # s over which `recent` figures forget


class Losses(Columns):
    """stream: whose counts these are. settled: newest sequence number judged. passed: packets since a loss.

    lost, c11..c33: as RFC 3611 appendix A.2 counts them: losses and transitions among 1 (gap, received),
    2 (burst, received), 3 (burst, lost) and 4 (gap, lost). single: losses since the last gap. recent,
    recent_lost, recent_runs, recent_late: packets, losses, runs of adjacent losses and late packets of the
    last MEMORY seconds, fading. late: of those told before.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "stream": Column(np.int64, -1),
        "settled": Column(np.int64),
        "passed": Column(np.int64),
        "lost": Column(np.int64),
        "c11": Column(np.int64),
        "c13": Column(np.int64),
        "c14": Column(np.int64),
        "c22": Column(np.int64),
        "c23": Column(np.int64),
        "c33": Column(np.int64),
        "single": Column(np.int64),
        "recent": Column(np.float64),
        "recent_lost": Column(np.float64),
        "recent_runs": Column(np.float64),
        "recent_late": Column(np.float64),
        "late": Column(np.int64),
    }
    stream: I64
    settled: I64
    passed: I64
    lost: I64
    c11: I64
    c13: I64
    c14: I64
    c22: I64
    c23: I64
    c33: I64
    single: I64
    recent: F64
    recent_lost: F64
    recent_runs: F64
    recent_late: F64
    late: I64

    def look(self, rx: Reception, rows: I64, late: I64, passed: float) -> None:
        """Judge what has settled.

        late: packets that came after their turn, in all. passed: s since the look before.
        """
        fade = np.exp(-passed / MEMORY)
        for column in (self.recent, self.recent_lost, self.recent_runs, self.recent_late):
            column[rows] *= fade
        self.recent_late[rows] += np.maximum(late - self.late[rows], 0)
        self.late[rows] = late
        rows = rows[rx.started[rows]]
        self._follow(rx, rows)
        count = rx.highest[rows] - SETTLE - self.settled[rows]
        rows, count = rows[count > 0], count[count > 0]
        if not len(rows):
            return
        self.recent[rows] += count
        at, window = rx.window_at[rows], rx.window[rows]
        low = np.maximum(at - self.settled[rows] - count, 0)  # places in the window of the newest judged
        high = at - self.settled[rows] - 1  # and of the oldest
        seen = np.minimum(high, WINDOW - 1)
        wanted = np.where(seen >= low, (1 << np.maximum(seen - low + 1, 0)) - 1 << np.minimum(low, 62), 0)
        lossy = (window & wanted != wanted) | (high >= WINDOW)
        self.passed[rows[~lossy]] += count[~lossy]
        if lossy.any():
            self._count(rx, rows[lossy], count[lossy], at[lossy], window[lossy])
        self.settled[rows] += count

    def _follow(self, rx: Reception, rows: I64) -> None:
        """Begin anew where another stream has."""
        begun = rows[self.stream[rows] != rx.stream[rows]]
        if len(begun):
            self.stream[begun] = rx.stream[begun]
            self.settled[begun] = rx.first[begun] - 1
            for name in ("passed", "lost", "c11", "c13", "c14", "c22", "c23", "c33", "single"):
                getattr(self, name)[begun] = 0

    def _count(self, rx: Reception, rows: I64, count: I64, at: I64, window: I64) -> None:
        """Rows with losses, in rounds: the first loss of each row, then the second, and so on."""
        place = at - self.settled[rows] - 1
        unseen = np.clip(place - (WINDOW - 1), 0, count)  # older than the window: packets, then an outage
        whole = rx.expected(rows) - rx.unique[rows] - self.lost[rows]
        gone = np.clip(whole - (WINDOW - np.bitwise_count(window)), 0, unseen)
        self.passed[rows] += unseen - gone
        self._lose_run(rows[gone > 0], gone[gone > 0])
        left = count - unseen
        steps = np.arange(int(left.max()))
        bits = (place - unseen)[:, None] - steps
        missing = (bits >= 0) & (window[:, None] >> np.clip(bits, 0, WINDOW - 1) & 1 == 0)
        missing &= steps < left[:, None]
        which, where = np.nonzero(missing)
        first = np.searchsorted(which, which)
        turn = np.arange(len(which)) - first
        since = np.full(len(rows), -1)
        for round in range(int(turn.max(initial=-1)) + 1):
            now = turn == round
            self._lose(rows[which[now]], where[now] - since[which[now]] - 1)
            since[which[now]] = where[now]
        self.passed[rows] += left - 1 - since

    def _lose_run(self, rows: I64, count: I64) -> None:
        """`count` losses one after the other, now."""
        if not len(rows):
            return
        self._lose(rows, np.zeros(len(rows), np.int64))
        for column in (self.lost, self.c33, self.single, self.recent_lost):
            column[rows] += count - 1

    def _lose(self, rows: I64, run: I64) -> None:
        """One loss in each row after `run` more packets that came."""
        passed = self.passed[rows] + run
        self.lost[rows] += 1
        self.recent_lost[rows] += 1
        before = self.single[rows]
        gap = (passed >= GMIN) | (before == 0)
        adjacent = ~gap & (passed == 0)
        burst = ~gap & (passed > 0)
        self.recent_runs[rows] += ~adjacent
        self.c11[rows] += np.where(gap, passed, 0)
        self.c14[rows] += gap & (before == 1)
        self.c13[rows] += gap & (before > 1)
        self.c33[rows] += adjacent
        self.c23[rows] += burst
        self.c22[rows] += np.where(burst, passed - 1, 0)
        self.single[rows] = np.where(gap, 1, before + 1)
        self.passed[rows] = 0

    def loss(self, rows: I64) -> F64:
        """Share of the recent packets that never came, 0..1."""
        return np.minimum(self.recent_lost[rows] / np.maximum(self.recent[rows], 1.0), 1.0)

    def discards(self, rows: I64) -> F64:
        """Share of the recent packets that came after their turn, 0..1."""
        return np.minimum(self.recent_late[rows] / np.maximum(self.recent[rows], 1.0), 1.0)

    def burst_ratio(self, rows: I64) -> F64:
        """BurstR of G.107: mean run of adjacent losses over that of random loss of the same share."""
        run = self.recent_lost[rows] / np.maximum(self.recent_runs[rows], 1e-9)
        few = self.recent_lost[rows] < 1.0  # says nothing
        ratio: F64 = np.where(few, 1.0, run * (1.0 - self.loss(rows)))
        return np.clip(ratio, 1.0, 64.0)


_COUNTERS = [Losses.AT[name] for name in ("c11", "c13", "c14", "c22", "c23", "c33", "passed", "single")]


class Clusters(NamedTuple):
    """density: share of packets lost within bursts and within gaps; their mean lengths in packets."""

    burst_density: float
    gap_density: float
    burst_packets: float
    gap_packets: float


def clusters(losses: Losses, row: int) -> Clusters:
    """RFC 3611 appendix A.2, but that the newest losses count at once and the first gap ends no burst."""
    counted = losses.block[row].tolist()
    c11, c13, c14, c22, c23, c33, passed, single = (counted[place] for place in _COUNTERS)
    c13 += single > 1
    c14 += single == 1
    if passed >= GMIN or not single:
        c11 += passed
    gap_density = c14 / (c11 + c14) if c11 + c14 else 0.0
    if not c13:
        return Clusters(0.0, gap_density, 0.0, float(c11 + c14))
    c31, c32 = c13, c23
    p32 = c32 / (c31 + c32 + c33)
    p23 = 1.0 if c22 + c23 < 1 else 1.0 - c22 / (c22 + c23)
    total = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33
    gap = (c11 + c14 + c13) / c13
    return Clusters(p23 / (p23 + p32), gap_density, total / c13 - gap, gap)
