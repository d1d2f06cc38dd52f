"""What benchmarks of sound share: speech to send, packets to lose, and how well the rest is heard.

Speech is any folder of WAV files: the one given, else the one named by ISOGLOSS_SPEECH, else `shared/speech`
beside the checkout, else sentences spoken by espeak-ng. Loss is seeded. Scores are PESQ (ITU-T P.862, narrow
band mapped by P.862.1 at 8 kHz, P.862.2 at 16 kHz) and STOI (Taal et al., 2011), both of whole passages.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import warnings
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from media.columns import I16, Bool
from media.resample import resample

ROOT = Path(__file__).resolve().parents[1]
LEVEL_DB = -26.0  # of full scale, where speech is active: what ITU-T P.800 plays to listeners
PAUSE = 0.3  # s between clips of a passage
STEP, AROUND = 0.1, 0.15  # s whose lateness is looked for, and of sound around them that is looked at, too
FORM_HZ = (200, 1000)  # where that is
NEAR = 2  # steps, from where the course of lateness changes to where it really did
FAINT = 1e-3  # power, of that of what was said, from which something can be it: filters ring on in silence
LOUD = 0.7  # steps not louder than so many others count less
CHANGE = 0.5  # of likeness that another lateness has to bring, over all that follow
MEAN_BURST = 3.0  # packets lost in a row, on average, where loss comes in bursts
SENTENCES = (
    ("en", "Your parcel has left the depot this morning and will be with you before noon tomorrow."),
    ("de", "Ihre Bestellung ist unterwegs, und der Fahrer ruft Sie eine Stunde vorher an."),
    ("es", "Su pedido está en camino y llegará mañana por la mañana, entre las nueve y las once."),
    ("fr", "Votre colis est parti ce matin, et le livreur vous appellera une heure avant."),
    ("it", "Il suo pacco è partito questa mattina e arriverà domani prima di mezzogiorno."),
    ("pt", "A sua encomenda saiu esta manhã e chega amanhã antes do meio dia."),
)


@dataclass(frozen=True)
class Passage:
    """samples: at `rate` Hz, clips of one talker group one after the other with pauses between."""

    name: str
    rate: int
    samples: I16


def folder_of_speech(chosen: str | Path | None = None) -> Path | None:
    """Where recorded speech is: what was chosen, or found; None when there is none."""
    for place in (chosen, os.environ.get("ISOGLOSS_SPEECH"), ROOT.parent / "shared" / "speech"):
        if place and next(Path(place).rglob("*.wav"), None):
            return Path(place)
    if chosen:
        raise FileNotFoundError(f"no WAV files in {chosen}")
    return None


def passages(
    rate: int,
    *,
    seconds: float | None = None,
    length: float = 8.0,
    folder: str | Path | None = None,
    seed: int = 1,
) -> list[Passage]:
    """Passages of at least `length` s at `rate` Hz, `seconds` in all (everything when None).

    Clips are taken in a seeded order, folder by folder in turn, so that a short sample has every language.
    """
    with tempfile.TemporaryDirectory() as spoken:
        source = folder_of_speech(folder) or _speak(Path(spoken))
        made: list[Passage] = []
        have = 0.0
        for group in _grouped(source, length, random.Random(seed)):
            if seconds is not None and have >= seconds:
                break
            pause = np.zeros(int(PAUSE * rate), np.float32)
            sound = np.concatenate([part for clip in group for part in (pause, load(clip, rate))] + [pause])
            name = "+".join(clip.stem for clip in group)
            made.append(Passage(name, rate, np.clip(np.rint(sound), -32768, 32767).astype(np.int16)))
            have += len(sound) / rate
    return made


def _grouped(source: Path, length: float, rng: random.Random) -> list[list[Path]]:
    """Clips of one folder gathered to `length` s, the folders in turn."""
    by_folder: dict[Path, list[list[Path]]] = {}
    for folder in sorted({path.parent for path in source.rglob("*.wav")}):
        clips = sorted(folder.glob("*.wav"))
        rng.shuffle(clips)
        groups: list[list[Path]] = [[]]
        have = 0.0
        for clip in clips:
            if have >= length:
                groups.append([])
                have = 0.0
            groups[-1].append(clip)
            have += _seconds(clip) + PAUSE
        by_folder[folder] = groups
    rounds = max(map(len, by_folder.values()))
    return [groups[i] for i in range(rounds) for groups in by_folder.values() if i < len(groups)]


def _seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


def load(path: Path, rate: int) -> NDArray[np.float32]:
    """A clip at the rate and at LEVEL_DB."""
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: not 16 bits a sample")
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        own = file.getframerate()
    sound = resample(data.astype(np.float32).mean(axis=1), own, rate)
    return sound * np.float32(10 ** (LEVEL_DB / 20) * 32768 / max(active_level(sound, rate), 1.0))


def active_level(sound: NDArray[np.float32], rate: int) -> float:
    """Root mean square where somebody speaks: of 20 ms frames within 20 dB of the loudest tenth."""
    frame = rate // 50
    power = (sound[: len(sound) // frame * frame].reshape(-1, frame).astype(np.float64) ** 2).mean(axis=1)
    if not len(power):
        return 0.0
    loud = power[power >= np.quantile(power, 0.9) / 100]
    return float(np.sqrt(loud.mean()))


def _speak(folder: Path) -> Path:
    if not shutil.which("espeak-ng"):
        raise FileNotFoundError("no speech: give a folder of WAV files, or install espeak-ng")
    for language, sentence in SENTENCES:
        (folder / language).mkdir()
        for pitch in (35, 60):
            file = folder / language / f"{pitch}.wav"
            command = ["espeak-ng", "-v", language, "-p", str(pitch), "-w", str(file), sentence]
            subprocess.run(command, check=True)
    return folder


def random_loss(packets: int, share: float, seed: int) -> Bool:
    """Which packets are lost when each is with probability `share` by itself."""
    return np.random.default_rng(seed).random(packets) < share


def burst_loss(packets: int, share: float, seed: int, mean_burst: float = MEAN_BURST) -> Bool:
    """Which packets are lost when loss has a memory: Gilbert-Elliott, all lost in the bad state, none else.

    share: of packets lost in the long run. mean_burst: packets in the bad state, on average.
    """
    chance = np.random.default_rng(seed).random(packets)
    leave = 1 / mean_burst
    enter = leave * share / (1 - share)
    lost = np.zeros(packets, bool)
    bad = False
    for i in range(packets):
        bad = bool(chance[i] >= leave) if bad else bool(chance[i] < enter)
        lost[i] = bad
    return lost


LOSSES = {"random": random_loss, "burst": burst_loss}


def pesq(reference: I16, heard: I16, rate: int) -> float:
    """MOS-LQO, 1 to 4.5; the worst when there is nothing to be heard."""
    from pesq import NoUtterancesError
    from pesq import pesq as score

    size = min(len(reference), len(heard))
    try:
        return float(score(rate, reference[:size], heard[:size], "nb" if rate == 8000 else "wb"))
    except NoUtterancesError:
        return 1.0


def stoi(reference: I16, heard: I16, rate: int) -> float:
    """Share of speech that is understood, 0 to 1, as the measure predicts it."""
    from pystoi import stoi as score

    size = min(len(reference), len(heard))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it warns of passages that are all silence
        return float(score(reference[:size].astype(np.float64), heard[:size].astype(np.float64), rate))


def aligned(reference: I16, heard: I16, rate: int, most: float = 1.0) -> I16:
    """`heard` shifted so that it fits the reference best, and cut or padded to its length.

    most: s that it may be late or early.
    """
    size = 1 << (len(reference) + len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size))
    match = np.fft.irfft(spectrum, size)
    reach = int(most * rate)
    near = np.concatenate([match[-reach:], match[: reach + 1]])
    late = int(np.argmax(near)) - reach
    out = np.zeros(len(reference), np.int16)
    part = heard[max(late, 0) : max(late, 0) + len(reference) - max(-late, 0)]
    out[max(-late, 0) : max(-late, 0) + len(part)] = part
    return out


def followed(reference: I16, heard: I16, rate: int, first: int) -> I16:
    """`heard` on the reference's time line: play-out that stretches sound moves it by some ms now and then,
    which nobody hears and STOI would take for another sound.

    first: samples that it is late at most.
    """
    return placed(heard, lateness(reference, heard, rate, first), rate, len(reference))


def placed(heard: I16, late: NDArray[np.int64], rate: int, length: int, reference: I16 | None = None) -> I16:
    """`length` samples of `heard`, each STEP of them from so much later as `lateness` says.

    reference: what was said, if what is heard is to turn from one lateness to the next where that fits best
    near by, and not between two steps: a slip of 20 ms would cost up to a STEP of likeness.
    """
    step = int(STEP * rate)
    shifts = np.repeat(late, step)[:length]
    if reference is not None:
        turns = (np.flatnonzero(np.diff(late)) + 1).tolist()
        for before, turn, after in zip([0, *turns], turns, [*turns[1:], len(late)]):
            begin, end = max(turn - NEAR, before) * step, min(min(turn + NEAR, after) * step, length)
            said = reference[begin:end].astype(np.float64)
            old, new = (_off(said, heard[begin + late[at] : end + late[at]]) for at in (turn - 1, turn))
            costs = np.cumsum(old) + np.sum(new) - np.cumsum(new)
            there = begin + int(np.argmin(costs)) + 1
            shifts[begin:there], shifts[there:end] = late[turn - 1], late[turn]
    at = np.arange(len(shifts)) + shifts
    out = np.zeros(length, np.int16)
    out[: len(at)] = np.where(at < len(heard), heard[np.minimum(at, len(heard) - 1)], 0)
    return out


def _off(said: NDArray[np.float64], heard: I16) -> NDArray[np.float64]:
    """How far apart the two are, sample by sample."""
    apart: NDArray[np.float64] = (np.pad(heard.astype(np.float64), (0, len(said) - len(heard))) - said) ** 2
    return apart


def lateness(reference: I16, heard: I16, rate: int, first: int) -> NDArray[np.int64]:
    """How late each STEP of the reference is heard, samples, 0..`first`: the course that fits best, loud
    steps counting more, with as few changes as can be (Viterbi).

    That is looked for where codecs that code speech parametrically keep the form of waves, and above hum,
    which would be followed through pauses.
    """
    band = signal.butter(4, FORM_HZ, "bandpass", fs=rate, output="sos")
    said, got = (signal.sosfiltfilt(band, sound.astype(np.float64)) for sound in (reference, heard))
    step, around = int(STEP * rate), int(AROUND * rate)
    starts, width = range(0, len(reference), step), int(STEP * rate) + 2 * around
    said, got = np.pad(said, (around, width)), np.pad(got, (around, width + first + len(reference)))
    energy = np.array([np.sum(said[at : at + width] ** 2) for at in starts])
    loud = np.minimum(energy / max(np.quantile(energy, LOUD), 1.0), 1.0)
    score, course = np.zeros(first + 1), []
    for at, weight in zip(starts, loud.tolist()):
        part, there = said[at : at + width], got[at : at + width + first]
        upto = np.cumsum(np.pad(there**2, (1, 0)))
        own = np.sum(part**2) + 1.0
        power = np.maximum(upto[width:] - upto[:-width], FAINT * own) * own
        alike = signal.correlate(there, part, "valid") / np.sqrt(power)
        best = int(np.argmax(score))
        changed = score < score[best] - CHANGE
        course.append((best, changed))
        score = np.where(changed, score[best] - CHANGE, score) + weight * alike
    late = [int(np.argmax(score))]
    for best, changed in reversed(course[1:]):
        late.append(best if changed[late[-1]] else late[-1])
    return np.array(late[::-1], np.int64)
