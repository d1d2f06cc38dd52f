"""Noise suppression: short-time spectra of all rows at once, each bin turned down by how much of it is noise.

Two windows of 20 ms a block, overlapping by half, so that sound is 10 ms late. The noise's power is tracked
bin by bin by the probability that speech is there (Gerkmann and Hendriks, "Unbiased MMSE-based noise power
estimation with low complexity and low tracking delay", 2012); the gain is that of the log-spectral amplitude
(Ephraim and Malah, 1985), by table, over an a-priori ratio that the decision-directed rule smooths, which is
what keeps musical noise away, and never below FLOOR, so that the room stays the same room.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy import fft, special

from media.columns import F32, I16, I64, Column, Columns

AT_ONCE = 128  # rows worked on together: as many as stay in the cache
FLOOR = np.float32(0.2)  # -14 dB
PRIOR = np.float32(31.6)  # 15 dB: how far speech stands out where it is there, for its probability
PRESENT = np.float32(0.9)  # share of the noise estimate that stays from one window to the next
HOLD = np.float32(0.9)  # smoothing of the probability, whose long certainty is doubted
STUCK = np.float32(0.99)
DIRECTED = np.float32(0.95)  # share of the a-priori ratio that comes from the window before
LEAST = np.float32(0.0032)  # a-priori ratio, -25 dB
START = 5  # windows from which the noise is first guessed
INAUDIBLE = np.float32(100.0)  # power of noise, in squared samples, that may stay: -70 dBov
FAINT = np.float32(1e-3)  # power below which nothing is noise or speech

RATIO_DB = np.arange(-30, 40.5, 0.5)  # of the table of gains, for both ratios
_AT, _STEPS = np.float32(-RATIO_DB[0] * 2), len(RATIO_DB)


def _gains() -> F32:
    """Log-spectral-amplitude gain, flat [a-priori, a-posteriori], by half decibels."""
    prior = 10 ** (RATIO_DB / 10)[:, None]
    share = prior / (1 + prior)
    v = np.maximum(share * 10 ** (RATIO_DB / 10)[None, :], 1e-8)
    gain: F32 = np.minimum(share * np.exp(0.5 * special.exp1(v)), 1.0).astype(np.float32)
    return gain.reshape(-1)


_GAIN = _gains()


class Suppressor(Columns):
    """Noise suppression of each row, at one rate.

    before: the half window that the next one begins with. late: the half that the last one left. noise,
    clean: power by bin of the noise, and of what the last window let through. sure: smoothed probability of
    speech. windows: seen so far, up to START.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "before": Column(np.float32, 0, 80),
        "late": Column(np.float32, 0, 80),
        "noise": Column(np.float32, 0, 81),
        "clean": Column(np.float32, 0, 81),
        "sure": Column(np.float32, 0.5, 81),
        "windows": Column(np.int64),
    }
    before: F32
    late: F32
    noise: F32
    clean: F32
    sure: F32
    windows: I64

    def __init__(self, rows: int, rate: int) -> None:
        self.half = half = rate // 100
        self._window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)).astype(np.float32)
        wide = half + 1
        super().__init__(rows, before=half, late=half, noise=wide, clean=wide, sure=wide)

    def suppress(self, rows: I64, blocks: I16) -> I16:
        """Blocks int16[n, rate / 50] with less noise, 10 ms late."""
        out = np.empty_like(blocks)
        for at in range(0, len(rows), AT_ONCE):
            part = slice(at, at + AT_ONCE)
            out[part] = self._suppress(rows[part], blocks[part])
        return out

    def _suppress(self, rows: I64, blocks: I16) -> I16:
        count, half = len(rows), self.half
        sound = np.concatenate([self.before[rows], blocks], axis=1, dtype=np.float32)
        self.before[rows] = sound[:, -half:]
        frames = np.empty((2, count, 2 * half), np.float32)
        np.multiply(sound[:, : 2 * half], self._window, out=frames[0])
        np.multiply(sound[:, half:], self._window, out=frames[1])
        spectra = fft.rfft(frames, axis=2)
        power = spectra.real**2
        power += spectra.imag**2
        power += FAINT
        spectra[0] *= self._gain(rows, power[0])
        spectra[1] *= self._gain(rows, power[1])
        frames = fft.irfft(spectra, 2 * half, axis=2)
        frames *= self._window
        made = np.empty((count, 2 * half), np.float32)
        np.add(self.late[rows], frames[0, :, :half], out=made[:, :half])
        np.add(frames[0, :, half:], frames[1, :, :half], out=made[:, half:])
        self.late[rows] = frames[1, :, half:]
        heard: I16 = np.clip(np.rint(made, out=made), -32767, 32767).astype(np.int16)
        return heard

    def _gain(self, rows: I64, power: F32) -> F32:
        """Gain by bin, float32[n, bins], of windows whose power spectra these are."""
        noise = self._track(rows, power)
        post = power / noise
        prior = self.clean[rows] / noise
        prior *= DIRECTED
        prior += (1 - DIRECTED) * np.maximum(post - 1, 0)
        np.maximum(prior, LEAST, out=prior)
        gain: F32 = _GAIN.take(_step(prior) * _STEPS + _step(post))
        self.clean[rows] = gain * gain * power
        floor = np.sqrt(INAUDIBLE * self.half / power)
        np.maximum(gain, np.clip(floor, FLOOR, 1), out=gain)
        return gain

    def _track(self, rows: I64, power: F32) -> F32:
        """The noise's power by bin after this window."""
        noise: F32 = self.noise[rows]
        seen = self.windows[rows]
        if (seen < START).any():
            young = np.flatnonzero(seen < START)
            share = (1 / (seen[young] + 1)).astype(np.float32)[:, None]
            noise[young] += share * (power[young] - noise[young])
            self.windows[rows[young]] += 1
        post = power / noise
        odds = np.exp(np.minimum(post * (PRIOR / (1 + PRIOR)), 60))
        chance = odds / (odds + (1 + PRIOR))
        sure = self.sure[rows]
        sure *= HOLD
        sure += (1 - HOLD) * chance
        self.sure[rows] = sure
        np.minimum(chance, STUCK, out=chance, where=sure > STUCK)
        guess = power + chance * (noise - power)
        noise = np.maximum(guess + PRESENT * (noise - guess), FAINT)
        self.noise[rows] = noise
        return noise


def _step(ratio: F32) -> I64:
    """Place of a ratio in the table of gains."""
    place = np.log10(ratio)
    place *= 20
    place += _AT + np.float32(0.5)
    return np.clip(place, 0, _STEPS - 1).astype(np.intp)
