"""How something is said, against how the same person spoke before: pitch, loudness and pace of utterances.

All legs at once, a block at a time while they speak. Pitch is the strongest lag of the autocorrelation
between those of 60 and 400 Hz; pace is counted in syllables, peaks of loudness with dips on both sides (de
Jong and Wempe, "Praat script to detect syllable nuclei and measure speech rate automatically", 2009). What an
utterance was is told in the speaker's own deviations: nobody is angry for having a high voice.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from media.columns import F64, I16, I64, Bool, Column, Columns

RATE = 8000  # at which pitch is looked for
BLOCK_S = 0.020
LAGS = np.arange(20, 134)  # of that rate: 400 to 60 Hz
VOICED = 0.5  # periodicity from which on a block has a pitch
DIP_DB = 3.0  # on both sides of a syllable
FLOOR_DB = 20.0  # of a sample's mean square: below it nobody speaks
LEAST_S = 0.6  # of an utterance that tells something
USUAL = 3  # utterances before anything is unusual
MEMORY = 12.0  # utterances that the usual is the mean of
SPREAD = np.array([1.5, 3.0, 0.8])  # semitones, dB, syllables a second: what nobody's usual spread is below
MOST = 4.0  # deviations that are told at most


class Voice(NamedTuple):
    """An utterance. pitch_hz: geometric mean, 0 where it had none; level_db: of its sound, a sample being 0
    dB; pace: syllables a second. higher, louder, faster: in deviations of the speaker's own, 0 while those
    are not known.
    """

    seconds: float
    pitch_hz: float
    level_db: float
    pace: float
    higher: float
    louder: float
    faster: float

    @property
    def strain(self) -> float:
        """How far it is from how they speak, 0 to 1: loud and high count, pace less."""
        above = 0.4 * max(0.0, self.higher) + 0.4 * max(0.0, self.louder) + 0.2 * max(0.0, self.faster)
        return math.tanh(max(0.0, above - 0.5))


class Prosody(Columns):
    """A row a leg. tail: the block before, at RATE. blocks: of this utterance; pitched: those with a pitch;
    octaves: sum of their log2 Hz; power: sum of mean squares. level: smoothed, dB; low, high: its least since
    the last peak and its most since the last dip; rises: it goes up now; syllables: peaks. said: utterances;
    usual, spread: of pitch, loudness and pace, mean and mean square deviation.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "tail": Column(np.int16, 0, 160),
        "blocks": Column(np.int64),
        "pitched": Column(np.int64),
        "syllables": Column(np.int64),
        "said": Column(np.int64),
        "octaves": Column(np.float64),
        "power": Column(np.float64),
        "level": Column(np.float64, FLOOR_DB),
        "low": Column(np.float64, np.inf),
        "high": Column(np.float64, -np.inf),
        "rises": Column(np.bool_),
        "usual": Column(np.float64, np.nan, 3),
        "spread": Column(np.float64, 0, 3),
    }
    tail: I16
    blocks: I64
    pitched: I64
    syllables: I64
    said: I64
    octaves: F64
    power: F64
    level: F64
    low: F64
    high: F64
    rises: Bool
    usual: F64
    spread: F64

    def hear(self, rows: I64, blocks: I16, rate: int) -> None:
        """Blocks of 20 ms of legs that speak: int16[n, rate / 50], rate 8 or 16 kHz."""
        if not len(rows):
            return
        sound = blocks if rate == RATE else blocks.reshape(len(rows), -1, rate // RATE).mean(axis=2)
        sound = sound.astype(np.int16)
        power = np.square(sound.astype(np.float64)).mean(axis=1)
        hz = pitch(np.concatenate([self.tail[rows], sound], axis=1))
        self.tail[rows] = sound
        voiced = hz > 0
        self.blocks[rows] += 1
        self.power[rows] += power
        self.pitched[rows] += voiced
        self.octaves[rows] += np.log2(np.where(voiced, hz, 1.0))
        self._count(rows, 10.0 * np.log10(power + 1.0))

    def end(self, row: int) -> Voice | None:
        """The utterance is over; None where it was too short to tell anything."""
        seconds = float(self.blocks[row]) * BLOCK_S
        voice = self._voice(row, seconds) if seconds >= LEAST_S and self.pitched[row] else None
        self.blocks[row] = self.pitched[row] = self.syllables[row] = 0
        self.octaves[row] = self.power[row] = 0.0
        self.tail[row] = 0
        self.level[row], self.low[row], self.high[row] = FLOOR_DB, np.inf, -np.inf
        self.rises[row] = False
        return voice

    def _count(self, rows: I64, level: F64) -> None:
        """Syllables: a rise and a fall of DIP_DB each."""
        level = 0.5 * self.level[rows] + 0.5 * level
        rises, low, high = self.rises[rows], self.low[rows], self.high[rows]
        low, high = np.minimum(low, level), np.maximum(high, level)
        peak = rises & (high - level >= DIP_DB)
        dip = ~rises & (level - low >= DIP_DB)
        self.syllables[rows] += peak
        self.rises[rows] = (rises | dip) & ~peak
        self.low[rows] = np.where(peak, level, low)
        self.high[rows] = np.where(dip, level, high)
        self.level[rows] = level

    def _voice(self, row: int, seconds: float) -> Voice:
        octaves = float(self.octaves[row] / self.pitched[row])
        level = 10.0 * math.log10(float(self.power[row] / self.blocks[row]) + 1.0)
        pace = float(self.syllables[row]) / seconds
        now = np.array([12.0 * octaves, level, pace])
        away = self._away(row, now)
        return Voice(seconds, 2.0**octaves, level, pace, *(float(each) for each in away))

    def _away(self, row: int, now: F64) -> F64:
        """Deviations from the usual, which then learns; little from what is far from it."""
        said = int(self.said[row])
        self.said[row] += 1
        if said == 0:
            self.usual[row] = now
            return np.zeros(3)
        deviation = np.maximum(np.sqrt(self.spread[row]), SPREAD)
        step = now - self.usual[row]
        away: F64 = np.clip(step / deviation, -MOST, MOST)
        share = 1.0 / min(said + 1.0, MEMORY) / (1.0 + np.square(away) * (said >= USUAL))
        self.usual[row] += share * step
        self.spread[row] += share * (np.square(step) - self.spread[row])
        return away if said >= USUAL else np.zeros(3)


def pitch(windows: I16) -> F64:
    """Hz of each window of 40 ms at RATE, int16[n, 320]; 0 where there is none."""
    sound = windows.astype(np.float32)
    sound -= sound.mean(axis=1, keepdims=True)
    size = 2 * windows.shape[1]
    spectrum = fft.rfft(sound, size, axis=1)
    own: NDArray[np.float32] = fft.irfft(np.square(np.abs(spectrum)), size, axis=1)
    energy = own[:, :1]
    whole = windows.shape[1] / (windows.shape[1] - LAGS)  # the overlap shrinks with the lag
    likeness = own[:, LAGS] * whole / np.maximum(energy, 1.0)
    best = likeness.max(axis=1)
    # The shortest lag that does nearly as well: multiples of a period are periods, too.
    place = np.argmax(likeness >= 0.9 * best[:, None], axis=1)
    last = len(LAGS) - 1
    while True:
        after = np.minimum(place + 1, last)
        rises = likeness[np.arange(len(place)), after] > likeness[np.arange(len(place)), place]
        if not rises.any():
            break
        place = np.where(rises, after, place)
    loud = energy[:, 0] / windows.shape[1] > 10.0 ** (FLOOR_DB / 10.0)
    found: F64 = np.where((best >= VOICED) & loud, RATE / LAGS[place], 0.0)
    return found
