"""Who is speaking: stretches of speech of all legs, each of which goes to a recogniser as one utterance.

A cheap gate says of every block whether it may be speech. It takes noise for speech often, so that a second
detector is asked about what passed it: nothing begins before that one agrees, and what it denies is a pause.
What was heard while it was asked, and a little before, belongs to the stretch. A stretch ends after a pause
(`hangover_s`), or where it has become too long: from `long_s` on at the first short pause, at `longest_s` in
the middle of a word; nothing is lost between it and the next.

Packets that were lost are neither speech nor a pause: a stretch goes on across them for `bridge_s` and says
how much of it was made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, NamedTuple

import numpy as np

from media.columns import F32, F64, I8, I64, Bool, Column, Columns

BLOCK_S = 0.020
TINY = 1e-9  # what sums of blocks are off by


class State(IntEnum):
    SILENT = 0
    MAYBE = 1  # the gate passes, the detector has not agreed yet
    SPEAKING = 2


class End(StrEnum):
    """Why a stretch is over."""

    PAUSE = "pause"
    LONG = "long"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds. sure, stay: probability of speech at which the detector agrees, and down to which speech goes
    on. onset_s: that the gate passes before it is asked; confirm_s: for how long it may take to agree, and is
    left in peace after it did not. lead_s: heard before the onset that belongs to it. short_s: a pause at
    which a long stretch is cut; bridge_s: of lost packets after which they count as a pause.
    """

    sure: float = 0.5
    stay: float = 0.35
    onset_s: float = 0.040
    confirm_s: float = 0.400
    lead_s: float = 0.200
    hangover_s: float = 0.500
    short_s: float = 0.120
    long_s: float = 10.0
    longest_s: float = 15.0
    bridge_s: float = 0.400


class Began(NamedTuple):
    """A stretch of speech. at: where its sound begins, s; what was kept of the leg's sound from there on goes
    to the recogniser.
    """

    row: int
    at: float


class Ended(NamedTuple):
    """at: where its sound ends. voiced: the end of its last block of speech. lost_s: what of it was made up
    for lost packets.
    """

    row: int
    at: float
    voiced: float
    lost_s: float
    why: End


Event = Began | Ended


class Segments(Columns):
    """A row for each leg, times and durations in seconds.

    since: where the stretch began; earliest: where the next may begin. run: for how long there may be speech;
    pause: since there was none. voiced: the end of the last block of speech. lost: made up within the
    stretch; gap: lost packets in a row.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "since": Column(np.float64),
        "earliest": Column(np.float64),
        "run": Column(np.float64),
        "pause": Column(np.float64),
        "voiced": Column(np.float64),
        "lost": Column(np.float64),
        "gap": Column(np.float64),
        "state": Column(np.int8, State.SILENT),
    }
    since: F64
    earliest: F64
    run: F64
    pause: F64
    voiced: F64
    lost: F64
    gap: F64
    state: I8

    def __init__(self, rows: int, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        super().__init__(rows)

    def asks(self, rows: I64) -> Bool:
        """bool[n]: rows whose next block the detector has to look at."""
        passes: Bool = self.state[rows] != State.SILENT
        return passes

    def hear(self, rows: I64, gate: Bool, sure: F32, lost: Bool, now: float) -> list[Event]:
        """A block of each row ended now. gate: it may be speech. sure: the detector's probability, NaN where
        it was not asked or is not done. lost: it was made up. Events are in the order of the rows.
        """
        terms, state = self.terms, self.state[rows]
        gap = np.where(lost, self.gap[rows] + BLOCK_S, 0.0)
        bridged = lost & (gap <= terms.bridge_s + TINY)
        denied = (state == State.SPEAKING) & (sure < terms.stay)
        voice = gate & ~lost & ~denied
        run = np.where(voice, self.run[rows] + BLOCK_S, np.where(bridged, self.run[rows], 0.0))
        pause = np.where(voice, 0.0, np.where(bridged, self.pause[rows], self.pause[rows] + BLOCK_S))
        self.gap[rows], self.run[rows], self.pause[rows] = gap, run, pause
        self.lost[rows] += lost * BLOCK_S
        self.voiced[rows] = np.where(voice, now, self.voiced[rows])
        events: list[Event] = []
        for at in np.flatnonzero(self._happens(rows, sure, now)).tolist():
            events += TURNS[State(int(state[at]))](self, int(rows[at]), bool(sure[at] >= terms.sure), now)
        return events

    def leave(self, row: int, now: float) -> list[Event]:
        """The leg is over: so is what it was saying."""
        speaks = self.state[row] == State.SPEAKING
        ended: list[Event] = [self._ended(row, now, End.LEFT)] if speaks else []
        self.clear(row)
        return ended

    def _happens(self, rows: I64, sure: F32, now: float) -> Bool:
        """bool[n]: rows that may turn."""
        terms, state = self.terms, self.state[rows]
        run, pause, length = self.run[rows], self.pause[rows], now - self.since[rows]
        begins = (state == State.SILENT) & (run >= terms.onset_s - TINY)
        asked = (state == State.MAYBE) & (
            (sure >= terms.sure) | (pause >= terms.short_s - TINY) | (run >= terms.confirm_s - TINY)
        )
        over = (state == State.SPEAKING) & (
            (pause >= terms.hangover_s - TINY)
            | ((length >= terms.long_s - TINY) & (pause >= terms.short_s - TINY))
            | (length >= terms.longest_s - TINY)
        )
        happens: Bool = begins | asked | over
        return happens

    def _suspect(self, row: int, sure: bool, now: float) -> list[Event]:
        """The gate has passed for long enough: from here on the detector looks."""
        self.state[row] = State.MAYBE
        lead = float(self.run[row]) + self.terms.lead_s
        self.since[row] = max(now - lead, float(self.earliest[row]))
        self.lost[row] = 0.0
        return self._conclude(row, sure, now) if sure else []

    def _conclude(self, row: int, sure: bool, now: float) -> list[Event]:
        """The detector agrees, or there is no speech. Noise goes on: it is not asked again at once."""
        if sure:
            self.state[row] = State.SPEAKING
            return [Began(row, float(self.since[row]))]
        self.state[row] = State.SILENT
        self.run[row] = min(0.0, float(self.pause[row]) - self.terms.confirm_s)
        return []

    def _end(self, row: int, sure: bool, now: float) -> list[Event]:
        """A pause, or too long."""
        pause = float(self.pause[row])
        why = End.PAUSE if pause >= self.terms.hangover_s - TINY else End.LONG
        events: list[Event] = [self._ended(row, now, why)]
        self.earliest[row], self.lost[row] = now, 0.0
        if pause >= self.terms.short_s - TINY:
            self.state[row] = State.SILENT
        else:
            self.since[row] = now
            events.append(Began(row, now))
        return events

    def _ended(self, row: int, now: float, why: End) -> Ended:
        return Ended(row, now, float(self.voiced[row]), float(self.lost[row]), why)


TURNS = {
    State.SILENT: Segments._suspect,
    State.MAYBE: Segments._conclude,
    State.SPEAKING: Segments._end,
}
