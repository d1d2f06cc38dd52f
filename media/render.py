"""What rendered legs are sent, made at the tick: read, brought to the listeners' rate, mixed, played to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from media import mixer
from media.columns import I16, I32, I64, Bool
from media.plan import Plan, View
from media.plane import RATES, Plane
from media.player import Done


class Heard(NamedTuple):
    """What legs say, samples int16[n, block]; real: whether anything of it came from packets."""

    rows: I64
    samples: I16
    real: Bool


class Rendered(NamedTuple):
    """Sound at one rate: samples int16[n, block] for the legs in `rows`."""

    rows: I64
    samples: I16


class Renderer:
    """Reads the planes and mixes; `played` has the plays that ended at the newest tick, by row."""

    def __init__(self, plan: Plan, planes: Sequence[Plane]) -> None:
        self._plan = plan
        self._planes = planes
        self.played: list[tuple[int, list[Done]]] = []

    def hear(self, skipped: int, now: float) -> list[Heard]:
        """What the legs that are heard say now, a plane after the other."""
        return [Heard(plane.rows, *plane.read(skipped, now)) for plane in self._planes]

    def mix(self, heard: Sequence[Heard], speaking: Bool) -> list[Rendered]:
        """What the rendered legs are to be sent. speaking: who does, by row."""
        totals = [
            self._total(view, number, heard, speaking) if len(view.rows) else None
            for number, view in enumerate(self._plan.views)
        ]
        self._plan.ramped()
        self._play(totals)
        return [
            Rendered(view.rows, mixer.clip(total))
            for view, total in zip(self._plan.views, totals)
            if total is not None
        ]

    def _total(self, view: View, number: int, heard: Sequence[Heard], speaking: Bool) -> I32:
        """The view's sums, int32[listeners, block]."""
        if view.matrix is None:
            return np.zeros((len(view.rows), self._planes[number].block), np.int32)
        sources = heard[number].samples[: view.native]
        if len(view.crossing):
            away = self._planes[1 - number].leave(view.crossing, heard[1 - number].samples)
            sources = np.concatenate([sources, away])
        total = mixer.mix(view.matrix, sources, view.one)
        if view.ramps is not None:
            view.ramps.apply(total, sources, speaking)
        return total

    def _play(self, totals: list[I32 | None]) -> None:
        """Add prompts and music."""
        self.played = []
        for view, place, player, row in self._plan.playing:
            total = totals[view]
            out = np.zeros(self._planes[view].block, np.int32)
            if place >= 0 and total is not None:
                out = total[place]
            done: list[Done] = []
            player.block(out, RATES[view], done)
            if done:
                self.played.append((row, done))
