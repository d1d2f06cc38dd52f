"""How well speech came through, by comparing what came with what was sent: a score of 1 to 5 called `bark`.

Both sounds are cut into frames of 32 ms, and each frame into bands of the ear (Bark; Schroeder, Atal and
Hall, 1979). Power in a band becomes loudness (Zwicker and Fastl, 1999) over the threshold of hearing
(Terhardt, 1979). What differs in loudness, beyond what louder sound nearby hides, is the disturbance, as in
the Bark Spectral Distortion of Wang, Sekey and Gersho (1992) and its successors; what was added counts apart,
for it is heard more than what is missing. Short disturbances count more than long ones of the same sum.
Level, and a filter that does not change, are taken out before: they are not what a line does to
understanding.

The score is a logistic function of both, fitted to PESQ (ITU-T P.862.1) over speech that went through codecs,
losses, noise, clipping and filters (benchmarks/fidelity_fit.py says how closely). It is neither PESQ nor
POLQA, and it does not judge delay. docs/adr/0035 says why there is a measure of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media.columns import F64, I16, Bool

NAME = "bark"
RATE = 8000
FRAME, HOP = 256, 128
LOW_BARK, HIGH_BARK, BANDS = 2.0, 16.5, 18  # 200 to 3400 Hz
SPEECH_DB = 79.0  # what active speech is taken to sound like, dB SPL (ITU-T P.862)
ACTIVE_DB = -35.0  # frames that far under the loudest are pauses
GROUP = 20  # frames whose worst speak for all, 320 ms
MOST_FILTER_DB = 20.0  # that is taken out
HIDDEN = 0.25  # of the quieter loudness, differences that are not heard
# Fitted, the exponent of a logistic function: OFFSET + SYMMETRIC * disturbance + ADDED * added
OFFSET, SYMMETRIC, ADDED = -0.05, 0.18, 0.19
BEST = 4.5

PIECE_S, WANDER_S = 0.24, 0.1
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Fidelity:
    """mos: 1 (bad) to 4.5 (as it was sent). disturbance, added: mean loudness in sone, of all that differs
    and of what was added. missing: share of the speech of which nothing came. gain_db: level of what came
    over what was sent.
    """

    mos: float
    disturbance: float
    added: float
    missing: float
    gain_db: float


def compare(sent: I16, came: I16) -> Fidelity | None:
    """sent, came: int16[n] of 8 kHz, in step. None where nothing was said, or nothing came at all."""
    said, got = _powers(sent), _powers(came)
    loud = said.sum(axis=1)
    active: Bool = loud > loud.max(initial=0.0) * 10 ** (ACTIVE_DB / 10)
    if not len(loud) or loud.max() <= 1.0 or got[active].sum() <= 1.0:
        return None
    missing = float(np.mean(got[active].sum(axis=1) < 1e-4 * loud[active]))
    gain = got[active].sum() / loud[active].sum()
    said, got = _filtered(said, got / gain, active), got / gain
    scale = 10 ** (SPEECH_DB / 10) / said[active].sum(axis=1).mean()
    disturbance, added = _disturbance(_loudness(said * scale), _loudness(got * scale), active)
    return Fidelity(
        mos=round(score(disturbance, added), 3),
        disturbance=round(disturbance, 4),
        added=round(added, 4),
        missing=round(missing, 4),
        gain_db=round(10 * float(np.log10(gain)), 2),
    )


def score(disturbance: float, added: float) -> float:
    """1 to BEST."""
    exponent = min(OFFSET + SYMMETRIC * disturbance + ADDED * added, 50.0)
    return float(1 + (BEST - 1) * (1 + np.exp(OFFSET)) / (1 + np.exp(exponent)))


def _powers(samples: I16) -> F64:
    """float64[frames, BANDS]: power by band."""
    frames = 1 + max(len(samples) - FRAME, -1) // HOP
    if frames <= 0:
        return np.zeros((0, BANDS))
    at = np.arange(FRAME)[None, :] + HOP * np.arange(frames)[:, None]
    spectra = np.fft.rfft(samples[at] * np.hanning(FRAME))
    power: F64 = (spectra.real**2 + spectra.imag**2) @ _SHARES
    return power


def _shares() -> F64:
    """float64[bins, BANDS]: how much of each bin's power is of each band; neighbours overlap in a line."""
    bark = 7.0 * np.arcsinh(np.fft.rfftfreq(FRAME, 1 / RATE) / 650.0)
    centres = np.linspace(LOW_BARK, HIGH_BARK, BANDS)
    width = centres[1] - centres[0]
    shares: F64 = np.clip(1.0 - np.abs(bark[:, None] - centres[None, :]) / width, 0.0, None)
    return shares


