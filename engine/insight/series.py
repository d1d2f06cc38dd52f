"""Quality of a leg over time: a sample about every five seconds, of what its media worker tells anyway.

A sample's counts are of the time since the sample before. Where a call is long, two neighbours become one, so
that a series never has more than `MOST` samples, and tells the whole call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from media.messages import LegStats

MOST = 720  # samples of a leg: an hour at five seconds


class Sample(NamedTuple):
    """at: s since the call arrived. seconds: that it covers. received, lost: packets; lost_there: of ours,
    as the far end reports. late: packets that came after their turn. mos: of these seconds; mos_there: of
    what the far end hears, as it says. None: not known.
    """

    at: float
    seconds: float
    codec: str
    received: int
    lost: int
    late: int
    lost_there: int
    concealed_ms: int
    resets: int
    jitter_ms: float
    buffer_ms: float
    kbps: float
    burst: float
    mos: float | None
    mos_there: float | None
    rtt_ms: float | None
    level_db: float | None
    speech: float | None
    sent: int

    @property
    def loss(self) -> float | None:
        """Share of packets that never came; None where none were due."""
        due = self.received + self.lost
        return self.lost / due if due else None


class Series:
    """The samples of one leg. leg: its number; side: whose it is."""

    def __init__(self, leg: int, side: str) -> None:
        self.leg = leg
        self.side = side
        self.samples: list[Sample] = []
        self._before = LegStats(leg)
        self._at = 0.0
        self._every = 1  # figures that one sample is made of
        self._open: Sample | None = None  # not all of its figures are in
        self._taken = 0

    def add(self, stats: LegStats, at: float) -> None:
        """Take the figures that were told at `at`, s since the call arrived."""
        before, self._before = self._before, stats
        seconds, self._at = max(0.0, at - self._at), at
        sample = Sample(
            round(at, 2), round(seconds, 2), stats.codec,
            max(0, stats.received - before.received), max(0, stats.lost - before.lost),
            max(0, stats.late - before.late), max(0, (stats.remote_lost or 0) - (before.remote_lost or 0)),
            max(0, stats.concealed_ms - before.concealed_ms), max(0, stats.resets - before.resets),
            stats.jitter_ms, stats.buffer_ms, stats.kbps, stats.burst_ratio, stats.mos_now, stats.mos_there,
            stats.rtt_ms, stats.level_db, stats.speech, max(0, stats.sent - before.sent),
        )  # fmt: skip
        self._open = sample if self._open is None else merged(self._open, sample)
        self._taken += 1
        if self._taken >= self._every:
            self.samples.append(self._open)
            self._open, self._taken = None, 0
            if len(self.samples) >= MOST:
                self._halve()

    def whole(self) -> list[Sample]:
        """All samples, with the one that is not full yet."""
        return [*self.samples, self._open] if self._open is not None else list(self.samples)

    def _halve(self) -> None:
        pairs = zip(self.samples[::2], self.samples[1::2])
        self.samples = [merged(first, second) for first, second in pairs]
        self._every *= 2


def merged(first: Sample, second: Sample) -> Sample:
    """Two neighbours as one: counts added up, the worse of what is measured."""
    return Sample(
        second.at, round(first.seconds + second.seconds, 2), second.codec or first.codec,
        first.received + second.received, first.lost + second.lost, first.late + second.late,
        first.lost_there + second.lost_there, first.concealed_ms + second.concealed_ms,
        first.resets + second.resets, max(first.jitter_ms, second.jitter_ms),
        max(first.buffer_ms, second.buffer_ms), max(first.kbps, second.kbps), max(first.burst, second.burst),
        _least(first.mos, second.mos), _least(first.mos_there, second.mos_there),
        _most(first.rtt_ms, second.rtt_ms), _most(first.level_db, second.level_db),
        _most(first.speech, second.speech), first.sent + second.sent,
    )  # fmt: skip


def _least(*values: float | None) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _most(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def totals(samples: Sequence[Sample]) -> Sample | None:
    """A whole leg as one sample; None where there is none."""
    whole: Sample | None = None
    for each in samples:
        whole = each if whole is None else merged(whole, each)
    return whole
