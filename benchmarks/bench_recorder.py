"""What recording costs: the recorder's own CPU a second a recorded call, by format, and over the floor.

    python -m benchmarks.bench_recorder [--quick] [--calls N] [--seconds S]

Taps' frames of conversations (speech of two people who mostly take turns) are fed to a recorder in this
process, its files to a memory-backed folder where there is one. The floor is that of bench_calls: what the
system calls of a relayed call cost. Prints what it does, then one JSON object on the last line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_calls import build, commit, machine, measure_floor
from benchmarks.hearing import passages
from media.io.disk import Disk
from media.recorder import Recorder
from media.recording import Record, SealKeys
from media.tap import HEARD, SAID, Frame, Part, Reader, encode

RATE, BLOCK = 8000, 160
TURN = 4 * RATE  # samples that one of the two speaks
FOLDER = "/dev/shm"
SECRET = "a secret for a benchmark, 32 long"
Sound = np.ndarray[Any, Any]

KINDS: dict[str, tuple[dict[str, Any], bool]] = {
    "opus": ({"format": "opus"}, True),
    "opus_both": ({"format": "opus"}, False),  # both sides speak all the time
    "opus_sealed": ({"format": "opus", "key": "k"}, True),
    "wav": ({"format": "wav"}, True),
}


def conversation(speech: Sound, turns: bool) -> Sound:
    """int16[2, n]; with turns one side is silent while the other speaks."""
    sides = np.stack([speech, np.roll(speech, len(speech) // 2)])
    if turns:
        for at in range(0, len(speech), 2 * TURN):
            sides[1, at : at + TURN] = 0
            sides[0, at + TURN : at + 2 * TURN] = 0
    return sides


def measure(sides: Sound, calls: int, seconds: float, **record: Any) -> tuple[float, float]:
    """CPU in ms a second a call, and kbit/s a call, with the reading of the frames."""
    ticks, length = int(seconds * 50), sides.shape[1]
    legs, waits = np.arange(calls), np.zeros(calls, np.float32)
    offsets = legs * 7919 % (length - BLOCK * 2) // BLOCK
    blocks = sides[:, : length // BLOCK * BLOCK].reshape(2, -1, BLOCK)
    frames = []
    for tick in range(ticks):
        at = (offsets + tick) % blocks.shape[1]
        parts = [Part(direction, RATE, legs, waits, blocks[direction][at]) for direction in (HEARD, SAID)]
        frames.append(encode(tick, parts))
    with tempfile.TemporaryDirectory(dir=FOLDER if os.path.isdir(FOLDER) else None) as folder:
        disk = Disk(sync_s=0)
        recorder = Recorder(disk, entropy=os.urandom, epoch=0.0)
        recorder.handle(SealKeys({"k": SECRET}), 0.0)
        for leg in legs.tolist():
            recorder.handle(Record(f"call-{leg}", leg, f"{folder}/call-{leg}", **record), 0.0)
        reader = Reader()
        begun = time.process_time()
        for tick, data in enumerate(frames):
            frame: Frame
            for frame in reader.feed(data):
                recorder.take(1, frame, tick / 50)
            recorder.look(tick / 50)
        recorder.close()
        disk.end(60)
        used = time.process_time() - begun
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return used / seconds / calls * 1e3, size * 8 / seconds / calls / 1000


def run(calls: int, seconds: float, speech: Sound) -> dict[str, float]:
    figures: dict[str, float] = {"calls": calls}
    with tempfile.TemporaryDirectory() as directory:
        tools = build(Path(directory))
        floors = [asyncio.run(measure_floor(tools, calls, 2.0))]
        for name, (record, turns) in KINDS.items():
            cost, rate = measure(conversation(speech, turns), calls, seconds, **record)
            figures[f"{name}_ms"], figures[f"{name}_kbps"] = round(cost, 4), round(rate, 1)
            floors.append(asyncio.run(measure_floor(tools, calls, 2.0)))
            print(f"{name}: {cost:.3f} ms/s/call, {rate:.1f} kbit/s, floor {floors[-1]:.3f}", flush=True)
    floor = float(np.median(floors))
    figures["floor_ms"] = round(floor, 4)
    return figures | {f"{name}_x_floor": round(figures[f"{name}_ms"] / floor, 3) for name in KINDS}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_recorder", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run, under 50 s")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.0, help="of sound of each call")
    options = parser.parse_args(arguments)
    seconds = options.seconds or (6.0 if options.quick else 20.0)
    speech = np.concatenate([each.samples for each in passages(RATE, seconds=60.0)])
    figures = run(options.calls, seconds, speech)
    print(json.dumps({"bench": "recorder", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
