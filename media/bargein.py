"""Barge-in: a caller who speaks over a prompt makes it fall silent at once, and ends it by going on.

After 80 ms of speech the prompt pauses; a caller who then speaks for CONFIRM has interrupted it, one who
only made a sound ("uh-huh", a cough) hears it go on where it was. Both the quick silence and the patience are
wanted: no prompt talks over a caller, and no murmur throws one away. Verdicts of single blocks are counted,
without the hangover that bridges pauses.

    state       event       next        action
    OFF         arm         LISTENING   -
    LISTENING   SPOKE       YIELDED     PAUSE
    YIELDED     CONFIRMED   OFF         INTERRUPT
    YIELDED     FELL_SILENT LISTENING   RESUME
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, NamedTuple

import numpy as np

from media.columns import F64, I8, I64, Bool, Column, Columns


class State(IntEnum):
    OFF = 0  # nothing plays that may be interrupted
    LISTENING = 1
    YIELDED = 2  # the prompt is silent, the caller may yet prove to have been murmuring


class Happened(IntEnum):
    NOTHING = 0
    SPOKE = 1
    CONFIRMED = 2
    FELL_SILENT = 3


class Action(IntEnum):
    NONE = 0
    PAUSE = 1
    INTERRUPT = 2
    RESUME = 3


TABLE: dict[tuple[State, Happened], tuple[State, Action]] = {
    (State.LISTENING, Happened.SPOKE): (State.YIELDED, Action.PAUSE),
    (State.YIELDED, Happened.CONFIRMED): (State.OFF, Action.INTERRUPT),
    (State.YIELDED, Happened.FELL_SILENT): (State.LISTENING, Action.RESUME),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How much speech does what, in ms. yield_ms: of speech in one burst, until the prompt pauses.

    confirm_ms: of speech since the burst began, until it is interrupted; a "yes" has 300, an "uh-huh" up to
    400. resume_ms: of silence, until it goes on. gap_ms: of silence inside a burst.
    """

    yield_ms: int = 80
    confirm_ms: int = 500
    resume_ms: int = 300
    gap_ms: int = 100


class Verdict(NamedTuple):
    """What is to be done with the prompt of a row."""

    row: int
    action: Action


class BargeIn(Columns):
    """Who is speaking over what is played to them.

    spoken: s of speech in the burst. last: when there was speech last.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "state": Column(np.int8, State.OFF),
        "spoken": Column(np.float64),
        "last": Column(np.float64, -np.inf),
    }
    state: I8
    spoken: F64
    last: F64

    def __init__(self, rows: int, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        super().__init__(rows)

    def arm(self, row: int) -> None:
        """Something that may be interrupted begins to play; speech that goes on already counts anew."""
        if self.state[row] == State.OFF:
            self.state[row] = State.LISTENING
            self.spoken[row] = 0

    def disarm(self, row: int) -> None:
        """Nothing plays that may be interrupted."""
        self.state[row] = State.OFF

    def hear(self, rows: I64, voice: Bool, now: float, block: float = 0.020) -> list[Verdict]:
        """A block of `block` s of each row ended now, with speech in it or not."""
        limits = self.patience
        pause = now - self.last[rows]
        state = self.state[rows]
        gap = np.where(state == State.YIELDED, limits.resume_ms, limits.gap_ms) / 1000
        fresh = voice & (pause > gap + block / 2)
        spoken = np.where(fresh, 0, self.spoken[rows]) + block * voice
        self.spoken[rows] = spoken
        self.last[rows[voice]] = now
        happened = np.zeros(len(rows), np.int8)
        listening, yielded = state == State.LISTENING, state == State.YIELDED
        enough = spoken >= np.where(yielded, limits.confirm_ms, limits.yield_ms) / 1000 - 1e-6
        happened[listening & voice & enough] = Happened.SPOKE
        happened[yielded & ~voice & (pause >= limits.resume_ms / 1000 - 1e-6)] = Happened.FELL_SILENT
        happened[yielded & enough] = Happened.CONFIRMED
        verdicts = []
        for i in np.flatnonzero(happened).tolist():
            row = int(rows[i])
            following, action = TABLE[State(int(state[i])), Happened(int(happened[i]))]
            self.state[row] = following
            verdicts.append(Verdict(row, action))
        return verdicts
