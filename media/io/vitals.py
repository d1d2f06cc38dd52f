"""What the kernel knows of a process that says nothing (proc(5), /proc/PID/stat)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

STATES = {
    "R": "it runs or waits for a processor",
    "S": "it waits for something",
    "D": "it waits for a disk",
    "T": "it is stopped",
    "t": "it is stopped",
    "Z": "it has ended",
}
STARVED = 0.05  # of the time that it was let run
TICKS = os.sysconf("SC_CLK_TCK")


class Vitals(NamedTuple):
    """state: its letter. used_s: of a processor, since it began, by all its threads."""

    state: str
    used_s: float

    def __str__(self) -> str:
        return STATES.get(self.state, self.state)

    def starved(self, then: Vitals, seconds: float) -> bool:
        """Whether it could have run for that long since then, and nobody let it."""
        return self.state == "R" and self.used_s - then.used_s < STARVED * seconds


def vitals(pid: int) -> Vitals | None:
    """None for no process, or where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        letter, *numbers = stat.rpartition(")")[2].split()  # the name before it may have spaces
        return Vitals(letter, (int(numbers[10]) + int(numbers[11])) / TICKS)
    except (OSError, ValueError, IndexError):
        return None
