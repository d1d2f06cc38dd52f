"""G.722 at 64 kbit/s over the C library of the PyPI package G722: 16 kHz sound under an RTP clock of 8 kHz.

The clock is an old mistake that RFC 3551 section 4.5.2 keeps. Decoder and encoder are ADPCM: state runs from
packet to packet, and there is no concealment of the codec's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from media.codecs import interface
from media.columns import I16

try:
    from G722 import G722 as _G722
except ImportError:
    _G722 = None

LIBRARY = "the Python package G722"
RATE, BITRATE = 16_000, 64_000


def available() -> bool:
    return _G722 is not None


class Decoder(interface.Decoder):
    def __init__(self, span: int) -> None:
        super().__init__(span)
        self._codec: Any = _G722(RATE, BITRATE)

    def decode(self, payload: bytes) -> I16 | None:
        if not payload:
            return None
        self.span = 2 * len(payload)
        return np.frombuffer(self._codec.decode(payload), np.int16)


class Encoder(interface.Encoder):
    def __init__(self) -> None:
        self._codec: Any = _G722(RATE, BITRATE)

    def encode(self, samples: I16) -> bytes:
        coded: bytes = self._codec.encode(samples)
        return coded
