"""The jitter buffer of rendered legs: a ring of decoded samples for each, addressed by RTP timestamp.

A packet of any packet time lands where its timestamp says, so that order, duplicates and 10 or 60 ms make
no difference; the tick reads its block from where the leg's play-out stands and leaves MISSING behind.
Play-out begins `target` samples behind the first packet. When the buffer has run empty and a packet comes
too late, play-out waits for it (more delay); when for 5 s there was always more in it than needed, a block
is left out (less delay).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media.clock import BLOCK
from media.columns import I16, I64, Bool, Column, Columns
from media.rtp import U32, nearer, signed

SIZE = 4096  # samples in a ring, a power of 2 so that timestamps wrap with it
LONGEST = 480  # samples of the longest packet taken, 60 ms
WIDTH = SIZE + LONGEST  # a ring's row: what runs over its end is folded back
AHEAD = SIZE - 2 * LONGEST  # samples that a packet may be ahead of play-out
MISSING = -32768  # no decoder of ours gives it
PATIENCE = 250  # ticks over which the least fill is watched


class Ring(Columns):
    """play: timestamp of the next sample to be played. end: of the sample after the newest. stream: whose
    they are.

    least: smallest fill since `watched` ticks, samples. late: packets that came after their turn.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "samples": Column(np.int16, MISSING, WIDTH),
        "play": Column(np.int64),
        "end": Column(np.int64),
        "stream": Column(np.int64, -1),
        "least": Column(np.int64, SIZE),
        "watched": Column(np.int64),
        "late": Column(np.int64),
    }
    samples: I16
    play: I64
    end: I64
    stream: I64
    least: I64
    watched: I64
    late: I64

    def windows(self, length: int) -> I16:
        """Every run of `length` samples in all rows, as a view: int16[rows * WIDTH - length + 1, length]."""
        flat = self.samples.reshape(-1)
        return np.lib.stride_tricks.as_strided(flat, (len(flat) - length + 1, length), flat.strides * 2)


def write(
    ring: Ring, rows: I64, stream: I64, timestamp: I64, newest: Bool, samples: I16, target: int
) -> None:
    """Put packets of one length into their legs' rings.

    samples: int16[n, L], L <= LONGEST. newest: ahead of all before it in its stream. target: delay to begin
    with, samples.
    """
    length = samples.shape[1]
    begins = ring.stream[rows] != stream
    if begins.any():
        _begin(ring, rows[begins], stream[begins], timestamp[begins], target)
    offset = signed(timestamp - ring.play[rows])
    fits = (offset >= 0) & (offset <= AHEAD)
    if not fits.all():
        fits = _place(ring, rows, timestamp, newest, offset, length, target)
        if not fits.any():
            return
        rows, timestamp, samples = rows[fits], timestamp[fits], samples[fits]
    place = timestamp & SIZE - 1
    ring.windows(length)[rows * WIDTH + place] = samples
    over = place + length - SIZE
    for i in np.flatnonzero(over > 0).tolist():
        ring.samples[rows[i], : over[i]] = ring.samples[rows[i], SIZE : SIZE + over[i]]
    end = timestamp + length
    ring.end[rows] = np.where(signed(end - ring.end[rows]) > 0, end & U32, ring.end[rows])


def _begin(ring: Ring, rows: I64, stream: I64, timestamp: I64, target: int) -> None:
    """Empty the rings and begin play-out `target` samples before the packets at hand."""
    ring.samples[rows] = MISSING
    ring.stream[rows] = stream
    ring.play[rows] = timestamp - target & U32
    ring.end[rows] = timestamp
    ring.least[rows] = SIZE
    ring.watched[rows] = 0


def _place(
    ring: Ring, rows: I64, timestamp: I64, newest: Bool, offset: I64, length: int, target: int
) -> Bool:
    """Which packets to write, after moving play-out for those that came far too early or after their turn."""
    fits = (offset >= 0) & (offset <= AHEAD)
    for i in np.flatnonzero(~fits).tolist():
        row, stamp, here = int(rows[i]), int(timestamp[i]), int(offset[i])
        empty = nearer(int(ring.end[row] - ring.play[row])) <= 0
        if here > AHEAD or (here < -AHEAD and newest[i]):
            one = rows[i : i + 1]
            _begin(ring, one, ring.stream[one], timestamp[i : i + 1], target)
        elif newest[i] and empty:
            ring.play[row] = stamp - target // 2 & U32
            ring.end[row] = stamp
        else:
            ring.late[row] += 1
            continue
        fits[i] = True
    return fits


def read(ring: Ring, rows: I64, target: int, skipped: int = 0) -> tuple[I16, Bool]:
    """The block to play now, int16[n, BLOCK], and which samples of it were there; play-out moves on.

    skipped: ticks before this one in which nothing was read.
    """
    for _ in range(min(skipped, SIZE // BLOCK)):
        _take(ring, rows)
    block = _take(ring, rows)
    fill = signed(ring.end[rows] - ring.play[rows])
    ring.least[rows] = np.minimum(ring.least[rows], fill)
    ring.watched[rows] += 1
    if (ring.watched[rows] >= PATIENCE).any():
        _shorten(ring, rows[ring.watched[rows] >= PATIENCE], target)
    there = block != MISSING
    if not there.all():
        block[~there] = 0
    return block, there


def _take(ring: Ring, rows: I64) -> I16:
    """Cut a block out of each ring."""
    place = ring.play[rows] & SIZE - 1
    over = place + BLOCK - SIZE
    folded = np.flatnonzero(over > 0).tolist()
    for i in folded:
        ring.samples[rows[i], SIZE : SIZE + over[i]] = ring.samples[rows[i], : over[i]]
        ring.samples[rows[i], : over[i]] = MISSING
    start = rows * WIDTH + place
    windows = ring.windows(BLOCK)
    block = windows[start]
    windows[start] = MISSING
    ring.play[rows] = ring.play[rows] + BLOCK & U32
    return block


def _shorten(ring: Ring, rows: I64, target: int) -> None:
    """Leave a block out where there was always more than the target and two blocks in the ring."""
    long = rows[(ring.least[rows] > target + BLOCK) & (ring.least[rows] < SIZE)]
    if len(long):
        _take(ring, long)
    ring.least[rows] = SIZE
    ring.watched[rows] = 0
