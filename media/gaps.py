"""What fills the gaps of play-out: a voice that goes on, or noise where nobody speaks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.columns import F32, I16, I64, Bool
from media.comfort import QUIETEST, ComfortNoise
from media.plc import Concealer


class Context(NamedTuple):
    """What is known around blocks int16[n, B]: what was heard before, int16[n, HISTORY_MS]; which samples of
    the block are there; what follows, and which samples of that are there.
    """

    past: I16
    there: Bool
    future: I16
    known: Bool


class Gaps:
    """Both ways of filling, with one state a slot each."""

    def __init__(self, slots: int, rate: int, rng: np.random.Generator) -> None:
        self.concealer = Concealer(slots, rate)
        self.comfort = ComfortNoise(slots, rate, rng)

    def background(self, slots: I64) -> F32:
        """Level of what is heard when nobody speaks, dBov."""
        noise = np.maximum(self.concealer.noise(slots) / np.float32(32768), np.float32(1e-9))
        level: F32 = np.maximum(20 * np.log10(noise), np.float32(-QUIETEST))
        return level

    def fill(self, slots: I64, context: Context, sound: I16, resting: Bool, dry: I64) -> None:
        """Fill in place what is not there of blocks `sound`, int16[n, B].

        resting: of which nothing more will come for a while: noise, into which the first block is faded.
        dry: samples made up since the newest packet's end.
        """
        span = sound.shape[1]
        faded = resting & (dry >= span)
        silent, voices = np.flatnonzero(faded), np.flatnonzero(~faded)
        if len(silent):
            noise = self.comfort.make(slots[silent])
            sound[silent] = np.where(context.there[silent], sound[silent], noise)
            self.concealer.lost[slots[silent]] = 0
        if len(voices):
            past, future, block = context.past[voices], context.future[voices], sound[voices]
            there, known = context.there[voices], context.known[voices]
            self.concealer.fill(slots[voices], past, block, there, future, known)
            sound[voices] = block
        fading = np.flatnonzero(resting & ~faded)
        if len(fading):
            noise = self.comfort.make(slots[fading])
            share = np.cumsum(~context.there[fading], axis=1) / span
            sound[fading] += (share * (noise.astype(np.float64) - sound[fading])).astype(np.int16)
