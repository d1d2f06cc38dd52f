"""What the core made at a tick, as taps give it: by the engine's leg numbers, both directions.

heard: what a leg's far end said. said: what it was sent, which for a rendered leg is its mix before coding,
and for a relayed one what its source said; nothing while the leg is sent nothing.

Sound is as late as play-out made it wait. That of a mix is its source's; of one of several or none, 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from media.columns import F32, I16, I64, Bool
from media.legs import Leg, LegTable
from media.plan import Plan
from media.plane import RATES, Plane
from media.recording import TapLost
from media.render import Heard, Rendered
from media.tap import HEARD, SAID, Part, Taps


class Pick(NamedTuple):
    """Places in what was made, whether these are all, numbers of the legs they are for, and whose waiting it
    is: places among all that is heard, a plane after the other, and one more for nobody's.
    """

    places: I64
    whole: bool
    legs: I64
    origins: I64


class Tapping:
    """Which of the sound is whose; found anew only when the plan has changed. taps: None for none."""

    def __init__(self, table: LegTable, plan: Plan, planes: Sequence[Plane], taps: Taps | None) -> None:
        self._table = table
        self._plan = plan
        self._planes = planes
        self._taps = taps
        self._known: tuple[object, ...] = ()
        self._heard: list[Pick] = []
        self._relayed: list[Pick] = []
        self._rendered: list[Pick] = []
        self._late: F32 = np.zeros(1, np.float32)  # by origin

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
            for direction, pick in ((HEARD, self._heard[number]), (SAID, self._relayed[number])):
                if len(pick.places):
                    made = ~each.real & ~self._planes[number].resting if direction == HEARD else None
                    parts.append(self._part(direction, RATES[number], pick, each.samples, made))
        for pick, sound in zip(self._rendered, rendered):
            if len(pick.places):
                rate = RATES[0] if sound.samples.shape[1] == RATES[0] // 50 else RATES[1]
                parts.append(self._part(SAID, rate, pick, sound.samples))
        return parts

    def _part(self, direction: int, rate: int, pick: Pick, samples: I16, made: Bool | None = None) -> Part:
        chosen = samples if pick.whole else samples[pick.places]
        if made is not None:
            made = made[pick.places]
        return Part(direction, rate, pick.legs, self._late[pick.origins], chosen, made)

    def _settle(self, heard: Sequence[Heard], rendered: Sequence[Rendered]) -> None:
        """The plan makes new arrays of rows whenever it changes."""
        rows = (*(each.rows for each in heard), *(each.rows for each in rendered))
        if len(rows) != len(self._known) or any(a is not b for a, b in zip(rows, self._known)):
            self._known = rows
            self._choose(heard, rendered)
        waits = [plane.playout.waited_ms(plane.slots) for plane in self._planes]
        self._late = np.concatenate([*waits, np.zeros(1)]).astype(np.float32)

    def _choose(self, heard: Sequence[Heard], rendered: Sequence[Rendered]) -> None:
        plan = self._plan
        everybody = chain(*(each.rows.tolist() for each in heard))
        origin_of = {row: place for place, row in enumerate(everybody)}
        sources = [(row, plan.source(row)) for row in sorted(plan.tapped)]
        self._heard, self._relayed = [], []
        for each in heard:
            place_of = {row: place for place, row in enumerate(each.rows.tolist())}
            own = [(place_of[row], row, row) for row, _ in sources if row in place_of]
            relayed = [(place_of[source], row, source) for row, source in sources if source in place_of]
            self._heard.append(self._pick(own, len(each.rows), origin_of))
            self._relayed.append(self._pick(relayed, len(each.rows), origin_of))
        self._rendered = []
        for sound in rendered:
            mixed = enumerate(sound.rows.tolist())
            chosen = [(place, row, self._only(row)) for place, row in mixed if row in plan.tapped]
            self._rendered.append(self._pick(chosen, len(sound.rows), origin_of))

    def _only(self, row: int) -> int | None:
        """The one that a rendered leg hears, if it is one."""
        sources = list(self._plan.sources(row))
        return sources[0] if len(sources) == 1 else None

    def _pick(
        self, chosen: Sequence[tuple[int, int, int | None]], made: int, origin_of: dict[int, int]
    ) -> Pick:
        """chosen: place, row, and the row whose sound it is. made: how many places there are."""
        places = np.array([place for place, _, _ in chosen], np.int64)
        rows = np.array([row for _, row, _ in chosen], np.int64)
        nobody = len(origin_of)
        said = [nobody if row is None else origin_of.get(row, nobody) for _, _, row in chosen]
        whole = np.array_equal(places, np.arange(made))
        return Pick(places, whole, self._table.common.number[rows], np.array(said, np.int64))
