"""Relayed legs that are to be rendered on purpose, and back, without a listener noticing.

Rendered sound is later than relayed by what the jitter buffer holds. Turning at once would let the listener
hear that much twice, or miss it. So the source is first heard beside the relay until its play-out knows the
network; then the first rendered block begins with the very sample that follows the last relayed packet, and
play-out falls back to its right delay by stretching. On the way back the buffer is given up while the source
is silent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media.legs import LegTable, Way
from media.plan import Plan
from media.plane import NO_SLOT, Plane
from media.playout import NEVER, Playout
from media.ring import MISSING

LEARN = 1.0  # s that a source is heard before it is rendered
PATIENCE = 15.0  # s after which a source that is never silent is relayed again all the same
SILENCE = 400  # largest sample of what counts as silent


class Turning:
    """Rows on their way: since when, s. A row of neither is as it is wanted."""

    def __init__(self, table: LegTable, plan: Plan, planes: Sequence[Plane]) -> None:
        self._table = table
        self._plan = plan
        self._planes = planes
        self._repaired: dict[int, float] = {}
        self._relayed: dict[int, float] = {}

    def want(self, row: int, repair: bool, now: float) -> None:
        """What is sent to the row is to be rendered on purpose, or need not be."""
        towards, back = (self._repaired, self._relayed) if repair else (self._relayed, self._repaired)
        if back.pop(row, None) is not None and row in self._plan.beside:
            self._plan.beside.discard(row)
            self._plan.touch(row)
        if bool(self._table.common.repair[row]) == repair or row in towards:
            return
        towards[row] = now
        if repair:
            self._plan.beside.add(row)
            self._plan.touch(row)

    def forget(self, row: int) -> None:
        """The leg is closed."""
        self._repaired.pop(row, None)
        self._relayed.pop(row, None)

    def due(self, now: float) -> list[int]:
        """Turn the rows whose time it is; the sources whose play-out is to go live by that."""
        live = []
        for row in [row for row, since in self._repaired.items() if now - since >= LEARN]:
            source = self._plan.source(row)
            del self._repaired[row]
            self._plan.beside.discard(row)
            self._turn(row, True)
            if source is not None and self._table.common.way[row] == Way.RELAYED:
                live.append(source)
        for row, since in list(self._relayed.items()):
            if now - since >= PATIENCE or self._silent(row):
                del self._relayed[row]
                self._turn(row, False)
        return live

    def go_live(self, sources: list[int]) -> None:
        """Let the sources' next blocks begin where their packets were relayed to."""
        for plane in self._planes:
            slots = [plane.slot(row) for row in sources]
            plane.playout.live(np.array([slot for slot in slots if slot != NO_SLOT], np.int64))

    def _turn(self, row: int, repair: bool) -> None:
        self._table.common.repair[row] = repair
        self._plan.touch(row)

    def _silent(self, row: int) -> bool:
        """Whether nothing is said in what would be left out."""
        for source in self._plan.sources(row):
            for plane in self._planes:
                slot = plane.slot(source)
                if slot != NO_SLOT and _loudest(plane.playout, slot) > SILENCE:
                    return False
        return True


def _loudest(playout: Playout, slot: int) -> int:
    """The largest sample that is in a slot's buffer, or was in its last block."""
    play, end = int(playout.play[slot]) - playout.span, int(playout.end[slot])
    if end >= NEVER:
        return 0
    here, largest = np.array([slot]), 0
    while play < end:
        sound = playout.ring.get(here, np.array([play]), playout.span)[0, : end - play].astype(np.int32)
        largest = max(largest, int(np.abs(sound[sound != MISSING]).max(initial=0)))
        play += playout.span
    return largest
