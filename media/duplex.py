"""Two-channel sound as the bytes of a file, made as it comes: Opus in Ogg, or WAV.

Sound comes in frames of 120 ms, int16[2, n]; left is channel 0. Both sorts keep a true timeline: what is
not there is written as silence.

Opus: each channel is a stream of its own, so that neither leaks into the other and a channel in which nobody
speaks costs nothing. Coded by libopus without its speech model (CELT alone, complexity 0), which takes a
third of the time and delays by 2.5 ms.
"""

from __future__ import annotations

import ctypes
import struct
import weakref
from ctypes import string_at
from typing import Protocol

import numpy as np

from media import ogg
from media.codecs import opus
from media.codecs.native import INT, POINTER, functions
from media.columns import I16

FRAME_MS = 120  # the longest packet of Opus
QUIET = 16  # of 32768: a frame that nowhere exceeds it is coded as silence; G.711's own idle codes are at 8
VENDOR = "isogloss"
WAV_HEADER = 44  # bytes
UNKNOWN_SIZE = 0xFFFF_FFFF

_SIGNATURES = {
    "opus_encoder_create": (POINTER, (INT, INT, INT, POINTER)),
    "opus_encoder_destroy": (None, (POINTER,)),
    "opus_encoder_ctl": (INT, (POINTER, INT, INT)),
    "opus_encode": (INT, (POINTER, POINTER, INT, POINTER, INT)),
}
_LOW_DELAY = 2051  # opus_defines.h: OPUS_APPLICATION_RESTRICTED_LOWDELAY
_SET_BITRATE, _SET_COMPLEXITY, _SET_BANDWIDTH = 4002, 4010, 4008
_BANDS = {8_000: 1101, 16_000: 1103}
_LOOKAHEAD = 120  # samples at 48 kHz by which the coder is late
LONGEST = 4000


class Coder(Protocol):
    """Makes a file's bytes; those made since the last `cut` wait in it."""

    @property
    def waiting(self) -> int:
        """Frames since the last cut."""

    def frame(self, at: int, quiet: tuple[bool, bool]) -> None:
        """Add the frame at an address in memory: int16[2, n]. quiet: the channels with nothing in them."""

    def silence(self, frames: int) -> None: ...

    def cut(self) -> bytes:
        """What was made since the last cut."""

    def finish(self, spare: int) -> bytes:
        """The last of the file, of which the last `spare` ms are left out."""

    def head(self) -> bytes | None:
        """What the first bytes of the file are now, None when they need no change."""


def coder(format: str, rate: int, bitrate: int, serial: int, lead: int) -> Coder:
    """rate: of the sound, 8000 or 16000 Hz. bitrate: of a channel. lead: ms of the first frame to drop."""
    return OpusCoder(rate, bitrate, serial, lead) if format == "opus" else WavCoder(rate, lead)


