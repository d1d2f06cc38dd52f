"""One worker's taps, for all its recordings at once: each block of sound to where it came, frame by frame.

Ticks are cut into frames of 120 ms on a grid of the feed's own. A recording begins at the first tick with its
leg's sound, and from then on gets every frame of the grid, with silence where there was none. What its first
frame begins with before that tick is left out, so that time 0 is exactly there.

A block is put as much before its tick as its sound waited for play-out, which is another time for each side
of a call; therefore frames are HOLD older than the newest tick when they are given away. When that waiting
changes, play-out has stretched the sound, and the blocks that follow are put closer together or further
apart: in a pause, if there is one before sides are too far apart, and else with a fade.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from media import duplex, tap
from media.columns import F32, I16, I64
from media.ring import Ring
from media.track import CHUNK, Sink, Track

TICK_MS = 20
TICKS = duplex.FRAME_MS // TICK_MS  # of a frame
HOLD = 2  # frames; sound is no later than that
SLACK_MS, FAR_MS = 2, 10  # that a block may be off its place: always, and where there is no pause
STILL = 300  # no sample of a pause exceeds it
FADE_MS = 5


class Feed:
    """tick: the newest that came. Rows by slot are recordings; a *side* is 2 * slot + direction."""

    def __init__(self, rows: int = 16) -> None:
        self.tick = -1
        self.recordings: dict[int, Track] = {}  # by slot
        self._slot_of: dict[int, int] = {}  # by leg
        self._free = list(range(rows - 1, -1, -1))
        self._rings = {rate: _ring(rate, 2 * rows) for rate in (8000, 16000)}
        self._rate = np.zeros(rows, np.int64)  # by slot; 0 before a recording's first sound
        self._first = np.zeros(rows, np.int64)  # by slot: the recording's first frame
        self._paused = np.zeros(rows, np.bool_)
        self._late = np.zeros(2 * rows, np.int64)  # by side: samples that blocks are put before their tick
        self._seen = np.zeros(2 * rows, np.int64)  # by side: tick of the newest block
        self._since = np.zeros(2 * rows, np.int64)  # by side: tick of the first after a pause
        self._known: dict[tuple[int, int], tuple[I64, I64, I64]] = {}

    def add(self, recording: Track) -> None:
        if not self._free:
            self._double()
        recording.slot = self._free.pop()
        self.recordings[recording.slot] = recording
        self._paused[recording.slot] = recording.paused
        self.follow(recording, recording.leg)

    def follow(self, recording: Track, leg: int) -> None:
        """The recording's sound is this leg's from now on."""
        if self._slot_of.get(recording.leg) == recording.slot:
            del self._slot_of[recording.leg]
        recording.leg = leg
        self._slot_of[leg] = recording.slot
        self._known.clear()

    def remove(self, recording: Track) -> None:
        if self._slot_of.get(recording.leg) == recording.slot:
            del self._slot_of[recording.leg]
        slot = recording.slot
        del self.recordings[slot]
        for ring in self._rings.values():
            ring.samples[2 * slot : 2 * slot + 2] = 0
        self._rate[slot], self._paused[slot] = 0, False
        self._late[2 * slot : 2 * slot + 2] = 0
        self._free.append(slot)
        self._known.clear()

    def pause(self, recording: Track, paused: bool) -> None:
        recording.paused = self._paused[recording.slot] = paused

    # --- sound in ---------------------------------------------------------------------------------

    def put(self, part: tap.Part, started: Callable[[Track], None]) -> None:
        """Samples of this tick to their places."""
        places, slots = self._places(part)
        if not len(slots):
            return
        rates = self._rate[slots]
        if not rates.all():
            self._begin(slots[rates == 0], part.rate, started)
            rates = self._rate[slots]
        odd = (rates != part.rate) | self._paused[slots]
        if odd.any():
            for i in np.flatnonzero(odd & ~self._paused[slots]):
                sound = _converted(part.samples[places[i]], int(rates[i]))
                self._write(int(rates[i]), 2 * slots[[i]] + part.direction, sound, part.late[places[[i]]])
            places, slots = places[~odd], slots[~odd]
        if len(slots):
            self._write(part.rate, 2 * slots + part.direction, part.samples[places], part.late[places])

    def _begin(self, slots: I64, rate: int, started: Callable[[Track], None]) -> None:
        for slot in slots.tolist():
            recording = self.recordings[slot]
            recording.begin(rate, self.tick % TICKS * TICK_MS, slot % CHUNK)
            self._rate[slot], self._first[slot] = rate, self.tick // TICKS
            self._seen[2 * slot : 2 * slot + 2] = -(1 << 40)
            started(recording)

    def _places(self, part: tap.Part) -> tuple[I64, I64]:
        """Of the part's legs: places of those recorded, and their slots."""
        key = part.direction, part.rate
        known = self._known.get(key)
        if known is None or not np.array_equal(known[0], part.legs):
            slots = np.array([self._slot_of.get(leg, -1) for leg in part.legs.tolist()], np.int64)
            known = self._known[key] = part.legs.copy(), np.flatnonzero(slots >= 0), slots[slots >= 0]
        return known[1], known[2]

    def _write(self, rate: int, sides: I64, samples: I16, late_ms: F32) -> None:
        """Blocks of some sides that are recorded at this rate."""
        ring, block = self._rings[rate], samples.shape[1]
        wanted = np.rint(np.clip(late_ms, 0, HOLD * duplex.FRAME_MS) * (rate // 1000)).astype(np.int64)
        gap = self.tick - self._seen[sides] - 1
        if gap.any():  # of less than was waited, nothing is known that should not be heard
            fresh = gap * block > wanted
            self._since[sides[fresh]], self._late[sides[fresh]] = self.tick, wanted[fresh]
        self._seen[sides] = self.tick
        off = np.flatnonzero(np.abs(wanted - self._late[sides]) > SLACK_MS * rate // 1000)
        if len(off):
            samples = samples.copy()
            for i in off.tolist():
                self._shift(ring, sides[[i]], int(wanted[i]), samples[[i]], samples[i], rate // 1000)
        at = self.tick * block - self._late[sides]
        since = self._since[sides] * block
        if (at < since).any():
            samples = np.where(at[:, None] + np.arange(block) < since[:, None], 0, samples).astype(np.int16)
        ring.put(sides, at, samples)

    def _shift(self, ring: Ring, side: I64, wanted: int, block: I16, sound: I16, clock: int) -> None:
        """Put a side's blocks elsewhere from now on, if that may be; `sound` is changed where they meet."""
        span, late = block.shape[1], int(self._late[side[0]])
        meet = np.array([self.tick * span - late])  # behind the block before
        before = ring.get(side, meet - span, span)
        still = max(int(np.abs(each.astype(np.int32)).max()) for each in (before, block)) <= STILL
        if not still and abs(wanted - late) <= FAR_MS * clock:
            return
        self._late[side] = wanted
        hole = min(late - wanted, ring.longest)
        if hole > 0:
            on = np.pad(before[0], (0, hole), mode="reflect")[span:].astype(np.float32)
            back = np.pad(sound, (hole, 0), mode="reflect")[:hole]
            filled = on + (back - on) * np.linspace(0, 1, hole, dtype=np.float32)
            ring.put(side, meet, np.rint(filled).astype(np.int16)[None])
        else:
            fade = FADE_MS * clock
            old = ring.get(side, meet + late - wanted, fade)[0].astype(np.float32)
            old[wanted - late :] = sound[wanted - late : fade]
            rise = np.linspace(0, 1, fade, dtype=np.float32)
            sound[:fade] = np.rint(old + (sound[:fade] - old) * rise)

    # --- frames out -------------------------------------------------------------------------------

    def advance(self, tick: int, sink: Sink) -> None:
        """Another tick begins: frames in which nothing more can come go to their recordings."""
        if self.tick >= 0:
            now = self.tick // TICKS
            passed = tick // TICKS - now
            for frame in range(now, now + min(passed, HOLD + 1)):
                self._emit(frame - HOLD, sink)
            if passed > HOLD + 1:
                for recording in self.recordings.values():
                    if recording.began:
                        recording.skip(passed - HOLD - 1, sink)
        self.tick = tick

    def _emit(self, frame: int, sink: Sink) -> None:
        """Give every recording its frame."""
        for rate, ring in self._rings.items():
            slots = np.flatnonzero((self._rate == rate) & (self._first <= frame))
            if len(slots):
                sound = self._frame(ring, slots, frame)
                base, stride, silent = sound.ctypes.data, sound.strides[0], duplex.quiet(sound)
                for i, slot in enumerate(slots.tolist()):
                    left, right = silent[i]
                    self.recordings[slot].take(base + i * stride, (left, right), sink)

    def _frame(self, ring: Ring, slots: I64, frame: int) -> I16:
        """Take a frame of some recordings out of their ring: int16[n, 2, frame]."""
        sides = np.stack([2 * slots, 2 * slots + 1], axis=1).reshape(-1)
        at = np.full(len(sides), frame * ring.longest)
        sound = ring.get(sides, at, ring.longest)
        ring.put(sides, at, np.zeros_like(sound))
        return sound.reshape(len(slots), 2, ring.longest)

    def end(self, recording: Track, sink: Sink) -> None:
        """The last of a recording: what of its frames is there, up to the newest tick."""
        spare, slot = 0, recording.slot
        if recording.began:
            newest = self.tick // TICKS
            for frame in range(max(int(self._first[slot]), newest - HOLD), newest + 1):
                sound = self._frame(self._rings[recording.rate], np.array([slot]), frame)
                left, right = duplex.quiet(sound)[0]
                recording.take(sound.ctypes.data, (left, right), sink, last=frame == newest)
            spare = (TICKS - 1 - self.tick % TICKS) * TICK_MS
        recording.finish(spare, sink)
        self.remove(recording)

    def _double(self) -> None:
        before = len(self._rate)
        for ring in self._rings.values():
            ring.grow(4 * before)
        for name in ("_rate", "_first", "_paused", "_late", "_seen", "_since"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self._free.extend(range(2 * before - 1, before - 1, -1))


def _ring(rate: int, sides: int) -> Ring:
    frame = rate * duplex.FRAME_MS // 1000
    return Ring(sides, 1 << ((HOLD + 2) * frame - 1).bit_length(), frame)


def _converted(samples: I16, rate: int) -> I16:
    """A block as the recording has it, int16[1, n]: of a leg that changed to a codec of another rate."""
    if rate == 16_000:
        near = np.append(samples[1:], samples[-1:])
        made = np.stack([samples, (samples.astype(np.int32) + near) >> 1], axis=1)
    else:
        made = samples.astype(np.int32).reshape(-1, 2).sum(axis=1) >> 1
    return made.astype(np.int16).reshape(1, -1)
