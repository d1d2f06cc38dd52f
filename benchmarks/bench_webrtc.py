"""Browsers' legs through our worker and gate, and through stock aiortc: CPU, set-up, delay after loss.

    python -m benchmarks.bench_webrtc [--quick] [--legs N ...] [--seconds S] [--setups N] [--speech FOLDER]

Both are offered the same by the same far ends (benchmarks/browsers.py): Opus both ways over DTLS-SRTP, joined
two by two so that each is decoded and encoded again. Of each number of legs ours and stock's are measured in
turns, and so are set-ups. Prints what it does, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np

from benchmarks import hearing
from benchmarks.bench_calls import commit, machine
from benchmarks.browsers import SAMPLES, Far, Load, Unreachable, reel
from benchmarks.lateness import lateness
from benchmarks.percentile import percentile_ms
from benchmarks.webrtc_servers import Ours, Server, Stock
from media.codecs import opus
from media.columns import I16
from media.io.webrtc import certify

RENDERED = 0.999  # a gain at which nothing can be passed on as it is
LOSS = 0.05
AT_ONCE = 5  # legs connected at a time
QUICK = 36.0  # s for a quick run, and a few on top for whatever is under way then
SETUP, JOINING = 0.3, 0.1  # s that setting up takes of a busy machine: a caller who is heard, a leg
HEADLINE = 10  # legs, the least number that a contact centre's worker is looked at with
WHOLE = 0.97  # share of packets that have to come back for a run to count
STAGES = ("receive", "open", "decode", "play-out", "mix", "encode", "seal", "send", "watch", "rest")


class Scene(NamedTuple):
    """How long and how much. rounds: of each number of legs. before, lossy, after: s of the run with loss, of
    which `settled` s behind it are left out. most: s for all of it; what does not fit any more is left out.
    """

    legs: list[int]
    seconds: float
    rounds: int
    setups: int
    before: float
    lossy: float
    after: float
    settled: float
    seed: int
    most: float = 3600.0


class Cost(NamedTuple):
    """ms: of CPU a second a leg; far_ms: of the far ends. whole: share of the packets due that came back."""

    ms: float
    far_ms: float
    whole: float


class Setups(NamedTuple):
    """Seconds from an offer to the first sound; failed: that came to nothing."""

    times: list[float]
    failed: int

    def ms(self, percent: float) -> float | None:
        return percentile_ms(self.times, percent)

    def told(self) -> str:
        return f"p50 {self.ms(50)} ms, p95 {self.ms(95)} ms of {len(self.times)}, {self.failed} failed"


class Bench:
    """What all measurements share."""

    def __init__(self, speech: I16, scene: Scene) -> None:
        self.speech, self.scene = speech, scene
        self._certificate = certify()
        self._says = reel(speech)
        self._tone = reel(_chord(2.0))
        self._legs = 0
        self._began = perf_counter()

    def affords(self, seconds: float, what: str) -> bool:
        """Whether there is so much time left; `what` is left out if not."""
        affords = perf_counter() - self._began + seconds <= self.scene.most
        if not affords:
            print(f"left out, for there is no time left: {what}", flush=True)
        return affords

    def far(self, *, turn: int = 0, tone: bool = False, loss: float = 0.0) -> Far:
        """Another far end; turn: how many packets into the speech it begins."""
        self._legs += 1
        says = self._tone if tone else self._says[turn:] + self._says[:turn]
        dice = Random(self.scene.seed * 10_000 + self._legs)
        return Far(self._certificate, says, 0x10000 + self._legs, loss=loss, dice=dice)

    def number(self) -> int:
        """Of another leg."""
        self._legs += 1
        return self._legs

    async def joined(self, server: Server, one: Far, other: Far) -> list[int]:
        """Connect two and let them hear each other; their legs."""
        legs = [self.number(), self.number()]
        offers = {leg: await far.offer() for leg, far in zip(legs, (one, other))}
        answers = await server.pair(offers)
        await asyncio.gather(*(far.meet(answers[leg]) for leg, far in zip(legs, (one, other))))
        return legs

    # --- what a leg costs -------------------------------------------------------------------------

    async def cost(self, server: Server, count: int) -> Cost:
        """Of `count` legs, joined two by two; one without another is left out."""
        fars = [self.far(turn=37 * i % len(self._says)) for i in range(count // 2 * 2)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def join(at: int) -> list[int]:
            async with gate:
                return await self.joined(server, fars[at], fars[at + 1])

        pairs = await asyncio.gather(*map(join, range(0, len(fars), 2)))
        legs = [leg for pair in pairs for leg in pair]
        seconds, lead = self.scene.seconds, min(1.0, self.scene.seconds / 4)
        load = Load(fars)
        speaking = asyncio.create_task(load.run(seconds))
        await asyncio.sleep(lead)
        began, used, own, received = perf_counter(), server.cpu(), process_time(), load.received()
        await asyncio.sleep(seconds - 1.5 * lead)
        passed, spent, came = perf_counter() - began, server.cpu() - used, load.received() - received
        own = process_time() - own
        await speaking
        await server.close(legs)
        await asyncio.gather(*(far.close() for far in fars))
        legs_s = passed * len(fars)
        return Cost(1000 * spent / legs_s, 1000 * own / legs_s, came / (50 * legs_s))

    # --- how long it takes ------------------------------------------------------------------------

    async def setups(self, servers: Sequence[Server], loss: float, at_once: int) -> list[Setups]:
        """Callers who are let hear somebody who speaks; all their datagrams are subject to the loss."""
        speakers = [self.far(tone=True) for _ in servers]
        legs = [self.number() for _ in servers]
        for server, speaker, leg in zip(servers, speakers, legs):
            await speaker.meet(await server.speaker(leg, await speaker.offer()))
        speaking = asyncio.create_task(Load(speakers).run(3600.0))
        done: list[list[float | None]] = [[] for _ in servers]
        for _ in range(0, self.scene.setups, at_once):
            if not self.affords(at_once * SETUP, "some of the set-ups"):
                break
            for found, server, leg in zip(done, servers, legs):
                found += await asyncio.gather(*(self._setup(server, leg, loss) for _ in range(at_once)))
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        for server, speaker, leg in zip(servers, speakers, legs):
            await server.close([leg])
            await speaker.close()
        return [Setups([each for each in found if each is not None], found.count(None)) for found in done]

    async def _setup(self, server: Server, speaker: int, loss: float) -> float | None:
        far, leg = self.far(loss=loss), self.number()
        offer = await far.offer()
        began = perf_counter()
        try:
            sound = asyncio.ensure_future(far.first_sound())
            await far.meet(await server.listener(leg, offer, speaker))
            return await sound - began
        except Unreachable as fault:
            print(f"{server.name}: {fault}", file=sys.stderr)
            return None
        finally:
            sound.cancel()
            await server.close([leg])
            await far.close()

    # --- what loss leaves behind ------------------------------------------------------------------

    async def delays(self, server: Server) -> tuple[float, float]:
        """Median lateness in ms before a time of loss, and some time after it."""
        scene = self.scene
        one, other = self.far(), self.far(turn=400)
        one.dice = Random(scene.seed)  # the same packets for all servers
        legs = await self.joined(server, one, other)
        one.keeps = other.keeps = True
        speaking = asyncio.create_task(Load([one, other]).run(scene.before + scene.lossy + scene.after))
        await asyncio.sleep(scene.before)
        one.loss = LOSS
        await asyncio.sleep(scene.lossy)
        one.loss = 0.0
        await speaking
        await server.close(legs)
        came, heard = other.heard()
        found = lateness(self.speech, one.sent, heard, came)
        await asyncio.gather(one.close(), other.close())
        over = scene.before + scene.lossy + scene.settled
        before = [each.ms for each in found if 0.5 <= each.at < scene.before - 0.5]
        after = [each.ms for each in found if each.at >= over]
        if not before or not after:
            raise SystemExit(f"{server.name}: nothing is heard")
        return statistics.median(before), statistics.median(after)


def _chord(seconds: float) -> I16:
    """Three tones at 16 kHz, never silent."""
    time = np.arange(int(seconds * opus.RATE) // SAMPLES * SAMPLES) / opus.RATE
    sound = sum(np.sin(2 * np.pi * hertz * time) for hertz in (300.0, 450.0, 1000.0))
    return np.rint(3000 * np.asarray(sound)).astype(np.int16)


async def costs(bench: Bench, ours: Server, stock: Server) -> dict[str, float]:
    """Figures of what a leg costs at the numbers of legs that either carries, and of both side by side.

    Where stock does not carry as many, the least that a leg of it costs stands for what it would cost. Of the
    number that counts most that is measured once more, in turns with ours.
    """
    figures: dict[str, float] = {}
    names = {ours.name: "cpu_ms", stock.name: "cpu_stock_ms"}
    trying, least = [ours, stock], float("inf")
    for count in bench.scene.legs:
        for server, cost in (await in_turns(bench, [(server, count) for server in trying])).items():
            if cost.whole >= WHOLE:
                figures[f"{names[server.name]}_{count}"] = round(cost.ms, 3)
                figures["legs" if server is ours else "legs_stock"] = count
            else:
                trying.remove(server)  # more it will not carry either
        own, theirs = figures.get(f"cpu_ms_{count}"), figures.get(f"cpu_stock_ms_{count}")
        least = min(least, theirs or least)
        if count == HEADLINE and theirs is None and "legs_stock" in figures:
            again = await in_turns(bench, [(ours, count), (stock, int(figures["legs_stock"]))])
            if len(again) == 2:
                own, theirs = again[ours].ms, again[stock].ms
        if own is not None and least < float("inf"):
            figures[f"cpu_x_stock_{count}"] = round(own / (theirs or least), 4)
    if f"cpu_x_stock_{HEADLINE}" in figures:
        figures["cpu_x_stock"] = figures[f"cpu_x_stock_{HEADLINE}"]
    return figures


async def in_turns(bench: Bench, tries: Sequence[tuple[Server, int]]) -> dict[Server, Cost]:
    """What a leg costs of servers with so many legs each."""
    found: dict[Server, list[Cost]] = {}
    for turn in range(bench.scene.rounds):
        for server, count in tries if turn % 2 == 0 else reversed(tries):
            if bench.affords(bench.scene.seconds + JOINING * count, f"{server.name}, {count} legs"):
                cost = await bench.cost(server, count)
                told = f"{cost.ms:.2f} ms/s a leg, {cost.whole:.1%} of packets back"
                print(f"{server.name}, {count} legs: {told}; far ends {cost.far_ms:.2f} ms/s", flush=True)
                found.setdefault(server, []).append(cost)
    return {server: Cost(*map(statistics.mean, zip(*some))) for server, some in found.items()}


async def lean(bench: Bench, count: int) -> float:
    """CPU in ms a second a leg of aiortc whose encoder is made to do what ours does."""
    server = Stock(lean=True)
    await server.start()
    cost = await bench.cost(server, count)
    await server.stop()
    print(f"{server.name}, {count} legs: {cost.ms:.2f} ms/s a leg, {cost.whole:.1%} back", flush=True)
    return round(cost.ms, 3)


async def relayed(bench: Bench, count: int) -> float:
    """CPU in ms a second a leg where Opus is passed on as it is."""
    ours = Ours(1.0)
    await ours.start()
    cost = await bench.cost(ours, count)
    await ours.stop()
    print(f"ours, {count} legs, passed on as it is: {cost.ms:.2f} ms/s a leg", flush=True)
    return round(cost.ms, 3)


async def spent(bench: Bench, count: int) -> dict[str, float]:
    """Shares of our worker's CPU by what it is at, with so many legs."""
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples"
        ours = Ours(RENDERED, "benchmarks.sampled_worker", ["--samples", str(samples)])
        await ours.start()
        await bench.cost(ours, count)
        await ours.stop()
        counts = json.loads(samples.read_text("utf-8"))
    total = sum(counts.values()) or 1
    return {stage: counts.get(stage, 0) / total for stage in STAGES}


