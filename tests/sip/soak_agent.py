"""The long run: `python -m tests.sip.soak_agent [--count N] [--seed S]`.

Crowd after crowd calls, changes, transfers and hangs up over networks of every kind, with a third of all
datagrams damaged, until N messages were received. Whatever raises, tells an event too many, stays in a
table or makes memory grow ends the run with exit status 1. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random

from tests.sip.crowd import Crowd
from tests.sip.mutate import mutate
from tests.sip.network import Weather, drained

GROWTH = 30_000  # kilobytes that memory may grow after the first fifth of the run


def one_day(seed: int) -> tuple[int, Counter[str]]:
    """Messages received and events told in one crowd's day, which ends with empty tables."""
    rng = Random(seed)
    delay, jitter = rng.choice([0.01, 0.1]), rng.choice([0.0, 0.3, 2.0])
    weather = Weather(delay, jitter, rng.choice([0.0, 0.1, 0.4]), rng.choice([0.0, 0.2]))
    crowd = Crowd(seed, weather)
    received, damage = 0, rng.choice([0.0, 0.1, 0.5])

    def mangle(data: bytes) -> bytes:
        nonlocal received
        received += 1
        return mutate(data, rng) if rng.random() < damage else data

    crowd.network.mangle = mangle
    crowd.run(200, rng.choice([0.1, 1.0, 10.0]))
    damage = 0.0
    crowd.hang_up_all()
    crowd.network.settle(4000)
    assert drained(crowd.network.counts()), f"seed {seed} left {crowd.network.counts()}"
    return received, crowd.told


def run(count: int, seed: int) -> dict[str, object]:
    """Day after day until `count` messages were received."""
    received, days, told = 0, 0, Counter[str]()
    settled = 0
    while received < count:
        messages, events = one_day(seed + days)
        received += messages
        told += events
        days += 1
        if not settled and received >= count / 5:
            gc.collect()
            settled = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - settled
    return {"messages": received, "days": days, "events": dict(told), "growth_kb": growth}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    result = run(options.count, options.seed)
    print(json.dumps(result))
    return 1 if isinstance(result["growth_kb"], int) and result["growth_kb"] > GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