def _threshold() -> F64:
    """float64[BANDS]: power that is just heard."""
    kilohertz = 650.0 * np.sinh(np.linspace(LOW_BARK, HIGH_BARK, BANDS) / 7.0) / 1000.0
    decibels = 3.64 * kilohertz**-0.8 - 6.5 * np.exp(-0.6 * (kilohertz - 3.3) ** 2) + 1e-3 * kilohertz**4
    found: F64 = 10 ** (decibels / 10)
    return found


_SHARES, _THRESHOLD = _shares(), _threshold()


def _filtered(said: F64, got: F64, active: Bool) -> F64:
    """What was said, through the filter that what came went through."""
    most = 10 ** (MOST_FILTER_DB / 10)
    ratio = (got[active].mean(axis=0) + 1e-9) / (said[active].mean(axis=0) + 1e-9)
    through: F64 = said * np.clip(ratio, 1 / most, most)
    return through


def _loudness(power: F64) -> F64:
    """float64[frames, BANDS], sone in each band."""
    above = np.maximum((0.5 + 0.5 * power / _THRESHOLD) ** 0.23 - 1.0, 0.0)
    found: F64 = (_THRESHOLD / 0.5) ** 0.23 * above
    return found


def _disturbance(said: F64, got: F64, active: Bool) -> tuple[float, float]:
    """All that differs, and what was added."""
    apart = got - said
    heard = np.sign(apart) * np.maximum(np.abs(apart) - HIDDEN * np.minimum(said, got), 0.0)
    whole = np.sqrt(np.mean(heard**2, axis=1))
    more = np.sqrt(np.mean(np.maximum(heard, 0.0) ** 2, axis=1))
    near = (
        np.convolve(active, np.ones(9), "same") > 0
    )  # noise in short rests counts, in long ones it is quiet
    return _worst(whole[near]), _worst(more[near])


def _worst(frames: F64) -> float:
    """One number of many frames: power means, in groups and over them."""
    count = -(-len(frames) // GROUP)
    padded = np.resize(frames, count * GROUP).reshape(count, GROUP)
    return float(np.sqrt(np.mean(np.mean(padded**6, axis=1) ** (1 / 3))))


def in_step(sent: I16, came: I16, spans: Sequence[tuple[int, int]], late: Sequence[float]) -> tuple[I16, I16]:
    """What was sent in `spans` (samples), and what came of it, each as one sound in step with the other.

    came: int16[m] at 8 kHz, whose first sample was heard when the first of `sent` was said. late: of each
    span, seconds, about; a jitter buffer moves what it plays by up to WANDER_S, and each PIECE_S is looked
    for.
    """
    size, reach = int(PIECE_S * RATE), int(WANDER_S * RATE)
    padded = np.concatenate((np.zeros(reach, np.int16), came, np.zeros(reach + size + RATE * 4, np.int16)))
    said, got = [np.zeros(0, np.int16)], [np.zeros(0, np.int16)]
    for (begin, end), delay in zip(spans, late):
        shift = round(delay * RATE)
        for start in range(begin, end, size):
            piece = sent[start : min(start + size, end)]
            near = padded[max(start + shift, 0) :][: len(piece) + 2 * reach]
            if len(near) < len(piece) + 2 * reach:
                break
            moved = _moved(piece, near, reach)
            said.append(piece)
            got.append(near[moved : moved + len(piece)])
    return np.concatenate(said), np.concatenate(got)


def _moved(piece: I16, near: I16, middle: int) -> int:
    """Where in `near` the piece is most alike; `middle` where nothing there is like it."""
    said, got = piece.astype(np.float64), near.astype(np.float64)
    match = np.correlate(got, said, "valid")
    energy = np.cumsum(np.concatenate(([0.0], got**2)))
    local = energy[len(said) :] - energy[: -len(said)]
    curve = match / np.sqrt(np.maximum(local, 1e3) * max(float(np.sum(said**2)), 1e3))
    curve -= 1e-3 * np.abs(np.arange(len(curve)) - middle) / max(middle, 1)
    best = int(np.argmax(curve))
    return best if curve[best] >= ALIKE else middle
