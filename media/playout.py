"""Play-out of one plane: packets in by timestamp, an unbroken block out at every tick, as late as it must be.

Three scales of samples. A *stamp* counts the sender's samples. A *position* counts those of a slot's ring:
stamp + shift. The *clock* counts ticks. Play-out's transit, clock - play + shift, is compared with the
packets' own (media.delay): when it is above the target by more than a little, blocks are made from more sound
than they last, and from less when it is below (media.stretch). Where packets are missing the block is
concealed (media.plc), and what was made up is put into the ring, so that what lies before `play` is always
what was heard, as far as it was not stretched. When nothing newer has come either, the packets are late
rather than lost: the shift grows by what was made up, so that they are played whole when they come; if the
next one shows that some were lost, it shrinks by as much. The delay that a wait added is drained by
stretching. After a wait that has faded, or in a rest of the sender (DTX), sound begins with the target's
delay at once. A slot whose next block is there and whose delay is right costs one gather and no decision.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media import stretch
from media.clock import TICK
from media.columns import F32, F64, I16, I64, Bool, Column, Columns
from media.delay import BufferSettings, Delays
from media.gaps import Context, Gaps
from media.plc import HISTORY_MS
from media.ring import MISSING, Ring

LONGEST_MS = 60  # of a packet
GUARD = 0.003  # s before a tick in which a packet counts as late: the next one may be
NEVER = 1 << 62  # `end` of a slot without a stream: its zeros are always there
FADED_MS = 100  # after this much made up, where sound goes on is free
PATIENCE = 0.060  # s of packets at impossible places until they are believed
EXCESS_MS = 20  # above the target at which delay is given up, until none is left
HURRY_MS, LONG_MS = 60, 5000  # so much to be made up, or for so long: then speech is stretched, too
LIKENESS = 0.75  # of a period, from which it may be
PAUSE_MS = 40  # from a stretch of speech to the next
RETRY_MS, TAPE_MS = 40, 500  # until sound that cannot be stretched is tried again; where taps alone listen
QUIET = 0.06  # level, of that of speech, below which sound is stretched at will
LOUDER = 1.5  # the same, of that of the background
SPEECH = 1500.0  # level of speech before any has been heard
CALM = 0.98  # what is left of that level after a block
STRETCHES = 32  # slots a tick that may be stretched at most: the others can wait
REVIEWS, ROUND = 4, 4  # a slot's target is reviewed in one of so many rounds, a round every so many ticks
KNOWN_MS = 40  # of sound after a block that is shown to the concealer
STOPPED_MS = 1000  # after this much made up, it is noise alone


class Playout(Columns):
    """play: position of the next sample. end: after the newest. whole: from there to `end` all is there.

    move: samples that play-out should come closer (> 0) or stay back; since: clock at which that was wanted;
    again: from which it may be tried. dry: samples made up since the newest packet's end; held: of those, in
    `shift`. noise: 1 where there is to be noise when dry. mending: 1 after a block that was concealed.
    refused: since when packets were at impossible places. loud: level of speech. taped: 1 where taps alone
    listen. bent: samples beyond its own that the block at the clock `bent_at` was made from. For reports:
    late (packets), concealed outside rests, accelerated, expanded (samples), resets.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "play": Column(np.int64),
        "clock": Column(np.int64),
        "end": Column(np.int64, NEVER),
        "whole": Column(np.int64),
        "move": Column(np.int64),
        "shift": Column(np.int64),
        "dry": Column(np.int64),
        "noise": Column(np.int64),
        "held": Column(np.int64),
        "mending": Column(np.int64),
        "again": Column(np.int64),
        "since": Column(np.int64),
        "refused": Column(np.float64, np.inf),
        "loud": Column(np.float64, SPEECH),
        "taped": Column(np.int64),
        "bent": Column(np.int64),
        "bent_at": Column(np.int64),
        "late": Column(np.int64),
        "concealed": Column(np.int64),
        "accelerated": Column(np.int64),
        "expanded": Column(np.int64),
        "resets": Column(np.int64),
    }
    play: I64
    clock: I64
    end: I64
    whole: I64
    move: I64
    shift: I64
    dry: I64
    noise: I64
    held: I64
    mending: I64
    again: I64
    since: I64
    refused: F64
    loud: F64
    taped: I64
    bent: I64
    bent_at: I64
    late: I64
    concealed: I64
    accelerated: I64
    expanded: I64
    resets: I64

    def __init__(
        self,
        rate: int,
        slots: int = 64,
        settings: BufferSettings | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        """rate: 8000 or 16000 Hz."""
        self.rate = rate
        settings = settings or BufferSettings()
        self.span = rate // 50  # samples of a block
        longest = LONGEST_MS * rate // 1000
        needed = settings.max_ms * rate // 1000 + 4 * longest
        self._history = HISTORY_MS * rate // 1000
        self._known = KNOWN_MS * rate // 1000
        self._reach = stretch.reach(rate)
        self._ahead = max((settings.max_ms + 2 * LONGEST_MS) * rate // 1000, 2 * self.span)
        self.ring = Ring(slots, 1 << (needed + self._history - 1).bit_length(), longest)
        self.delays = Delays(slots, rate, settings)
        self.gaps = Gaps(slots, rate, rng or np.random.default_rng(rate))
        self._ticked, self._ticks = np.inf, 0
        self._surprised: list[I64] = []
        super().__init__(slots)

    def grow(self, rows: int) -> None:
        """Enlarge to `rows` slots, keeping what is there."""
        super().grow(rows)
        for columns in (self.ring, self.delays, self.gaps.concealer, self.gaps.comfort):
            if columns.rows != rows:
                columns.grow(rows)

    def clear(self, row: int) -> None:
        """Make the slot as unused ones are: silence."""
        super().clear(row)
        for columns in (self.ring, self.delays, self.gaps.concealer, self.gaps.comfort):
            columns.clear(row)

    # --- packets in -------------------------------------------------------------------------------

    def begin(self, slots: I64, stamps: I64, times: F64 | float, steady: Bool | None = None) -> None:
        """A stream begins, with packets of these stamps and times: what was there is forgotten, its sound
        fades. steady: those that come so evenly that none need be waited for.
        """
        if not len(slots):
            return
        calm = None if steady is None else steady & (times - self._ticked <= TICK - GUARD)
        start = self.delays.starts(len(slots), calm)
        play, clock = self.play[slots], self.clock[slots]
        sounding = self.end[slots] < NEVER
        wait = np.where(sounding, np.maximum(start, self.span), start)
        for which, value in ((sounding, MISSING), (~sounding, 0)):
            self.ring.fill(slots[which], play[which], (play + wait)[which], value)
        self.delays.begin(slots, clock - stamps, start)
        self.end[slots] = self.whole[slots] = play + wait
        self.whole[slots[~sounding]] = play[~sounding]
        self.shift[slots] = play + wait - stamps
        for column in (self.move, self.dry, self.noise, self.held):
            column[slots] = 0
        self.refused[slots] = np.inf

    def observe(self, slots: I64, stamps: I64, times: F64 | float) -> None:
        """Packets came: note how late. Those of impossible stamps say nothing about the network."""
        transit = self.clock[slots] - stamps
        passed = np.broadcast_to(times - self._ticked, slots.shape)
        within = np.where((passed >= 0) & (passed < TICK), passed, TICK)
        near = np.where(passed > TICK - GUARD, self.span, 0)  # the next one may be too late for its tick
        after = np.rint(within * self.rate).astype(np.int64) - near
        lead = self.shift[slots] - self.play[slots] + stamps
        sane = (lead <= self._ahead) & (lead >= -2 * self.rate)
        transit += near
        if not sane.all():
            slots, transit, after = slots[sane], transit[sane], after[sane]
        if len(late := self.delays.observe(slots, transit, after)):
            self._surprised.append(late)

    def write(self, slots: I64, stamps: I64, samples: I16, newest: Bool, now: float) -> None:
        """Sound of packets, all of one length up to 60 ms. newest: ahead of all before it in its stream.

        samples: int16[n, L]. What comes after its turn is counted as late.
        """
        at = stamps + self.shift[slots]
        plain = at == self.end[slots]
        plain &= at - self.play[slots] <= self._ahead
        plain &= (self.dry[slots] | self.noise[slots]) == 0
        if not plain.all():
            odd = ~plain
            self._place(slots[odd], stamps[odd], samples[odd], newest[odd], now)
            slots, at, samples = slots[plain], at[plain], samples[plain]
        if len(slots):
            self.ring.put(slots, at, samples)
            self.end[slots] = at + samples.shape[1]

    def _place(self, slots: I64, stamps: I64, samples: I16, newest: Bool, now: float) -> None:
        """Packets that do not simply follow."""
        length = samples.shape[1]
        self._aim(slots, stamps, newest)
        at = stamps + self.shift[slots]
        lead = at - self.play[slots]
        fits = (lead <= self._ahead) & (lead > -length) & (self.end[slots] < NEVER)
        if not fits.all():
            again = self._refuse(slots, stamps, newest, lead, fits, now)
            if again.any():
                self.begin(slots[again], stamps[again], now)
                self.resets[slots[again]] += 1
                at = stamps + self.shift[slots]
                fits |= again
            slots, at, samples, newest = slots[fits], at[fits], samples[fits], newest[fits]
        end = self.end[slots]
        gap = at > end
        if gap.any():
            self.ring.fill(slots[gap], end[gap], at[gap], MISSING)
            self.whole[slots[gap]] = at[gap]
        self.ring.put(slots, at, samples)
        self.end[slots] = np.maximum(end, at + length)
        fresh = slots[newest]
        for column in (self.held, self.dry, self.noise):
            column[fresh] = 0
        self.refused[fresh] = np.inf

    def _aim(self, slots: I64, stamps: I64, newest: Bool) -> None:
        """Move the shift of slots that had run dry to where the newest packet should be played."""
        some = newest & (self.dry[slots] > 0)
        slots, stamps = slots[some], stamps[some]
        if not len(slots):
            return
        dry, shift, clock = self.dry[slots], self.shift[slots], self.clock[slots]
        lost = np.clip(stamps + shift - self.end[slots], 0, self.held[slots])
        free = (dry >= FADED_MS * self.rate // 1000) | (self.noise[slots] > 0)
        transit = np.maximum(self.delays.target[slots], clock - stamps)
        transit = np.minimum(transit, self.delays.ceiling(slots))
        self.shift[slots] = np.where(free, transit - clock + self.play[slots], shift - lost)

    def _refuse(self, slots: I64, stamps: I64, newest: Bool, lead: I64, fits: Bool, now: float) -> Bool:
        """Count what is late; which streams to begin anew, as their newest packets keep on not fitting."""
        self.late[slots[~fits & (lead < 0)]] += 1
        strange = ~fits & newest & (self.end[slots] < NEVER)
        since = np.minimum(self.refused[slots], now)
        self.refused[slots[strange]] = since[strange]
        again: Bool = strange & (now - since >= PATIENCE)
        return again

    def rest(self, slots: I64, level: F32, reflection: F32 | None = None) -> None:
        """The senders said that nothing will come for a while (RFC 3389, DTX): noise until it does.

        level: of the noise, dBov. reflection: its colour, float32[n, up to 8]; None: white.
        """
        self.gaps.comfort.describe(slots, level, reflection)
        self.noise[slots] = 1

    # --- blocks out -------------------------------------------------------------------------------

    def behind(self, slots: I64) -> I64:
        """Samples that the next read will need beyond those that are there."""
        missing: I64 = np.maximum(self.play[slots] + self.span - self.end[slots], 0)
        return missing

    def read(self, slots: I64, skipped: int, now: float) -> tuple[I16, Bool]:
        """The block to play now, int16[n, block], and whether anything of it came from packets.

        skipped: ticks before this one in which nothing was read.
        """
        span = self.span
        play = self.play[slots] + span * skipped
        self.clock[slots] += span * (skipped + 1)
        after, end = play + span, self.end[slots]
        self.play[slots] = after
        sound = self.ring.get(slots, play, span)
        real = end < NEVER
        odd = (after > end) | (play < self.whole[slots]) | (self.move[slots] != 0)
        if odd.any():
            which = odd.nonzero()[0]
            sound[which], real[which] = self._mend(slots[which], play[which], sound[which])
        self._ticked, self._ticks = now, self._ticks + 1
        if self._ticks % ROUND == 0:
            turn = ((slots + self._ticks // ROUND) % REVIEWS == 0).nonzero()[0]
            self._surprised.append(slots[turn])
            heard = turn[~odd[turn]]
            self.gaps.concealer.listen(slots[heard], sound[heard])
        if self._surprised:
            self._review()
        return sound, real

    def _mend(self, slots: I64, play: I64, sound: I16) -> tuple[I16, Bool]:
        """Blocks that miss something, come after such, or are to be longer or shorter."""
        left = self.end[slots] - play
        there = (sound != MISSING) & (np.arange(self.span) < left[:, None])
        full = there.all(axis=1)
        mending = ~full | (self.mending[slots] != 0)
        if mending.any():
            which = mending.nonzero()[0]
            sound[which] = self._conceal(slots[which], play[which], sound[which], there[which])
        ready = ~mending & (self.move[slots] != 0) & (self.clock[slots] >= self.again[slots])
        if ready.any():
            which = ready.nonzero()[0][:STRETCHES]
            sound[which] = self._stretch(slots[which], play[which], sound[which])
        real: Bool = there.any(axis=1) & (left > 0)
        return sound, real

    def _conceal(self, slots: I64, play: I64, sound: I16, there: Bool) -> I16:
        """Fill what is missing, and wait for what is late."""
        end = self.end[slots]
        behind = end < play
        if behind.any():  # ticks were skipped: nothing was played there
            self.ring.fill(slots[behind], end[behind], play[behind], 0)
        sound[~there] = 0
        dry, ahead = self.dry[slots], play + self.span
        stopped = slots[(dry >= STOPPED_MS * self.rate // 1000) & (self.noise[slots] == 0)]
        if len(stopped):
            self.rest(stopped, self.gaps.background(stopped))
        past = self.ring.get(slots, play - self._history, self._history)
        future = self.ring.get(slots, ahead, self._known)
        known = (future != MISSING) & (np.arange(self._known) < (end - ahead)[:, None])
        resting = (self.noise[slots] > 0) & ~there[:, -1]
        self.gaps.fill(slots, Context(past, there, future, known), sound, resting, dry)
        self.ring.put(slots, play, sound)
        short = np.clip(play + self.span - end, 0, self.span)
        transit = self.clock[slots] - self.play[slots] + self.shift[slots]
        waits = (self.noise[slots] == 0) & (transit + short <= self.delays.ceiling(slots))
        held = np.where(waits, short, 0)
        self.shift[slots] += held
        self.held[slots] += held
        self.dry[slots] += short
        self.end[slots] = np.maximum(end, play + self.span)
        self.concealed[slots] += np.where(self.noise[slots] > 0, 0, (~there).sum(axis=1))
        mending = ~there.all(axis=1) | self.gaps.concealer.concealing(slots)
        self.mending[slots] = mending
        self.whole[slots] = np.maximum(self.whole[slots], play + np.where(mending, 2 * self.span, 0))
        return sound

    def _stretch(self, slots: I64, play: I64, sound: I16) -> I16:
        """Make blocks from more or less sound where it will not be heard."""
        reach, span = self._reach, self.span
        move = self.move[slots]
        room = np.minimum(move, np.maximum(self.end[slots] - play - span, 0))
        around = self.ring.get(slots, play - reach, 2 * reach + span)
        found = stretch.match(around, room, self.rate)
        loud = np.maximum(self.loud[slots] * CALM, found.level)
        self.loud[slots] = loud
        quiet = found.level < np.maximum(QUIET * loud, LOUDER * self.gaps.concealer.noise(slots))
        hurried = np.abs(move) >= HURRY_MS * self.rate // 1000
        retry = np.where(self.taped[slots], TAPE_MS, RETRY_MS) * self.rate // 1000
        self.again[slots] = self.clock[slots] + retry
        hurried |= self.clock[slots] - self.since[slots] >= LONG_MS * self.rate // 1000
        done = (found.lag != 0) & (quiet | (hurried & (found.likeness >= LIKENESS)))
        if not done.any():
            return sound
        slots, lag = slots[done], found.lag[done]
        sound[done] = stretch.splice(around[done], lag, found.likeness[done], span, self.rate)
        self.play[slots] += lag
        self.bent[slots], self.bent_at[slots] = lag, self.clock[slots]
        rest = move[done] - lag
        self.move[slots] = np.where(rest * move[done] > 0, rest, 0)
        self.again[slots] = self.clock[slots] + np.where(quiet[done], 0, PAUSE_MS) * self.rate // 1000
        self.accelerated[slots] += np.maximum(lag, 0)
        self.expanded[slots] += np.maximum(-lag, 0)
        return sound

    def _review(self) -> None:
        """Compare play-out with its target, of some slots in turn and of those that were surprised."""
        rows = self._surprised[0] if len(self._surprised) == 1 else np.unique(np.concatenate(self._surprised))
        self._surprised.clear()
        rows = rows[self.end[rows] < NEVER]
        if not len(rows):
            return
        self.delays.review(rows)
        transit = self.clock[rows] - self.play[rows] + self.shift[rows]
        target = self.delays.target[rows]
        excess = transit - np.maximum(target, self.delays.recent(rows))
        excess[excess < EXCESS_MS * self.rate // 1000] = 0
        move = np.where(transit < target, transit - target, excess)
        self.since[rows] = np.where(self.move[rows] * move > 0, self.since[rows], self.clock[rows])
        self.move[rows] = move

    def live(self, slots: I64) -> None:
        """Leave out what is in the buffer: the next block begins where the newest packet ends."""
        slots = slots[self.end[slots] < NEVER]
        self.play[slots] = np.maximum(self.play[slots], self.end[slots])
        self.whole[slots] = self.play[slots]

    # --- reports ----------------------------------------------------------------------------------

    def depth_ms(self, slots: I64) -> F64:
        """Sound in the buffer when a block is taken out, of a packet that the network did not delay."""
        transit = self.clock[slots] - self.play[slots] + self.shift[slots]
        depth: F64 = (transit - self.delays.base(slots) + self.span) * 1000.0 / self.rate
        return depth

    def waited_ms(self, slots: I64) -> F64:
        """From when such a packet arrived to its begin in the newest block; without what may only be lost."""
        transit = self.clock[slots] - self.play[slots] + self.shift[slots] - self.held[slots]
        transit += np.where(self.bent_at[slots] == self.clock[slots], self.bent[slots], 0)
        waited: F64 = (transit - self.delays.first(slots) + self.span) * 1000.0 / self.rate
        return waited
