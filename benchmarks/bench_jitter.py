"""The jitter buffer over seeded delay traces: delay against loss against PESQ.

    python -m benchmarks.bench_jitter [--quick] [--speech FOLDER] [--trace FILE ...]

The same packets, taken at drains every 5 ms and played at ticks every 20 ms, go through the adaptive buffer
and through fixed ones. Delay is from when a sample was sent to the tick in which it is played; loss is what
had to be made up beyond what the network lost. Hindsight knows the whole trace beforehand and chooses the
smallest delay at which no more than that would have been late; the oracle even chooses again every 2 s, at no
cost. `--trace`: a recorded one besides, a line a packet of 20 ms: its delay in ms, empty when lost.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks import hearing, traces
from benchmarks.bench_calls import commit, machine
from media.columns import I16, I64
from media.delay import BufferSettings
from media.playout import Playout

RATE, BLOCK = 8000, 160
TICK, DRAIN = 0.020, 0.005  # s
SETTLED = 2.0  # s after which is measured
PIECE = 2.0  # s for which the oracle chooses
FIXED = (40, 60, 100, 200)  # ms
BUFFERS = {"ours": BufferSettings()} | {
    f"fixed {ms}": BufferSettings(start_ms=ms, max_ms=max(ms, 200), fixed=True) for ms in FIXED
}
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """name: of its trace. arrival: s, by packet, NaN when lost. phase: s of its packets after a tick."""

    name: str
    arrival: F64
    phase: float


@dataclass
class Run:
    """What one buffer made of all streams: mean delay (s) and share made up, by stream; what was heard."""

    delay: F64
    loss: F64
    heard: I16
    figures: dict[str, list[float]] = field(default_factory=dict)


def streams(seconds: float, seeds: int, files: list[Path]) -> list[Stream]:
    """Every trace with every seed, at different phases of the tick."""
    made = [
        Stream(name, traces.trace(name, seconds, seed), seed * 0.007 % TICK)
        for name in traces.TRACES
        for seed in range(1, seeds + 1)
    ]
    count = int(seconds / TICK)
    return made + [Stream(path.stem, traces.recorded(path)[:count], 0.003) for path in files]


def schedule(lines: list[Stream], ticks: int) -> Iterator[list[tuple[float, I64, I64]]]:
    """For each tick the rounds of packets taken before it: the drain's time, slots and packet numbers."""
    slot = np.concatenate([np.full(len(line.arrival), i) for i, line in enumerate(lines)])
    number = np.concatenate([np.arange(len(line.arrival)) for line in lines])
    at = np.concatenate([line.arrival + line.phase for line in lines])
    there = np.isfinite(at)
    slot, number, at = slot[there], number[there], at[there]
    drain = np.ceil(at / DRAIN - 1e-9).astype(np.int64)
    order = np.lexsort((at, slot, drain))
    slot, number, drain = slot[order], number[order], drain[order]
    same = (np.diff(drain, prepend=-1) == 0) & (np.diff(slot, prepend=-1) == 0)
    turn = np.arange(len(slot)) - np.maximum.accumulate(np.where(same, 0, np.arange(len(slot))))
    order = np.lexsort((slot, turn, drain))
    slot, number, drain, turn = slot[order], number[order], drain[order], turn[order]
    edges = np.flatnonzero((np.diff(drain, prepend=-1) != 0) | (np.diff(turn, prepend=-1) != 0))
    rounds = [(int(drain[a]) * DRAIN, slot[a:b], number[a:b]) for a, b in zip(edges, [*edges[1:], len(slot)])]
    place = 0
    for tick in range(ticks):
        taken = []
        while place < len(rounds) and rounds[place][0] <= tick * TICK + 1e-9:
            taken.append(rounds[place])
            place += 1
        yield taken


def play(lines: list[Stream], speech: I16, settings: BufferSettings, ticks: int) -> Run:
    """All streams through one buffer's setting."""
    count = len(lines)
    playout, slots = Playout(RATE, count, settings), np.arange(count)
    newest, begun = np.full(count, -1), np.zeros(count, bool)
    phase = np.array([line.phase for line in lines])
    heard = np.zeros((count, ticks * BLOCK), np.int16)
    delay, measured = np.zeros(count), 0
    packets = speech.reshape(-1, BLOCK)
    for tick, rounds in enumerate(schedule(lines, ticks)):
        for now, some, numbers in rounds:
            first = ~begun[some]
            playout.begin(some[first], numbers[first] * BLOCK, now)
            begun[some] = True
            ahead = numbers > newest[some]
            newest[some] = np.maximum(newest[some], numbers)
            playout.observe(some, numbers * BLOCK, now)
            playout.write(some, numbers * BLOCK, packets[numbers % len(packets)], ahead, now)
        now = tick * TICK
        stamp = (playout.play - playout.shift) / RATE
        heard[:, tick * BLOCK : (tick + 1) * BLOCK] = playout.read(slots, 0, now)[0]
        if now >= SETTLED:
            delay += now - stamp - phase
            measured += 1
    lost = np.array([np.isnan(line.arrival).sum() for line in lines])
    made_up = np.maximum(playout.concealed / BLOCK - lost, 0) / ticks
    return Run(delay / measured, made_up, heard)


def needed(line: Stream) -> F64:
    """Delay with which each packet would just have been in time for its tick, s."""
    drain = np.ceil((line.arrival + line.phase) / DRAIN - 1e-9) * DRAIN
    tick = np.ceil(drain / TICK - 1e-9) * TICK
    sent = np.arange(len(line.arrival)) * TICK
    return (tick - sent - line.phase)[int(SETTLED / TICK) :]


