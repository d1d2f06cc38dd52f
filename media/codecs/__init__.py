"""Codecs by number: what a column holds to say how a payload is coded.

G.711 is worked on as whole arrays, `decode` and `encode`. All others have a decoder and an encoder a leg,
which media.decoding and media.encoding keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from media.codecs import amr, g711, g722, g729, l16, opus
from media.codecs.interface import Decoder, Encoder, Params, Tuning
from media.columns import I8, I16, U8

__all__ = ["Decoder", "Encoder", "Params", "Tuning"]

UNKNOWN = -1
PCMU = g711.MU
PCMA = g711.A
G722, OPUS, AMR, AMR_WB, L16_8, L16_16, G729 = range(2, 9)
# Payload types of their own in a leg's map, never a leg's audio codec.
TELEPHONE_EVENT = 64  # RFC 4733
COMFORT_NOISE = 65  # RFC 3389
REDS = {8_000: 66, 16_000: 67, 48_000: 68}  # RFC 2198, by clock
RED = min(REDS.values())
COPIES = 80  # plus a codec: what came as RED, and its own sound is so coded


class Kind(NamedTuple):
    """number: what columns hold. clock: of its RTP timestamps, rate: of its sound (its plane), Hz.

    channels: as its rtpmap says; sound is mono. frame_ms: the shortest packet it can be cut into. raw: coded
    and decoded by `encode` and `decode` over whole arrays. bytes_per_ms: size of the coded sound, 0 where it
    varies.
    """

    number: int
    name: str
    clock: int
    rate: int
    channels: int = 1
    frame_ms: int = 10
    raw: bool = False
    bytes_per_ms: int = 0


KINDS = (
    Kind(PCMU, "PCMU", 8_000, 8_000, raw=True, bytes_per_ms=8),
    Kind(PCMA, "PCMA", 8_000, 8_000, raw=True, bytes_per_ms=8),
    Kind(G722, "G722", 8_000, 16_000, bytes_per_ms=8),
    Kind(OPUS, "OPUS", 48_000, 16_000, channels=2),
    Kind(AMR, "AMR", 8_000, 8_000, frame_ms=20),
    Kind(AMR_WB, "AMR-WB", 16_000, 16_000, frame_ms=20),
    Kind(L16_8, "L16", 8_000, 8_000, bytes_per_ms=16),
    Kind(L16_16, "L16", 16_000, 16_000, bytes_per_ms=32),
    Kind(G729, "G729", 8_000, 8_000, bytes_per_ms=1),
)
_BY_NAME = {(kind.name, kind.clock): kind for kind in KINDS}
_OPUS_MS = (10, 20, 40, 60)


class _Parts(NamedTuple):
    """How a codec is had: whether its library is here, and one of its coders, given fmtp parameters."""

    available: Callable[[], bool]
    library: str
    decoder: Callable[[Params], Decoder]
    encoder: Callable[[Params], Encoder]


def _always() -> bool:
    return True


_PARTS: Mapping[int, _Parts] = {
    PCMU: _Parts(_always, "", lambda _: g711.Decoder(PCMU), lambda _: g711.Encoder(PCMU)),
    PCMA: _Parts(_always, "", lambda _: g711.Decoder(PCMA), lambda _: g711.Encoder(PCMA)),
    G722: _Parts(g722.available, g722.LIBRARY, lambda _: g722.Decoder(320), lambda _: g722.Encoder()),
    OPUS: _Parts(opus.available, opus.LIBRARY, lambda _: opus.Decoder(320), opus.Encoder),
    AMR: _Parts(
        lambda: amr.available(amr.NB),
        amr.NB.decoder[0],
        lambda params: amr.Decoder(amr.NB, params),
        lambda params: amr.Encoder(amr.NB, params),
    ),
    AMR_WB: _Parts(
        lambda: amr.available(amr.WB),
        f"{amr.WB.decoder[0]} and {amr.WB.encoder[0]}",
        lambda params: amr.Decoder(amr.WB, params),
        lambda params: amr.Encoder(amr.WB, params),
    ),
    L16_8: _Parts(_always, "", lambda _: l16.Decoder(160), lambda _: l16.Encoder()),
    L16_16: _Parts(_always, "", lambda _: l16.Decoder(320), lambda _: l16.Encoder()),
    G729: _Parts(g729.available, g729.LIBRARY, lambda _: g729.Decoder(160), lambda _: g729.Encoder()),
}


@cache
def available(number: int) -> bool:
    """Whether this machine has what the codec needs."""
    return _PARTS[number].available()


def inside(kind: int) -> int:
    """The codec of a packet's own sound, whether copies come with it (RED) or not."""
    return kind - COPIES if kind >= COPIES else kind


def sounds(kinds: I8) -> I8:
    """The same of many."""
    return np.where(kinds >= COPIES, kinds - COPIES, kinds)


def missing() -> dict[str, str]:
    """The codecs that this machine cannot speak, and the library that each lacks."""
    return {kind.name: _PARTS[kind.number].library for kind in KINDS if not available(kind.number)}


def find(name: str, clock: int) -> Kind | None:
    """The codec of an rtpmap, None when it is not ours or its library is missing."""
    kind = _BY_NAME.get((name.upper(), clock))
    return kind if kind is not None and available(kind.number) else None


def decoder(number: int, params: Params) -> Decoder:
    """A decoder for one leg; params: fmtp of the format as agreed."""
    return _PARTS[number].decoder(params)


def encoder(number: int, params: Params) -> Encoder:
    """An encoder for one leg; params: fmtp that the far end gave."""
    return _PARTS[number].encoder(params)


def packet_ms(number: int, wanted: int) -> int:
    """The longest packet time of 10..60 ms that the codec can be cut into and that is not over `wanted`."""
    wanted = min(max(wanted, 10), 60)
    if number == OPUS:
        return max(ms for ms in _OPUS_MS if ms <= wanted)
    frame = KINDS[number].frame_ms
    return max(wanted // frame, 1) * frame


def decode(kinds: I8, payloads: U8) -> I16:
    """payloads: uint8[n, L], row i coded by kinds[i], all raw; int16[n, L] of samples at 8 kHz."""
    first = int(kinds[0])
    if (kinds == first).all():
        return g711.decode(first, payloads)
    samples: I16 = g711.DECODE[kinds[:, None], payloads]
    return samples


def encode(kinds: I8, samples: I16) -> U8:
    """samples: int16[n, L] at 8 kHz; uint8[n, L], row i coded by kinds[i], all raw."""
    first = int(kinds[0])
    if (kinds == first).all():
        return g711.encode(first, samples)
    payloads: U8 = g711.ENCODE[kinds[:, None], samples.view(np.uint16)]
    return payloads
