"""The outline of a recording: how loud each channel is from moment to moment, read as its bytes come.

For files as media/duplex.py writes them: Opus in Ogg (RFC 7845), two channels of a stream each, or WAV. One
that breaks off has an outline as far as it goes; what does not decode is silence.
"""

from __future__ import annotations

import ctypes
import struct
import weakref
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from media.codecs import opus
from media.codecs.native import INT, POINTER, functions
from media.duplex import WAV_HEADER

BLOCK_MS = 120  # of which the loudest sample counts
MOST = 1000  # values of a channel that are told
LONGEST = 12 * 3600 * 1000 // BLOCK_MS  # blocks that are read; a call ends before
RATE = 8000  # Hz that Opus is decoded at: enough to see who speaks
MOST_PACKET = 8192
_HEAD = struct.Struct("<4sBBqIIIB")
_SAMPLES = RATE * BLOCK_MS // 1000

_SIGNATURES = {
    "opus_multistream_decoder_create": (POINTER, (INT, INT, INT, INT, ctypes.c_char_p, POINTER)),
    "opus_multistream_decoder_destroy": (None, (POINTER,)),
    "opus_multistream_decode": (INT, (POINTER, ctypes.c_char_p, INT, POINTER, INT, INT)),
}


class Unreadable(ValueError):
    """No file as the recorder writes them, or nothing here can decode it."""


@dataclass(frozen=True, slots=True)
class Outline:
    """seconds: how long it is. left, right: the loudest of each of equal stretches, 0 to 1, MOST at most."""

    seconds: float
    left: tuple[float, ...]
    right: tuple[float, ...]


def outline(pieces: Iterable[bytes], format: str) -> Outline:
    """format: opus or wav. Raises Unreadable, and what reading raises."""
    blocks = _of_opus(pieces) if format == "opus" else _of_wav(pieces)
    loud = (array("H"), array("H"))
    seconds = 0.0
    for left, right, lasts in blocks:
        loud[0].append(left)
        loud[1].append(right)
        seconds += lasts
        if len(loud[0]) >= LONGEST:
            break
    first, second = (_told(np.frombuffer(each, np.uint16)) for each in loud)
    return Outline(round(seconds, 2), first, second)


def _told(loud: NDArray[np.uint16]) -> tuple[float, ...]:
    """The loudest of each of MOST stretches, or of all there are."""
    if not len(loud):
        return ()
    count = min(MOST, len(loud))
    edges = np.arange(count) * len(loud) // count
    return tuple(np.round(np.maximum.reduceat(loud, edges) / 32_768, 3).tolist())


def _loudest(sound: NDArray[np.int16]) -> tuple[int, int]:
    """sound: int16[n, 2]."""
    left, right = np.abs(sound.astype(np.int32)).max(axis=0).tolist()
    return left, right


def _of_wav(pieces: Iterable[bytes]) -> Iterator[tuple[int, int, float]]:
    """16-bit PCM of two channels after a header of 44 bytes."""
    waiting, block = b"", 0
    for piece in pieces:
        waiting += piece
        if not block:
            if len(waiting) < WAV_HEADER:
                continue
            channels, rate = struct.unpack_from("<HI", waiting, 22)
            if waiting[:4] != b"RIFF" or channels != 2 or not 4000 <= rate <= 48_000:
                raise Unreadable("no WAV file of two channels")
            block, waiting = 4 * (rate * BLOCK_MS // 1000), waiting[WAV_HEADER:]
        while len(waiting) >= block:
            sound = np.frombuffer(waiting[:block], "<i2").reshape(-1, 2)
            waiting = waiting[block:]
            yield *_loudest(sound), BLOCK_MS / 1000


def _of_opus(pieces: Iterable[bytes]) -> Iterator[tuple[int, int, float]]:
    packets = _packets(pieces)
    head = next(packets, b"")
    if head[:8] != b"OpusHead" or len(head) < 23 or (head[9], head[18]) != (2, 1):
        raise Unreadable("no Opus file of two channels, a stream each")
    decoder = _Decoder(head[19], head[20], head[21:23])
    next(packets, b"")  # its tags
    for packet in packets:
        sound = decoder.decode(packet)
        yield *_loudest(sound), len(sound) / RATE


class _Decoder:
    def __init__(self, streams: int, coupled: int, mapping: bytes) -> None:
        library = functions(opus.LIBRARY, _SIGNATURES)
        if library is None:
            raise Unreadable("libopus is not installed (Debian: libopus0)")
        self._decode = library.opus_multistream_decode
        self._state = library.opus_multistream_decoder_create(RATE, 2, streams, coupled, mapping, None)
        if not self._state:
            raise Unreadable("libopus knows no file like this")
        weakref.finalize(self, library.opus_multistream_decoder_destroy, self._state)
        self._sound = np.zeros((_SAMPLES, 2), np.int16)

    def decode(self, packet: bytes) -> NDArray[np.int16]:
        count = self._decode(self._state, packet, len(packet), self._sound.ctypes.data, _SAMPLES, 0)
        return self._sound[:count] if count > 0 else np.zeros((_SAMPLES, 2), np.int16)


def _packets(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Packets of the only stream in an Ogg file (RFC 3533 section 6). Raises Unreadable for what is none."""
    whole = b""
    for lacing, body in _pages(pieces):
        at = 0
        for size in lacing:
            whole += body[at : at + size]
            at += size
            if len(whole) > MOST_PACKET:
                raise Unreadable("a packet is too long")
            if size < 255:
                yield whole
                whole = b""


def _pages(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The sizes of each page's segments, and what is in them. A page that is not whole is the end."""
    waiting = b""
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _HEAD.size:
            if waiting[:4] != b"OggS":
                raise Unreadable("no Ogg page where there should be one")
            count = waiting[_HEAD.size - 1]
            lacing = waiting[_HEAD.size : _HEAD.size + count]
            begin = _HEAD.size + count
            end = begin + sum(lacing)
            if len(lacing) < count or len(waiting) < end:
                break
            yield lacing, waiting[begin:end]
            waiting = waiting[end:]
