"""What is done with the sound of legs before anybody hears it, and what is listened for in it.

Which legs get what is asked for leg by leg (`want`); legs that nothing is wanted of cost nothing, and those
that something is wanted of have their state in slots of a room of their rate. The order is fixed: tones are
sought in what came, noise is taken away, voices are found in the rest, and that is brought to its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import NamedTuple

import numpy as np

from media.bargein import BargeIn, Patience, Verdict
from media.columns import I16, I64, Bool
from media.dtmf import Heard as Pressed
from media.level import Leveller
from media.noise import Suppressor
from media.plane import RATES
from media.render import Heard
from media.tones import Tones
from media.vad import Vad


class Want(IntFlag):
    """What is done for a leg."""

    NOTHING = 0
    NOISE = 1  # suppression of it
    LEVEL = 2  # its speech is brought to the usual level
    TONES = 4  # digits in the sound itself are told
    VOICE = 8  # whether it speaks is found out, for what that decides


ALTERS = Want.NOISE | Want.LEVEL
ATTENDS = Want.TONES | Want.VOICE
SERVICES = (Want.TONES, Want.NOISE, Want.LEVEL, Want.LEVEL | Want.VOICE)


class Seats(NamedTuple):
    """Those that a service is for: places in what is heard, and slots."""

    places: I64
    slots: I64


class Room:
    """The treated legs of one rate."""

    def __init__(self, rate: int, slots: int = 16) -> None:
        self.tones = Tones(slots, rate)
        self.noise = Suppressor(slots, rate)
        self.level = Leveller(slots)
        self.voice = Vad(slots, rate)
        self._slot_of: dict[int, int] = {}
        self._free = list(range(slots - 1, -1, -1))
        self._rows: I64 | None = None
        self._seats: dict[Want, Seats] = {}

    def settle(self, rows: I64, wants: dict[int, Want]) -> None:
        """These legs are heard now, and this is wanted of them; for nobody else is anything kept."""
        if rows is self._rows:
            return
        self._rows = rows
        here = [(place, row) for place, row in enumerate(rows.tolist()) if row in wants]
        for row in self._slot_of.keys() - {row for _, row in here}:
            self._leave(self._slot_of.pop(row))
        for _, row in here:
            if row not in self._slot_of:
                self._slot_of[row] = self._take()
        for service in SERVICES:
            those = [(place, self._slot_of[row]) for place, row in here if wants[row] & service]
            pairs = np.array(those, np.int64).reshape(-1, 2)
            self._seats[service] = Seats(pairs[:, 0], pairs[:, 1])

    def unsettle(self, row: int, wanted: bool) -> None:
        """What is wanted of the leg has changed."""
        self._rows = None
        if not wanted and row in self._slot_of:
            self._leave(self._slot_of.pop(row))

    def _take(self) -> int:
        if not self._free:
            before = self.voice.rows
            for columns in (self.tones, self.noise, self.level, self.voice):
                columns.grow(2 * before)
            self._free = list(range(2 * before - 1, before - 1, -1))
        return self._free.pop()

    def _leave(self, slot: int) -> None:
        for columns in (self.tones, self.noise, self.level, self.voice):
            columns.clear(slot)
        self._free.append(slot)

    def listen(self, samples: I16) -> list[tuple[int, Pressed]]:
        """Digits that ended in this block, with their places."""
        places, slots = self._seats[Want.TONES]
        if not len(slots):
            return []
        place_of = dict(zip(slots.tolist(), places.tolist()))
        return [(place_of[slot], each) for slot, each in self.tones.listen(slots, samples[places])]

    def treat(self, samples: I16) -> tuple[I16, I64, Bool, Bool]:
        """Samples int16[n, block] as they are to be heard; places of those whose voice was looked for,
        whether each speaks, and whether this very block is a voice for sure.
        """
        cleaned = self._seats[Want.NOISE]
        levelled = self._seats[Want.LEVEL]
        if len(cleaned.slots) or len(levelled.slots):
            samples = samples.copy()
        if len(cleaned.slots):
            samples[cleaned.places] = self.noise.suppress(cleaned.slots, samples[cleaned.places])
        places, slots = self._seats[Want.LEVEL | Want.VOICE]
        if not len(slots):
            return samples, places, _NOBODY, _NOBODY
        speaking = self.voice.look(slots, samples[places])
        if len(levelled.slots):
            loud = self.voice.voice[levelled.slots]
            samples[levelled.places] = self.level.normalise(levelled.slots, samples[levelled.places], loud)
        return samples, places, speaking, self.voice.sure[slots]


_NOBODY: Bool = np.empty(0, np.bool_)


class Treatment:
    """Everything that is wanted of legs. speaking: by row, who speaks now, of those for whom it is wanted.

    verdicts, pressed: of the newest tick; prompts to pause or stop, and digits with their rows.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self.wants: dict[int, Want] = {}
        self.barge = BargeIn(64, patience)
        self.speaking: Bool = np.zeros(64, np.bool_)
        self.verdicts: list[Verdict] = []
        self.pressed: list[tuple[int, Pressed]] = []
        self._rooms = [Room(rate) for rate in RATES]

    def want(self, row: int, wants: Want) -> bool:
        """From now on this is wanted of the leg; whether that is new."""
        if self.wants.get(row, Want.NOTHING) == wants:
            return False
        if wants:
            self.wants[row] = wants
        else:
            self.wants.pop(row, None)
        if row >= len(self.speaking):
            self.speaking = np.concatenate([self.speaking, np.zeros(row + 1, np.bool_)])
            self.barge.grow(len(self.speaking))
        if not wants & Want.VOICE:
            self.speaking[row] = False
        for room in self._rooms:
            room.unsettle(row, bool(wants))
        return True

    def forget(self, row: int) -> None:
        """The leg is closed."""
        if self.want(row, Want.NOTHING):
            self.barge.clear(row)

    def treat(self, heard: Sequence[Heard], now: float) -> list[Heard]:
        """What legs say as it is to be heard; sets `speaking`, `verdicts` and `pressed`."""
        self.verdicts, self.pressed = [], []
        return [self._treat(room, each, now) for room, each in zip(self._rooms, heard)]

    def _treat(self, room: Room, heard: Heard, now: float) -> Heard:
        room.settle(heard.rows, self.wants)
        rows = heard.rows
        self.pressed += [(int(rows[place]), each) for place, each in room.listen(heard.samples)]
        samples, places, speaking, voice = room.treat(heard.samples)
        if len(places):
            these = rows[places]
            self.speaking[these] = speaking
            self.verdicts += self.barge.hear(these, voice, now)
        return heard._replace(samples=samples)
