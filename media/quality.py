"""What a call sounds like, from loss and delay: the E-model (ITU-T G.107) with G.711's figures (ITU-T G.113).

Echo is taken as cancelled and the side tone as normal, so that delay counts as Idd alone (G.107 section 7.4).
"""

from __future__ import annotations

from math import log2

R_BEST = 93.2  # G.107 with all defaults
IE_G711 = 0.0  # equipment impairment, G.113 appendix I
BPL_G711 = 4.3  # robustness to random loss without concealment
BPL_G711_CONCEALED = 25.1  # with the concealment of G.711 appendix I


def effective_impairment(loss: float, bpl: float, ie: float = IE_G711, burst: float = 1.0) -> float:
    """Ie,eff of G.107 section 7.5. loss: share of packets, 0..1. burst: BurstR, 1 for random loss."""
    percent = 100.0 * min(max(loss, 0.0), 1.0)
    return ie + (95.0 - ie) * percent / (percent / burst + bpl)


def delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 section 7.4: nothing up to 100 ms one way."""
    if delay_ms <= 100.0:
        return 0.0
    x = log2(delay_ms / 100.0)
    bend: float = (1.0 + x**6) ** (1 / 6) - 3.0 * (1.0 + (x / 3.0) ** 6) ** (1 / 6) + 2.0
    return 25.0 * bend


def rating(loss: float, delay_ms: float, bpl: float = BPL_G711) -> float:
    """The rating R of a G.711 call."""
    return R_BEST - delay_impairment(delay_ms) - effective_impairment(loss, bpl)


def mos(r: float) -> float:
    """MOS-CQE of a rating (G.107 annex B)."""
    if r <= 0.0:
        return 1.0
    if r >= 100.0:
        return 4.5
    return 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6
