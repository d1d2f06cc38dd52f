"""Longer or shorter by a pitch period, unheard: time-scale modification of many slots at once.

A block is made from a little more or a little less sound than it lasts by fading, within it, from the signal
to the same signal a period further on (accelerate) or back (expand): waveform-similarity overlap-add
(Verhelst and Roelands, ICASSP 1993) with one splice a block, as jitter buffers need it (Liang, Färber,
Girod, 2003). The period is where the normalised cross-correlation is highest. The fade's gain is corrected by
that correlation, so that noise loses no power where it is laid over itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.columns import F64, I16, I64

SHORTEST_MS, LONGEST_MS = 2.5, 15.0  # of a period: 400 Hz to 66 Hz
TEMPLATE_MS = 10  # compared
FADE_MS = 5  # from the signal to itself a period on


class Match(NamedTuple):
    """lag: samples to go on (> 0) or back, 0 where nothing may be tried. likeness: correlation, -1 to 1.

    level: root mean square of the sound around.
    """

    lag: I64
    likeness: F64
    level: F64


def reach(rate: int) -> int:
    """Samples before and after a block that must be at hand."""
    return int(LONGEST_MS * rate / 1000)


def match(sound: I16, room: I64, rate: int) -> Match:
    """The best period of each row, not above what is asked for.

    sound: int16[n, reach + block + reach]. room: samples that the row should be shorter (> 0) or longer.
    """
    step = rate // 8000
    coarse = sound[:, : sound.shape[1] // step * step].reshape(len(sound), -1, step).mean(axis=2)
    lag, likeness, level = _search(coarse, np.sign(room), np.abs(room) // step, 8000)
    if step > 1:
        lag, likeness = _refine(sound, lag * step, room, step, rate)
    return Match(lag, np.where(lag == 0, -1.0, likeness), level)


def _search(sound: F64, sign: I64, room: I64, rate: int) -> tuple[I64, F64, F64]:
    """Every lag of all rows at once, in the direction of `sign`."""
    least, most = int(SHORTEST_MS * rate / 1000), int(LONGEST_MS * rate / 1000)
    size = TEMPLATE_MS * rate // 1000
    template = sound[:, most : most + size]
    ahead = sound[:, most + least : 2 * most + size]
    back = sound[:, : most - least + size]
    around = np.where(sign[:, None] > 0, ahead, back)
    runs = np.lib.stride_tricks.sliding_window_view(around, size, axis=1)
    product = np.einsum("nlw,nw->nl", runs, template)
    energy = np.cumsum(np.pad(around**2, ((0, 0), (1, 0))), axis=1)
    energy = energy[:, size:] - energy[:, :-size]
    own = (template**2).sum(axis=1)
    likeness = product / np.sqrt(energy * own[:, None] + 1.0)
    lags = np.where(sign[:, None] > 0, np.arange(least, most + 1), np.arange(most, least - 1, -1))
    allowed = np.where(lags <= np.where(sign > 0, room, most)[:, None], likeness, -2.0)
    best = np.argmax(allowed, axis=1)
    rows = np.arange(len(sound))
    lag = np.where(allowed[rows, best] > -2.0, lags[rows, best] * sign, 0)
    return lag, likeness[rows, best], np.sqrt((own + energy.mean(axis=1)) / (2 * size))


def _refine(sound: I16, lag: I64, room: I64, step: int, rate: int) -> tuple[I64, F64]:
    """Lags to the sample, around those found at 8 kHz."""
    begin, size = reach(rate), TEMPLATE_MS * rate // 1000
    least, most = int(SHORTEST_MS * rate / 1000), begin
    template = sound[:, begin : begin + size].astype(np.float64)
    own = (template**2).sum(axis=1)
    best, likeness = lag.copy(), np.full(len(lag), -2.0)
    for off in range(-step + 1, step):
        period = np.clip(np.abs(lag) + off, least, np.where(room > 0, np.minimum(room, most), most))
        tried = np.sign(lag) * period
        other = np.take_along_axis(sound, begin + tried[:, None] + np.arange(size), axis=1).astype(np.float64)
        like = (other * template).sum(axis=1) / np.sqrt((other**2).sum(axis=1) * own + 1.0)
        better = like > likeness
        best[better], likeness[better] = tried[better], like[better]
    return best, likeness


def splice(sound: I16, lag: I64, likeness: F64, block: int, rate: int) -> I16:
    """Blocks that end `lag` samples further on (back where it is negative) than they are long.

    sound: int16[n, reach + block + reach]. The sample after a block is sound[reach + block + lag].
    """
    begin, size = reach(rate), FADE_MS * rate // 1000
    index = begin + np.arange(block)
    later: I16 = np.take_along_axis(sound, index + lag[:, None], axis=1)
    there = (np.arange(size) + 0.5) / size
    near, far = 1.0 - there, there
    power = near**2 + far**2 + 2 * near * far * np.clip(likeness, 0.0, 1.0)[:, None]
    mixed = (near * sound[:, begin : begin + size] + far * later[:, :size]) / np.sqrt(power)
    later[:, :size] = np.clip(np.rint(mixed), -32768, 32767)
    return later
