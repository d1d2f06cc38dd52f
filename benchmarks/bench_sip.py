"""Signalling on one core: messages a second through the wire layer, calls a second through a whole node.

    python -m benchmarks.bench_sip [--quick] [--seconds S]

The node and its media worker are pinned to the last core, SIPp shares the others. `calls_per_s`
is the highest rate kept up without one failed call, `cpu_ms_per_call` what a call costs at that rate.
"""

from __future__ import annotations

import argparse
import json
import os

from benchmarks.bench_calls import commit, machine
from benchmarks.sip_parse import measure as measure_messages
from benchmarks.sipp_calls import Load, highest, measure, running_node

MODERATE = 60  # calls a second
RATES = (100, 150, 175, 200, 225, 250, 275)
QUICK_RATES = (100, 150, 200)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under 50 s; coarser")
    parser.add_argument(
        "--seconds", type=int, default=0, help="length of each measured load (default: 10, quick: 4)"
    )
    options = parser.parse_args()
    seconds = options.seconds or (4 if options.quick else 10)
    messages = measure_messages()
    print(f"messages: {messages}", flush=True)
    cores = sorted(os.sched_getaffinity(0))[-1:]
    with running_node(cores) as node:
        moderate = measure(node, MODERATE, seconds)
        print(moderate, flush=True)
        best = highest(node, QUICK_RATES if options.quick else RATES, seconds)
    print(f"highest: {best}", flush=True)
    print(json.dumps(report(messages, moderate, best)))
    return 0


def report(messages: dict[str, float], moderate: Load, best: Load | None) -> dict[str, object]:
    top = best or moderate
    figures = {
        **messages,
        "calls_per_s": top.calls_per_s if not top.failed else 0.0,
        "cpu_ms_per_call": top.cpu_ms_per_call,
        "setup_p95_ms": top.setup_p95_ms,
        f"cpu_ms_per_call_{MODERATE}": moderate.cpu_ms_per_call,
    }
    return {"bench": "sip", "commit": commit(), "machine": machine(), "figures": figures}


if __name__ == "__main__":
    raise SystemExit(main())
