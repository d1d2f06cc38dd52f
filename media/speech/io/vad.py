"""Whether a block has speech: webrtcvad as a gate, and Silero for what passed it.

The gate takes 2 µs a block and most noise for speech; Silero is dearer and takes hardly any. Each is a table
with a row for each leg.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from media.columns import F32, I16, I64, Bool, Column, Columns
from media.halfband import Upward
from media.speech.onnx import initializers
from media.speech.silero import CONTEXT, STATE, WINDOW, Weights, probability, weights

MODE = 2  # of webrtcvad, 0 to 3: how much it takes for noise
SILENT = 16  # of 32768: a block with nothing above it is not looked at
RATES = (8000, 16000, 32000, 48000)
WIDE = 16000
UNKNOWN = np.float32(np.nan)


class Gate:
    """webrtcvad, of any legs."""

    def __init__(self, mode: int = MODE) -> None:
        import webrtcvad

        self._make: Callable[[], Any] = partial(webrtcvad.Vad, mode)
        self._vads = [self._make()]

    def passes(self, rows: I64, blocks: I16, rate: int) -> Bool:
        """bool[n] of int16[n, L], 10, 20 or 30 ms: there may be speech. ValueError for another rate."""
        if rate not in RATES:
            raise ValueError(f"webrtcvad hears {RATES} Hz, not {rate}")
        loud: Bool = np.abs(blocks).max(axis=1, initial=0) > SILENT
        while len(self._vads) <= rows.max(initial=0):
            self._vads.append(self._make())
        for at in np.flatnonzero(loud).tolist():
            loud[at] = self._vads[int(rows[at])].is_speech(blocks[at].tobytes(), rate)
        return loud

    def forget(self, row: int) -> None:
        if row < len(self._vads):
            self._vads[row] = self._make()


class Detector(Columns):
    """Silero. kept: the context and what there is of the next window, `count` samples of it; hidden, cell:
    its state; known: the newest probability.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "count": Column(np.int64),
        "known": Column(np.float32, UNKNOWN),
        "kept": Column(np.float32, 0.0, CONTEXT + WINDOW),
        "hidden": Column(np.float32, 0.0, STATE),
        "cell": Column(np.float32, 0.0, STATE),
    }
    count: I64
    known: F32
    kept: F32
    hidden: F32
    cell: F32

    def __init__(self, rows: int = 16, model: Path | None = None) -> None:
        super().__init__(rows)
        self._weights = loaded(model)

    def sure(self, rows: I64, blocks: I16) -> F32:
        """float32[n] of int16[n, L] at 16 kHz, L up to a window: the probability of speech in the newest
        window; NaN before the first is whole.
        """
        size = blocks.shape[1]
        if size > WINDOW:
            raise ValueError(f"blocks of {size} samples: at most {WINDOW}")
        sound = blocks.astype(np.float32) / np.float32(32768)
        have = self.count[rows]
        place = CONTEXT + have[:, None] + np.arange(size)
        fits = place < CONTEXT + WINDOW
        row = np.broadcast_to(rows[:, None], place.shape)
        self.kept[row[fits], place[fits]] = sound[fits]
        self.count[rows] = have + size
        whole = rows[have + size >= WINDOW]
        if len(whole):
            self._hear(whole)
            over = ~fits & (have + size >= WINDOW)[:, None]
            self.kept[row[over], place[over] - WINDOW] = sound[over]
        return self.known[rows]

    def forget(self, row: int) -> None:
        self.clear(row)

    def _hear(self, rows: I64) -> None:
        """The window of each of these is whole; its end is the context of the next."""
        window = self.kept[rows]
        self.known[rows], self.hidden[rows], self.cell[rows] = probability(
            self._weights, window, self.hidden[rows], self.cell[rows]
        )
        self.kept[rows, :CONTEXT] = window[:, WINDOW:]
        self.count[rows] -= WINDOW


def loaded(model: Path | None = None) -> Weights:
    """Of the file, or of the one that comes with faster-whisper. Raises ValueError, OSError."""
    if model is None:
        package = find_spec("faster_whisper")  # not imported: its libraries are large
        if package is None or not package.submodule_search_locations:
            raise OSError("faster-whisper, which brings Silero, is not installed: install the extra `speech`")
        model = Path(package.submodule_search_locations[0], "assets", "silero_vad_v6.onnx")
    return weights(initializers(model.read_bytes()))


class TwoStage(Columns):
    """A `Vad` (media/speech/ear.py): both, of blocks of 20 ms at 8 or 16 kHz. blocks: that the gate was asked
    of; looked: how many when Silero was asked last. It begins anew after a pause in being asked.
    """

    SPEC: ClassVar[dict[str, Column]] = {"blocks": Column(np.int64), "looked": Column(np.int64)}
    blocks: I64
    looked: I64

    def __init__(self, mode: int = MODE, model: Path | None = None) -> None:
        super().__init__(16)
        self._gate = Gate(mode)
        self._detector = Detector(16, model)
        self._upward = Upward(16)

    def passes(self, rows: I64, blocks: I16, rate: int) -> Bool:
        """bool[n]: there may be speech. To be asked of every block."""
        if len(rows) and rows.max() >= self.rows:
            size = max(2 * self.rows, int(rows.max()) + 1)
            for each in (self, self._detector, self._upward):
                each.grow(size)
        self.blocks[rows] += 1
        return self._gate.passes(rows, blocks, rate)

    def sure(self, rows: I64, blocks: I16, rate: int) -> F32:
        """float32[n]: probability of speech in blocks that `passes` was asked of; NaN while not known."""
        began = rows[self.looked[rows] != self.blocks[rows] - 1]
        for row in began.tolist():
            self._detector.clear(row)
            self._upward.clear(row)
        self.looked[rows] = self.blocks[rows]
        wide = blocks if rate == WIDE else self._upward.convert(rows, blocks)
        return self._detector.sure(rows, wide)

    def forget(self, row: int) -> None:
        if row < self.rows:
            self.clear(row)
            self._gate.forget(row)
            self._detector.forget(row)
            self._upward.clear(row)
