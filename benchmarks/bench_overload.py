"""Calls beside four times more speech than can be recognised: what they notice, and what speech goes without.

    python -m benchmarks.bench_overload [--quick]

A media worker bridges calls, relayed and rendered, beside the speech processes of a node: first while nobody
is heard, then while twenty people speak English at once of whom a recogniser can hear four or five, in pairs.
The floor, which does nothing but the system calls, is measured in each: a core that a neighbour keeps busy
makes anybody's second longer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.bench_calls import (
    RENDERED_GAIN,
    Way,
    Worker,
    build,
    commit,
    machine,
    measure,
    measure_floor,
)
from benchmarks.percentile import percentile_ms
from media.columns import I16
from media.speech.messages import Attend, Into, Said, Strained, Unable
from media.speech.recognition import BUSY
from media.speech.shedding import Level
from media.speech.utterance import Stage
from tests.interop.booth import RATE, Booth, booth, shipped, speech

LEGS = tuple(range(1, 41, 2))
CALLS = 100
SAYS = (
    "my parcel has not arrived and i would like to know where it is",
    "i want to change the address of my last order please",
    "could you tell me when the technician is going to come",
    "the bill that i got this morning is not right at all",
)
PAUSE_S = 0.8
CHUNK_S = 0.5
SETTLED_S = 4.0  # after all was shed
SHED_S, RECOVERED_S = 20.0, 60.0  # within which they have to be


class Crowd:
    """People at the booth, of whom those in `speaks` speak, sentence after sentence; time goes on for all."""

    def __init__(self, scene: Booth) -> None:
        self.scene = scene
        self.speaks: Sequence[int] = ()
        said = [np.concatenate([speech(text, "en-us", 0.0), _pause()]) for text in SAYS]
        self._sounds = {leg: np.roll(np.concatenate(said), -leg * RATE // 2) for leg in LEGS}
        self._at = 0

    async def run(self) -> None:
        """For ever."""
        quiet = np.zeros(round(CHUNK_S * RATE), np.int16)
        while True:
            await self.scene.speak({leg: self._chunk(leg) if leg in self.speaks else quiet for leg in LEGS})
            self._at += len(quiet)

    def _chunk(self, leg: int) -> I16:
        sound = self._sounds[leg]
        return sound[(self._at + np.arange(round(CHUNK_S * RATE))) % len(sound)]

    async def level(self, wanted: Level, seconds: float) -> float:
        """Wait until speech goes without so much; s that it took. Raises TimeoutError."""
        began, scene = self.scene.now, self.scene
        await scene.until(lambda: level_of(scene) is wanted, seconds)
        return scene.now - began


def _pause() -> I16:
    return np.zeros(round(PAUSE_S * RATE), np.int16)


def level_of(scene: Booth) -> Level:
    told = scene.told(Strained)
    return told[-1].level if told else Level.NOTHING


def attends() -> list[Attend]:
    return [Attend(leg, ("en",), (Into(leg + 1, "es", voice="over"),)) for leg in LEGS]


@dataclass
class Side:
    """What calls were measured at, of either side of the pairs."""

    floors: list[float] = field(default_factory=list)
    relayed: list[Way] = field(default_factory=list)
    rendered: list[Way] = field(default_factory=list)

    async def measure(self, tools: dict[str, str], worker: Worker, seconds: float) -> None:
        self.floors.append(await measure_floor(tools, CALLS, seconds))
        self.relayed.append(await measure(tools, worker, CALLS, seconds, 1.0))
        self.rendered.append(await measure(tools, worker, CALLS, seconds, RENDERED_GAIN))

    def cost(self, kind: str) -> float:
        return statistics.median(each.cost_ms for each in getattr(self, kind))

    def times_floor(self, kind: str) -> float:
        return self.cost(kind) / statistics.median(self.floors)

    @property
    def lost(self) -> int:
        return sum(each.lost for each in (*self.relayed, *self.rendered))

    @property
    def mos(self) -> float:
        return min(each.mos for each in (*self.relayed, *self.rendered))

    @property
    def delay(self) -> float:
        return statistics.median(each.delay_p95_ms or math.nan for each in self.relayed)


@dataclass
class Told:
    """What the speech processes told. lags: s from the end of speech to its caption, where there was one."""

    levels: list[Level] = field(default_factory=list)
    shed_s: list[float] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    captioned: set[int] = field(default_factory=set)
    without: set[int] = field(default_factory=set)  # legs that were told so

    def add(self, scene: Booth, since: float) -> None:
        """A while in which too many spoke."""
        said = [each for each in scene.told(Said, since) if each.over and each.stands and each.end >= since]
        self.lags += [each.lags[Stage.WRITTEN] for each in said]
        self.captioned |= {each.leg for each in said}
        self.without |= {each.leg for each in scene.told(Unable) if each.why == BUSY}


@dataclass
class Pairs:
    quiet: Side = field(default_factory=Side)
    loud: Side = field(default_factory=Side)
    told: Told = field(default_factory=Told)


async def run(rounds: int, seconds: float, recovers: bool = True) -> Pairs:
    found = Pairs()
    with tempfile.TemporaryDirectory() as directory:
        tools = build(Path(directory))
        async with booth(shipped(), *attends()) as scene:
            worker, crowd = Worker("auto"), Crowd(scene)
            await worker.start()
            speaking = asyncio.create_task(crowd.run())
            try:
                for _ in range(rounds):
                    await _pair(found, tools, worker, crowd, seconds, recovers)
            finally:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
                await worker.stop()
            found.told.levels = [each.level for each in scene.told(Strained)]
    return found


async def _pair(
    found: Pairs, tools: dict[str, str], worker: Worker, crowd: Crowd, seconds: float, recovers: bool
) -> None:
    await found.quiet.measure(tools, worker, seconds)
    crowd.speaks = LEGS
    found.told.shed_s.append(await crowd.level(Level.CAPTIONS, SHED_S))
    await asyncio.sleep(SETTLED_S)
    since = crowd.scene.now
    await found.loud.measure(tools, worker, seconds)
    found.told.add(crowd.scene, since)
    crowd.speaks = ()
    if recovers:
        found.told.recovered_s.append(await crowd.level(Level.NOTHING, RECOVERED_S))


def figures_of(found: Pairs) -> dict[str, float | None]:
    """README says what each means."""
    quiet, loud, told = found.quiet, found.loud, found.told
    figures: dict[str, float | None] = {}
    for kind in ("relayed", "rendered"):
        figures |= {
            f"{kind}_x_quiet": round(loud.times_floor(kind) / quiet.times_floor(kind), 3),
            f"{kind}_ms": round(loud.cost(kind), 4),
            f"{kind}_quiet_ms": round(quiet.cost(kind), 4),
        }
    floors = statistics.median(loud.floors) / statistics.median(quiet.floors)
    return figures | {
        "floor_x_quiet": round(floors, 3),
        "delay_p95_ms": round(loud.delay, 3),
        "delay_p95_quiet_ms": round(quiet.delay, 3),
        "lost_packets": loud.lost,
        "lost_packets_quiet": quiet.lost,
        "mos": round(loud.mos, 2),
        "mos_quiet": round(quiet.mos, 2),
        "shed_s": round(max(told.shed_s), 2),
        "recovered_s": round(max(told.recovered_s), 2) if told.recovered_s else None,
        "captioned_legs": len(told.captioned),
        "legs": len(LEGS),
        "captions_p95_ms": percentile_ms(told.lags, 95),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_overload", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one pair, without the end of it, under 50 s")
    options = parser.parse_args(arguments)
    found = asyncio.run(run(1, 1.8, recovers=False) if options.quick else run(3, 5.0))
    print("given up:", ", ".join(each.name.lower() for each in found.told.levels))
    figures = figures_of(found)
    print(json.dumps({"bench": "overload", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
