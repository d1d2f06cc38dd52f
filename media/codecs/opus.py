"""Opus over the system's libopus (RFC 6716, RFC 7587), coded and decoded at 16 kHz, mono.

The decoder takes any band and either channel count. A lost packet is made from the copy that the next one
carries (in-band FEC), or from its deep redundancy where the library knows DRED.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from typing import Any

import numpy as np

from media.codecs import interface
from media.codecs.interface import Params, Tuning, flag, number
from media.codecs.native import INT, POINTER, functions
from media.columns import I16

LIBRARY = "libopus.so.0"
RATE, CLOCK = 16_000, 48_000
STEP = RATE // 400  # 2.5 ms, the grain of all durations
LONGEST = RATE * 120 // 1000  # samples of the longest packet
_BYTES = ctypes.c_char_p
_SIGNATURES = {
    "opus_get_version_string": (_BYTES, ()),
    "opus_decoder_create": (POINTER, (INT, INT, POINTER)),
    "opus_decoder_destroy": (None, (POINTER,)),
    "opus_decode": (INT, (POINTER, _BYTES, INT, POINTER, INT, INT)),
    "opus_encoder_create": (POINTER, (INT, INT, INT, POINTER)),
    "opus_encoder_destroy": (None, (POINTER,)),
    "opus_encoder_ctl": (INT, (POINTER, INT, INT)),
    "opus_encode": (INT, (POINTER, POINTER, INT, POINTER, INT)),
}
_DRED = {
    "opus_dred_decoder_create": (POINTER, (POINTER,)),
    "opus_dred_decoder_destroy": (None, (POINTER,)),
    "opus_dred_alloc": (POINTER, (POINTER,)),
    "opus_dred_free": (None, (POINTER,)),
    "opus_dred_parse": (INT, (POINTER, POINTER, _BYTES, INT, INT, INT, POINTER, INT)),
    "opus_decoder_dred_decode": (INT, (POINTER, POINTER, INT, POINTER, INT)),
}
# opus_defines.h
_VOIP, _VOICE = 2048, 3001
_SET_BITRATE, _SET_MAX_BANDWIDTH, _SET_VBR, _SET_COMPLEXITY = 4002, 4004, 4006, 4010
_SET_FEC, _SET_LOSS, _SET_DTX, _SET_SIGNAL, _SET_DRED = 4012, 4014, 4016, 4024, 4050
_NARROW, _MEDIUM, _WIDE = 1101, 1102, 1103
_BANDS = ((8_000, _NARROW), (12_000, _MEDIUM), (16_000, _WIDE))  # sampling rates and what they carry

BITRATE, COMPLEXITY, FEC_LOSS = 24_000, 5, 5
RESTING = 0  # the complexity of pauses: nobody hears there what an encoder's search finds (docs/adr/0026)
DEEP_LOSS, DEEP_SPAN = 10, 100  # from this percent of loss on, this much of the past goes along, in 10 ms


def _library() -> Any:
    return functions(LIBRARY, _SIGNATURES)


def available() -> bool:
    return _library() is not None


@cache
def deep() -> bool:
    """Whether the library has deep redundancy; builds without it have its functions, which then refuse."""
    library = functions(LIBRARY, _DRED)
    if library is None:
        return False
    decoder = library.opus_dred_decoder_create(None)
    if decoder is None:
        return False
    library.opus_dred_decoder_destroy(decoder)
    return True


def has_copy(packet: bytes) -> bool:
    """Whether the packet carries a copy of what came before it (RFC 6716 sections 4.2.3 and 4.2.4)."""
    config, stereo, frames = packet[0] >> 3, packet[0] >> 2 & 1, packet[0] & 3
    if config >= 16 or len(packet) < 2:
        return False  # CELT has none
    if frames > 1:
        return True  # its frames lie further back; the decoder will see
    flags = (1, 1, 2, 3)[config % 4] if config < 12 else 1  # of voice activity, one for 20 ms
    copied = packet[1] >> 7 - flags | stereo * (packet[1] >> max(6 - 2 * flags, 0))
    return bool(copied & 1)


class Decoder(interface.Decoder):
    def __init__(self, span: int) -> None:
        super().__init__(span)
        library = _library()
        self._decode = library.opus_decode
        self._state = library.opus_decoder_create(RATE, 1, None)
        self._owns(library.opus_decoder_destroy, self._state)
        self._sound = np.empty(LONGEST, np.int16)
        self._at = self._sound.ctypes.data
        self._deep = Deep(self._state) if deep() else None

    def decode(self, payload: bytes) -> I16 | None:
        if not payload:
            return None
        count = self._decode(self._state, payload, len(payload), self._at, LONGEST, 0)
        if count <= 0:
            return None
        self.span = count
        self.silent = len(payload) <= 2
        return self._sound[:count].copy()

    def copies(self, payload: bytes) -> bool:
        return bool(payload) and (self._deep is not None or has_copy(payload))

    def conceal(self, samples: int, following: bytes | None = None, ahead: int = 0) -> I16 | None:
        wanted = min(samples - samples % STEP or STEP, LONGEST)
        count = -1
        if following and self._deep is not None:
            count = self._deep.recover(following, wanted, samples + ahead, self._at)
        if count < 0 and following and not ahead and has_copy(following):
            count = self._decode(self._state, following, len(following), self._at, wanted, 1)
        if count < 0:
            count = self._decode(self._state, None, 0, self._at, wanted, 0)
            if not self.silent:
                return None
        return self._sound[: min(count, samples)].copy() if count > 0 else None


class Deep:
    """Deep redundancy of one stream: what a packet tells of up to a second before it."""

    def __init__(self, state: int) -> None:
        self._library = library = functions(LIBRARY, _DRED)
        self._state = state
        self._parser, self._past = library.opus_dred_decoder_create(None), library.opus_dred_alloc(None)
        weakref.finalize(self, library.opus_dred_decoder_destroy, self._parser)
        weakref.finalize(self, library.opus_dred_free, self._past)
        self._end = ctypes.c_int()
        self._of: bytes = b""
        self._known = 0

    def recover(self, following: bytes, samples: int, before: int, at: int) -> int:
        """Decode `samples` that begin `before` samples ahead of the packet; how many, or -1 for none."""
        if following != self._of:
            self._of = following
            self._known = self._library.opus_dred_parse(
                self._parser, self._past, following, len(following), RATE, RATE, ctypes.byref(self._end), 0
            )
        if self._known < before:
            return -1
        decoded: int = self._library.opus_decoder_dred_decode(self._state, self._past, before, at, samples)
        return decoded


class Encoder(interface.Encoder):
    """params: what the far end wants to receive (RFC 7587 section 6.1)."""

    def __init__(self, params: Params) -> None:
        library = _library()
        self._encode, self._set = library.opus_encode, library.opus_encoder_ctl
        self._state = library.opus_encoder_create(RATE, 1, _VOIP, None)
        self._owns(library.opus_encoder_destroy, self._state)
        self._coded = np.empty(1275, np.uint8)
        self._at = self._coded.ctypes.data
        self._most = number(params, "maxaveragebitrate", 6_000, 510_000, 510_000)
        self._rate = number(params, "maxplaybackrate", 8_000, 48_000, 48_000)
        self._fec, self._dtx = flag(params, "useinbandfec"), False
        self._complexity, self._rests = COMPLEXITY, False
        for setting, value in (
            (_SET_SIGNAL, _VOICE),
            (_SET_VBR, int(not flag(params, "cbr"))),
            (_SET_COMPLEXITY, COMPLEXITY),
        ):
            self._set(self._state, setting, value)
        self.tune(Tuning(bitrate=BITRATE, fec_loss=FEC_LOSS, dtx=flag(params, "usedtx"), narrow=False))

    def encode(self, samples: I16) -> bytes:
        count = self._encode(self._state, samples.tobytes(), len(samples), self._at, 1275)
        self.silent = count <= 2
        if count <= 2 and (self._dtx or count <= 0):
            return b""
        return self._coded[:count].tobytes()

    def rest(self, rests: bool) -> None:
        self._rests = rests
        self._set(self._state, _SET_COMPLEXITY, RESTING if rests else self._complexity)

    def tune(self, tuning: Tuning) -> None:
        if tuning.bitrate is not None:
            self._set(self._state, _SET_BITRATE, min(max(tuning.bitrate, 6_000), self._most))
        if tuning.complexity is not None:
            self._complexity = min(max(tuning.complexity, 0), 10)
            if not self._rests:
                self._set(self._state, _SET_COMPLEXITY, self._complexity)
        if tuning.fec_loss is not None:
            loss = min(max(tuning.fec_loss, 0), 100)
            self._set(self._state, _SET_FEC, int(self._fec and loss > 0))
            self._set(self._state, _SET_LOSS, loss)
            if deep():
                self._set(self._state, _SET_DRED, DEEP_SPAN if loss >= DEEP_LOSS else 0)
        if tuning.dtx is not None:
            self._dtx = tuning.dtx
            self._set(self._state, _SET_DTX, int(tuning.dtx))
        if tuning.narrow is not None:
            rate = 8_000 if tuning.narrow else self._rate
            band = max((band for least, band in _BANDS if least <= rate), default=_NARROW)
            self._set(self._state, _SET_MAX_BANDWIDTH, band)
