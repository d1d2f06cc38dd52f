"""What a call sounds like, from codec, loss and delay: the E-model, for many legs at once.

Narrow-band codecs by ITU-T G.107 with Ie and Bpl of ITU-T G.113 appendix I; wide-band ones by G.107.1, whose
rating goes on from where the narrow-band one ends (up to 129) with Ie,wb of G.113 appendix IV. MOS is
*narrow-band equivalent* for all: G.107 annex B, which ends at 4.5 with R = 100, so that figures of different
legs compare; a wide-band leg keeps more in reserve before it falls below that. Echo is taken as cancelled and
the side tone as normal, so that delay counts as Idd alone (G.107 section 7.4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from media import codecs
from media.columns import F64, I8, Bool

R_NARROW, R_WIDE = 93.2, 129.0  # G.107 and G.107.1 with all defaults
MAX_BURST_RATIO = 8.0  # G.107 table 2
BPL_G711_BARE = 4.3  # where nothing conceals; the table below is of legs that somebody conceals


class Impairment(NamedTuple):
    """What coding does. rates: (kb/s of payload, Ie or Ie,wb), ascending. bpl: robustness to loss."""

    wide: bool
    bpl: float
    rates: tuple[tuple[float, float], ...]


# Ie of AMR: 12.2 is GSM EFR and 7.4 is IS-641 in G.113, what lies between is interpolated. Opus has no entry
# there: Ie,wb by its place beside AMR-WB in listening tests (Rämö and Toukomaa, 2011). Wide-band Bpl are
# estimates as well: G.113 has few.
CODECS: dict[str, Impairment] = {
    "PCMU": Impairment(False, 25.1, ((64.0, 0.0),)),
    "PCMA": Impairment(False, 25.1, ((64.0, 0.0),)),
    "G729": Impairment(False, 19.0, ((8.0, 11.0),)),
    "AMR": Impairment(
        False,
        10.0,
        ((4.75, 25.0), (5.15, 22.0), (5.9, 18.0), (6.7, 14.0), (7.4, 10.0), (10.2, 7.0), (12.2, 5.0)),
    ),
    "G722": Impairment(True, 7.1, ((48.0, 31.0), (56.0, 20.0), (64.0, 13.0))),
    "AMR-WB": Impairment(
        True,
        10.0,
        ((6.6, 41.0), (8.85, 26.0), (12.65, 13.0), (14.25, 10.0), (15.85, 7.0), (18.25, 5.0), (23.05, 1.0)),
    ),
    "OPUS": Impairment(
        True,
        12.0,
        ((6.0, 52.0), (8.0, 37.0), (12.0, 20.0), (16.0, 11.0), (24.0, 4.0), (32.0, 1.0), (64.0, 0.0)),
    ),
    "L16": Impairment(False, 25.1, ((128.0, 0.0),)),
    "L16-WIDE": Impairment(True, 25.1, ((256.0, 0.0),)),
}


def impairment(name: str, rate: int = 8000) -> Impairment:
    """Of a codec by name and RTP clock; of one that is not known, G.711's."""
    name = name.upper()
    return CODECS.get("L16-WIDE" if name == "L16" and rate > 8000 else name, CODECS["PCMU"])


class Coding(NamedTuple):
    """Impairments of n legs, each F64[n] but wide."""

    best: F64
    ie: F64
    bpl: F64
    wide: Bool


def coding(kinds: I8, kbps: F64) -> Coding:
    """kinds: codecs by number, -1: none yet, taken as G.711. kbps: payload that comes, kb/s."""
    ie, bpl, wide = np.zeros(len(kinds)), np.full(len(kinds), 25.1), np.zeros(len(kinds), np.bool_)
    for number in set(kinds.tolist()) - {codecs.UNKNOWN}:
        here = kinds == number
        kind = codecs.KINDS[number]
        found = impairment(kind.name, kind.rate)
        ie[here] = np.interp(kbps[here], *np.array(found.rates).T)
        bpl[here], wide[here] = found.bpl, found.wide
    return Coding(np.where(wide, R_WIDE, R_NARROW), ie, bpl, wide)


def effective_impairment(ie: F64, bpl: F64, loss: F64, burst: F64) -> F64:
    """Ie,eff of G.107 section 7.5. loss: share of packets, 0..1. burst: BurstR, 1 for random loss."""
    percent = 100.0 * np.clip(loss, 0.0, 1.0)
    share: F64 = percent / (percent / np.clip(burst, 1.0, MAX_BURST_RATIO) + bpl)
    return ie + (95.0 - ie) * share


def delay_impairment(delay_ms: F64) -> F64:
    """Idd of G.107 section 7.4: nothing up to 100 ms one way."""
    x = np.log2(np.maximum(delay_ms, 100.0) / 100.0)
    bend: F64 = (1.0 + x**6) ** (1 / 6) - 3.0 * (1.0 + (x / 3.0) ** 6) ** (1 / 6) + 2.0
    return 25.0 * bend


def rating(how: Coding, loss: F64, burst: F64, delay_ms: F64) -> F64:
    """R of each leg. loss: share that was lost or came too late. delay_ms: one way, mouth to ear. Both may be
    F64[..., n], several cases of each leg.
    """
    return how.best - delay_impairment(delay_ms) - effective_impairment(how.ie, how.bpl, loss, burst)


def mos(r: F64) -> F64:
    """MOS of ratings (G.107 annex B), 1..4.5."""
    r = np.clip(r, 0.0, 100.0)
    return np.clip(1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6, 1.0, 4.5)
