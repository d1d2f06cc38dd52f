"""Ogg pages (RFC 3533) and the headers of Opus in them (RFC 7845), written as a stream.

A page is written whole or not at all, so that a file that ends anywhere opens up to its last whole page.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

FIRST, LAST = 2, 4
SEGMENTS = 255  # of a page at most, 255 bytes each
_HEAD = struct.Struct("<4sBBqIIIB")
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(page: bytes) -> int:
    """A page's CRC (RFC 3533 section 6), its own field zero: zlib's but for mirrored bits and inversion."""
    mirrored = crc32(page.translate(_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2)


class Stream:
    """The pages of one logical stream. serial: its number, any."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._number = 0

    def page(self, packets: Sequence[bytes], granule: int, flags: int = 0) -> bytes:
        """One page of whole packets. granule: samples at 48 kHz that are complete with it.

        Raises ValueError when they do not fit a page.
        """
        lacing = b"".join(b"\xff" * (len(each) // 255) + bytes([len(each) % 255]) for each in packets)
        if len(lacing) > SEGMENTS:
            raise ValueError("more packets than a page holds")
        head = _HEAD.pack(b"OggS", 0, flags, granule, self._serial, self._number, 0, len(lacing))
        page = bytearray(b"".join((head, lacing, *packets)))
        page[22:26] = checksum(bytes(page)).to_bytes(4, "little")
        self._number += 1
        return bytes(page)


def fits(sizes: Sequence[int], size: int) -> bool:
    """Whether packets of these sizes and one of `size` go into one page."""
    return sum(each // 255 + 1 for each in sizes) + size // 255 + 1 <= SEGMENTS


def opus_head(skip: int, rate: int) -> bytes:
    """Two channels, a stream of its own each (mapping family 1, RFC 7845 section 5.1.1).

    skip: samples at 48 kHz to leave out at the beginning. rate: of the sound that was coded, Hz.
    """
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, skip, rate, 0, 1)
    return head + bytes([2, 0, 0, 1])  # two streams, none of them coupled; channel 0 is stream 0, 1 is 1


def opus_tags(vendor: str, comments: Sequence[str]) -> bytes:
    """RFC 7845 section 5.2; comments: NAME=value each."""
    parts = [b"OpusTags", _text(vendor), len(comments).to_bytes(4, "little"), *map(_text, comments)]
    return b"".join(parts)


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data
