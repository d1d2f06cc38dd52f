"""G.729 (CS-ACELP, 8 kbit/s) over libbcg729: frames of 10 bytes for 10 ms, RFC 3551 section 4.5.6.

Frames of annex B (2 bytes of comfort noise, the last of a packet) are decoded and never sent.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from media.codecs import interface
from media.codecs.native import BYTE, POINTER, functions
from media.columns import I16

LIBRARY = "libbcg729.so.0"
FRAME, CODED, COMFORT = 80, 10, 2  # samples and bytes of a frame, bytes of a comfort noise frame
LONGEST = 24  # frames a packet
_SIGNATURES = {
    "initBcg729DecoderChannel": (POINTER, ()),
    "closeBcg729DecoderChannel": (None, (POINTER,)),
    "bcg729Decoder": (None, (POINTER, ctypes.c_char_p, BYTE, BYTE, BYTE, BYTE, POINTER)),
    "initBcg729EncoderChannel": (POINTER, (BYTE,)),
    "closeBcg729EncoderChannel": (None, (POINTER,)),
    "bcg729Encoder": (None, (POINTER, ctypes.c_char_p, POINTER, POINTER)),
}


def _library() -> Any:
    return functions(LIBRARY, _SIGNATURES)


def available() -> bool:
    return _library() is not None


class Decoder(interface.Decoder):
    def __init__(self, span: int) -> None:
        super().__init__(span)
        library = _library()
        self._decode = library.bcg729Decoder
        self._state = library.initBcg729DecoderChannel()
        self._owns(library.closeBcg729DecoderChannel, self._state)
        self._sound = np.empty(LONGEST * FRAME, np.int16)
        self._at = self._sound.ctypes.data

    def decode(self, payload: bytes) -> I16 | None:
        frames, rest = divmod(len(payload), CODED)
        if rest not in (0, COMFORT) or not 0 < frames + (rest > 0) <= LONGEST:
            return None
        for index in range(frames):
            coded = payload[index * CODED : (index + 1) * CODED]
            self._decode(self._state, coded, CODED, 0, 0, 0, self._at + 2 * FRAME * index)
        if rest:
            self._decode(self._state, payload[-COMFORT:], COMFORT, 0, 1, 0, self._at + 2 * FRAME * frames)
            frames += 1
        self.silent = bool(rest)
        self.span = frames * FRAME
        return self._sound[: self.span].copy()

    def conceal(self, samples: int, following: bytes | None = None, ahead: int = 0) -> I16 | None:
        if not self.silent:
            return None
        frames = min(-(-samples // FRAME), LONGEST)
        for index in range(frames):
            self._decode(self._state, None, 0, 1, 0, 0, self._at + 2 * FRAME * index)
        return self._sound[: min(samples, frames * FRAME)].copy()


class Encoder(interface.Encoder):
    def __init__(self) -> None:
        library = _library()
        self._encode = library.bcg729Encoder
        self._state = library.initBcg729EncoderChannel(0)
        self._owns(library.closeBcg729EncoderChannel, self._state)
        self._coded = np.zeros(CODED + 1, np.uint8)
        self._at = self._coded.ctypes.data

    def encode(self, samples: I16) -> bytes:
        packet = b""
        for start in range(0, len(samples), FRAME):
            self._encode(self._state, samples[start : start + FRAME].tobytes(), self._at, self._at + CODED)
            packet += self._coded[:CODED].tobytes()
        return packet
