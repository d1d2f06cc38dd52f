"""Levels: measured, brought slowly to one loudness, kept from clipping; and clipping that was there before.

dBov is the level under that of a full-scale square wave (RFC 6465 section 3): 0 dBov is a root mean square of
32768. Gain follows speech alone and slowly, so that pauses are not pumped up; what would clip is turned down
within the block that has it and let up again over 200 ms.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media.columns import F32, I16, I64, Bool, Column, Columns

TEN = np.float32(10.0)
SILENCE = np.float32(-96.0)  # dBov, of no sound at all
TARGET = np.float32(-26.0)  # dBov of active speech, which ITU-T P.800 listens at
NEAR = np.float32(2.0)  # dB around the target that are left alone
MOST_UP, MOST_DOWN = np.float32(15.0), np.float32(-12.0)  # dB of gain
UP, DOWN = np.float32(0.08), np.float32(0.16)  # dB a block of speech: 4 and 8 dB a second
ATTACK, RELEASE = np.float32(0.12), np.float32(0.02)  # share of the way that the level of speech follows
PIECES = 8  # of a block, each with a gain of its own where the limiter works
CEILING = np.float32(29204.0)  # -1 dB of full scale
LET_UP = np.float32(10 ** (0.5 / 20))  # growth of the limiter's gain a block

LOUD = 31000  # samples from which on a run of them is a wave that was cut off: mu-law ends at 32124
RUN = 3  # such samples in a row


def measure(blocks: I16) -> F32:
    """Level of each block int16[n, L] in dBov, float32[n]."""
    sound = blocks.astype(np.float32)
    power = np.einsum("ij,ij->i", sound, sound) / np.float32(blocks.shape[1])
    level: F32 = 10 * np.log10(np.maximum(power, np.float32(2.7e-1))) - np.float32(90.309)
    return np.maximum(level, SILENCE)


def clipped(blocks: I16) -> F32:
    """Share of each block's samples, 0..1, that stand in runs of RUN or more at the end of the scale."""
    loud = np.abs(blocks.astype(np.int32)) >= LOUD
    if not loud.any():
        return np.zeros(len(blocks), np.float32)
    runs = loud[:, : -(RUN - 1)].copy()
    for step in range(1, RUN):
        runs &= loud[:, step : loud.shape[1] - RUN + 1 + step]
    inside = np.zeros_like(loud)
    for step in range(RUN):
        inside[:, step : step + runs.shape[1]] |= runs
    share: F32 = inside.mean(axis=1, dtype=np.float32)
    return share


class Leveller(Columns):
    """Gain of each row.

    speech: level of active speech in dBov, as followed. gain: in dB, towards the target. limit: what the
    limiter multiplies by now. applied: factor at the end of the last block.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "heard": Column(np.bool_),
        "speech": Column(np.float32, TARGET),
        "gain": Column(np.float32),
        "limit": Column(np.float32, 1),
        "applied": Column(np.float32, 1),
    }
    heard: Bool
    speech: F32
    gain: F32
    limit: F32
    applied: F32

    def normalise(self, rows: I64, blocks: I16, speaking: Bool) -> I16:
        """Blocks int16[n, L] nearer to TARGET. speaking: bool[n], whose level counts."""
        self._follow(rows, measure(blocks), speaking)
        wanted = np.power(TEN, self.gain[rows] / 20)
        sound = blocks.astype(np.float32)
        peak = np.maximum(np.abs(sound).max(axis=1), 1)
        limit = np.minimum(self.limit[rows] * LET_UP, 1)
        before = self.applied[rows]
        over = peak * np.maximum(wanted * limit, before) > CEILING
        self.limit[rows] = limit
        after = wanted * limit
        sound *= before[:, None] + (after - before)[:, None] * _ramp(blocks.shape[1])
        self.applied[rows] = after
        if over.any():
            these = np.flatnonzero(over)
            sound[these] = self._limit(rows[these], blocks[these], before[these], wanted[these])
        return np.clip(np.rint(sound, out=sound), -32767, 32767).astype(np.int16)

    def _follow(self, rows: I64, level: F32, speaking: Bool) -> None:
        """Let level and gain follow where there is speech."""
        here = np.flatnonzero(speaking)
        if not len(here):
            return
        rows, level = rows[here], level[here]
        first = ~self.heard[rows]
        self.heard[rows] = True
        speech = np.where(first, level, self.speech[rows])
        speech += np.where(level > speech, ATTACK, RELEASE) * (level - speech)
        self.speech[rows] = speech
        missing = np.clip(TARGET - speech, MOST_DOWN, MOST_UP) - self.gain[rows]
        step = np.clip(missing, -DOWN, UP)
        self.gain[rows] += np.where(np.abs(missing) > NEAR, step, 0)

    def _limit(self, rows: I64, blocks: I16, before: F32, wanted: F32) -> F32:
        """Blocks that would clip, with straight lines of gains that keep them below CEILING."""
        count, length = blocks.shape
        piece = length // PIECES
        sound = blocks.astype(np.float32)
        peaks = np.maximum(np.abs(sound).reshape(count, PIECES, piece).max(axis=2), 1)
        top = np.minimum(CEILING / peaks, (wanted * self.limit[rows])[:, None])
        gains = np.empty((count, PIECES + 1), np.float32)
        gains[:, 1:-1] = np.minimum(top[:, :-1], top[:, 1:])
        gains[:, 0] = np.minimum(before, top[:, 0])
        gains[:, -1] = top[:, -1]
        ramp = (np.arange(piece, dtype=np.float32) + 1) / piece
        lines = gains[:, :-1, None] + (gains[:, 1:] - gains[:, :-1])[:, :, None] * ramp
        self.applied[rows] = gains[:, -1]
        self.limit[rows] = np.minimum(gains.min(axis=1) / wanted, 1)
        made: F32 = sound * lines.reshape(count, length)
        return made


def _ramp(length: int) -> F32:
    return np.arange(1, length + 1, dtype=np.float32) / np.float32(length)
