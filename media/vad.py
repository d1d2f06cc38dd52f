"""Voice activity, a verdict a block: power over a tracked noise floor, and whether what stands out is voiced.

Each block is looked at in channels: single bins of 31.25 Hz to 1 kHz, where the harmonics of a voice lie,
and bands above. The floor of a channel is the least that it has held for 1.6 s (Martin, "Noise power spectral
density estimation based on optimal smoothing and minimum statistics", 2001), so that steady noise, hum and
tones become floor while speech, which pauses in every channel, does not. What stands out is measured by the
likelihood ratio of speech being there (Sohn, Kim and Sung, "A statistical model-based voice activity
detection", 1999) and by its periodicity at the pitches of voices.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy import fft

from media.columns import F32, I16, I64, Bool, Column, Columns

AT_ONCE = 96  # rows worked on together: they stay in the cache, and BLAS starts no threads for them
WINDOW_MS = 30  # the block and a little of the one before
BIN_HZ = 31.25
LOWEST, SINGLES, HIGHEST = 3, 32, 116  # bins: 94 Hz, 1 kHz, 3.6 kHz
BAND = 12  # bins of a band above 1 kHz
BANDS = (HIGHEST - SINGLES) // BAND
VOICE = SINGLES - LOWEST  # channels that are single bins
CHANNELS = VOICE + BANDS
SPAN, SPANS = 10, 8  # blocks of a sub-window, and how many of them the floor is the least of
SMOOTH = np.float32(0.7)  # of a channel's power, before its least is taken
BIAS = np.array([3.0] * VOICE + [1.7] * BANDS, np.float32)  # how much the least lies below the mean of noise
QUIET = np.float32(10.0)  # power of a channel, in squared samples, below which nothing is speech
MOST = np.float32(6.0)  # a channel's say, so that one tone cannot outvote the rest
WEIGHT = np.array([0.5 / VOICE] * VOICE + [0.5 / BANDS] * BANDS, np.float32)
LAGS = np.arange(20, 101)  # of 8 kHz samples: pitches from 80 to 400 Hz

ENTER, STAY = np.float32(0.85), np.float32(0.4)  # score at which speech begins, and down to which it goes on
VOICED = np.float32(4.0)  # what periodicity adds to the score, for each unit above PLAIN
PLAIN = np.float32(0.36)  # periodicity that noise has as well
RISE, FALL = (
    np.float32(0.008),
    np.float32(0.03),
)  # steps of the usual score: its quantile at RISE / (RISE + FALL)
ABOVE = np.float32(1.6)  # how far above the usual score speech must stand
USUAL = np.float32(1.5)  # highest usual score that is minded: somebody who speaks all the time
BESIDE = np.float32(22.0)  # dB below the talker's level from which on it is somebody else, or the room
CATCH, FADE = np.float32(0.3), np.float32(0.02)  # how the talker's level follows: share up, dB a block down
CERTAIN = np.float32(0.55)  # periodicity that noise hardly ever has
SINCE = 12  # blocks after a voiced one for which what stands out is a voice, not a noise that began
BEGIN = 2  # blocks in a row that make an onset
HANG_SHORT, HANG_LONG = 5, 12  # blocks that speech goes on after a short and after a long stretch
LONG = 8  # blocks of a long stretch


def _periodicity_table() -> F32:
    """float32[VOICE, lags]: power of the low bins to their autocorrelation, the window's own taken out."""
    bins = np.arange(LOWEST, SINGLES)[:, None]
    lag = LAGS[None, :] / 8000
    window = np.hanning(241)[:240]
    own = np.array([np.dot(window[each:], window[: 240 - each]) for each in LAGS]) / np.dot(window, window)
    table: F32 = (np.cos(2 * np.pi * BIN_HZ * bins * lag) / np.sqrt(own)).astype(np.float32)
    return table


_PERIODICITY = _periodicity_table()


