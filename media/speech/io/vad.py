"""Voice activity: WebRTC's detector as a gate, Silero's network as the one that is asked about what passes.

The gate takes 2 µs a block and lets much noise pass; the network takes 80 µs for 32 ms of one leg and takes
no noise of a line for speech. It keeps a state for each leg and hears one after the other, for its model has
no batches. Sound of 8 kHz is brought to the 16 kHz that it wants.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import webrtcvad

from media.clock import RATE
from media.columns import F32, I16, I64, Bool
from media.halfband import Upward

AGGRESSIVE = 2  # of 0 to 3
WINDOW, CONTEXT, UNITS = 512, 64, 128  # samples of a step, those before it that are shown with it, its state
SCALE = np.float32(1 / 32768)


class Voice:
    """What the network remembers of a leg. waiting: samples that make no window yet. at: the block that it
    heard last; after others that it was not asked about it begins anew.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.waiting = np.zeros(0, np.float32)
        self.context = np.zeros(CONTEXT, np.float32)
        self.hidden = np.zeros((1, 1, UNITS), np.float32)
        self.cell = np.zeros((1, 1, UNITS), np.float32)
        self.sure = np.float32(np.nan)


class TwoStage:
    """A `Vad` (media/speech/ear.py)."""

    def __init__(self) -> None:
        self._gates: dict[int, webrtcvad.Vad] = {}
        self._voices: dict[int, Voice] = {}
        self._blocks: dict[int, int] = {}  # that each leg has said
        self._up = Upward(64)
        self._session = _session()

    def passes(self, rows: I64, blocks: I16, rate: int) -> Bool:
        """bool[n]: whether there may be speech in int16[n, L]."""
        for row in rows.tolist():
            self._blocks[row] = self._blocks.get(row, 0) + 1
        said = [self._gate(row).is_speech(block.tobytes(), rate) for row, block in zip(rows.tolist(), blocks)]
        return np.array(said, np.bool_)

    def sure(self, rows: I64, blocks: I16, rate: int) -> F32:
        """float32[n]: the newest probability of each; NaN while a first window is not full."""
        if rate == RATE:
            if rows.max() >= self._up.rows:
                self._up.grow(2 * int(rows.max()))
            blocks = self._up.convert(rows, blocks)
        found = [self._hear(row, block) for row, block in zip(rows.tolist(), blocks)]
        return np.array(found, np.float32)

    def forget(self, row: int) -> None:
        self._gates.pop(row, None)
        self._voices.pop(row, None)
        self._blocks.pop(row, None)
        if row < self._up.rows:
            self._up.clear(row)

    def _gate(self, row: int) -> webrtcvad.Vad:
        gate = self._gates.get(row)
        if gate is None:
            gate = self._gates[row] = webrtcvad.Vad(AGGRESSIVE)
        return gate

    def _hear(self, row: int, block: I16) -> np.float32:
        voice, at = self._voices.get(row), self._blocks.get(row, 0)
        if voice is None or at != voice.at + 1:
            voice = self._voices[row] = Voice(at)
        voice.at = at
        voice.waiting = np.concatenate([voice.waiting, block * SCALE])
        while len(voice.waiting) >= WINDOW:
            window, voice.waiting = voice.waiting[:WINDOW], voice.waiting[WINDOW:]
            given = {
                "input": np.concatenate([voice.context, window])[None],
                "h": voice.hidden,
                "c": voice.cell,
            }
            sure, voice.hidden, voice.cell = self._session.run(None, given)
            voice.context, voice.sure = window[-CONTEXT:], np.float32(np.ravel(sure)[0])
        return voice.sure


def _session() -> Any:
    """Silero's network as faster-whisper's wheel brings it."""
    package = find_spec("faster_whisper")  # not imported: its libraries are large
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("faster-whisper is not installed: install the extra `speech`")
    (path,) = Path(package.submodule_search_locations[0], "assets").glob("silero_vad*.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
