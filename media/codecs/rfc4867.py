"""Payloads of AMR and AMR-WB: octet-aligned and bandwidth-efficient, several frames each (RFC 4867).

Inside, a frame is as the libraries have it and as files do (section 5.3): a byte `0 FT(4) Q 00`, then the
speech bits from the most significant on, filled up to whole bytes. Interleaving, CRCs and robust sorting are
not spoken; negotiation never agrees to them.
"""

from __future__ import annotations

from typing import NamedTuple

from media.codecs.interface import Params

NO_REQUEST = 15  # CMR: any mode is welcome
NO_DATA, LOST = 15, 14  # frame types without bits; 14 is AMR-WB's alone
LONGEST = 12  # frames a packet: 240 ms

# Bits of a frame by its type (3GPP TS 26.101 table 1a, TS 26.201 table 2), comfort noise last of those that
# have any. A packet with a type that is absent here is none.
NARROW = dict(enumerate((95, 103, 118, 134, 148, 159, 204, 244, 39))) | {NO_DATA: 0}
WIDE = dict(enumerate((132, 177, 253, 285, 317, 365, 397, 461, 477, 40))) | {LOST: 0, NO_DATA: 0}


class Speech(NamedTuple):
    """request: the CMR, the mode that the sender wants to get. frames: each with its leading byte."""

    request: int
    frames: list[bytes]


def aligned(params: Params) -> bool:
    """Whether the format parameters say octet-aligned (section 8.1)."""
    return params.get("octet-align") == "1"


def unpack(payload: bytes, bits: dict[int, int], octets: bool) -> Speech | None:
    """The frames of a payload; None for one that is broken. bits: NARROW or WIDE. octets: octet-aligned."""
    return _unpack_octets(payload, bits) if octets else _unpack_bits(payload, bits)


def pack(frames: list[bytes], bits: dict[int, int], octets: bool, request: int = NO_REQUEST) -> bytes:
    """The payload of frames as the encoder made them."""
    if octets:
        contents = bytearray([request << 4])
        contents += bytes(frame[0] & 0x7C | 0x80 for frame in frames)
        contents[len(frames)] &= 0x7F
        return bytes(contents) + b"".join(frame[1:] for frame in frames)
    word, size = request, 4
    for left, frame in zip(range(len(frames) - 1, -1, -1), frames):
        word, size = word << 6 | (left > 0) << 5 | frame[0] >> 2 & 0x1F, size + 6
    for frame in frames:
        count = bits[frame[0] >> 3 & 0x0F]
        word, size = word << count | int.from_bytes(frame[1:], "big") >> -count % 8, size + count
    return (word << -size % 8).to_bytes((size + 7) // 8, "big")


def _unpack_octets(payload: bytes, bits: dict[int, int]) -> Speech | None:
    if len(payload) < 2:
        return None
    at = 1
    while at < len(payload) and payload[at] & 0x80:
        at += 1
    if at >= len(payload) or at > LONGEST:
        return None
    frames = []
    start = at + 1
    for entry in payload[1:start]:
        count = bits.get(entry >> 3 & 0x0F)
        if count is None:
            return None
        end = start + (count + 7) // 8
        frames.append(bytes([entry & 0x7C]) + payload[start:end])
        start = end
    return Speech(payload[0] >> 4, frames) if start <= len(payload) else None


def _unpack_bits(payload: bytes, bits: dict[int, int]) -> Speech | None:
    word, left = int.from_bytes(payload, "big"), 8 * len(payload) - 4
    request = word >> left & 0x0F if left > 0 else 0
    entries: list[int] = []
    more = 1
    while more:
        left -= 6
        if left < 0 or len(entries) == LONGEST:
            return None
        entry = word >> left & 0x3F
        more = entry >> 5
        entries.append(entry & 0x1F)
    frames = []
    for entry in entries:
        count = bits.get(entry >> 1)
        if count is None:
            return None
        left -= count
        if left < 0:
            return None
        speech = (word >> left & (1 << count) - 1) << -count % 8
        frames.append(bytes([entry << 2]) + speech.to_bytes((count + 7) // 8, "big"))
    return Speech(request, frames)
