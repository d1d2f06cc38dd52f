"""AMR (8 kHz) and AMR-WB (16 kHz) over OpenCORE's decoders and encoder and vo-amrwbenc; frames of 20 ms.

While the far end is silent the decoder is told so frame by frame, and speaks its comfort noise (3GPP TS
26.092, TS 26.192). Lost speech is concealed better by the plane. OpenCORE's decoder of AMR-WB, told of a
loss, falls silent within 10 ms; given the last frame again, its next ones are the better for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from media.codecs import interface
from media.codecs.interface import Params, Tuning, number
from media.codecs.native import INT, POINTER, functions
from media.codecs.rfc4867 import LONGEST, LOST, NARROW, NO_DATA, NO_REQUEST, WIDE, aligned, pack, unpack
from media.columns import I16

_GOOD = 0x04  # the quality bit of a frame's leading byte
MOST_REPEATED = 3  # frames of AMR-WB


class Variant(NamedTuple):
    """One of the two codecs.

    bits: of a frame by its type. rates: bits a second by mode. lost: leading byte of a frame that never came.
    repeated: how often the last frame stands for lost ones, so that the decoder goes on.
    """

    frame: int
    bits: dict[int, int]
    rates: tuple[int, ...]
    lost: int
    repeated: int
    decoder: tuple[str, dict[str, Any]]
    encoder: tuple[str, dict[str, Any]]

    @property
    def comfort(self) -> int:
        """The type of frames that carry comfort noise."""
        return len(self.rates)


NB = Variant(
    160,
    NARROW,
    (4750, 5150, 5900, 6700, 7400, 7950, 10_200, 12_200),
    NO_DATA << 3,
    0,
    (
        "libopencore-amrnb.so.0",
        {
            "Decoder_Interface_init": (POINTER, ()),
            "Decoder_Interface_Decode": (None, (POINTER, POINTER, POINTER, INT)),
            "Decoder_Interface_exit": (None, (POINTER,)),
        },
    ),
    (
        "libopencore-amrnb.so.0",
        {
            "Encoder_Interface_init": (POINTER, (INT,)),
            "Encoder_Interface_Encode": (INT, (POINTER, INT, POINTER, POINTER, INT)),
            "Encoder_Interface_exit": (None, (POINTER,)),
        },
    ),
)
WB = Variant(
    320,
    WIDE,
    (6600, 8850, 12_650, 14_250, 15_850, 18_250, 19_850, 23_050, 23_850),
    LOST << 3,
    MOST_REPEATED,
    (
        "libopencore-amrwb.so.0",
        {
            "D_IF_init": (POINTER, ()),
            "D_IF_decode": (None, (POINTER, POINTER, POINTER, INT)),
            "D_IF_exit": (None, (POINTER,)),
        },
    ),
    (
        "libvo-amrwbenc.so.0",
        {
            "E_IF_init": (POINTER, ()),
            "E_IF_encode": (INT, (POINTER, INT, POINTER, POINTER, INT)),
            "E_IF_exit": (None, (POINTER,)),
        },
    ),
)


def available(variant: Variant) -> bool:
    return functions(*variant.decoder) is not None and functions(*variant.encoder) is not None


class Decoder(interface.Decoder):
    """params: of what we receive: octet-align."""

    def __init__(self, variant: Variant, params: Params) -> None:
        super().__init__(variant.frame)
        library = functions(*variant.decoder)
        begin, self._decode, end = (getattr(library, name) for name in variant.decoder[1])
        self._state = begin()
        self._owns(end, self._state)
        self._frame, self._bits, self._comfort = variant.frame, variant.bits, variant.comfort
        self._lost, self._rest = bytes([variant.lost]), bytes([NO_DATA << 3 | _GOOD])
        self._last, self._repeats, self._repeated = self._lost, 0, variant.repeated
        self._aligned = aligned(params)
        self._sound = np.empty(LONGEST * variant.frame, np.int16)
        self._at = self._sound.ctypes.data

    def decode(self, payload: bytes) -> I16 | None:
        speech = unpack(payload, self._bits, self._aligned)
        if speech is None:
            return None
        self.wish = self._wished(speech.request)
        at = self._at
        for frame in speech.frames:
            self._decode(self._state, frame if frame[0] & _GOOD else self._lost, at, 0)
            at += 2 * self._frame
        self._last, self._repeats = frame if frame[0] & _GOOD else self._lost, 0
        self.silent = frame[0] >> 3 >= self._comfort
        self.span = len(speech.frames) * self._frame
        return self._sound[: self.span].copy()

    def _wished(self, request: int) -> int | None:
        """What a request means: values in between are for future use and ignored (RFC 4867 section 4.3.1)."""
        if request == NO_REQUEST:
            return -1
        return request if request < self._comfort else None

    def conceal(self, samples: int, following: bytes | None = None, ahead: int = 0) -> I16 | None:
        frames = min(-(-samples // self._frame), LONGEST)
        if not self.silent:
            again = min(frames, self._repeated - self._repeats)
            self._repeats += again
            for _ in range(again):
                self._decode(self._state, self._last, self._at, 0)
            return None
        for index in range(frames):
            self._decode(self._state, self._rest, self._at + 2 * self._frame * index, 0)
        return self._sound[: min(samples, frames * self._frame)].copy()


class Modes:
    """Which mode to send: the highest that all allow who have a say (RFC 4867 sections 8.1 and 3.3).

    params: the far end's: mode-set, mode-change-period, mode-change-neighbor.
    """

    def __init__(self, rates: tuple[int, ...], params: Params) -> None:
        self._rates = rates
        wanted = params.get("mode-set", "").replace(" ", "").split(",")
        modes = range(len(rates))
        self.allowed = [mode for mode in modes if str(mode) in wanted] or list(modes)
        self._period = number(params, "mode-change-period", 1, 2, 1)
        self._neighbour = interface.flag(params, "mode-change-neighbor")
        self._ceiling = self._asked = len(rates) - 1
        self._at = len(self.allowed) - 1
        self._frames = 0

    def limit(self, mode: int | None, bitrate: int | None) -> None:
        """Our own ceiling."""
        if mode is not None:
            self._ceiling = mode
        elif bitrate is not None:
            self._ceiling = max((m for m, rate in enumerate(self._rates) if rate <= bitrate), default=0)

    def ask(self, mode: int) -> None:
        """The far end's ceiling; a mode there is none of means any."""
        self._asked = mode if 0 <= mode < len(self._rates) else len(self._rates) - 1

    def next(self) -> int:
        """The mode of the next frame."""
        due = self._frames % self._period == 0
        self._frames += 1
        if due:
            most = min(self._ceiling, self._asked)
            target = max((i for i, mode in enumerate(self.allowed) if mode <= most), default=0)
            if self._neighbour:
                target = min(max(target, self._at - 1), self._at + 1)
            self._at = target
        return self.allowed[self._at]


