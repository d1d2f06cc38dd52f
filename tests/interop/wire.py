"""The ways between places of two regions: a relay that delays (benchmarks/far_apart.py), in its own process.

It runs before other processes, for where it waits for its turn regions lose each other.

    python -m tests.interop.wire TOLD       TOLD: JSON of `Told`; each line of input is answered with `said`
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.far_apart import End, Noise, Relay
from tests.interop.node import ROOT

HOME_MS, ABROAD_MS = 8.0, 90.0  # round trips
FIRST = -15  # how nice it is
Said = Counter[tuple[int, bool]]


def node_of(region: int) -> str:
    return f"10.77.{region}.11"


def front_of(region: int) -> str:
    return f"10.77.{region}.5"


def rtt_ms(one: str, other: str) -> float:
    """Between two addresses: 10.77.REGION.… are houses, 10.78.REGION.… people."""
    return HOME_MS if one.split(".")[2] == other.split(".")[2] else ABROAD_MS


class Wire:
    """Runs until it is closed."""

    def __init__(self, places: Sequence[End], seed: int) -> None:
        told = {"seed": seed, "ends": [[each.device, list(each.addresses)] for each in places]}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.interop.wire", json.dumps(told)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[each.device for each in places],
        )
        assert self.said() == Counter()

    def said(self) -> Said:
        """Packets so far between fronts and nodes of different regions, by protocol and whether words of SIP
        can be read in them.
        """
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None and answers is not None
        pipe.write(b"\n")
        pipe.flush()
        found = json.loads(answers.readline())
        return Counter({(protocol, readable): count for protocol, readable, count in found})

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass(frozen=True)
class Passed:
    """An end whose device another process opened."""

    device: int
    addresses: Sequence[str]


class Watching(Relay):
    """Counts while it passes on."""

    def __init__(self, ends: Sequence[End], seed: int) -> None:
        self.said: Said = Counter()
        pairs = [(front_of(here), node_of(there)) for here, there in ((1, 2), (2, 1))]
        both = [(one, other) for pair in pairs for one, other in (pair, pair[::-1])]
        self._watched = {socket.inet_aton(one) + socket.inet_aton(other) for one, other in both}
        super().__init__(ends, rtt_ms, Noise(), seed)

    def _hold(self, packet: bytes) -> None:
        if packet[12:20] in self._watched:
            self.said[packet[9], b"SIP/2.0" in packet] += 1
        super()._hold(packet)


def main() -> int:
    told = json.loads(sys.argv[1])
    try:
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    except PermissionError:
        pass  # then it waits like everybody
    relay = Watching([Passed(device, addresses) for device, addresses in told["ends"]], told["seed"])
    for _ in sys.stdin:
        print(json.dumps([[*what, count] for what, count in relay.said.copy().items()]), flush=True)
    relay.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
