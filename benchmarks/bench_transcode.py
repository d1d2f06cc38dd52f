"""What coding costs beside the codec library: calls between G.711 and another codec, decoded and coded again.

    python -m benchmarks.bench_transcode [--quick] [--calls N] [--seconds S]

One call is a leg of the codec and a leg of G.711 who both speak all the time, in packets of 20 ms. *Ours* is
the way of their sound through the parts of the core: the packet decoded in its order, halved in rate, coded
as G.711; G.711 decoded, doubled in rate, coded. The *library* is the codec's own functions alone on the very
same frames, called one after the other with everything prepared. Both run in turns, so that others' work on
the machine falls on both; times are CPU. Then the same calls go through a whole worker (play-out,
concealment, mixing, packets), without sockets. Prints a line for each codec, then one JSON object on the last
line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.bench_calls import commit, machine
from benchmarks.hearing import passages
from benchmarks.whole_worker import Worker
from media import codecs
from media.codecs import amr, opus
from media.codecs.native import functions
from media.columns import I16, U8
from media.decoding import Decoding
from media.encoding import Encoding
from media.halfband import Downward, Upward

CODECS = {"opus": codecs.OPUS, "g722": codecs.G722, "amrwb": codecs.AMR_WB}
TURNS = 10  # in which ours and the library alone alternate
Frames = list[list[bytes]]  # by tick and call


class Sounds(NamedTuple):
    """What is said in all calls, by tick and call. plain: G.711 of the telephones, uint8[ticks, calls, 160].
    wide: what the codec's encoder gets of that, int16[ticks, calls, 320]. coded: packets of the other side.
    """

    plain: U8
    wide: I16
    coded: Frames


def prepare(number: int, calls: int, ticks: int) -> Sounds:
    """Speech, each call beginning at another place of it."""
    speech = np.concatenate([each.samples for each in passages(16_000, seconds=30.0)])
    starts = np.random.default_rng(1).integers(0, len(speech), calls)
    said = np.stack([np.take(speech, np.arange(ticks * 320) + at, mode="wrap") for at in starts])
    said = said.reshape(calls, ticks, 320).swapaxes(0, 1)
    slots, up, down = np.arange(calls), Upward(calls), Downward(calls)
    law = np.zeros(calls, np.int8)
    plain = np.stack([codecs.encode(law, down.convert(slots, block)) for block in said])
    wide = np.stack([up.convert(slots, codecs.decode(law, block)) for block in plain])
    coders = [codecs.encoder(number, {}) for _ in range(calls)]
    coded = [[coder.encode(sound) for coder, sound in zip(coders, block)] for block in said]
    return Sounds(plain, wide, coded)


class Ours:
    """The core's parts, one tick of all calls at a time."""

    def __init__(self, number: int, calls: int) -> None:
        self.number, self.rows = number, np.arange(calls)
        self.decoding, self.encoding = Decoding(), Encoding()
        self.up, self.down = Upward(calls), Downward(calls)
        self.law = np.zeros(calls, np.int8)
        for row in range(calls):
            self.encoding.open(row, number, {})

    def tick(self, at: int, plain: U8, coded: list[bytes]) -> None:
        rows, take, number = self.rows, self.decoding.take, self.number
        frames = [take(row, number, at, 320 * at, packet) for row, packet in enumerate(coded)]
        heard = np.stack([frame.samples for each in frames for frame in each])
        codecs.encode(self.law, self.down.convert(rows, heard))
        packets = self.encoding.add(rows, self.up.convert(rows, codecs.decode(self.law, plain)))
        assert len(packets) == len(rows)


Call = Callable[[bytes], object]