class Vad(Columns):
    """Voice activity of each row.

    before: the end of the block before. smooth, least, floors: power of the channels, smoothed, its least in
    the sub-window that goes on, and in those before; floor: the least of these. turn: blocks seen. score: of
    the newest block; usual: its usual value. talker: level in dB of who speaks. voice: the newest block is
    speech; spoken: so many in a row are. unvoiced: blocks since a voiced one; sure: there is speech, with a
    voiced block among the last. hang: blocks that speech still goes on; speaking: it does.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "before": Column(np.int16, 0, 80),
        "smooth": Column(np.float32, 0, CHANNELS),
        "least": Column(np.float32, np.inf, CHANNELS),
        "floors": Column(np.float32, np.inf, CHANNELS * SPANS),
        "floor": Column(np.float32, 0, CHANNELS),
        "turn": Column(np.int64),
        "spoken": Column(np.int64),
        "hang": Column(np.int64),
        "score": Column(np.float32),
        "usual": Column(np.float32),
        "talker": Column(np.float32),
        "unvoiced": Column(np.int64, 1000),
        "voice": Column(np.bool_),
        "sure": Column(np.bool_),
        "speaking": Column(np.bool_),
    }
    before: I16
    smooth: F32
    least: F32
    floors: F32
    floor: F32
    turn: I64
    spoken: I64
    hang: I64
    score: F32
    usual: F32
    talker: F32
    unvoiced: I64
    voice: Bool
    sure: Bool
    speaking: Bool

    def __init__(self, rows: int, rate: int) -> None:
        self.rate = rate
        self._size = rate // 125 * 4  # of the transform: bins of BIN_HZ
        length = rate * WINDOW_MS // 1000
        window = np.hanning(length + 1)[:length]
        self._window = (window / np.sqrt(np.dot(window, window))).astype(np.float32)
        super().__init__(rows, before=rate // 100)

    def look(self, rows: I64, blocks: I16) -> Bool:
        """Whether there is speech: bool[n], for blocks int16[n, rate / 50]; with hangover."""
        if len(rows) <= AT_ONCE:
            return self._look(rows, blocks)
        parts = range(0, len(rows), AT_ONCE)
        return np.concatenate(
            [self._look(rows[at : at + AT_ONCE], blocks[at : at + AT_ONCE]) for at in parts]
        )

    def _look(self, rows: I64, blocks: I16) -> Bool:
        sounds = blocks.any(axis=1)  # digital silence says nothing about the noise that will come
        if not sounds.all():
            speaking = np.zeros(len(rows), np.bool_)
            quiet = rows[~sounds]
            self.voice[quiet] = self.speaking[quiet] = self.sure[quiet] = False
            self.hang[quiet] = self.spoken[quiet] = 0
            if sounds.any():
                speaking[sounds] = self._look(rows[sounds], blocks[sounds])
            return speaking
        power = self._power(rows, blocks)
        channels = np.empty((len(rows), CHANNELS), np.float32)
        channels[:, :VOICE] = power[:, LOWEST:SINGLES]
        bands = power[:, SINGLES : SINGLES + BANDS * BAND].reshape(len(rows), BANDS, BAND)
        np.mean(bands, axis=2, out=channels[:, VOICE:])
        floor = self._track(rows, channels)
        ratio: F32 = np.divide(channels, np.maximum(floor, QUIET))
        score = np.minimum(_likelihood(ratio), MOST) @ WEIGHT
        periodic = _periodic(channels[:, :VOICE], floor[:, :VOICE])
        score += VOICED * np.maximum(periodic - PLAIN, 0)
        self.score[rows] = score
        self.unvoiced[rows] = np.where(periodic > CERTAIN, 0, self.unvoiced[rows] + 1)
        level = 10 * np.log10(channels @ WEIGHT + 1)
        return self._decide(rows, score, level)

    def _power(self, rows: I64, blocks: I16) -> F32:
        """Power spectrum float32[n, bins], in squared samples."""
        early = self.before[rows]
        self.before[rows] = blocks[:, -early.shape[1] :]
        sound = np.concatenate([early, blocks], axis=1) * self._window
        spectrum = fft.rfft(sound, self._size, axis=1)[:, :HIGHEST]
        power: F32 = spectrum.real**2 + spectrum.imag**2
        return power

    def _track(self, rows: I64, channels: F32) -> F32:
        """The channels' noise floor, float32[n, CHANNELS]."""
        young = self.turn[rows] == 0
        smooth = self.smooth[rows]
        smooth += (1 - SMOOTH) * (channels - smooth)
        if young.any():
            smooth[young] = channels[young]
        self.smooth[rows] = smooth
        least = np.minimum(self.least[rows], smooth)
        turn = self.turn[rows] + 1
        over = np.flatnonzero(turn % SPAN == 0)
        if len(over):
            ended = rows[over]
            floors = self.floors[ended].reshape(-1, SPANS, CHANNELS)
            floors[np.arange(len(over)), turn[over] // SPAN % SPANS] = least[over]
            self.floors[ended] = floors.reshape(-1, SPANS * CHANNELS)
            self.floor[ended] = floors.min(axis=1)
            least[over] = smooth[over]
        self.turn[rows] = turn
        self.least[rows] = least
        first = self.turn[rows] < SPAN
        floor = np.minimum(np.where(first[:, None], np.float32(np.inf), self.floor[rows]), least)
        return floor * BIAS

    def _decide(self, rows: I64, score: F32, level: F32) -> Bool:
        was = self.speaking[rows]
        usual = self.usual[rows]
        limit = np.maximum(np.where(was, STAY, ENTER), np.minimum(usual, USUAL) * ABOVE)
        usual += np.where(score > usual, RISE, -FALL)
        self.usual[rows] = np.maximum(usual, 0)
        talker = self.talker[rows]
        voice = (score > limit) & (level > talker - BESIDE)
        talker += np.where(voice & (level > talker), CATCH * (level - talker), -FADE)
        self.talker[rows] = np.maximum(talker, 0)
        spoken = np.where(voice, self.spoken[rows] + 1, 0)
        hang = self.hang[rows]
        hang = np.where(
            spoken >= BEGIN, np.maximum(hang, np.where(spoken >= LONG, HANG_LONG, HANG_SHORT)), hang - ~voice
        )
        hang = np.maximum(hang, 0)
        self.voice[rows] = voice
        self.sure[rows] = voice & (self.unvoiced[rows] <= SINCE)
        self.spoken[rows] = spoken
        self.hang[rows] = hang
        speaking: Bool = hang > 0
        self.speaking[rows] = speaking
        return speaking


def _likelihood(ratio: F32) -> F32:
    """Logarithm of how much likelier the power is with speech than without, for its best guess of speech."""
    over = np.maximum(ratio, 1)
    return over - 1 - np.log(over)


def _periodic(power: F32, floor: F32) -> F32:
    """How much, 0..1, of power float32[n, VOICE] is above the floor and periodic at the pitches of voices."""
    best = (np.maximum(power - floor, 0) @ _PERIODICITY).max(axis=1)
    share: F32 = np.clip(best / (power.sum(axis=1) + QUIET), 0, 1)
    return share
