"""When packets came that nobody was in a hurry to take.

What is to be rendered may wait for the tick, and taking all of it there costs a fraction of four drains. But
how late a packet is, and how evenly they come, is measured in less than a tick: so between drains it is only
noted whose packets have come, and what is taken afterwards bears the time at which it was first seen.
"""

from __future__ import annotations

import numpy as np

from media.columns import F64
from media.network import Batch, Network


class Arrivals:
    """seen: by row, when something was noted to have come."""

    def __init__(self) -> None:
        self._seen: F64 = np.full(64, -np.inf)
        self._noted = False

    def note(self, network: Network, rows: int, since: float, now: float) -> None:
        """See what has come after `since`, the last drain, of a table with so many rows."""
        if len(self._seen) < rows:
            self._seen = np.full(rows, -np.inf)
        network.note(self._seen, since, now)
        self._noted = True

    def date(self, batch: Batch, count: int, since: float, now: float) -> None:
        """Set the times of the first round of a drain, or of another: a leg's second packet came later than
        what was noted of it, and bears the drain's time.
        """
        times = batch.times[:count]
        times[:] = now
        if self._noted:
            seen = self._seen[batch.rows[:count]]
            np.copyto(times, seen, where=seen >= since)
            self._noted = False

    def forget(self) -> None:
        """What was noted was for the drain that is over."""
        self._noted = False
