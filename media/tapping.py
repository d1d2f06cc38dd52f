"""What the core made at a tick, as taps give it: by the engine's leg numbers, both directions.

heard: what a leg's far end said. said: what it was sent, which for a rendered leg is its mix before coding,
and for a relayed one what its source said; nothing while the leg is sent nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media.columns import I16, I64
from media.legs import Leg, LegTable
from media.plan import Plan
from media.plane import RATES
from media.recording import TapLost
from media.render import Heard, Rendered
from media.tap import HEARD, SAID, Part, Taps

Pick = tuple[I64, I64]  # places in what was made, and the numbers of the legs that they are for


class Tapping:
    """Which of the sound is whose; found anew only when the plan has changed. taps: None for none."""

    def __init__(self, table: LegTable, plan: Plan, taps: Taps | None) -> None:
        self._table = table
        self._plan = plan
        self._taps = taps
        self._known: tuple[object, ...] = ()
        self._heard: list[Pick] = []
        self._relayed: list[Pick] = []
        self._rendered: list[Pick] = []

    def tap(self, leg: Leg, to: str) -> None:
        """Give the leg's sound to the subscriber at `to`."""
        if self._taps is not None:
            self._taps.tap(leg.number, to)
            self._plan.tapped.add(leg.row)
            self._plan.touch(leg.row)

    def untap(self, leg: Leg, to: str) -> None:
        """Give it to that subscriber no more."""
        if self._taps is not None:
            self._taps.untap(leg.number, to)
            if leg.number not in self._taps.legs:
                self._plan.tapped.discard(leg.row)
                self._plan.touch(leg.row)

    def forget(self, leg: Leg) -> None:
        """The leg is closed."""
        if self._taps is not None:
            self._taps.forget(leg.number)

    def tick(self, heard: Sequence[Heard], rendered: Sequence[Rendered], skipped: int) -> list[TapLost]:
        """Give the tick's sound; what is to be told."""
        if self._taps is None:
            return []
        parts = self.parts(heard, rendered) if self._plan.tapped else []
        return self._taps.give(parts, skipped)

    def flush(self) -> None:
        """Send on what subscribers could not take at the tick."""
        if self._taps is not None:
            self._taps.flush()

    def parts(self, heard: Sequence[Heard], rendered: Sequence[Rendered]) -> list[Part]:
        """One tick's sound of the tapped legs. heard: one entry a plane, rendered: of those with legs."""
        self._settle(heard, rendered)
        parts = []
        for number, each in enumerate(heard):
            for direction, (places, legs) in ((HEARD, self._heard[number]), (SAID, self._relayed[number])):
                if len(places):
                    parts.append(Part(direction, RATES[number], legs, _chosen(each.samples, places)))
        for (places, legs), sound in zip(self._rendered, rendered):
            if len(places):
                rate = RATES[0] if sound.samples.shape[1] == RATES[0] // 50 else RATES[1]
                parts.append(Part(SAID, rate, legs, _chosen(sound.samples, places)))
        return parts

    def _settle(self, heard: Sequence[Heard], rendered: Sequence[Rendered]) -> None:
        """The plan makes new arrays of rows whenever it changes."""
        rows = (*(each.rows for each in heard), *(each.rows for each in rendered))
        if len(rows) == len(self._known) and all(now is then for now, then in zip(rows, self._known)):
            return
        self._known = rows
        plan = self._plan
        sources = [(row, plan.source(row)) for row in sorted(plan.tapped)]
        self._heard, self._relayed = [], []
        for each in heard:
            place_of = {row: place for place, row in enumerate(each.rows.tolist())}
            own = [(place_of[row], row) for row, _ in sources if row in place_of]
            relayed = [(place_of[source], row) for row, source in sources if source in place_of]
            self._heard.append(self._pick(own))
            self._relayed.append(self._pick(relayed))
        self._rendered = [
            self._pick([(place, row) for place, row in enumerate(each.rows.tolist()) if row in plan.tapped])
            for each in rendered
        ]

    def _pick(self, chosen: list[tuple[int, int]]) -> Pick:
        places = np.array([place for place, _ in chosen], np.int64)
        rows = np.array([row for _, row in chosen], np.int64)
        return places, self._table.common.number[rows]


def _chosen(samples: I16, places: I64) -> I16:
    return samples if len(places) == len(samples) and (np.diff(places) == 1).all() else samples[places]
