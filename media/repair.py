"""When a relayed leg is rendered on purpose: a rough network and a far listener that is not up to it.

Rendering puts our jitter buffer and concealment in the way of what a plain endpoint would play with gaps; it
costs delay, so it waits for need and goes when that has been gone for long.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from media.columns import F64, I64, Bool, Column, Columns
from media.messages import Repair
from media.xr import UNKNOWN, VoipMetrics

JITTER_MS = (10.0, 6.0)  # RFC 3550 jitter from which a source is rough, and under which it is not
LOSS = (0.015, 0.005)  # share of packets lost, the same
HOLD, EASE = 0.8, 20.0  # s that it must be rough, and smooth, to be called so
COPES_DISCARDS = 0.01  # share of packets that a listener which copes may throw away for being late
COPES_MOS = 38  # ten times the MOS that it reports to hear


class Roughness(Columns):
    """rough: what a network is called now. since: when that began to be wrong, s; inf while it is right."""

    SPEC: ClassVar[dict[str, Column]] = {
        "since": Column(np.float64, np.inf),
        "rough": Column(np.bool_),
    }
    since: F64
    rough: Bool

    def look(self, rows: I64, jitter_ms: F64, loss: F64, now: float) -> I64:
        """Rows whose network changed its name, out of `rows`, by their jitter and share of loss."""
        rough = self.rough[rows]
        bad = (jitter_ms >= np.where(rough, JITTER_MS[1], JITTER_MS[0])) | (
            loss >= np.where(rough, LOSS[1], LOSS[0])
        )
        differs = bad != rough
        since = np.where(differs, np.minimum(self.since[rows], now), np.inf)
        changed = differs & (now - since >= np.where(rough, EASE, HOLD))
        self.since[rows] = np.where(changed, np.inf, since)
        self.rough[rows] = rough ^ changed
        found: I64 = rows[changed]
        return found


def wanted(setting: Repair, rough: bool, listener: VoipMetrics | None) -> bool:
    """Whether to render for a listener. setting: of its leg. rough: the network of what it hears. listener:
    what its extended reports say of how it copes, None when it does not say.
    """
    if setting != "auto":
        return setting == "on"
    return rough and not copes(listener)


def copes(listener: VoipMetrics | None) -> bool:
    """Whether the far listener plays a rough stream well by itself; to say nothing is not to."""
    if listener is None or listener.mos_lq == UNKNOWN:
        return False
    return listener.discard_rate / 256.0 < COPES_DISCARDS and listener.mos_lq >= COPES_MOS
