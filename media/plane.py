"""A plane: legs that are heard at one rate, each in a slot of the plane's play-out.

Slots are given to legs when somebody begins to hear them and taken back when nobody does any more, so that
a relayed leg costs no buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from media.clock import RATE, TICKS, WIDE
from media.columns import F64, I16, I64, Bool, Column, Columns
from media.delay import BufferSettings
from media.halfband import Downward, Upward
from media.playout import Playout
from media.reception import PLAYED
from media.rtp import signed

RATES = (RATE, WIDE)  # Hz of the planes, in their order
LEAP = 10  # s that a timestamp may go on or back by from one packet to the next and still be of the same time
NO_SLOT = -1
IN_MS = ("concealed", "accelerated", "expanded")  # of PLAYED


class Seats(Columns):
    """By slot. stream: whose sound it is, -1: nobody's yet. stamp: RTP timestamp of its newest, unwrapped."""

    SPEC: ClassVar[dict[str, Column]] = {"stream": Column(np.int64, -1), "stamp": Column(np.int64)}
    stream: I64
    stamp: I64


class Plane:
    """Legs heard at `rate` Hz. rows, slots: those that are heard now, in the plan's order. steady: says of
    which rows the packets have come evenly for a while.
    """

    def __init__(self, rate: int, settings: BufferSettings, slots: int = 16) -> None:
        self.rate = rate
        self.block = rate // TICKS
        self.playout = Playout(rate, slots, settings)
        self.rows: I64 = np.empty(0, np.int64)
        self.slots: I64 = np.empty(0, np.int64)
        self._seats = Seats(slots)
        self._away = (Upward if rate == RATE else Downward)(slots)
        self._free = list(range(slots - 1, -1, -1))
        self._slot_of: I64 = np.full(64, NO_SLOT)
        self.steady: Callable[[I64], Bool] = lambda rows: np.zeros(len(rows), np.bool_)

    def seat(self, rows: list[int]) -> dict[int, list[int]]:
        """These legs are heard from now on, no others; those that no longer are, with what was PLAYED."""
        away = list(set(self.rows.tolist()) - set(rows))
        gone = dict(zip(away, self.played(np.array(away, np.int64)).tolist()))
        for row in gone:
            self._clear(int(self._slot_of[row]))
            self._slot_of[row] = NO_SLOT
        if rows and max(rows) >= len(self._slot_of):
            more = np.full(2 * max(rows) - len(self._slot_of), NO_SLOT)
            self._slot_of = np.concatenate([self._slot_of, more])
        for row in rows:
            if self._slot_of[row] == NO_SLOT:
                self._slot_of[row] = self._take()
        self.rows = np.array(rows, np.int64)
        self.slots = self._slot_of[self.rows]
        return gone

    def vacate(self, row: int) -> None:
        """The leg is closed: nothing of it goes over to the next one in its row."""
        slot = int(self._slot_of[row]) if row < len(self._slot_of) else NO_SLOT
        if slot != NO_SLOT:
            self._clear(slot)
            self._slot_of[row] = NO_SLOT
            kept = self.rows != row
            self.rows, self.slots = self.rows[kept], self.slots[kept]

    def _take(self) -> int:
        if not self._free:
            before = self._seats.rows
            for columns in (self.playout, self._seats, self._away):
                columns.grow(2 * before)
            self._free = list(range(2 * before - 1, before - 1, -1))
        return self._free.pop()

    def _clear(self, slot: int) -> None:
        for columns in (self.playout, self._seats, self._away):
            columns.clear(slot)
        self._free.append(slot)

    def slot(self, row: int) -> int:
        """The leg's, NO_SLOT when it is not heard."""
        return int(self._slot_of[row]) if row < len(self._slot_of) else NO_SLOT

    def _slots(self, rows: I64) -> I64:
        slots = np.full(len(rows), NO_SLOT)
        known = rows < len(self._slot_of)
        slots[known] = self._slot_of[rows[known]]
        return slots

    @property
    def resting(self) -> Bool:
        """bool[n], of `rows`: whose senders said that nothing comes for a while."""
        rests: Bool = self.playout.noise[self.slots] > 0
        return rests

    def depth_ms(self, rows: I64) -> F64:
        """Sound in the legs' jitter buffers, 0 of legs that are not heard."""
        if not len(self.rows):
            return np.zeros(len(rows))
        slots = self._slots(rows)
        return np.where(slots == NO_SLOT, 0.0, self.playout.depth_ms(slots))

    def late(self, rows: I64) -> I64:
        """Packets of legs that came after their turn, since they are heard."""
        if not len(self.rows):
            return np.zeros(len(rows), np.int64)
        slots = self._slots(rows)
        return np.where(slots == NO_SLOT, 0, self.playout.late[slots])

    def played(self, rows: I64) -> I64:
        """What play-out counts of legs, since they are heard: int64[n, PLAYED], sound in ms."""
        counts = np.zeros((len(rows), len(PLAYED)), np.int64)
        if not len(self.rows):
            return counts
        slots = self._slots(rows)
        for place, name in enumerate(PLAYED):
            value = getattr(self.playout, name)[slots]
            counts[:, place] = value * 1000 // self.rate if name in IN_MS else value
        counts[slots == NO_SLOT] = 0
        return counts

    def place(
        self, rows: I64, streams: I64, stamps: I64, newest: Bool, clock: int, times: F64
    ) -> tuple[I64, I64]:
        """Slots of legs that are heard, and RTP timestamps (`clock` Hz) of packets as the play-out's stamps.
        times: when they came, s.

        A stream that is new, or whose timestamps leap, begins anew there.
        """
        seats, slots = self._seats, self._slot_of[rows]
        base = seats.stamp[slots]
        step = signed(stamps - base)
        begins = (seats.stream[slots] != streams) | (np.abs(step) > LEAP * clock)
        unwrapped = base + step
        if begins.any():
            unwrapped[begins] = stamps[begins]
            first = slots[begins]
            seats.stream[first], seats.stamp[first] = streams[begins], stamps[begins]
            self.playout.begin(
                first, self._scale(stamps[begins], clock), times[begins], self.steady(rows[begins])
            )
        if newest.all():
            seats.stamp[slots] = unwrapped
        else:
            seats.stamp[slots[newest]] = unwrapped[newest]
        scaled = self._scale(unwrapped, clock)
        self.playout.observe(slots, scaled, times)
        return slots, scaled

    def _scale(self, stamps: I64, clock: int) -> I64:
        return stamps if clock == self.rate else stamps * self.rate // clock

    def read(self, skipped: int, now: float) -> tuple[I16, Bool]:
        """What all that are heard say now, int16[n, block], and whether any of it came from packets."""
        if not len(self.slots):
            return np.empty((0, self.block), np.int16), np.empty(0, np.bool_)
        return self.playout.read(self.slots, skipped, now)

    def leave(self, which: I64, sound: I16) -> I16:
        """Sound of the legs at the places `which` as the other plane has it; once a tick for each of them."""
        return self._away.convert(self.slots[which], sound[which])
