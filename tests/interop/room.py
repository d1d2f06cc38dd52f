"""Softphones in one call, of whom one speaks at a time while the others listen."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log10
from pathlib import Path
from typing import Any

import numpy as np

from engine.hearing import I16, heard, read_wav
from sip.pjsip.process import Softphone
from tests.turns import hear

RATE = 8000
SILENT = -inf


class Room:
    """Phones and their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: dict[Softphone, int] = {}
        self._takes = 0

    def says(self, speaker: Softphone, sentence: Path) -> dict[str, float]:
        """How loud each of the others heard it, dB over how it was said; SILENT where it was not heard."""
        self._takes += 1
        others = {
            phone: self.folder / f"{self._takes}-{phone.name}.wav"
            for phone in self.calls
            if phone is not speaker
        }
        for phone, file in others.items():
            phone.ask("record", call=self.calls[phone], file=str(file))
        speaker.ask("play", call=self.calls[speaker], file=str(sentence))
        speaker.expect("played", 10, call=self.calls[speaker])
        for phone in others:
            phone.ask("stop", call=self.calls[phone], what="record")
        said = read_wav(sentence, RATE)
        return {phone.name: _loudness(said, read_wav(file, RATE)) for phone, file in others.items()}

    def hears(self, speaker: Softphone, sentence: Path, wanted: Mapping[str, Any]) -> None:
        """That the others hear it as wanted; what was torn is said again."""
        hear(f"what {speaker.name} says", lambda: self.says(speaker, sentence), wanted, SILENT)


def _loudness(said: I16, received: I16) -> float:
    return level(received) - level(said) if heard(said, received, RATE) else SILENT


def level(samples: I16) -> float:
    """Of what is not pause, dB."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    return float(10 * log10(power[power > power.max() / 100].mean()))


def longest_gap_ms(received: I16, block_ms: int = 5) -> float:
    """The longest stretch of next to nothing within a sound that had none."""
    span = RATE * block_ms // 1000
    blocks = received[: len(received) // span * span].reshape(-1, span).astype(np.float64)
    loud = np.flatnonzero((blocks**2).mean(axis=1) > np.median((blocks**2).mean(axis=1)) / 20)
    return float(np.max(np.diff(loud), initial=1) - 1) * block_ms
