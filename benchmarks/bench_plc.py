"""How well speech is heard when packets are lost: PESQ and STOI of our concealment and of others'.

    python -m benchmarks.bench_plc [--quick] [--speech FOLDER] [--seconds S]

Packets of 20 ms of G.711 (and of Opus, beside it) lost by chance or in bursts; every way gets the same
passages with the same packets missing. Ours is run three times: with no packet ahead of the one that is
due, as spandsp has it, and with one and two, which a jitter buffer of 20 and 40 ms holds. The figures are of
one, the least that a node's buffer has. PJSIP is a softphone process that receives the packets in real time,
with its own jitter buffer. Prints a table, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import thread_time

import numpy as np

from benchmarks import fillers, hearing, pjsip_ear
from benchmarks.bench_calls import commit, machine
from benchmarks.hearing import LOSSES, Passage
from media.codecs import opus
from media.columns import I16, Bool
from media.plc import HISTORY_MS, Concealer

RATE, FRAME = fillers.RATE, fillers.FRAME
RATES = (0.01, 0.03, 0.05, 0.1, 0.2)
CLEAN = ("random", 0.0)
CONDITIONS = [CLEAN] + [(kind, rate) for kind in LOSSES for rate in RATES]
NAMED = {"5pct": ("random", 0.05), "10pct": ("random", 0.1), "10pct_burst": ("burst", 0.1)}
PREFIXES = {
    "ours": "",
    "ours_blind": "blind_",
    "spandsp": "spandsp_",
    "pjsip": "pjsip_",
    "opus_fec": "opus_fec_",
}
AHEAD = 1  # packets of delay of the run that counts
BATCHES = (1, 10, 100)
FEC_LEAST = 10  # percent of loss that Opus is told of: at 24 kb/s libopus puts no copies in for 3 or 5
TURNS = 40
FIRST_SAFE = 5  # packets at a passage's beginning that are never lost


@dataclass(frozen=True)
class Case:
    """A passage under one condition. number: its place among the passages."""

    condition: tuple[str, float]
    number: int
    passage: Passage
    lost: Bool


def cases(passages: list[Passage], seed: int) -> list[Case]:
    made = []
    for place, (kind, rate) in enumerate(CONDITIONS):
        for number, passage in enumerate(passages):
            packets = -(-len(passage.samples) // FRAME)
            lost = LOSSES[kind](packets, rate, seed + 1009 * place + number)
            lost[:FIRST_SAFE] = False
            made.append(Case((kind, rate), number, passage, lost))
    return made


def score(reference: I16, heard: I16, shifted: bool, whole: bool) -> tuple[float, float]:
    """PESQ, and STOI if `whole`."""
    if shifted:
        heard = hearing.aligned(reference, heard, RATE)
    return hearing.pesq(reference, heard, RATE), hearing.stoi(reference, heard, RATE) if whole else np.nan


def _gently() -> None:
    os.nice(10)  # PJSIP listens in real time beside us


Scored = list[tuple[tuple[str, float], Future[tuple[float, float]]]]


class Bench:
    """Ways of filling, each scored in every case."""

    def __init__(self, passages: list[Passage], seed: int, pool: Executor, whole: bool) -> None:
        self.passages, self.cases, self.pool, self.whole = passages, cases(passages, seed), pool, whole
        self.scored: dict[str, Scored] = {}

    def take(self, way: str, heard: list[I16], *, shifted: bool = False) -> None:
        """Have scored what was heard of each case."""
        self.scored[way] = [
            (case.condition, self.pool.submit(score, case.passage.samples, sound, shifted, self.whole))
            for case, sound in zip(self.cases, heard)
        ]

    def fill(self, way: str, filler: Callable[[I16, Bool], I16]) -> None:
        self.take(way, [filler(case.passage.samples, case.lost) for case in self.cases])

    def fill_ours(self, way: str, ahead: int) -> None:
        sounds, losses = [case.passage.samples for case in self.cases], [case.lost for case in self.cases]
        self.take(way, fillers.ours(sounds, losses, ahead))

    def fill_opus(self, way: str, wide: list[Passage], *, fec: bool) -> None:
        heard = [
            fillers.through_opus(
                case.passage.samples,
                case.lost,
                wide=wide[case.number].samples,
                percent=max(round(100 * case.condition[1]), FEC_LEAST) if fec else 0,
            )
            for case in self.cases
        ]
        self.take(way, heard, shifted=True)

    def listen_through_pjsip(self, way: str) -> None:
        """Each condition is one call in which all passages are spoken one after the other."""
        streams = []
        for condition in CONDITIONS:
            mine = [case for case in self.cases if case.condition == condition]
            packets = [len(case.lost) * FRAME for case in mine]
            sound = [
                np.pad(case.passage.samples, (0, n - len(case.passage.samples)))
                for case, n in zip(mine, packets)
            ]
            streams.append(
                pjsip_ear.Stream(np.concatenate(sound), np.concatenate([case.lost for case in mine]))
            )
        recorded = pjsip_ear.heard(streams)
        heard: list[I16] = []
        for condition, stream, record in zip(CONDITIONS, streams, recorded):
            placed = hearing.aligned(stream.samples, record, RATE, most=6.0)
            start, margin = 0, RATE // 2
            for case in self.cases:
                if case.condition == condition:
                    end = start + len(case.passage.samples)
                    around = placed[max(start - margin, 0) : end + margin]
                    heard.append(hearing.aligned(case.passage.samples, around, RATE))
                    start += len(case.lost) * FRAME
        self.take(way, heard, shifted=True)

    def means(self, way: str) -> tuple[list[float], list[float]]:
        """Mean PESQ and STOI of a way by condition."""
        columns = []
        for condition in CONDITIONS:
            scores = [future.result() for each, future in self.scored[way] if each == condition]
            columns.append(np.mean(scores, axis=0))
        pesq, stoi = np.array(columns).T.round(4).tolist()
        return pesq, stoi


def cost(passage: Passage) -> dict[str, float]:
    """Microseconds a leg that a concealed block of 20 ms takes, by how many legs lose one at once."""
    size, history = FRAME, HISTORY_MS * RATE // 1000
    starts = np.linspace(size, len(passage.samples) - history - 3 * size, max(BATCHES)).astype(int)
    sound = np.stack([passage.samples[at : at + history + 2 * size] for at in starts])
    figures = {}
    for batch in BATCHES:
        part, missing, known = sound[:batch], np.zeros((batch, size), bool), np.ones((batch, size), bool)
        concealer, slots = Concealer(batch, RATE), np.arange(batch)
        since = thread_time()
        for _ in range(TURNS):
            block = np.zeros((batch, size), np.int16)
            concealer.fill(slots, part[:, :history], block, missing, part[:, history + size :], known)
        figures[f"us_per_leg_{batch}"] = round((thread_time() - since) / TURNS / batch * 1e6, 1)
    return figures


def fill_all(bench: Bench, wide: list[Passage]) -> None:
    bench.fill_ours("ours", AHEAD)
    bench.fill_ours("ours_blind", 0)
    bench.fill_ours("ours_40ms", 2)
    bench.fill("spandsp", fillers.spandsp)
    bench.fill("repetition", fillers.repetition)
    bench.fill("silence", fillers.silence)
    if opus.available():
        bench.fill_opus("opus", wide, fec=False)
        bench.fill_opus("opus_fec", wide, fec=True)
    bench.listen_through_pjsip("pjsip")


def figures_of(bench: Bench) -> dict[str, float]:
    """The figures, and the table on the way."""
    titles = " ".join(f"{kind[:3]}{100 * rate:3.0f}%" for kind, rate in CONDITIONS)
    pesq: dict[str, list[float]] = {}
    stoi: dict[str, list[float]] = {}
    print(f"{'PESQ':12}{titles}")
    for way in bench.scored:
        pesq[way], stoi[way] = bench.means(way)
        print(f"{way:12}" + " ".join(f"{value:7.2f}" for value in pesq[way]))
    if bench.whole:
        print(f"{'STOI':12}{titles}")
        for way, values in stoi.items():
            print(f"{way:12}" + " ".join(f"{value:7.3f}" for value in values))
    figures: dict[str, float] = {}
    for way, prefix in (("ours", ""), ("ours_blind", "blind_")):
        for peer in ("spandsp", "pjsip"):
            gains = np.subtract(pesq[way], pesq[peer])[1:]  # where something is lost
            figures[f"{prefix}gain_over_{peer}_min"] = round(float(gains.min()), 3)
    for way, prefix in PREFIXES.items():
        for name, condition in NAMED.items():
            if way in pesq:
                figures[f"{prefix}pesq_{name}"] = round(pesq[way][CONDITIONS.index(condition)], 3)
    figures["pesq_clean"], figures["pjsip_pesq_clean"] = round(pesq["ours"][0], 3), round(pesq["pjsip"][0], 3)
    if bench.whole:
        figures["stoi_10pct"] = round(stoi["ours"][CONDITIONS.index(NAMED["10pct"])], 3)
    return figures


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_plc", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small sample and PESQ alone, under 50 s")
    parser.add_argument("--speech", help="folder of WAV files, instead of shared/speech beside the checkout")
    parser.add_argument("--seconds", type=float, default=0.0, help="of speech, 0 for 240, or 18 when quick")
    parser.add_argument("--seed", type=int, default=1, help="of the sample and of the losses")
    options = parser.parse_args(arguments)
    choose = partial(
        hearing.passages,
        seconds=options.seconds or (18.0 if options.quick else 240.0),
        folder=options.speech,
        seed=options.seed,
    )
    passages, wide = choose(RATE), choose(2 * RATE)
    seconds = sum(len(passage.samples) for passage in passages) / RATE
    print(f"{len(passages)} passages, {seconds:.0f} s, {len(CONDITIONS)} conditions", flush=True)
    figures = cost(passages[0])
    with ProcessPoolExecutor(os.cpu_count(), initializer=_gently) as pool:
        bench = Bench(passages, options.seed, pool, not options.quick)
        fill_all(bench, wide)
        figures = figures_of(bench) | figures
    figures |= {"lookahead_ms": 20 * AHEAD, "speech_s": round(seconds)}
    print(json.dumps({"bench": "plc", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
