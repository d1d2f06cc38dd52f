"""Marks in speech by which it is known again: when it comes back, how late, and how that changes.

A mark is a chirp (a tone that rises or falls through the telephone band); between marks there is speech.
Where marks stand is drawn by lot, so that the whole row of them fits at one delay only, however long that is.
Each is then found by a matched filter: the envelope of its correlation with the chirp peaks within a fraction
of a sample, through G.711, low-rate codecs, noise and loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media.columns import F64, I16, I64

CHIRP_S, EDGE_S = 0.08, 0.008
BAND_HZ = (450.0, 3050.0)
LEVEL = 9000.0  # peak
BREATH_S = 0.04  # around a mark, so that speech and mark do not run into each other
SPEECH_S = (0.9, 1.5)  # between two marks, by lot
ALIKE = 0.35  # correlation of a mark with what a codec and a network left of it
NEAR_SIZE = 0.1  # of what stands in a recording untouched, whatever else is heard meanwhile
BIN_S, WANDER_BINS = 0.01, 12  # how far a jitter buffer may move a mark from where the others say it is


@dataclass(frozen=True, slots=True)
class Marked:
    """sound: int16[n] at `rate` Hz. at: int64[k], where marks begin. rises: bool, of each. speech: (begin,
    end) of what stands between them.
    """

    sound: I16
    rate: int
    at: I64
    rises: tuple[bool, ...]
    speech: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> float:
        return len(self.sound) / self.rate


def marked(speech: I16, rate: int, seconds: float, rng: np.random.Generator) -> Marked:
    """About `seconds` of the speech, over and over where it is too short, with marks all along."""
    breath, chirp = int(BREATH_S * rate), int(CHIRP_S * rate)
    parts: list[I16] = [np.zeros(breath, np.int16)]
    at: list[int] = []
    rises: list[bool] = []
    spans: list[tuple[int, int]] = []
    length, taken = breath, 0
    while True:
        at.append(length)
        rises.append(len(at) % 2 == 1)
        parts += [np.rint(chirp_of(rate, rises[-1]) * LEVEL).astype(np.int16), np.zeros(breath, np.int16)]
        length += chirp + breath
        if length >= seconds * rate:
            return Marked(np.concatenate(parts), rate, np.array(at), tuple(rises), tuple(spans))
        count = int(rng.uniform(*SPEECH_S) * rate)
        said = np.take(speech, np.arange(taken, taken + count), mode="wrap")
        taken += count
        parts += [_faded(said, breath), np.zeros(breath, np.int16)]
        spans.append((length, length + count))
        length += count + breath


def chirp_of(rate: int, rises: bool) -> F64:
    """float64[n], peak 1: a linear chirp through BAND_HZ with soft edges."""
    count = int(CHIRP_S * rate)
    t = np.arange(count) / rate
    low, high = BAND_HZ if rises else BAND_HZ[::-1]
    edge = int(EDGE_S * rate)
    window = np.ones(count)
    window[:edge] = np.sin(np.linspace(0, np.pi / 2, edge)) ** 2
    window[-edge:] = window[:edge][::-1]
    sound: F64 = window * np.sin(2 * np.pi * (low * t + (high - low) / (2 * CHIRP_S) * t**2))
    return sound


def _faded(samples: I16, edge: int) -> I16:
    line = np.linspace(0.0, 1.0, edge)
    shape = np.ones(len(samples))
    shape[:edge], shape[-edge:] = line, line[::-1]
    faded: I16 = np.rint(samples * shape).astype(np.int16)
    return faded


def find(sent: Marked, received: I16, longest_s: float = 3.0) -> F64:
    """How late each mark is in `received`, whose first sample was heard when the first of `sent` was said.

    received: int16[m] at the same rate. Returns float64[k], seconds; NaN for a mark that is not there.
    """
    late = np.full(len(sent.at), np.nan)
    curves = {rises: likeness(received, chirp_of(sent.rate, rises)) for rises in set(sent.rises)}
    bins = {rises: _binned(curve, sent.rate) for rises, curve in curves.items()}
    lag = _common(sent, bins, int(longest_s / BIN_S))
    size, reach = int(BIN_S * sent.rate), (WANDER_BINS + 1) * int(BIN_S * sent.rate)
    for number, (at, rises) in enumerate(zip(sent.at.tolist(), sent.rises)):
        begin = max(at + lag * size - reach, 0)
        window = curves[rises][begin : at + lag * size + reach]
        if len(window) and window.max() >= ALIKE:
            late[number] = (begin + _peak(window) - at) / sent.rate
    return late


def likeness(samples: I16, chirp: F64) -> F64:
    """float64[m]: how much what begins at each sample is like the chirp, 0 to 1, at any level and phase."""
    count = len(chirp)
    if len(samples) < count:
        return np.zeros(0)
    size = 1 << (len(samples) + count - 1).bit_length()
    spectrum = np.fft.fft(samples.astype(np.float64), size) * np.conj(np.fft.fft(chirp, size))
    spectrum[size // 2 + 1 :] = 0.0  # the analytic signal: its size is the envelope
    match = 2.0 * np.abs(np.fft.ifft(spectrum))[: len(samples) - count + 1]
    energy = np.cumsum(np.concatenate(([0.0], samples.astype(np.float64) ** 2)))
    local = energy[count:] - energy[:-count]
    quiet = count * 16.0  # under that nothing is like anything
    found: F64 = match / np.sqrt(np.maximum(local, quiet) * np.sum(chirp**2))
    return found


def _binned(curve: F64, rate: int) -> F64:
    """The largest in each bin and in those up to WANDER_BINS around it."""
    size = int(BIN_S * rate)
    count = -(-len(curve) // size)
    padded = np.pad(curve, (0, count * size - len(curve))).reshape(count, size)
    bins: F64 = padded.max(axis=1, initial=0.0)
    spread = bins.copy()
    for step in range(1, WANDER_BINS + 1):
        spread[step:] = np.maximum(spread[step:], bins[:-step] if step < count else 0.0)
        spread[:-step] = np.maximum(spread[:-step], bins[step:] if step < count else 0.0)
    spread += 0.5 * bins  # the middle of the wandering before its edges
    return spread


def _common(sent: Marked, bins: dict[bool, F64], longest: int) -> int:
    """The delay, in bins, at which most marks are where they should be."""
    total = np.zeros(longest + 1)
    size = int(BIN_S * sent.rate)
    for at, rises in zip(sent.at.tolist(), sent.rises):
        seen = bins[rises][at // size : at // size + longest + 1]
        total[: len(seen)] += seen
    return int(np.argmax(total))


def _peak(window: F64) -> float:
    """Where the envelope is highest, between samples (a parabola through the three highest)."""
    top = int(np.argmax(window))
    if not 0 < top < len(window) - 1:
        return float(top)
    before, at, after = window[top - 1 : top + 2].tolist()
    bend = before - 2 * at + after
    return top if bend == 0 else top + 0.5 * (before - after) / bend


def part(sent: Marked, recording: I16) -> tuple[int, I16] | None:
    """Take what was sent out of a recording of both directions, in which it stands untouched.

    Returns where it began and what is left from there on, int16[m]; None when it is not in there. What comes
    back is later than what was sent: the first that has its size is it.
    """
    curve = likeness(recording, chirp_of(sent.rate, sent.rises[0]))
    said = sent.sound.astype(np.float64)
    for place in _tops(curve, np.flatnonzero(curve >= ALIKE)):
        near = range(max(place - int(sent.at[0]) - 2, 0), place - int(sent.at[0]) + 3)
        size, begin = max(((_size(said, recording[at:]), at) for at in near), default=(0.0, 0))
        if abs(size - 1.0) < NEAR_SIZE:
            rest = recording[begin:].astype(np.int32)
            span = min(len(rest), len(said))
            rest[:span] -= sent.sound[:span]
            return begin, np.clip(rest, -32768, 32767).astype(np.int16)
    return None


def _size(said: F64, heard: I16) -> float:
    """How much of what was said is in what was heard: 1 for all of it."""
    span = min(len(said), len(heard))
    power = float(said[:span] @ said[:span])
    return float(heard[:span].astype(np.float64) @ said[:span]) / power if power else 0.0


def _tops(curve: F64, candidates: I64) -> Sequence[int]:
    """The summits of the curve, the earliest first."""
    if not len(candidates):
        return ()
    groups = np.split(candidates, np.flatnonzero(np.diff(candidates) > 8) + 1)
    return [int(group[np.argmax(curve[group])]) for group in groups]