def library(number: int) -> tuple[Call, Call]:
    """The bare decoder of a packet and encoder of 640 bytes of sound, with everything about them prepared."""
    if number == codecs.G722:
        from G722 import G722

        return G722(16_000, 64_000).decode, G722(16_000, 64_000).encode
    encoder, decoder = codecs.encoder(number, {}), codecs.decoder(number, {})
    into, out = np.empty(1920, np.int16), np.empty(1500, np.uint8)
    sound, packet = into.ctypes.data, out.ctypes.data
    keep = (encoder, decoder, into, out)
    if number == codecs.OPUS:
        known = functions(opus.LIBRARY, opus._SIGNATURES)
        code, decode, a, b = known.opus_encode, known.opus_decode, encoder._state, decoder._state
        return (
            lambda data, keep=keep: decode(b, data, len(data), sound, 1920, 0),
            lambda data, keep=keep: code(a, data, 320, packet, 1275),
        )
    code, decode = functions(*amr.WB.encoder).E_IF_encode, functions(*amr.WB.decoder).D_IF_decode
    a, b = encoder._state, decoder._state
    return (
        lambda data, keep=keep: decode(b, data, sound, 0),
        lambda data, keep=keep: code(a, 8, data, packet, 0),
    )


def bare(number: int, sounds: Sounds) -> tuple[list[list[Any]], Frames]:
    """Frames as the library takes them: sound for its encoder, packets for its decoder."""
    if number == codecs.G722:
        return [list(block) for block in sounds.wide], sounds.coded
    wide = [[sound.tobytes() for sound in block] for block in sounds.wide]
    if number == codecs.AMR_WB:
        kept = [[amr.unpack(each, amr.WIDE, False).frames[0] for each in block] for block in sounds.coded]  # type: ignore[union-attr]
        return wide, kept
    return wide, sounds.coded


def measure(number: int, calls: int, ticks: int) -> tuple[float, float, Sounds]:
    """ms of CPU a second of one call: ours and the library's, medians over the turns."""
    sounds = prepare(number, calls, ticks)
    ours, alone = Ours(number, calls), [library(number) for _ in range(calls)]
    wide, coded = bare(number, sounds)
    spent: dict[str, list[float]] = {"ours": [], "library": []}
    for turn in range(TURNS):
        some = range(turn * ticks // TURNS, (turn + 1) * ticks // TURNS)
        began = process_time()
        for at in some:
            ours.tick(at, sounds.plain[at], sounds.coded[at])
        between = process_time()
        for at in some:
            for (decode, encode), packet, sound in zip(alone, coded[at], wide[at]):
                decode(packet)
                encode(sound)
        ended = process_time()
        seconds = len(some) * 0.02 * calls / 1000
        spent["ours"].append((between - began) / seconds)
        spent["library"].append((ended - between) / seconds)
    return median(spent["ours"]), median(spent["library"]), sounds


def figures_of(name: str, number: int, calls: int, ticks: int) -> Mapping[str, float]:
    ours, alone, sounds = measure(number, calls, ticks)
    worker = Worker(codecs.KINDS[number], calls).run(sounds.plain, sounds.coded)
    print(
        f"{name:6} {ours:6.2f} ms of CPU a second a call, the library alone {alone:6.2f}: "
        f"{ours / alone:.2f} times; through a whole worker {worker:6.2f}",
        flush=True,
    )
    return {f"{name}_x_codec": ours / alone, f"{name}_library_ms": alone, f"{name}_worker_ms": worker}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_transcode", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0.0, help="of each codec's calls")
    options = parser.parse_args()
    seconds = options.seconds or (1.0 if options.quick else 6.0)
    figures: dict[str, float] = {}
    for name, number in CODECS.items():
        if codecs.available(number):
            figures |= figures_of(name, number, options.calls, int(seconds * 50))
        else:
            print(f"{name}: {codecs.missing()[codecs.KINDS[number].name]} is not installed")
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": "transcode", "commit": commit(), "machine": machine(), "figures": rounded}))
    return 0


if __name__ == "__main__":
    # As workers are started: products of small matrices are slower on many cores, and they are not ours.
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-u", "-m", "benchmarks.bench_transcode", *sys.argv[1:]])
    raise SystemExit(main())
