"""Run every benchmark and keep its figures: `python -m benchmarks.run [--quick] [NOUN…]`, or `make bench`.

Each `benchmarks/bench_<noun>.py` ends by printing one JSON object. Those of a full run are kept in
`benchmarks/results/<noun>.json`, one a benchmark, for the newest measured commit; a quick run is not kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def nouns() -> list[str]:
    """What there are benchmarks of."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def run(noun: str, *, quick: bool) -> dict[str, Any]:
    """Run one benchmark, its output shown as it comes; the object it printed last. Raises ValueError."""
    command = [sys.executable, "-u", "-m", f"benchmarks.bench_{noun}", *(["--quick"] if quick else [])]
    last = ""
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    if process.returncode != 0:
        raise ValueError(f"bench_{noun} ended with exit status {process.returncode}")
    return checked(noun, last)


def checked(noun: str, line: str) -> dict[str, Any]:
    """The result in a benchmark's last line. Raises ValueError when it is not in the agreed form."""
    result = json.loads(line)
    if not isinstance(result, dict) or set(result) < {"bench", "commit", "machine", "figures"}:
        raise ValueError(
            f"bench_{noun}: the last line has no bench, commit, machine and figures: {line[:200]}"
        )
    if result["bench"] != noun:
        raise ValueError(f"bench_{noun} says it is '{result['bench']}'")
    if not all(isinstance(value, int | float | None) for value in result["figures"].values()):
        raise ValueError(f"bench_{noun}: a figure is no number: {result['figures']}")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each under 50 s; nothing is kept")
    parser.add_argument("noun", nargs="*", help=f"of {', '.join(nouns())}; all when left out")
    options = parser.parse_args()
    failed = False
    for noun in options.noun or nouns():
        print(f"== bench_{noun}", flush=True)
        try:
            result = run(noun, quick=options.quick)
        except ValueError as fault:
            print(f"bench: {fault}", file=sys.stderr)
            failed = True
            continue
        if not options.quick:
            RESULTS.mkdir(exist_ok=True)
            text = json.dumps(result, indent=2, sort_keys=True) + "\n"
            (RESULTS / f"{noun}.json").write_text(text, encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
