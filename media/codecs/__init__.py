"""Codecs by number: what a column holds to say how a payload is coded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media.codecs import g711
from media.columns import I8, I16, U8

UNKNOWN = -1
PCMU = g711.MU
PCMA = g711.A
TELEPHONE_EVENT = 64  # RFC 4733: a payload type of its own in a leg's map, never a leg's audio codec


class Kind(NamedTuple):
    """number: what columns hold. bytes_per_ms: size of the coded sound. rate: of its RTP clock, Hz."""

    number: int
    name: str
    rate: int
    bytes_per_ms: int


KINDS = (Kind(PCMU, "PCMU", 8000, 8), Kind(PCMA, "PCMA", 8000, 8))
_BY_NAME = {(kind.name, kind.rate): kind for kind in KINDS}


def find(name: str, rate: int) -> Kind | None:
    """The codec of an rtpmap, None when it is not ours."""
    return _BY_NAME.get((name.upper(), rate))


def decode(kinds: I8, payloads: U8) -> I16:
    """payloads: uint8[n, L], row i coded by kinds[i]; int16[n, L] of samples at 8 kHz."""
    first = int(kinds[0])
    if (kinds == first).all():
        return g711.decode(first, payloads)
    samples: I16 = g711.DECODE[kinds[:, None], payloads]
    return samples


def encode(kinds: I8, samples: I16) -> U8:
    """samples: int16[n, L] at 8 kHz; uint8[n, L], row i coded by kinds[i]."""
    first = int(kinds[0])
    if (kinds == first).all():
        return g711.encode(first, samples)
    payloads: U8 = g711.ENCODE[kinds[:, None], samples.view(np.uint16)]
    return payloads