async def run(bench: Bench) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    ours, stock = Ours(RENDERED), Stock()
    await asyncio.gather(ours.start(), stock.start())
    for server, delays in zip((ours, stock), await asyncio.gather(bench.delays(ours), bench.delays(stock))):
        whose = "" if server is ours else "_stock"
        print(f"{server.name}, late by {delays[0]:.0f} ms before loss, {delays[1]:.0f} ms after", flush=True)
        figures |= {f"delay_before_loss{whose}_ms": round(delays[0], 1)}
        figures |= {f"delay_after_loss{whose}_ms": round(delays[1], 1)}
    for loss, name in ((0.0, "setup"), (LOSS, "setup_loss")):
        both = await bench.setups((ours, stock), loss, AT_ONCE if loss else 1)
        for server, whose, found in zip((ours, stock), ("", "_stock"), both):
            print(f"{server.name}, set up at {loss:.0%} loss: {found.told()}", flush=True)
            figures |= {f"{name}{whose}_p50_ms": found.ms(50), f"{name}{whose}_p95_ms": found.ms(95)}
    figures |= await costs(bench, ours, stock)
    await asyncio.gather(ours.stop(), stock.stop())
    least, largest = bench.scene.legs[0], int(figures.get("legs") or bench.scene.legs[0])
    if bench.affords(bench.scene.seconds + 3, "aiortc made lean"):
        count = int(figures.get("legs_stock") or least)
        figures["cpu_lean_ms"] = lean_ms = await lean(bench, count)
        ours_ms = figures.get(f"cpu_ms_{count}")
        figures["cpu_x_lean"] = round(ours_ms / lean_ms, 4) if ours_ms is not None else None
    if bench.affords(bench.scene.seconds + 3, "Opus passed on as it is"):
        figures["relayed_ms"] = await relayed(bench, largest)
    if bench.affords(bench.scene.seconds + 3, "where the CPU goes"):
        shares = await spent(bench, min(25, largest))
        told = ", ".join(f"{stage} {share:.0%}" for stage, share in shares.items())
        print(f"ours, where a worker's CPU goes: {told}", flush=True)
    return figures


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_webrtc", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run, under 50 s")
    parser.add_argument("--legs", type=int, nargs="+", default=None)
    parser.add_argument("--seconds", type=float, default=0.0, help="of load in each run")
    parser.add_argument("--setups", type=int, default=0, help="of each kind")
    parser.add_argument("--speech", default=None, help="folder of WAV files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    quick = options.quick
    scene = Scene(
        legs=sorted(options.legs or ([4, 10] if quick else [4, 6, 10, 25, 50, 100])),
        seconds=options.seconds or (2.5 if quick else 4.0),
        rounds=1 if quick else 2,
        setups=options.setups or (10 if quick else 40),
        before=2.5 if quick else 4.0,
        lossy=3.0 if quick else 8.0,
        after=4.0 if quick else 7.0,
        settled=2.0 if quick else 4.0,
        seed=options.seed,
        most=QUICK if quick else 3600.0,
    )
    spoken = scene.before + scene.lossy + scene.after + 4.0
    parts = hearing.passages(opus.RATE, seconds=spoken, folder=options.speech)
    bench = Bench(np.concatenate([part.samples for part in parts]), scene)
    figures = asyncio.run(run(bench))
    print(json.dumps({"bench": "webrtc", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
