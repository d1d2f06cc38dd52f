"""Sentences said by espeak-ng, in a process of its own."""

from __future__ import annotations

import io
import subprocess
import wave
from functools import lru_cache

import numpy as np

from media.resample import resample


@lru_cache(64)
def spoken(text: str, voice: str = "en-us", rate: int = 16000, pitch: int = 50, speed: int = 150) -> bytes:
    """int16 PCM at `rate` Hz, with 0.2 s of silence around it."""
    command = ["espeak-ng", "-b", "1", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=10, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        own = file.getframerate()
        samples = np.frombuffer(done.stdout[44:], "<i2")
    sound = resample(samples.astype(np.float32), own, rate)
    pause = np.zeros(rate // 5, np.float32)
    whole = np.concatenate([pause, sound, pause])
    return np.clip(np.rint(whole), -32768, 32767).astype("<i2").tobytes()
