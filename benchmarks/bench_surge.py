"""More calls than lines can carry: how many get through, and what becomes of the rest and of those who talk.

    python -m benchmarks.bench_surge [--quick]

The usual load is what the first line takes, ten calls a second; the second takes a little over twice as much.
Three times the usual load has to go through, with overflow and a moment's waiting; of ten times as much, what
the lines carry, and the rest is told when to come again. Calls with sound go on all the while.
"""

from __future__ import annotations

import argparse
import json
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from benchmarks.bench_calls import commit, machine
from benchmarks.line_bed import Bed, line_bed
from benchmarks.sip_tap import Seen
from benchmarks.sound_ends import SoundEnds
from media.quality import coding, mos, rating

USUAL = 10  # calls a second
LINES = ({"max_calls_per_s": 10, "max_calls": 80}, {"max_calls_per_s": 22, "max_calls": 160})
TALK_MS = 1000
TALKERS = 10


@dataclass(frozen=True, slots=True)
class Surge:
    """Calls to callees that are not busy. refused: 503 with Retry-After; unclean: neither that nor answered.
    sound: MOS of each call that talked meanwhile.
    """

    offered: int
    connected: int
    refused: int
    unclean: int
    most_in_a_second: tuple[int, ...]
    sound: tuple[float, ...]

    @property
    def share(self) -> float:
        return self.connected / self.offered

    def __str__(self) -> str:
        return (
            f"{self.offered} calls: {self.connected} connected ({self.share:.1%}), {self.refused} told to "
            f"come again, {self.unclean} neither; at most {self.most_in_a_second} a second over the lines; "
            f"sound of those who talked: MOS {min(self.sound):.2f} to {max(self.sound):.2f}"
        )


def surge(bed: Bed, times: int, seconds: float, first: int) -> Surge:
    """Calls come `times` as fast as usual."""
    length = seconds + 6.0
    with (
        SoundEnds(TALKERS) as ends,
        bed.calls(5, TALKERS / 5, 1000 * length, first, ends.ports, step=10) as talkers,
    ):
        _talk(bed, ends, talkers)
        with bed.calls(USUAL * times, seconds, TALK_MS, first + 50_000, port=6460) as loaded:
            began = time.monotonic()
            time.sleep(seconds)
            over = time.monotonic()
        sound = [_mos(*ends.quality(at, began, over)) for at in range(TALKERS)]
    seen = [bed.callers.seen[number] for number in loaded if not number.endswith(b"9")]
    return Surge(
        offered=len(seen),
        connected=sum(each.answered is not None for each in seen),
        refused=sum(_clean(each) for each in seen),
        unclean=sum(each.answered is None and not _clean(each) for each in seen),
        most_in_a_second=tuple(_most(gateway.tap.seen, loaded) for gateway in bed.gateways),
        sound=tuple(sound),
    )


def _talk(bed: Bed, ends: SoundEnds, talkers: Sequence[bytes]) -> None:
    """Wait until they are through, and have them speak."""
    deadline = time.monotonic() + 20
    while not all(bed.callers.seen[number].port for number in talkers):
        if time.monotonic() > deadline:
            raise RuntimeError("those who are to talk are not through")
        time.sleep(0.1)
    for at, number in enumerate(talkers):
        ends.talk(at, ("127.0.0.1", bed.callers.seen[number].port))
    time.sleep(1.0)


def _clean(seen: Seen) -> bool:
    return seen.answered is None and seen.statuses == [503] and seen.later


def _most(seen: Mapping[bytes, Seen], numbers: Sequence[bytes]) -> int:
    """The most calls that a gateway was sent in any one second."""
    times = sorted(seen[n].invited or 0.0 for n in numbers if n in seen and seen[n].invited is not None)
    return max((bisect_left(times, when + 1.0) - at for at, when in enumerate(times)), default=0)


def _mos(lost: float, under_way_s: float) -> float:
    """Of what the one hears whom the far end repeats: half of the way, and of the losses, is each side's."""
    one = np.ones(1)
    how = coding(np.full(1, -1, np.int8), 64.0 * one)
    rated = rating(how, one * (1 - (1 - lost) ** 0.5), one, one * 500.0 * under_way_s)
    return round(float(mos(rated)[0]), 2)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    seconds = 6.0 if parser.parse_args().quick else 20.0
    with line_bed(lines=LINES) as bed:
        three = surge(bed, 3, seconds, 0)
        print(f"three times the usual: {three}", flush=True)
        ten = surge(bed, 10, seconds, 100_000)
        print(f"ten times the usual: {ten}", flush=True)
        assert bed.pid is not None
        crashed = not psutil.pid_exists(bed.pid)
    figures = {
        "connect_share_3x": round(three.share, 4),
        "accepted_mos_3x": min(three.sound),
        "unclean_3x": three.unclean,
        "connect_share_10x": round(ten.share, 4),
        "carried_10x_per_s": round(ten.connected / seconds, 1),
        "accepted_mos_10x": min(ten.sound),
        "unclean_10x": ten.unclean,
        "crashed": int(crashed),
    }
    print(json.dumps({"bench": "surge", "commit": commit(), "machine": machine(), "figures": figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
