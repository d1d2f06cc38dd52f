"""`python -m tests.sip.soak_mutations --count 1000000`: damage messages for minutes; memory must stay flat.

Prints resident memory, memory blocks in use and the tables the wire layer keeps at ten intervals, and a
verdict; exits 1 when something escaped, or one of them grew once it was warm.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from sip import headers, uri
from tests.sip.exercise import exercise
from tests.sip.mutate import mutate, seeds

ROUNDS = 10
WARM = 3  # rounds until the allocator has its arenas
ALLOWED_BLOCKS = 500  # more in use than when warm, counted with the memory of short URIs empty
ALLOWED_MB = 4.0  # more than when warm: the allocator's slack, which one odd message can cost
SHOWN_FAULTS = 5


def resident_mb() -> float:
    """Memory this process holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def table_sizes() -> dict[str, int]:
    """Everything the wire layer keeps between messages; what is remembered of URIs is within its bound."""
    remembered = uri._parse_short.cache_info()
    assert remembered.maxsize is not None and remembered.currsize <= remembered.maxsize
    return {"header names": len(headers.CANONICAL), "short URIs, at most": remembered.maxsize}


def run(first: int, count: int, seed: int, outcomes: Counter[str]) -> None:
    """Damage and exercise `count` messages; each is made from `seed` and its own number alone."""
    for number in range(first, first + count):
        rng = Random(f"{seed} {number}")
        data = mutate(rng.choice(seeds()), rng)
        try:
            outcomes[exercise(data, rng)] += 1
        except Exception:  # noqa: BLE001 - whatever escaped is the finding
            outcomes["ESCAPED"] += 1
            if outcomes["ESCAPED"] <= SHOWN_FAULTS:
                print(f"-- mutation {number} of seed {seed}: {data[:400]!r}", file=sys.stderr)
                traceback.print_exc(limit=-4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    outcomes: Counter[str] = Counter()
    memory: list[float] = []
    blocks: list[int] = []
    tables: list[dict[str, int]] = []
    began = time.process_time()
    share = max(1, args.count // ROUNDS)
    for number in range(ROUNDS):
        run(number * share, share, args.seed, outcomes)
        tables.append(table_sizes())
        uri._parse_short.cache_clear()
        gc.collect()
        memory.append(resident_mb())
        blocks.append(sys.getallocatedblocks())
        done = (number + 1) * share
        per_message = (time.process_time() - began) / done * 1e6
        print(
            f"{done:>9,}  {memory[-1]:7.1f} MB  {blocks[-1]:>8,} blocks  {per_message:5.0f} us each",
            flush=True,
        )
    more_mb, more_blocks = memory[-1] - memory[WARM - 1], blocks[-1] - blocks[WARM - 1]
    flat = more_mb <= ALLOWED_MB and more_blocks <= ALLOWED_BLOCKS and tables[0] == tables[-1]
    print(f"outcomes: {dict(outcomes)}\ntables: {tables[-1]}")
    print(f"growth once warm: {more_mb:+.1f} MB, {more_blocks:+,} blocks")
    print("flat, nothing escaped" if flat and not outcomes["ESCAPED"] else "FAILED")
    return 0 if flat and not outcomes["ESCAPED"] else 1


if __name__ == "__main__":
    sys.exit(main())
