"""Music on hold, composed here: a quiet minute of pad, harp and bell that closes on itself.

Everything is laid on a ring: notes that ring past the end sound on at the beginning, the room and the filters
are circular convolutions. So the loop has no seam, and every build of it has the same samples. Original work,
under the project's licence: no fee and no permission is due for playing it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.voice import F64, I16, to_int16

RATE = 8_000  # enough for what a telephone carries
BEAT_S = 0.9375  # 64 beats a minute: sixteen bars of four make sixty seconds exactly
SIZE = int(64 * BEAT_S * RATE)
LEVEL_DBFS = -24.0
BAND_HZ = (250.0, 330.0, 3250.0, 3500.0)  # silent below, full from, full to, silent above

# Two bars a chord, as MIDI notes from the bass up: C△9 Am9 F△9 G6/9 Em7 Am9 Dm9 G9sus4, which leads home.
CHORDS = (
    (48, 55, 59, 62, 64),
    (45, 55, 59, 60, 64),
    (41, 57, 60, 64, 67),
    (43, 57, 59, 62, 64),
    (40, 55, 59, 62, 67),
    (45, 57, 60, 64, 71),
    (50, 57, 60, 64, 65),
    (43, 57, 60, 62, 65),
)
# The harp's way through the upper four notes of a chord, an eighth each; 4 and up are an octave higher.
FIGURE = (0, 1, 2, 3, 4, 3, 2, 1, 0, 2, 1, 3, 5, 3, 4, 2)
# The bell: (beat, note), sparse enough to be forgotten while one listens for an agent.
BELL = (
    (2, 76), (5, 79), (9, 76), (12, 74), (17, 72), (20, 76), (26, 71), (29, 74),
    (34, 79), (37, 79), (41, 76), (45, 72), (50, 77), (53, 76), (58, 74), (61, 72),
)  # fmt: skip


def hertz(note: float) -> float:
    """Frequency of a MIDI note."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def tone(note: float, seconds: float, partials: tuple[float, ...], decay_s: float = 0.0) -> F64:
    """A note as a sum of partials; with `decay_s`, each fades and the higher ones sooner."""
    t = np.arange(int(seconds * RATE)) / RATE
    turn = np.exp(2j * np.pi * hertz(note) * t)
    wave, partial = np.zeros(len(t)), np.ones(len(t), complex)
    for number, strength in enumerate(partials, 1):
        if hertz(note) * number > BAND_HZ[-1]:
            break
        partial *= turn
        fade = np.exp(-t * number**0.5 / decay_s) if decay_s else 1.0
        wave += strength * fade * partial.imag
    return wave


def lay(ring: F64, start_s: float, sound: F64) -> None:
    """Add `sound` to the ring from `start_s` on; what reaches past the end goes on at the beginning."""
    first = int(start_s * RATE)
    fits = min(len(sound), len(ring) - first)
    ring[first : first + fits] += sound[:fits]
    ring[: len(sound) - fits] += sound[fits:]


def pad(ring: F64) -> None:
    """Each chord swells in and fades under the next, three slightly detuned voices a note."""
    length = 8 * BEAT_S
    swell = np.sin(np.linspace(0, np.pi / 2, int(1.6 * RATE))) ** 2
    for place, chord in enumerate(CHORDS):
        for note in chord:
            for detune in (-0.06, 0.0, 0.05):
                voice = tone(note + detune, length + 1.6, (1.0, 0.45, 0.3, 0.16, 0.1, 0.05))
                voice[: len(swell)] *= swell
                voice[-len(swell) :] *= swell[::-1]
                lay(ring, place * length, 0.05 * voice)


def harp(ring: F64) -> None:
    """Broken chords in eighths, the first of a bar a little stronger."""
    for place, chord in enumerate(CHORDS):
        upper = chord[1:]
        for eighth, step in enumerate(FIGURE):
            note = upper[step % 4] + 12 * (step // 4)
            strength = 0.30 if eighth % 8 == 0 else 0.2 + 0.03 * (eighth % 3)
            pluck = strength * tone(note, 2.4, (1.0, 0.5, 0.25, 0.12), decay_s=0.55)
            pluck[:24] *= np.linspace(0, 1, 24)
            lay(ring, (place * 8 + eighth / 2) * BEAT_S, pluck)


def bell(ring: F64) -> None:
    """A few soft high notes."""
    for beat, note in BELL:
        struck = 0.22 * tone(note, 4.0, (1.0, 0.12, 0.2), decay_s=1.1)
        struck[:48] *= np.linspace(0, 1, 48)
        lay(ring, beat * BEAT_S, struck)


def room(ring: F64) -> F64:
    """A soft hall: circular convolution with two seconds of fading noise, always the same noise."""
    noise = np.random.default_rng(1835).standard_normal(2 * RATE)
    echo = np.zeros(len(ring))
    echo[: len(noise)] = noise * np.exp(-np.arange(len(noise)) / RATE / 0.5)
    wet = np.fft.irfft(np.fft.rfft(ring) * np.fft.rfft(echo), len(ring))
    return ring + 0.3 * wet * (np.std(ring) / np.std(wet))


def band(ring: F64) -> F64:
    """Only what a telephone carries, with raised-cosine edges."""
    low_stop, low, high, high_stop = BAND_HZ
    frequency = np.fft.rfftfreq(len(ring), 1 / RATE)
    rising = np.clip((frequency - low_stop) / (low - low_stop), 0, 1)
    falling = np.clip((high_stop - frequency) / (high_stop - high), 0, 1)
    mask = np.sin(np.pi / 2 * rising) ** 2 * np.sin(np.pi / 2 * falling) ** 2
    banded: F64 = np.fft.irfft(np.fft.rfft(ring) * mask, len(ring))
    return banded


@cache
def _composed() -> F64:
    ring = np.zeros(SIZE)
    pad(ring)
    harp(ring)
    bell(ring)
    music = band(room(ring))
    levelled: F64 = music * 10 ** (LEVEL_DBFS / 20) / np.sqrt(np.mean(music**2))
    return levelled


def hold_music(rate: int) -> I16:
    """The loop at 8000 or 16000 Hz: int16[60 * rate], -24 dBFS; its last sample leads into its first."""
    music = _composed()
    if rate != RATE:
        # On a ring, a higher rate is the same spectrum with silence above it.
        size = len(music) * rate // RATE
        music = np.fft.irfft(np.fft.rfft(music), size) * (size / len(music))
    return to_int16(music)