def hindsight(delays: F64, loss: float) -> float:
    """The smallest delay at which no larger share than `loss` is late."""
    known = np.sort(delays[np.isfinite(delays)])
    return float(known[max(int(np.ceil((1 - loss) * len(known))) - 1, 0)])


def oracle(delays: F64, loss: float) -> float:
    """The same when the delay may change every PIECE: mean delay of the best choice, found by its price."""
    size = int(PIECE / TICK)
    pieces = [
        np.sort(piece[np.isfinite(piece)]) for piece in np.split(delays, range(size, len(delays), size))
    ]
    pieces = [piece for piece in pieces if len(piece)]
    total = sum(map(len, pieces))

    def at(price: float) -> tuple[float, float]:
        delay, late = 0.0, 0
        for piece in pieces:
            after = len(piece) - 1 - np.arange(len(piece))
            best = int(np.argmin(piece * len(piece) + price * after))
            delay += float(piece[best]) * len(piece)
            late += int(after[best])
        return delay / total, late / total

    low, high = 0.0, 100.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] > loss else (low, middle)
    return at(high)[0]


def score(line: Stream, heard: I16, delay: float, speech: I16, pieces: int) -> float:
    """Mean PESQ of pieces of the speech, each at the delay at which it was heard."""
    size, scores = int(8.0 * RATE), []
    for piece in range(pieces):
        begin = int(SETTLED * RATE) + piece * size
        late = int((delay + line.phase) * RATE)
        reference, part = speech[begin : begin + size], heard[begin + late : begin + late + size]
        if len(part) == size:
            scores.append(hearing.pesq(reference, hearing.aligned(reference, part, RATE, most=0.4), RATE))
    return float(np.mean(scores))


def cost(rate: int, slots: int = 1000, ticks: int = 150) -> float:
    """Microseconds of CPU a slot and tick of a clean line: a packet observed, written and read."""
    playout, rows = Playout(rate, slots, BufferSettings(min_ms=40)), np.arange(slots)
    span = rate // 50
    sound = np.random.default_rng(1).normal(0, 1000, (slots, span)).astype(np.int16)
    newest, parts = np.ones(slots, bool), np.array_split(rows, 4)
    playout.begin(rows, rows * 1000, 0.0)
    spent = []
    for tick in range(ticks):
        begin = process_time()
        for quarter, some in enumerate(parts):
            now, stamps = tick * TICK + quarter * DRAIN, some * 1000 + tick * span
            playout.observe(some, stamps, now)
            playout.write(some, stamps, sound[some], newest[some], now)
        playout.read(rows, 0, tick * TICK + 0.019)
        spent.append(process_time() - begin)
    return float(np.median(np.reshape(spent[30:], (-1, 4)).mean(axis=1))) * 1e6 / slots


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_jitter", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, one passage a trace")
    parser.add_argument("--speech", help="folder of WAV files")
    parser.add_argument("--trace", type=Path, action="append", default=[], help="file of a recorded trace")
    options = parser.parse_args()
    seconds, seeds, pieces = (30.0, 1, 1) if options.quick else (60.0, 3, 2)
    texts = hearing.passages(RATE, seconds=seconds, folder=options.speech)
    speech = np.resize(np.concatenate([text.samples for text in texts]), int(seconds * RATE))
    lines, ticks = streams(seconds, seeds, options.trace), int(seconds / TICK)
    runs = {name: play(lines, speech, settings, ticks) for name, settings in BUFFERS.items()}
    figures = table(lines, runs, speech, pieces)
    for rate in (8000, 16000):
        figures[f"slot_us_{rate // 1000}k"] = round(cost(rate), 3)
    print(json.dumps({"bench": "jitter", "commit": commit(), "machine": machine(), "figures": figures}))


def table(lines: list[Stream], runs: dict[str, Run], speech: I16, pieces: int) -> dict[str, float]:
    """A line for each trace and buffer, means over its seeds; the figures."""
    names = list(dict.fromkeys(line.name for line in lines))
    over: dict[str, list[float]] = {"hindsight": [], "oracle": []}
    quality: dict[str, list[float]] = {name: [] for name in runs}
    print(f"{'trace':<11} {'buffer':<10} {'delay ms':>8} {'loss %':>7} {'PESQ':>5} {'hindsight':>9} oracle")
    for name in names:
        rows = [i for i, line in enumerate(lines) if line.name == name]
        for buffer, run in runs.items():
            scored = rows if buffer == "ours" else rows[:1]
            pesq = np.mean([score(lines[i], run.heard[i], run.delay[i], speech, pieces) for i in scored])
            best = [hindsight(needed(lines[i]), run.loss[i]) for i in rows]
            knew = [oracle(needed(lines[i]), run.loss[i]) for i in rows]
            delay, loss = run.delay[rows].mean() * 1e3, run.loss[rows].mean() * 100
            late, later = delay - np.mean(best) * 1e3, delay - np.mean(knew) * 1e3
            print(
                f"{name:<11} {buffer:<10} {delay:8.1f} {loss:7.2f} {pesq:5.2f} {late:+9.1f} {later:+7.1f}",
                flush=True,
            )
            quality[buffer].append(float(pesq))
            if buffer == "ours":
                over["hindsight"].append(late)
                over["oracle"].append(later)
    figures = {f"delay_over_{name}_ms_max": round(max(values), 1) for name, values in over.items()}
    for buffer, values in quality.items():
        name = "ours" if buffer == "ours" else f"{buffer.replace(' ', '_')}ms"
        figures[f"pesq_{name}"] = round(float(np.mean(values)), 2)
    return figures


if __name__ == "__main__":
    main()
