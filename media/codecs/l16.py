"""L16: samples as they are, 16 bits big-endian (RFC 3551 section 4.5.11)."""

from __future__ import annotations

import numpy as np

from media.codecs import interface
from media.columns import I16

LIBRARY = ""


def available() -> bool:
    return True


class Decoder(interface.Decoder):
    ordered = False

    def decode(self, payload: bytes) -> I16 | None:
        if not payload or len(payload) % 2:
            return None
        self.span = len(payload) // 2
        return np.frombuffer(payload, ">i2").astype(np.int16)


class Encoder(interface.Encoder):
    def encode(self, samples: I16) -> bytes:
        return samples.byteswap().tobytes()
