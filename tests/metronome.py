"""Whether the machine gives clocks their turns: one that ticks beside real calls as often as media does.

A host may take a machine's processors away for a while. Whoever speaks or hears in real time then tears
sound, and what a test measures says nothing about the node. The clock is a process of its own, for it has to
be late where the node would be, and not where a test computes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

TICK_S = 0.02  # of media: who wakes this late has missed one
LATE = struct.Struct("dd")  # when it woke, of the monotonic clock, and how late it was, both in s
CALM_S = 2.0  # without a late tick
PATIENCE_S = 15.0  # for that


class Delays(NamedTuple):
    """Of ticks that were late: how many, by how much at the most, in s, and the share of the time in which
    the clock was held up.
    """

    count: int
    worst_s: float
    share: float

    def __str__(self) -> str:
        if not self.count:
            return "the machine held nobody up"
        often = f"{self.count} times, by up to {1e3 * self.worst_s:.0f} ms"
        return f"the machine held a clock up {often} and for {self.share:.0%} of the time"


class Metronome:
    """The clock's process. It ends when its keeper does."""

    def __init__(self) -> None:
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the clock
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._told)
        while not os.fstat(self._told.fileno()).st_size:
            self._let_tick(TICK_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    def delays(self, since: float) -> Delays:
        """Those that are told of since then, a time of the monotonic clock."""
        size = os.fstat(self._told.fileno()).st_size
        told = os.pread(self._told.fileno(), size - size % LATE.size, 0)
        late = [each for woke, each in LATE.iter_unpack(told) if woke >= since and each > TICK_S]
        return Delays(len(late), max(late, default=0.0), sum(late) / (time.monotonic() - since))

    def wait_for_calm(self) -> None:
        """Until nobody was held up for a while; not for ever, for some machines never are calm."""
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE_S:
            self._let_tick(CALM_S)
            if not self.delays(time.monotonic() - CALM_S).count:
                return

    def _let_tick(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"the clock beside the tests ended with {self._process.wait(seconds)}")

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10.0)
        self._told.close()


@functools.cache
def metronome() -> Metronome:
    """That of this process, from the first time that somebody asks."""
    return Metronome()


def tick() -> None:
    """Tell that it begins, and of each tick that is late, until nobody keeps the clock."""
    os.write(1, LATE.pack(time.monotonic(), 0.0))
    while True:
        due = time.monotonic() + TICK_S
        if select.select([0], [], [], TICK_S)[0]:
            return
        woke = time.monotonic()
        if woke - due > TICK_S:
            os.write(1, LATE.pack(woke, woke - due))


if __name__ == "__main__":
    tick()
