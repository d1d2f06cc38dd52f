"""The spoken voice: espeak-ng as a process, and its speech made fit for a telephone.

espeak-ng is GPL, so it is run, never linked. What it says is trimmed, levelled and resampled here by pure
functions on arrays, which serve every other source of speech as well. scipy.signal takes a second to import,
so only making speech imports it; a node that plays what was made does not.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from math import gcd

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I16 = NDArray[np.int16]

LEVEL_DBFS = -20.0
PEAK = 10 ** (-3.0 / 20)  # of full scale; what is above is bent under it, not clipped
LEAD_S, TAIL_S = 0.06, 0.18  # silence kept around speech: a short breath between prompts played in a row
SILENT_DB = -40.0  # below the loudest 20 ms block, a block counts as silence
SAY_TIMEOUT_S = 30.0


class SpeechFault(RuntimeError):
    """espeak-ng is not there, or did not speak; the message ends with the remedy."""


def say(text: str, *, voice: str, speed: int = 160, pitch: int = 50) -> tuple[int, I16]:
    """Speak `text`; the sample rate in Hz and the samples, int16[n], as espeak-ng made them.

    speed: words a minute; pitch: 0 to 99. Raises SpeechFault.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpeechFault("espeak-ng is not installed; as root: apt-get install -y espeak-ng")
    # The text goes in by standard input, so that no text can be taken for an option.
    command = [program, "-v", voice, "-s", str(speed), "-p", str(pitch), "-b", "1", "--stdin", "--stdout"]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=SAY_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as slow:
        raise SpeechFault(
            f"espeak-ng took over {SAY_TIMEOUT_S:.0f} s to say {text[:40]!r}; try again"
        ) from slow
    if done.returncode != 0 or len(done.stdout) <= 44:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise SpeechFault(f"espeak-ng -v {voice} did not speak ({said}); see: espeak-ng --voices")
    # To a pipe it writes a header whose length is a guess, so the samples are all that follows.
    with wave.open(io.BytesIO(done.stdout)) as header:
        rate = header.getframerate()
    samples = np.frombuffer(done.stdout, dtype="<i2", offset=44, count=(len(done.stdout) - 44) // 2)
    return rate, samples.astype(np.int16)


def resample(samples: F64, rate: int, to: int) -> F64:
    """float[n] at `rate` Hz, band-limited and resampled to `to` Hz."""
    from scipy.signal import resample_poly

    step = gcd(rate, to)
    return np.asarray(resample_poly(samples, to // step, rate // step)) if rate != to else samples


def block_levels(samples: F64, rate: int) -> F64:
    """Root mean square of each whole 20 ms block: float[n // block], in the unit of `samples`."""
    block = rate // 50
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    levels: F64 = np.sqrt(np.mean(blocks**2, axis=1))
    return levels


def trim(samples: F64, rate: int) -> F64:
    """Without the silence at both ends, but for a short breath."""
    levels = block_levels(samples, rate)
    loud = np.flatnonzero(levels > levels.max(initial=0.0) * 10 ** (SILENT_DB / 20))
    if not len(loud):
        return samples[:0]
    block = rate // 50
    start = max(0, loud[0] * block - int(LEAD_S * rate))
    return samples[start : (loud[-1] + 1) * block + int(TAIL_S * rate)]


def speech_level(samples: F64, rate: int) -> float:
    """Level of the blocks that are not silent, in dB relative to full scale (samples in -1..1)."""
    levels = block_levels(samples, rate)
    loud = levels[levels > levels.max(initial=0.0) * 10 ** (SILENT_DB / 20)]
    return float(10 * np.log10(np.mean(loud**2))) if len(loud) else -np.inf


def level(samples: F64, rate: int, dbfs: float = LEVEL_DBFS) -> F64:
    """Speech at `dbfs`, its peaks bent smoothly under -3 dBFS."""
    gained = samples * 10 ** ((dbfs - speech_level(samples, rate)) / 20)
    knee = PEAK / 2
    over = np.abs(gained) > knee
    bent = np.sign(gained) * (knee + (PEAK - knee) * np.tanh((np.abs(gained) - knee) / (PEAK - knee)))
    return np.where(over, bent, gained)


def telephone(samples: I16, rate: int, to: int) -> I16:
    """Speech of any rate made fit for a call: without rumble, trimmed, at -20 dBFS, int16[n] at `to` Hz."""
    from scipy.signal import butter, sosfilt

    rumble_free = sosfilt(butter(2, 120, "highpass", fs=rate, output="sos"), samples / 32768.0)
    spoken = trim(resample(rumble_free, rate, to), to)
    if not len(spoken):
        raise SpeechFault(
            "espeak-ng made silence of it; is there a word in the text that the voice can read?"
        )
    return to_int16(level(spoken, to))


def to_int16(samples: F64) -> I16:
    """Samples in -1..1 as int16, clipped once."""
    return np.clip(np.rint(samples * 32767.0), -32768, 32767).astype(np.int16)
