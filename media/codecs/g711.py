"""G.711: mu-law and A-law by table, exact to ITU-T G.711 (11/88), over whole arrays.

Both laws are piecewise linear in eight segments. Encoding takes 16-bit samples, of which mu-law uses the
upper 14 bits and A-law the upper 13, so that a table of 65,536 entries is the whole encoder.
"""

from __future__ import annotations

import numpy as np

from media.codecs import interface
from media.columns import I16, U8

MU, A = 0, 1


def _mu_decode() -> I16:
    """256 mu-law codes to 16-bit samples (G.711 table 2, 14-bit values shifted left by two)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_decode() -> I16:
    """256 A-law codes to 16-bit samples (G.711 table 1, 13-bit values shifted left by three)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    step = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, step + 0x108 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _samples() -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Every 16-bit sample, in the order of its unsigned bit pattern."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _mu_encode() -> U8:
    value = _samples() >> 2
    negative = value < 0
    magnitude = np.minimum(np.where(negative, -value, value), 8158) + 33
    segment = np.searchsorted(np.array([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF]), magnitude)
    code = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)
    return (code ^ np.where(negative, 0x7F, 0xFF)).astype(np.uint8)


def _a_encode() -> U8:
    value = _samples() >> 3
    negative = value < 0
    magnitude = np.where(negative, -value - 1, value)
    segment = np.searchsorted(np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF]), magnitude)
    code = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 0x0F)
    return (code ^ np.where(negative, 0x55, 0xD5)).astype(np.uint8)


DECODE: I16 = np.stack([_mu_decode(), _a_decode()])  # [law, code]
ENCODE: U8 = np.stack([_mu_encode(), _a_encode()])  # [law, bit pattern of the sample]
SILENCE: U8 = np.array([0xFF, 0xD5], np.uint8)  # [law]


def decode(law: int, codes: U8) -> I16:
    """Codes of any shape to samples of the same shape."""
    samples: I16 = DECODE[law].take(codes)
    return samples


def encode(law: int, samples: I16) -> U8:
    """Samples of any shape (contiguous) to codes of the same shape."""
    codes: U8 = ENCODE[law].take(samples.view(np.uint16))
    return codes


class Decoder(interface.Decoder):
    """For packets that do not come as arrays: redundant copies and what they stand for."""

    ordered = False

    def __init__(self, law: int) -> None:
        super().__init__(160)
        self._table = DECODE[law]

    def decode(self, payload: bytes) -> I16 | None:
        if not payload:
            return None
        self.span = len(payload)
        samples: I16 = self._table.take(np.frombuffer(payload, np.uint8))
        return samples


class Encoder(interface.Encoder):
    def __init__(self, law: int) -> None:
        self._table = ENCODE[law]

    def encode(self, samples: I16) -> bytes:
        codes: U8 = self._table.take(samples.view(np.uint16))
        return codes.tobytes()
