"""Packet-loss concealment: what a voice would have gone on to say, over all losing slots at once.

At a gap's beginning the sound before it is taken apart (media.lpc) into a tract and what drives it, and its
period is measured (media.pitch). The last period of the drive, repeated, is sent through the tract: a lost
vowel goes on at its pitch, a lost hiss as a hiss. Where the sound after the gap is known already, the same is
done from there, backwards, and the one is faded into the other over the gap: a two-sided interpolation, for
which the jitter buffer's delay is made use of. Where it is not, a long gap fades into noise like that of the
background, and the sound that comes back is faded in.

One implementation for 8 and 16 kHz; nothing a slot gets depends on who else is in the batch.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media import lpc, pitch
from media.columns import F32, F64, I16, I64, Bool, Column, Columns

HISTORY_MS = 40  # wanted of what was played before
FUTURE_MS = 20  # wanted of what follows, when it is there; more is taken too, and tells more of long gaps
VOICED = 0.5  # likeness of periods from which a sound is a voice's
ORDER_8K = 16  # of the tract, at 8 kHz; twice that at 16
WRAP = 0.1  # of a period, over which its end is faded into its beginning
HOLD_MS, FADED_MS = 40, 200  # since the gap began, or before it ends: until here as loud as ever; silent
MERGE_MS = 5  # in which sound that comes back unannounced is faded in
ENOUGH_MS = 4  # of following sound, or it is no use
MOST_GAPS = 4  # in a block; after these all is filled, whatever is there between more
HISS = 0.6  # of the longest period: what is no voice's is repeated no more often
RISE = 1.2  # background power grows by this at most from one `listen` to the next
LOUDEST = 300.0  # root mean square of a background, -41 dB of full scale: more is somebody's voice
NOISE_SIZE = 1 << 14
NOISE: F32 = np.random.default_rng(3389).standard_normal(NOISE_SIZE).astype(np.float32)

WIDEST = 16  # kHz of the wider plane: columns are as wide as that needs
ORDER = ORDER_8K * WIDEST // 8
BLOCK = 20 * WIDEST
DRIVE = FUTURE_MS * WIDEST - ORDER


class Concealer(Columns):
    """drive: the newest of what drove the sound before the gap. tract: its filter. last: samples that came
    out of it last. period, voice: of that sound, samples, likeness. place: samples made since the gap began.
    lost: 1 while concealing. quiet: the quietest block heard lately. floor: its power.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "drive": Column(np.float32, 0, DRIVE),
        "tract": Column(np.float32, 0, ORDER + 1),
        "last": Column(np.float32, 0, ORDER),
        "quiet": Column(np.int16, 0, BLOCK),
        "floor": Column(np.float64, np.inf),
        "voice": Column(np.float64),
        "period": Column(np.float64, 1),
        "place": Column(np.int64),
        "lost": Column(np.int64),
    }
    drive: F32
    tract: F32
    last: F32
    quiet: I16
    floor: F64
    voice: F64
    period: F64
    place: I64
    lost: I64

    def __init__(self, slots: int, rate: int) -> None:
        """rate: 8000 or 16000 Hz."""
        self.rate = rate
        self.order = ORDER_8K * rate // 8000
        self._side = self._samples(FUTURE_MS)  # of sound, taken apart on either side of a gap
        self._shortest, self._longest = self._samples(pitch.SHORTEST_MS), self._samples(pitch.LONGEST_MS)
        super().__init__(slots)

    def _samples(self, ms: float) -> int:
        return int(ms * self.rate) // 1000

    def concealing(self, slots: I64) -> Bool:
        """Which slots' last block ended in a gap, so that their next has to be filled or merged."""
        lost: Bool = self.lost[slots] != 0
        return lost

    def noise(self, slots: I64) -> F32:
        """Root mean square of the background, samples; 0 where nothing was heard yet."""
        floor = self.floor[slots]
        return np.sqrt(np.where(np.isfinite(floor), floor, 0)).astype(np.float32)

    def listen(self, slots: I64, blocks: I16 | F32) -> None:
        """Follow the background in blocks that were heard, int16[n, 20 ms]; three a second will do."""
        sound = blocks.astype(np.float32)
        power = np.einsum("nt,nt->n", sound, sound) / blocks.shape[1]
        risen = self.floor[slots] * RISE
        quiet = np.flatnonzero(power <= risen)
        self.floor[slots] = np.minimum(np.minimum(power, risen), LOUDEST**2)
        self.quiet[slots[quiet], : blocks.shape[1]] = blocks[quiet]

    # --- gaps -------------------------------------------------------------------------------------

    def fill(
        self,
        slots: I64,
        past: I16,
        block: I16,
        there: Bool,
        future: I16 | None = None,
        known: Bool | None = None,
    ) -> None:
        """Fill in place what is missing of `block`, int16[n, B], there[n, B] telling what is not.

        Only slots that miss something now or were concealing before. past: what was played before the block,
        int16[n, HISTORY_MS]. future: what follows the block as far as `known`, bool, says so, int16[n, F].
        """
        parts, masks = [past, block], [there]
        if future is not None and known is not None:
            parts.append(future)
            masks.append(known)
        sound = np.concatenate(parts, axis=1).astype(np.float32)
        mask = np.concatenate(masks, axis=1)
        before, span = past.shape[1], block.shape[1]
        back = np.flatnonzero((self.lost[slots] != 0) & mask[:, 0])
        if len(back):
            self._merge(slots[back], back, sound, mask, before)
        cursor = np.zeros(len(slots), np.int64)
        for rest in range(MOST_GAPS, -1, -1):
            start = _first(~mask, cursor)
            if not rest:
                mask[:, :span] &= np.arange(span) < start[:, None]
            rows = np.flatnonzero(start < span)
            if not len(rows):
                break
            gaps = _Gaps(sound, mask, rows, start[rows], before, span)
            self._conceal(slots[rows], gaps)
            cursor[rows] = gaps.end
        block[:] = np.clip(np.rint(sound[:, before : before + span]), -32768, 32767)

    def _conceal(self, slots: I64, gaps: _Gaps) -> None:
        """Fill one gap of each slot, as far as the block goes."""
        begun = np.flatnonzero((self.lost[slots] == 0) | (gaps.start > 0))
        joined = np.flatnonzero(gaps.follows >= self._samples(ENOUGH_MS))
        heard = gaps.sound_before(begun, self._samples(HISTORY_MS))
        ahead, have = gaps.sound_after(joined, self._side)
        sides = np.concatenate([heard[:, -self._side :], ahead[:, ::-1]])
        tracts = lpc.coefficients(sides, self.order)
        drives = lpc.excitation(sides, tracts)
        count = len(begun)
        self._begin(slots[begun], heard, tracts[:count], drives[:count])
        beyond = self._period_ahead(ahead, have, self.period[slots[joined]], self.voice[slots[joined]])
        longest, reach = int(gaps.length.max()), int(gaps.whole[joined].max(initial=0))
        made = self._sent(
            np.concatenate([self.drive[slots, : self._side - self.order], drives[count:]]),
            np.concatenate([self.tract[slots, : self.order + 1], tracts[count:]]),
            np.concatenate([self.last[slots, : self.order], sides[count:, -self.order :]]),
            np.concatenate([self.period[slots], beyond]),
            np.concatenate([self.place[slots], np.zeros(len(joined), np.int64)]),
            max(longest, reach),
        )
        gaps.put(self._mixed(slots, gaps, made[: len(slots), :longest], joined, made[len(slots) :]))
        self._go_on(slots, gaps, made[: len(slots)])

    def _begin(self, slots: I64, heard: F32, tracts: F32, drives: F32) -> None:
        """Note what was heard before a gap, float32[n, HISTORY_MS], and what its end was taken apart into."""
        if not len(slots):
            return
        found = pitch.likeness(heard, self._shortest, self._longest, self._samples(pitch.WINDOW_MS))
        self.period[slots], self.voice[slots] = self._period(found)
        self.tract[slots, : self.order + 1] = tracts
        self.drive[slots, : self._side - self.order] = drives
        self.last[slots, : self.order] = heard[:, -self.order :]
        self.place[slots] = 0
        fresh = np.isinf(self.floor[slots])
        if fresh.any():
            self.listen(slots[fresh], heard[fresh, : self.rate // 50])

    def _period(self, found: F32) -> tuple[F64, F32]:
        """The period and its likeness; a long one where there is no voice, which would buzz with a short."""
        best = found.argmax(axis=1)
        voice = _picked(found, best[:, None])[:, 0]
        least = int(HISS * self._longest) - self._shortest
        hiss = least + found[:, least:].argmax(axis=1)
        return np.where(voice < VOICED, hiss, pitch.peak(found, best)) + self._shortest, voice

    @staticmethod
    def _sent(drive: F32, tract: F32, last: F32, period: F64, place: I64, length: int) -> F32:
        """The drive, repeated from `place` on, sent through the tract: float32[n, length]."""
        driven = _repeated(drive, period, place[:, None] + np.arange(length))
        return lpc.synthesis(driven, tract, last)

    def _mixed(self, slots: I64, gaps: _Gaps, forward: F32, joined: I64, backward: F32) -> F32:
        """Fade what goes on from the past into what leads to the future, of the `joined`; both to noise."""
        steps = np.arange(forward.shape[1])
        place = self.place[slots][:, None] + steps
        loud = self._loudness(place)
        mixed = forward * loud
        if len(joined):
            whole = gaps.whole[joined, None]
            from_end = np.maximum(whole - 1 - steps, 0)
            near = self._loudness(from_end)
            share = np.minimum((steps + 1) / (whole + 1), 1).astype(np.float32)
            mixed[joined] += share * (_picked(backward, from_end) * near - mixed[joined])
            loud[joined] += share * (near - loud[joined])
        faded = np.flatnonzero(loud.min(axis=1) < 1)
        if len(faded):
            mixed[faded] += (1 - loud[faded]) * self._background(slots[faded], place[faded])
        return mixed

    def _go_on(self, slots: I64, gaps: _Gaps, made: F32) -> None:
        """Note how far the gaps were filled."""
        output = np.concatenate([self.last[slots, : self.order], made], axis=1)
        self.last[slots, : self.order] = _picked(output, gaps.length[:, None] + np.arange(self.order))
        self.place[slots] += gaps.length
        self.lost[slots] = gaps.end > gaps.span

    def _period_ahead(self, ahead: F32, have: I64, period: F64, voice: F64) -> F64:
        """The period of the sound after a gap, near that before it when both can be one voice's."""
        found = pitch.likeness_ahead(ahead, have, self._longest)
        lags = np.arange(self._longest + 1)
        found[(lags < self._shortest) | (lags > have[:, None] - self._samples(2))] = -1
        near = np.where(np.abs(lags - period[:, None]) <= 0.2 * period[:, None], found, -1)
        best, same = found.argmax(axis=1), near.argmax(axis=1)
        likeness = _picked(found, best[:, None])[:, 0]
        kept = (_picked(near, same[:, None])[:, 0] >= np.maximum(0.8 * likeness, 0)) & (voice >= VOICED)
        hiss = np.minimum(int(0.75 * self._longest), have)
        measured = pitch.peak(found, np.where(kept, same, best))
        return np.maximum(np.where(kept | (likeness >= VOICED), measured, hiss), 1)

    def _loudness(self, place: I64) -> F32:
        """Of what is made up, by its distance in samples from what was heard."""
        ms = place * np.float32(1000 / self.rate)
        loud: F32 = np.minimum(np.maximum((FADED_MS - ms) / np.float32(FADED_MS - HOLD_MS), 0), 1)
        return loud.astype(np.float32, copy=False)

    def _background(self, slots: I64, place: I64) -> F32:
        """Noise like the quietest that was heard, as loud and of its colour."""
        quiet = self.quiet[slots, : self.rate // 50].astype(np.float32)
        tracts = lpc.coefficients(quiet, self.order)
        drive = lpc.excitation(quiet, tracts)
        level = np.sqrt(np.square(drive).mean(axis=1) / (np.square(quiet).mean(axis=1) + 1))
        lead = self.order * 2  # in which the filter gets into its swing
        place = place[:, :1] + np.arange(-lead, place.shape[1])
        noise = NOISE[place % NOISE_SIZE] * (level * self.noise(slots))[:, None]
        return lpc.synthesis(noise, tracts, np.zeros_like(quiet[:, : self.order]))[:, lead:]

    def _merge(self, slots: I64, rows: I64, sound: F32, mask: Bool, before: int) -> None:
        """Fade in sound that comes back after a gap whose end was not known."""
        size = self._samples(MERGE_MS)
        place = self.place[slots][:, None] + np.arange(size)
        loud = self._loudness(place)
        gone_on = loud * self._sent(
            self.drive[slots, : self._side - self.order],
            self.tract[slots, : self.order + 1],
            self.last[slots, : self.order],
            self.period[slots],
            self.place[slots],
            size,
        )
        if (loud < 1).any():
            gone_on += (1 - loud) * self._background(slots, place)
        length = np.minimum(_first(~mask[rows], np.zeros(len(rows), np.int64)), size)
        share = np.minimum((np.arange(size) + 1) / (length[:, None] + 1), 1).astype(np.float32)
        heard = sound[rows, before : before + size]
        sound[rows, before : before + size] = np.where(
            np.arange(size) < length[:, None], gone_on + share * (heard - gone_on), heard
        )
        self.lost[slots] = 0


class _Gaps:
    """One gap a row: `start` in the block, `end` (beyond all that is known when nothing follows), `follows`
    samples of sound after it; `whole` and `length` in samples, in all and within the block.
    """

    def __init__(self, sound: F32, mask: Bool, rows: I64, start: I64, before: int, span: int) -> None:
        self.sound, self.rows, self.before, self.span = sound, rows, before, span
        self.start = start
        known = mask[rows]
        self.end = _first(known, start)
        self.follows = _first(~known, self.end) - self.end
        self.end = np.where(self.follows > 0, self.end, mask.shape[1] + 1)
        self.whole = self.end - start
        self.length = np.minimum(self.end, span) - start

    def sound_before(self, which: I64, size: int) -> F32:
        """float32[n, size] up to the gaps."""
        place = (self.before + self.start[which] - size)[:, None] + np.arange(size)
        heard: F32 = self.sound[self.rows[which][:, None], np.maximum(place, 0)]
        return heard

    def sound_after(self, which: I64, size: int) -> tuple[F32, I64]:
        """float32[n, size] from the gaps' ends on, zero after what is known, and how much is."""
        place = (self.before + self.end[which])[:, None] + np.arange(size)
        have = np.minimum(self.follows[which], size)
        after = self.sound[self.rows[which][:, None], np.minimum(place, self.sound.shape[1] - 1)]
        after[np.arange(size) >= have[:, None]] = 0
        return after, have

    def put(self, made: F32) -> None:
        """Write float32[n, longest] into the gaps, as far as they are in the block."""
        inside = np.arange(made.shape[1]) < self.length[:, None]
        if inside.all():
            columns = (self.before + self.start)[:, None] + np.arange(made.shape[1])
            self.sound[self.rows[:, None], columns] = made
        else:
            row, column = np.nonzero(inside)
            self.sound[self.rows[row], self.before + self.start[row] + column] = made[row, column]


def _first(marks: Bool, since: I64) -> I64:
    """Column of the first mark at or after `since` in each row; how many columns there are when none is."""
    found = marks & (np.arange(marks.shape[1]) >= since[:, None])
    place: I64 = np.where(found.any(axis=1), found.argmax(axis=1), marks.shape[1])
    return place


def _repeated(drive: F32, period: F64, place: I64) -> F32:
    """The newest period of `drive`, float32[n, N], over and over: at `place`, int64[n, K], since its end.

    Periods begin at whole samples, but without drifting from what the period is.
    """
    size = drive.shape[1]
    period = period[:, None]
    whole = np.rint(period).astype(np.int64)
    turn = np.maximum((period * WRAP).astype(np.int64), 1)
    at = place - np.rint(np.floor(place / period) * period).astype(np.int64)
    share = np.clip((at - whole + turn + 1) / (turn + 1), 0, 1).astype(np.float32)
    newest = _picked(drive, np.minimum(size - whole + at, size - 1))
    older = _picked(drive, np.where(share > 0, size - 2 * whole + at, 0))
    faded: F32 = newest + share * (older - newest)
    return faded


def _picked(values: F32, columns: I64) -> F32:
    """float32[n, K]: of each row of float32[n, N] those columns."""
    first = np.arange(0, values.size, values.shape[1])
    return values.reshape(-1).take(columns + first[:, None])