class Encoder(interface.Encoder):
    """params: what the far end wants to receive."""

    def __init__(self, variant: Variant, params: Params) -> None:
        library = functions(*variant.encoder)
        self._begin, self._encode, self._end = (getattr(library, name) for name in variant.encoder[1])
        self._variant, self._aligned = variant, aligned(params)
        self.modes = Modes(variant.rates, params)
        self._request = NO_REQUEST
        self._dtx = False
        self._coded = np.empty(64, np.uint8)
        self._at = self._coded.ctypes.data
        self._open()

    def _open(self) -> None:
        # AMR's encoder is told of DTX when it begins, AMR-WB's with each frame.
        narrow = self._variant is NB
        self._state = self._begin(int(self._dtx)) if narrow else self._begin()
        self._last = 0 if narrow else int(self._dtx)
        self._owns(self._end, self._state)

    def encode(self, samples: I16) -> bytes:
        frames, size = [], self._variant.frame
        for start in range(0, len(samples), size):
            sound = samples[start : start + size].tobytes()
            count = self._encode(self._state, self.modes.next(), sound, self._at, self._last)
            frames.append(self._coded[:count].tobytes())
        self.silent = all(frame[0] >> 3 & 0x0F >= self._variant.comfort for frame in frames)
        if self.silent and all(frame[0] >> 3 & 0x0F == NO_DATA for frame in frames):
            return b""
        return pack(frames, self._variant.bits, self._aligned, self._request)

    def tune(self, tuning: Tuning) -> None:
        if tuning.asked is not None:
            self.modes.ask(tuning.asked)
        self.modes.limit(tuning.mode, tuning.bitrate)
        if tuning.request is not None:
            self._request = tuning.request if 0 <= tuning.request < len(self._variant.rates) else NO_REQUEST
        if tuning.dtx is not None and tuning.dtx != self._dtx:
            self._dtx = tuning.dtx
            self.close()
            self._open()