_CODED = ctypes.create_string_buffer(LONGEST)  # one packet, of whichever encoder made it last
_ZEROS = ctypes.create_string_buffer(2 * 16_000 * FRAME_MS // 1000)


class Side:
    """One channel's encoder."""

    def __init__(self, rate: int, bitrate: int) -> None:
        library = functions(opus.LIBRARY, _SIGNATURES)
        self._encode = library.opus_encode
        self._state = library.opus_encoder_create(rate, 1, _LOW_DELAY, None)
        weakref.finalize(self, library.opus_encoder_destroy, self._state)
        self._span = rate * FRAME_MS // 1000
        for setting, value in (
            (_SET_BITRATE, bitrate),
            (_SET_COMPLEXITY, 0),
            (_SET_BANDWIDTH, _BANDS[rate]),
        ):
            library.opus_encoder_ctl(self._state, setting, value)
        self._at, self._zeros = ctypes.addressof(_CODED), ctypes.addressof(_ZEROS)
        self.still = True  # its coder remembers nothing but silence
        self.silence = self.code(self._zeros)

    def code(self, at: int) -> bytes:
        """The packet of the frame at an address."""
        size = self._encode(self._state, at, self._span, self._at, LONGEST)
        return string_at(self._at, size) if size > 1 else self.silence

    def packet(self, at: int, quiet: bool) -> bytes:
        """The frame's packet. Quiet ones go through the coder until what it remembers has died away."""
        if not quiet:
            self.still = False
            return self.code(at)
        if self.still:
            return self.silence
        made = self.code(self._zeros)
        self.still = made == self.silence
        return made


class OpusCoder:
    def __init__(self, rate: int, bitrate: int, serial: int, lead: int) -> None:
        self._left, self._right = Side(rate, bitrate), Side(rate, bitrate)
        self._stream = ogg.Stream(serial)
        self._other = 2 * (rate * FRAME_MS // 1000)  # bytes from a frame's left to its right
        skip = _LOOKAHEAD + lead * 48
        tags = ogg.opus_tags(VENDOR, ["CHANNELS=left: customer, right: what the customer was sent"])
        self._pages = self._stream.page([ogg.opus_head(skip, rate)], 0, ogg.FIRST)
        self._pages += self._stream.page([tags], 0)
        self._packets: list[bytes] = []
        self._segments = 0
        self._granule = 0
        self._still = delimited(self._left.silence)  # the left one's part where it is silent
        self._silence = self._still + self._right.silence

    @property
    def waiting(self) -> int:
        return len(self._packets)

    def frame(self, at: int, quiet: tuple[bool, bool]) -> None:
        left = self._left.packet(at, quiet[0])
        right = self._right.packet(at + self._other, quiet[1])
        if left is not self._left.silence:
            self._add(delimited(left) + right)
        elif right is not self._right.silence:
            self._add(self._still + right)
        else:
            self._add(self._silence)

    def silence(self, frames: int) -> None:
        for _ in range(frames):
            self.frame(0, (True, True))

    def _add(self, packet: bytes) -> None:
        segments = len(packet) // 255 + 1
        if self._segments + segments > ogg.SEGMENTS:
            self._page()
        self._packets.append(packet)
        self._segments += segments

    def _page(self, flags: int = 0, spare: int = 0) -> None:
        self._granule += len(self._packets) * FRAME_MS * 48
        self._pages += self._stream.page(self._packets, self._granule - spare * 48, flags)
        self._packets, self._segments = [], 0

    def cut(self) -> bytes:
        if self._packets:
            self._page()
        pages, self._pages = self._pages, b""
        return pages

    def finish(self, spare: int) -> bytes:
        spare = spare if self._packets else 0  # a page may not end before the one ahead of it
        before = len(self._packets)
        self.silence(1)  # the coder is late: the last 2.5 ms are in one packet more than there is sound
        self._page(ogg.LAST, spare + FRAME_MS - 3 if len(self._packets) > before else FRAME_MS - 3)
        return self.cut()

    def head(self) -> bytes | None:
        return None


def delimited(packet: bytes) -> bytes:
    """A packet of several frames with the length of its last one too, so that another stream's can follow
    (RFC 6716 appendix B).
    """
    if packet[0] & 3 != 3 or packet[1] & 0x40:
        raise ValueError("not a packet of several frames without padding")
    count = packet[1] & 0x3F
    if not packet[1] & 0x80:
        return packet[:2] + _length((len(packet) - 2) // count) + packet[2:]
    at, rest = 2, len(packet) - 2
    for _ in range(count - 1):
        width = 1 if packet[at] < 252 else 2
        size = packet[at] if width == 1 else packet[at] + 4 * packet[at + 1]
        at, rest = at + width, rest - width - size
    return packet[:at] + _length(rest) + packet[at:]


def _length(size: int) -> bytes:
    """A frame's length (RFC 6716 section 3.2.1)."""
    return bytes([size]) if size < 252 else bytes([252 + (size & 3), (size - 252 - (size & 3)) >> 2])


def quiet(sound: I16) -> list[list[bool]]:
    """Which channels of which frames have nothing in them: int16[n, 2, samples]."""
    found: list[list[bool]] = ((sound.max(axis=2) <= QUIET) & (sound.min(axis=2) >= -QUIET)).tolist()
    return found


class WavCoder:
    """PCM, 16 bits. Its header is right after every cut if what `head` gives is put in its place."""

    def __init__(self, rate: int, lead: int) -> None:
        self._rate = rate
        self._span = rate * FRAME_MS // 1000
        self._lead = lead * rate // 1000 * 4
        self._woven = np.empty((self._span, 2), np.int16)
        self._parts: list[bytes] = []
        self._size = 0
        self._begun = False
        self.waiting = 0

    def frame(self, at: int, quiet: tuple[bool, bool]) -> None:
        sound = np.frombuffer(string_at(at, 4 * self._span), np.int16)
        self._woven[:, 0], self._woven[:, 1] = sound[: self._span], sound[self._span :]
        self._parts.append(self._woven.tobytes())
        self.waiting += 1

    def silence(self, frames: int) -> None:
        self._parts.append(bytes(4 * self._span * frames))
        self.waiting += frames

    def cut(self) -> bytes:
        data = b"".join(self._parts)
        self._parts, self.waiting = [], 0
        if self._lead and data:
            data, self._lead = data[self._lead :], 0
        self._size += len(data)
        if not self._begun:
            self._begun = True
            return wav_header(self._rate, UNKNOWN_SIZE) + data
        return data

    def finish(self, spare: int) -> bytes:
        data = self.cut()
        leave = min(spare * self._rate // 1000 * 4, len(data))
        self._size -= leave
        return data[: len(data) - leave]

    def head(self) -> bytes | None:
        return wav_header(self._rate, self._size)


def wav_header(rate: int, size: int) -> bytes:
    """RIFF/WAVE of two channels of 16 bits; size: of the samples in bytes, UNKNOWN_SIZE where it is not known
    yet.
    """
    riff = min(size + WAV_HEADER - 8, UNKNOWN_SIZE)
    form = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 2, rate, rate * 4, 4, 16)
    return form + struct.pack("<4sI", b"data", min(size, UNKNOWN_SIZE))
